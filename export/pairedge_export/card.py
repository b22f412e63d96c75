"""The card: what a model is, how well it does and how that was found, from the model's own metadata."""

from __future__ import annotations

from typing import Any

from pairedge_export.parity import Parity

_METRICS = {
    "digits": "digits of the test set",
    "pairs": "pairs of test digits, each with 20 others",
    "all_pairs": "all ordered pairs of test digits",
    "round": "test pairs of its round",
}


def card(metadata: dict[str, Any], sizes: dict[str, int], parity: Parity) -> str:
    """A Markdown page.

    Args:
        metadata: what the graphs carry.
        sizes: bytes of each file, by name.
        parity: the proof.
    """
    recipe, precision = metadata["recipe"], metadata.get("precision")
    measured = [
        (words, metadata["metrics"][key]) for key, words in _METRICS.items() if key in metadata["metrics"]
    ]
    metrics = [f"| {words} | {100 * found['accuracy']:.3f} % | {found['n']:,} |" for words, found in measured]
    lines = [
        f"# {metadata['variant']}",
        "",
        "Two 14x14 tiles of handwritten digits in; P(first <= second), and each tile's digit where the graph "
        "has a digit head, out.",
        "",
        "| Accuracy on | right | n |",
        "|---|---|---|",
        *metrics,
        "",
        f"- {metadata['parameters']:,} parameters; "
        + ", ".join(f"`{name}` {size:,} bytes" for name, size in sizes.items()),
        f"- trained on {recipe['dataset']}: {recipe['pairs']} pairs, {recipe['epochs']} epochs, "
        f"seed {metadata['seed']}",
        f"- parity with torch: {len(parity.checks)} checks, largest difference {parity.difference():.1e}, "
        "every decision the same (`parity.json`)"
        + (f"; that is of the fp32 graphs, of which these in {precision} promise less" if precision else ""),
        *(
            f"- {check.graph}, {check.name}: {check.detail}"
            for check in parity.checks
            if "fewer" in check.name
        ),
        f"- training pairs SHA-256 `{metadata['training_sha256']}`",
        f"- weights SHA-256 `{metadata['weights_sha256']}`",
        f"- license {metadata['license']}",
        "",
        "It knows single digits 0 to 9, written by hand. Given anything else it still answers; "
        f"{doubt(metadata)}",
        "",
        "## Recipe",
        "",
        "| setting | value |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in recipe.items()),
        "",
    ]
    return "\n".join(lines)


def doubt(metadata: dict[str, Any]) -> str:
    """What to do about it."""
    threshold = metadata.get("confidence", {}).get("pair")
    if threshold is None:
        return "treat a probability near one half as no answer."
    return f"an answer less sure than {threshold:.3f}, its threshold of doubt, counts as uncertain."
