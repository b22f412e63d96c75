"""Recipes and studies: all settings of a training, and the tables of recipes that make an experiment."""
