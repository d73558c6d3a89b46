"""Measurements: each module is one question, answered by its ``main``; ``python -m benchmarks`` runs them all."""
