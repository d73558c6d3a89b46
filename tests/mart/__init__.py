"""Tests of what analysts read."""
