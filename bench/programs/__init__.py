"""Small programs that are run in fresh processes: ours, and the references as their documentation has them."""
