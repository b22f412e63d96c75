"""Accuracy on photo-like pictures, condition by condition, and how well negatives are rejected."""
