"""What each gateway says: one pure module per kind."""
