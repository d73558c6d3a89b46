"""What one snapshot, one version and one gigabyte cost, and what that makes of a thousand sources for five years."""
