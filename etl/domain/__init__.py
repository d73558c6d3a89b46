"""What we know of catalogs and money; standard library and msgspec only, no I/O, no clock."""
