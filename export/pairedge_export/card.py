"""The model card: task, accuracy, confidence, limitations and provenance of a model, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pairedge_export.parity import Parity

_EVALUATIONS = {
    "digits": "digits of the test set",
    "pairs": "pairs of test digits, each with 20 others",
    "all_pairs": "all ordered pairs of test digits",
    "round": "test pairs of its round",
    "validation": "validation pairs held out of the training pairs",
}


def card(metadata: Mapping[str, Any], sizes: Mapping[str, int], parity: Parity) -> str:
    """Write the card of an exported model.

    Args:
        metadata: what all of the model's graphs carry.
        sizes: bytes of each file, by name.
        parity: the checks that the graphs passed.
    """
    lines = [
        f"# {metadata['variant']}",
        "",
        "Compares two handwritten digits. Input: two 14x14 tiles, uint8, white ink on black. Output: "
        "P(first <= second) and, with a digit head, the probability of each digit 0 to 9 for either tile.",
        "",
        "## Accuracy",
        "",
        *accuracy_table(metadata["metrics"]),
        "",
        "## Confidence",
        "",
        *calibration(metadata),
        "",
        "## Limitations",
        "",
        "- The classes are the ten digits, one digit to a tile. A letter, a symbol or a blank tile is "
        "classified as a digit, too.",
        "- Accuracy holds for images like those of the test set; other handwriting, pens and cameras may "
        "give less.",
        "",
        "## Model",
        "",
        *provenance(metadata, sizes),
        *checks(parity, metadata.get("precision")),
        "",
        "## Recipe",
        "",
        "| setting | value |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in dotted(metadata["recipe"])),
        "",
    ]
    return "\n".join(lines)


def accuracy_table(metrics: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """One row for each set of digits or pairs that the model was evaluated on."""
    evaluated = [(words, metrics[key]) for key, words in _EVALUATIONS.items() if key in metrics]
    if not evaluated:
        yield "Not measured."
        return
    yield from ("| Evaluated on | accuracy | n |", "|---|---|---|")
    for words, metric in evaluated:
        n = f"{metric['n']:,}" if "n" in metric else "unknown"
        yield f"| {words} | {100 * metric['accuracy']:.3f} % | {n} |"


def calibration(metadata: Mapping[str, Any]) -> Iterator[str]:
    """How probabilities were calibrated, and below which confidence an answer is uncertain."""
    temperature = metadata["recipe"]["evaluation"]["temperature"]
    if temperature == "validation":
        yield (
            "- Calibrated by temperature scaling: the logits are divided by a temperature fitted on "
            "validation pairs."
        )
    elif temperature != 1:
        yield f"- The logits are divided by a temperature of {temperature}."
    else:
        yield "- Probabilities were not calibrated after training."
    thresholds = metadata.get("confidence")
    if thresholds is None:
        yield "- No confidence threshold was fitted: treat a probability near 0.5 as undecided."
        return
    yield (
        f"- Confidence thresholds, fitted on validation pairs: an answer for a pair is uncertain below "
        f"{thresholds['pair']:.3f}, one for a single tile below {thresholds['digit']:.3f}."
    )


def provenance(metadata: Mapping[str, Any], sizes: Mapping[str, int]) -> Iterator[str]:
    """Size, training data, digests and license."""
    recipe = metadata["recipe"]
    yield f"- Parameters: {metadata['parameters']:,}"
    yield "- Files: " + ", ".join(f"`{name}` {size:,} bytes" for name, size in sizes.items())
    if "precision" in metadata:
        yield f"- Precision: {metadata['precision']}"
    yield (
        f"- Trained on {recipe['data']['dataset']}: {recipe['data']['pairs']} pairs, "
        f"{recipe['optim']['epochs']} epochs, "
        f"seed {metadata['seed']}"
    )
    yield from held_out(metadata)
    yield f"- Training pairs SHA-256: `{metadata['training_sha256']}`"
    yield f"- Weights SHA-256: `{metadata['weights_sha256']}`"
    yield f"- License: {metadata['license']}"
    yield f"- {machine(metadata.get('machine'))}"


def held_out(metadata: Mapping[str, Any]) -> Iterator[str]:
    """Which digits a training with synthetic pictures left out, and whether it saw pictures of them."""
    data = metadata["recipe"]["data"]
    facts = metadata.get("held_out")
    if facts is None:
        if data.get("hold_out") and any(data.get("synthetic", {}).values()):
            yield (
                f"- Held out: {data['hold_out']:,} pairs, drawn from the digits and the pictures rendered of "
                "them together. Most held-out digits have a twin in training, the original or a picture of "
                "it. The temperature and the confidence thresholds were fitted on these pairs."
            )
        return
    yield (
        f"- Held out: {facts['digits']:,} training digits, before any picture was rendered. Training has "
        "neither these digits nor pictures of them; what was fitted on validation pairs was fitted on both."
    )
    if "negatives" in facts:
        yield (
            f"- The confidence threshold of single tiles rejects {100 * facts['negatives_rejected']:.1f} % "
            f"of {facts['negatives']:,} held-out negatives. They decided nothing; training draws none of "
            "their letters, signs and shapes."
        )


def machine(facts: Mapping[str, str] | None) -> str:
    """The CPU that trained the model, on which its weights depend."""
    if facts is None:
        return "Trained on a CPU that was not recorded; another may give slightly different weights."
    versions = ", ".join(f"{name} {facts[name]}" for name in ("torch", "numpy", "python"))
    return (
        f"Trained on {facts['cpu']} with {facts['kernels']} kernels ({versions}); another CPU trains on the "
        "same pairs, but may give slightly different weights."
    )


def checks(parity: Parity, precision: str | None) -> Iterator[str]:
    """What was checked before the graphs were written; `precision` is None for fp32."""
    graphs = "the graphs" if precision is None else "the fp32 graphs"
    yield (
        f"- Parity of {graphs} with torch: {len(parity.of_kind('contract', 'values', 'decisions'))} checks, "
        f"largest difference {parity.difference():.1e}, every decision the same (`parity.json`)"
    )
    for check in parity.of_kind("precision"):
        yield f"- {check.graph}, {check.name}: {check.detail}"
    mobile = parity.of_kind("mobile")
    if mobile:
        yield f"- Parity of the `.ort` files with the graphs: {len(mobile)} checks, every decision the same"


def dotted(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings as dotted names with values: `{"optim": {"lr": 0.1}}` gives `("optim.lr", 0.1)`."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from dotted(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
