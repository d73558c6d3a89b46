"""Others who keep history, each started as a script in an environment of its own."""
