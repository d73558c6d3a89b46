"""Alerts, against real receivers on loopback."""
