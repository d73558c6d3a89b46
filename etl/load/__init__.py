"""The door to the tables: landed bytes and versioned history."""
