"""The steps of deploy and destroy. Each can be repeated, and goes on where an earlier one broke off."""
