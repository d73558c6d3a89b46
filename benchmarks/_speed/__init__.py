"""The parts of the measurement `speed`: catalogs, contenders, races, and what is told of them."""
