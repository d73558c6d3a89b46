"""Others who keep history, each started as a module in an environment of its own: nothing here imports `etl`."""
