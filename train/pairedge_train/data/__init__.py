"""Data sets, the pairs that a round draws from them, and synthetic tiles."""
