"""How accurately pictures are read under each condition, and which are rejected."""
