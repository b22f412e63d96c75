"""The card states what a model is, how accurate it is and what it was trained on, whatever was measured."""

from __future__ import annotations

from typing import Any

import pytest
from huggingface_hub import ModelCard, ModelCardData

from pairedge_export.card import NO_LICENSE, Group, Rejected, card, dotted
from pairedge_export.parity import Check, Parity

RECIPE: dict[str, Any] = {
    "network": {"variant": "aux_ws"},
    "data": {"dataset": "mnist", "pairs": "all", "synthetic": {"rendered": 60_000}},
    "optim": {"lr": 0.004, "epochs": 50},
    "evaluation": {"temperature": "validation"},
}
METADATA = {
    "variant": "aux_ws",
    "recipe": RECIPE,
    "seed": 2021,
    "parameters": 35_258,
    "metrics": {"round": {"accuracy": 0.9958, "n": 5000}},
    "training_sha256": "0b97",
    "weights_sha256": "2bde",
    "license": "MIT",
}
PARITY = Parity(
    [
        Check("pair", "contract", "contract", True, "names, axes and dtypes as agreed"),
        Check("pair", "values", "values, extremes", True, "largest difference 1.0e-06", 1e-6),
        Check("pair", "decisions", "decisions, all 500 tiles", True, "0 of 500 differ"),
    ]
)


def written(parity: Parity = PARITY, **changes: Any) -> list[str]:
    """The lines of the card of METADATA with changes."""
    return card({**METADATA, **changes}, {"pair.onnx": 145_683}, parity).splitlines()


def hub_data(lines: list[str]) -> ModelCardData:
    """What hubs of models read of a card."""
    data = ModelCard("\n".join(lines)).data
    assert isinstance(data, ModelCardData)
    return data


def test_a_nested_recipe_is_one_table_of_dotted_names() -> None:
    lines = written()
    start = lines.index("| setting | value |")
    assert lines[start + 2 :] == [
        "| network.variant | aux_ws |",
        "| data.dataset | mnist |",
        "| data.pairs | all |",
        "| data.synthetic.rendered | 60000 |",
        "| optim.lr | 0.004 |",
        "| optim.epochs | 50 |",
        "| evaluation.temperature | validation |",
    ]
    assert dict(dotted(RECIPE))["optim.lr"] == 0.004
    assert "- Trained on mnist: all pairs, 50 epochs, seed 2021" in lines


def test_the_facts_of_the_model_are_listed() -> None:
    lines = written(confidence={"pair": 0.88634, "digit": 0.9})
    assert "# aux_ws" in lines
    for line in (
        "| test pairs of its round | 99.580 % | 5,000 |",
        "- Confidence thresholds, fitted on validation pairs: an answer for a pair is uncertain below 0.886, "
        "one for a single tile below 0.900.",
        "- Calibrated by temperature scaling: the logits are divided by a temperature fitted on validation "
        "pairs.",
        "- Parameters: 35,258",
        "- Files: `pair.onnx` 145,683 bytes",
        "- Training pairs SHA-256: `0b97`",
        "- Weights SHA-256: `2bde`",
        "- License: MIT",
        "- Parity of the graphs with torch: 3 checks, largest difference 1.0e-06, every decision the same "
        "(`parity.json`)",
    ):
        assert line in lines


def test_a_model_of_other_classes_says_which() -> None:
    names = ["T-shirt/top", *"bcdefghij"]
    metrics = {"digits": {"accuracy": 0.9, "n": 10, "by_digit": {"0": {"accuracy": 0.8, "n": 5}}}}
    lines = written(labels=names, metrics=metrics)
    text = "\n".join(lines)
    assert "Compares two pictures by the order of their classes, T-shirt/top < b < c < d < e < f" in text
    assert "- For: comparing, classifying and sorting pictures of these ten classes, where" in text
    assert "| test digits T-shirt/top | 80.0 % | 5 |" in lines
    assert "digit" not in text.split("## Intended use")[1].split("## Accuracy")[0]
    assert "handwritten-digits" not in (hub_data(lines).tags or [])
    assert written(labels=list("0123456789")) == written()


def test_data_of_ones_own_is_named_and_known_by_its_digest() -> None:
    data = {**RECIPE["data"], "dataset": "shared/my_digits", "sha256": "5ea1"}
    lines = written(recipe={**RECIPE, "data": data}, metrics={"round": {"accuracy": 0.9, "n": 20}})
    assert "- Data set SHA-256: `5ea1`" in lines
    [result] = hub_data(lines).eval_results or []
    assert result.dataset_name == "my_digits"


@pytest.mark.parametrize(
    ("temperature", "sentence"),
    [
        (1.0, "- Probabilities were not calibrated after training."),
        (1.5, "- The logits are divided by a temperature of 1.5."),
    ],
)
def test_a_temperature_is_stated(temperature: float, sentence: str) -> None:
    lines = written(recipe={**RECIPE, "evaluation": {"temperature": temperature}})
    assert sentence in lines
    assert "- No confidence threshold was fitted: treat a probability near 0.5 as undecided." in lines


def test_the_cpu_that_trained_the_model_is_named() -> None:
    facts = {"cpu": "AMD EPYC", "kernels": "AVX2", "python": "3.11", "torch": "2.13", "numpy": "2.4"}
    assert (
        "- Trained on AMD EPYC with AVX2 kernels (torch 2.13, numpy 2.4, python 3.11); another CPU trains on "
        "the same pairs, but may give slightly different weights."
    ) in written(machine=facts)
    assert any("CPU that was not recorded" in line for line in written())


def test_validation_accuracy_is_called_so() -> None:
    row = "| validation pairs held out of the training pairs | 97.000 %"
    assert f"{row} | 5,000 |" in written(metrics={"validation": {"accuracy": 0.97, "n": 5000}})
    assert f"{row} | unknown |" in written(metrics={"validation": {"accuracy": 0.97}})


def test_a_model_that_was_not_evaluated_has_a_card() -> None:
    lines = written(metrics={})
    assert lines[lines.index("## Accuracy") + 2] == "Not measured."


def test_checks_of_reduced_precision_and_of_mobile_files_are_distinguished_by_their_kind() -> None:
    parity = Parity(
        [
            *PARITY.checks,
            Check("pair", "precision", "any words", True, "99.90% of 500 equal fp32's"),
            Check("pair", "mobile", "values, as .ort", True, "largest difference 1.0e-05", 1e-5),
        ]
    )
    lines = written(parity, precision="int8")
    assert "- pair, any words: 99.90% of 500 equal fp32's" in lines
    assert "- Parity of the `.ort` files with the graphs: 1 checks, every decision the same" in lines
    assert parity.difference() == 1e-6  # with torch; the .ort files are compared with the graphs
    assert [line for line in lines if line.startswith("- Parity of the fp32 graphs with torch: 3 checks")]


def test_what_was_held_out_is_said_as_it_was_done() -> None:
    assert not any("Held out" in line or "negatives" in line for line in written())
    data = {"dataset": "mnist", "pairs": "all", "hold_out": 1500, "synthetic": {"rendered": 60_000}}
    old = written(recipe={**RECIPE, "data": data})
    assert any("1,500 pairs" in line and "have a twin in training" in line for line in old)
    facts = {"digits": 3000, "negatives": 750, "negatives_rejected": 0.931}
    new = written(recipe={**RECIPE, "data": data}, held_out=facts)
    assert not any("twin" in line for line in new)
    assert any(
        line.startswith("- Held out: 3,000 training digits, before any picture was rendered.") for line in new
    )
    assert any("rejects 93.1 % of 750 held-out negatives. They decided nothing" in line for line in new)


@pytest.mark.parametrize(
    ("license_name", "identifier", "name"),
    [
        ("MIT", "mit", None),
        ("CC-BY-4.0", "cc-by-4.0", None),
        ('Ours: ask "us"', "other", 'Ours: ask "us"'),
        (NO_LICENSE, "unknown", None),
    ],
)
def test_hubs_read_the_license_that_was_stated(license_name: str, identifier: str, name: str | None) -> None:
    data = hub_data(written(license=license_name))
    assert (data.license, data.get("license_name")) == (identifier, name)
    assert f"- License: {license_name}" in written(license=license_name)


def test_hubs_read_what_was_evaluated() -> None:
    metrics = {"digits": {"accuracy": 0.995, "n": 10_000}, "validation": {"accuracy": 0.99, "n": 500}}
    found = hub_data(written(metrics=metrics))
    digits, validation = found.eval_results or []
    assert (digits.metric_type, digits.metric_value, digits.dataset_split) == ("accuracy", 0.995, "test")
    assert (validation.dataset_type, validation.dataset_split) == ("ylecun/mnist", "validation")
    assert found.model_name == "aux_ws"
    assert hub_data(written(metrics={})).eval_results is None


def test_groups_are_the_digits_and_what_else_was_measured() -> None:
    metrics = {"digits": {"accuracy": 0.9, "n": 3, "by_digit": {"7": {"accuracy": 0.875, "n": 2}}}}
    lines = card({**METADATA, "metrics": metrics}, {}, PARITY, [Group("chalk", 0.5, 1000)]).splitlines()
    start = lines.index("## Accuracy by group")
    assert lines[start + 4 : start + 6] == ["| test digits 7 | 87.5 % | 2 |", "| chalk | 50.0 % | 1,000 |"]
    assert "## Accuracy by group" not in written()


def test_the_card_says_what_the_threshold_rejects() -> None:
    rejected = [Rejected("letters", 0.9214, 500), Rejected("MNIST", 0.011, 10_000)]
    lines = card(METADATA, {}, PARITY, rejected=rejected).splitlines()
    start = lines.index("What the threshold of single tiles rejects:")
    assert lines[start + 4 : start + 7] == ["| letters | 92.1 % | 500 |", "| MNIST | 1.1 % | 10,000 |", ""]
    assert "What the threshold of single tiles rejects:" not in card(METADATA, {}, PARITY)
