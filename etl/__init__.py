"""The warehouse that knows what every LLM costs, on every gateway, at every moment."""
