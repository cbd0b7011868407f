"""What must hold: who may decide, what is safe, what counts as gone, and what may be said next."""
