"""Architectures: parts, and the registry of variants."""
