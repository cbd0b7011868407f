"""Finds out in a live account what no document of AWS says. The verbs are doctor --live, rehearse and reality."""
