"""Walks over real sockets: every way in which a gateway can misbehave."""
