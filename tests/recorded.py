"""Recorded catalogs, when a folder of them lies beside the checkout: data for tests only, never part of the project."""

from pathlib import Path

import pytest

CATALOGS = Path(__file__).parents[2] / "shared" / "catalogs"

needs_recordings = pytest.mark.skipif(
    not CATALOGS.is_dir(), reason="no folder of recorded catalogs beside the checkout (../shared/catalogs)"
)
