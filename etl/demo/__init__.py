"""The bundled sample catalogs and the loopback gateway that serves them."""
