"""Scenarios: YAML files that say what the world is, what happens in it and what must come of it."""
