"""What analysts read: views, one SQL file per object."""
