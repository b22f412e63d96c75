"""Drawings: how a picture is preprocessed, the answer for a pair, an evaluation, and a server under load.

Made with Pillow and its built-in font only, so that a device needs no other package. The font covers little
beyond ASCII, so all text here is ASCII.
"""

from pairedge.drawing.evaluation import draw_evaluation
from pairedge.drawing.loads import draw_loads
from pairedge.drawing.readings import draw_pair, draw_steps
from pairedge.drawing.sheet import Cell, draw_sheet

__all__ = ["Cell", "draw_evaluation", "draw_loads", "draw_pair", "draw_sheet", "draw_steps"]
