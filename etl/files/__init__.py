"""Files and folders that others may look at or write to: written whole, and trusted only where they are ours."""
