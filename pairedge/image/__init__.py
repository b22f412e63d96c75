"""From a picture to a tile: the only preprocessing in the project."""

from pairedge.image.tile import TILE_SIDE, Reading, read_picture, to_tile

__all__ = ["TILE_SIDE", "Reading", "read_picture", "to_tile"]
