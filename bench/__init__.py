"""Measures Unlatch against stated references, each figure a ratio within one run. Never deployed, tests nothing."""
