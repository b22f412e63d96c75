"""Reproducing studies: rows, statistics, figures, pages."""
