"""Landed bytes: how they are kept whole."""
