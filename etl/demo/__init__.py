"""The bundled sample catalogs, the loopback gateways that serve them, and the story that they tell."""
