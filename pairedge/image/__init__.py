"""From a picture to a tile: the only preprocessing in the project."""
