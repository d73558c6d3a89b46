"""What goes wrong: bad walks, killed processes, colliding runs, and what other history tools make of such things."""
