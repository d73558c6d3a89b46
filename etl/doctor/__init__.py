"""Looks at everything that has to be in place, whatever is broken: each check gives findings and raises nothing."""
