"""Data sets of one's own: read from pictures, IDX, NPZ or CSV, checked, and split."""
