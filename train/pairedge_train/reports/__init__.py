"""Reproducing studies: their rounds, statistics beside the reports' numbers, figures and pages."""
