"""The door to the gateways: HTTP walks that bring home pages."""
