"""Rendered pictures of digits, in handwriting and print, and of negatives; uses no other training package."""
