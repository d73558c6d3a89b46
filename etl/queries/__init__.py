"""Read-only questions of the command line, the doctor and the metrics."""
