"""The schema's revisions, run by ``etl db upgrade``."""
