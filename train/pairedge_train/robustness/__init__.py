"""How well pictures are read, and which are rejected."""
