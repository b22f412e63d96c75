"""The model card: what a model is for, its accuracy, confidence, limits and provenance, as Markdown.

It begins with the YAML that hubs of models read, and has the sections that they expect.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any, NamedTuple

from pairedge.classes import DIGIT_CLASSES
from pairedge_export.parity import TOLERANCE, Parity

_EVALUATIONS = {
    "digits": "digits of the test set",
    "pairs": "pairs of test digits, each with 20 others",
    "all_pairs": "all ordered pairs of test digits",
    "round": "test pairs of its round",
    "validation": "validation pairs held out of the training pairs",
}
NO_LICENSE = "not stated"  # the license of a model whose owner names none

# The names that hubs have for licenses, which are SPDX identifiers in lower case; any other is "other".
_LICENSES = {
    *("mit", "apache-2.0", "bsd-2-clause", "bsd-3-clause", "isc", "mpl-2.0", "unlicense", "cc0-1.0"),
    *("cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0"),
}
_HUB_DATASETS = {
    "mnist": "ylecun/mnist",
    "fashion-mnist": "zalando-datasets/fashion_mnist",
}  # hubs' names of data sets


class Group(NamedTuple):
    """The accuracy on one group of digits: those that are a 7, those on squared paper, ..., 0 to 1."""

    name: str
    accuracy: float
    n: int


class Rejected(NamedTuple):
    """The share of some pictures, 0 to 1, that is answered `uncertain` or refused."""

    pictures: str
    share: float
    n: int


def card(
    metadata: Mapping[str, Any],
    sizes: Mapping[str, int],
    parity: Parity,
    groups: Sequence[Group] = (),
    rejected: Sequence[Rejected] = (),
) -> str:
    """Write the card of an exported model.

    Args:
        metadata: what all of the model's graphs carry.
        sizes: bytes of each file, by name.
        parity: the checks that the graphs passed.
        groups: what the model was evaluated on beside its test digits.
        rejected: what its confidence threshold rejects, of digits and of negatives.
    """
    lines = [
        *front_matter(metadata),
        "",
        *summary(metadata, groups, rejected),
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


def summary(
    metadata: Mapping[str, Any], groups: Sequence[Group] = (), rejected: Sequence[Rejected] = ()
) -> Iterator[str]:
    """The lines of the card that any program with the model should know; arguments as those of `card`."""
    words = DIGITS_IN_WORDS if is_of_digits(metadata) else classes_in_words(metadata["labels"])
    groups = [*digit_groups(metadata), *groups]
    yield from (
        f"# {metadata['variant']}",
        "",
        f"Compares two {words.pictures}. Input: two 14x14 tiles, uint8, white ink on black. Output: "
        f"P(first <= second) and, with a digit head, the probability of each {words.classes} for either "
        "tile.",
        "",
        "## Intended use",
        "",
        f"- For: comparing, classifying and sorting pictures of {words.single}, where a person looks at "
        "what is `uncertain`. pairedge turns pictures into tiles; other programs give the graphs tiles.",
        f"- Not for: {words.others}, or decisions about people (grades, votes, doses, payments) that nobody "
        "checks.",
        "",
        "## Accuracy",
        "",
        *accuracy_table(metadata["metrics"]),
        "",
        *(["## Accuracy by group", "", *group_table(groups), ""] if groups else []),
        "## Confidence",
        "",
        *calibration(metadata),
        "",
        *(rejection_table(rejected) if rejected else []),
        "## Limitations",
        "",
        words.limit,
        "- Accuracy holds for images like those of the test set; other handwriting, pens and cameras may "
        "give less, and confidence is calibrated for the former.",
        f"- Who wrote a {words.one} is not recorded, so accuracy by the writers' age, hand or country is "
        "unknown.",
        "",
    )


class Words(NamedTuple):
    """What a card calls the pictures of a model, and its classes."""

    pictures: str
    classes: str
    single: str
    others: str
    limit: str
    one: str


DIGITS_IN_WORDS = Words(
    "handwritten digits",
    "digit 0 to 9",
    "single digits 0 to 9",
    "numbers of several digits, letters",
    "- The classes are the ten digits, one digit to a tile. A letter, a symbol or a blank tile is classified "
    "as a digit, too.",
    "digit",
)


def classes_in_words(names: Sequence[str]) -> Words:
    """The words of a model of ten classes of its own, in ascending order."""
    return Words(
        f"pictures by the order of their classes, {' < '.join(names)}",
        "class",
        "these ten classes",
        "pictures of anything else",
        "- The classes are these ten, one to a tile. A tile of anything else is classified as one of them.",
        "picture",
    )


def is_of_digits(metadata: Mapping[str, Any]) -> bool:
    """Whether a model's classes are the digits; metadata without labels say so, too."""
    return tuple(metadata.get("labels", DIGIT_CLASSES)) == DIGIT_CLASSES


def rejection_table(rejected: Sequence[Rejected]) -> Iterator[str]:
    """What the threshold of single tiles rejects, with what it says of it."""
    yield from ("What the threshold of single tiles rejects:", "")
    yield from ("| Pictures | uncertain or refused | n |", "|---|---|---|")
    yield from (f"| {name} | {100 * share:.1f} % | {n:,} |" for name, share, n in rejected)
    yield ""


def front_matter(metadata: Mapping[str, Any]) -> Iterator[str]:
    """The YAML that hubs of models read; every value is JSON, which is YAML."""
    dataset = PurePath(metadata["recipe"]["data"]["dataset"]).name  # one's own has a path
    identifier = metadata["license"].lower()
    yield "---"
    if identifier in _LICENSES:
        yield f"license: {identifier}"
    elif metadata["license"] == NO_LICENSE:
        yield "license: unknown"
    else:
        yield from ("license: other", f"license_name: {json.dumps(metadata['license'])}")
    yield "library_name: onnx"
    yield "pipeline_tag: image-classification"
    subject = "handwritten-digits, " if is_of_digits(metadata) else ""
    yield f"tags: [onnx, onnxruntime, pairedge, {subject}weight-sharing, auxiliary-loss]"
    if dataset in _HUB_DATASETS:
        yield f"datasets: [{_HUB_DATASETS[dataset]}]"
    results = [
        {
            "task": {"type": "image-classification", "name": words},
            "dataset": {"type": _HUB_DATASETS.get(dataset, dataset), "name": dataset, "split": split(key)},
            "metrics": [{"type": "accuracy", "value": metadata["metrics"][key]["accuracy"]}],
        }
        for key, words in _EVALUATIONS.items()
        if key in metadata["metrics"]
    ]
    if results:
        yield "metrics: [accuracy]"
        yield "model-index:"
        yield f"- name: {json.dumps(metadata['variant'])}"
        yield f"  results: {json.dumps(results)}"
    yield "---"


def split(evaluation: str) -> str:
    """The split of its data set that an evaluation is made on."""
    return "validation" if evaluation == "validation" else "test"


def digit_groups(metadata: Mapping[str, Any]) -> list[Group]:
    """The test digits by what they are, where the exporter measured that."""
    measured = metadata["metrics"].get("digits", {}).get("by_digit", {})
    names = metadata.get("labels", DIGIT_CLASSES)
    return [
        Group(f"test digits {names[int(digit)]}", metric["accuracy"], metric["n"])
        for digit, metric in measured.items()
    ]


def group_table(groups: Sequence[Group]) -> Iterator[str]:
    """One row for each group."""
    yield from ("| Group | accuracy | n |", "|---|---|---|")
    for group in groups:
        yield f"| {group.name} | {100 * group.accuracy:.1f} % | {group.n:,} |"


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
    yield from adapted(metadata)
    yield (
        f"- Trained on {recipe['data']['dataset']}: {recipe['data']['pairs']} pairs, "
        f"{recipe['optim']['epochs']} epochs, "
        f"seed {metadata['seed']}"
    )
    yield from held_out(metadata)
    if recipe["data"].get("sha256"):
        yield f"- Data set SHA-256: `{recipe['data']['sha256']}`"
    yield f"- Training pairs SHA-256: `{metadata['training_sha256']}`"
    yield f"- Weights SHA-256: `{metadata['weights_sha256']}`"
    yield f"- License: {metadata['license']}"
    yield f"- {machine(metadata.get('machine'))}"


def adapted(metadata: Mapping[str, Any]) -> Iterator[str]:
    """What the model was adapted from and to, and what that changed."""
    facts = metadata.get("adapted")
    if facts is None:
        return
    yield (
        f"- Adapted to {facts['pictures']:,} pictures of its owner's, from the weights with SHA-256 "
        f"`{facts['start']}`, while digits and synthetic pictures of others were replayed, as the recipe says"
    )
    for name, key in (("of the owner's held-out pictures", "own"), ("test digits of others", "test")):
        paired = facts[key]
        yield (
            f"- On {paired['n']:,} {name}: {100 * paired['before']:.2f} % correct before adapting, "
            f"{100 * paired['after']:.2f} % after (p = {paired['p']:.2g}, McNemar's exact test)"
        )


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
        + (" The model that it was adapted from may have seen them." if "adapted" in metadata else "")
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
    in_c = parity.of_kind("c")
    agreements = [check.agreement for check in in_c if check.agreement is not None]
    if agreements:
        yield (
            f"- Parity of the C with the graphs: {len(in_c)} checks; in each, at least {min(agreements):.3%} "
            f"of the answers are within {TOLERANCE:.0e}, or of the decisions the same"
        )
    elif in_c:
        yield (
            f"- Parity of the C with the graphs: {len(in_c)} checks, largest difference "
            f"{parity.difference('c'):.1e}, every decision the same"
        )


def dotted(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings as dotted names with values: `{"optim": {"lr": 0.1}}` gives `("optim.lr", 0.1)`."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from dotted(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
