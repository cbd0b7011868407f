"""Which rights the roles have, and which scenario shows that each is needed: docs/permissions.md. Grants none."""
