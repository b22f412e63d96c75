"""Architectures: branches, comparison heads, ensembles, and the output that all of them share."""
