"""The page of the robustness benchmark."""

from __future__ import annotations

from pairedge_train.robustness.accuracy import condition_table
from pairedge_train.robustness.goals import goals_table
from pairedge_train.robustness.probabilities import probability_table
from pairedge_train.robustness.rejection import rejection_table
from pairedge_train.robustness.rows import Robustness
from pairedge_train.robustness.several import several_table


def page(measured: Robustness) -> str:
    """Goals, the accuracy under each condition, what is rejected, and calibration, as Markdown."""
    models = {row.system: row.model for row in measured.conditions}
    digests = ", ".join(f"`{model}` for {system}" for system, model in models.items())
    threshold = f"{measured.rejection.threshold:.3f}"
    at_1_percent = f"{measured.rejection.threshold_at_1_percent:.3f}"
    return f"""# Robustness, condition by condition

MNIST's test digits as `pairedge_train.rendering` renders them, one picture per digit, with seeds that
training never uses. Percentages are the share of digits classified correctly; a refused picture counts as an
error. `resize only` converts a picture to gray, makes it white on black by the median of its border, and
resizes it to 14x14; `pairedge` reads it as `pairedge.image` does. The last column counts the pictures that
the last system refuses to read. Models, by the SHA-256 of their `pair.onnx`: {digests}.

## Goals

The goals were set before the model was trained. What they are tested on was never trained on, and chose
nothing.

{goals_table(measured)}
## Conditions

{condition_table(measured.conditions)}
## Rejection of negatives

An answer with a confidence below {threshold} is uncertain; a picture is rejected when its answer is
uncertain or it is refused. The threshold was fitted in training, on what the model card says was held out.
*Negatives* are pictures that show no digit. Those *held out* are letters and signs, by pen, in handwriting
fonts and printed, and shapes, that training never draws, in hands and fonts that it never draws. Those *also
trained on* come from generators that training uses too, with other seeds; textures have other patterns here,
of which one, bars, is training's waves with hard edges. There is no mean over both groups: only the first
shows pictures that training could not have drawn. The last column has the threshold {at_1_percent}, which
1 % of MNIST's test digits lie below, so that models can be compared.

{rejection_table(measured.rejection)}
## Several digits

Test digits side by side, a tenth to half of a digit's height apart, in pictures of any size: the share that
is answered `several`. Of pictures of one digit, none should be.

{several_table(measured.several)}
## Calibration

Expected calibration error in 15 bins (Guo et al., 2017), of the most probable digit's posterior and of
P(first <= second) over all ordered pairs. [Unseen hands](hands.md) are all their pictures together, those
that are refused left out.

{probability_table(measured.probabilities)}"""
