"""Proofs of reliability: crash matrix and fuzz. Never part of what is deployed."""
