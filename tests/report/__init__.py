"""The report: its facts, its page, and how it looks in a browser."""
