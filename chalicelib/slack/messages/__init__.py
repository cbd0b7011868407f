"""Messages as pure functions from a case to Block Kit."""
