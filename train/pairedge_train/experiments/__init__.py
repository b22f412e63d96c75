"""Recipes, and the studies that train them."""
