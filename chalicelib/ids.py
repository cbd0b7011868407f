"""How AWS writes the ids that people and events name: one pattern each, to be matched whole."""

from __future__ import annotations

import re

ACCOUNT = re.compile(r"[0-9]{12}")
REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-[0-9]{1,2}")
CLUSTER_ID = re.compile(r"cluster-[2-7a-zA-Z]{11,16}")
