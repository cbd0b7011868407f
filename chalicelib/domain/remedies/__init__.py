"""The ways out of a blocked deletion, one module each: plan, next, undo."""
