"""Recipes and studies: all settings of a training run, and tables of recipes as experiments."""
