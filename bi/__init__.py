"""Dashboards over the mart, as code."""
