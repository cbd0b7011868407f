"""What is known: the case, the world as last seen, plans, people and the log. Values that judge nothing."""
