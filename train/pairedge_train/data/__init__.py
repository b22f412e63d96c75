"""Data sets, the pairs that a round draws, and rendered additions."""
