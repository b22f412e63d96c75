"""A model in plain C: reading its graphs, laying out weights and memory, writing, and proof."""
