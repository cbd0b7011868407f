"""A case's audit log as evidence: written out, read back, and held against AWS's own CloudTrail."""
