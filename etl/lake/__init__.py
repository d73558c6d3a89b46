"""The history as files that other engines read: Parquet with a manifest, or Iceberg tables."""
