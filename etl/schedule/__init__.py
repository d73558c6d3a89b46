"""The daemon: each source on its own schedule, for years."""
