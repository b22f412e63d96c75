"""A graph is used when it keeps the contract, and refused in one sentence when it does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

import pairedge
from pairedge.graph import CONTRACTS, open_graph
from pairedge.shipped import shipped_graph

Command = Callable[..., CompletedProcess[str]]
Interpreter = Callable[..., str]

GRAPHS = Path(__file__).parent / "graphs"
BREAKS = "breaks the contract of a 'pair' graph: "
REFUSED = {
    "missing": "no such file or directory",
    "corrupt": "not an ONNX graph that onnxruntime",
    "empty": "not an ONNX graph that onnxruntime",
    "no_metadata": "has no 'pairedge' metadata",
    "metadata_not_json": "its 'pairedge' metadata cannot be read",
    "metadata_not_utf8": "its 'pairedge' metadata cannot be read",
    "metadata_with_nan": "its 'pairedge' metadata cannot be read",
    "metadata_with_infinity": "its 'pairedge' metadata cannot be read",
    "name_not_utf8": "not an ONNX graph that onnxruntime",
    "metadata_not_an_object": "its 'pairedge' metadata has no schema version",
    "metadata_without_schema": "its 'pairedge' metadata has no schema version",
    "newer_schema": "has schema 3, but this pairedge reads schema 2; update pairedge",
    "older_schema": "has schema 1, but this pairedge reads schema 2; export it again",
    "digest_lost": "was exported with a digest and has lost it; export it again",
    "digest_wrong": "is damaged, or was edited after its export: its digest does not fit",
    "kind_unknown": "unknown graph kind ['pair']",
    "kind_of_another": "is a 'digit' graph, not a 'pair' graph",
    "tiles_of_28": BREAKS + "input 'images' is tensor(uint8) (N, 2, 28, 28), not",
    "float_input": BREAKS + "input 'images' is tensor(float) (N, 2, 14, 14), not",
    "output_renamed": BREAKS + "output 'leq' is missing",
    "static_batch": BREAKS + "input 'images' is tensor(uint8) (1, 2, 14, 14), not",
    "nine_digits": BREAKS + "output 'digits' is tensor(float) (N, 2, 9), not",
    "all_wrong": BREAKS
    + "input 'images' is tensor(float) (1, 2, 28, 28), not tensor(uint8) (N, 2, 14, 14); "
    + "output 'leq' is missing; output 'probability' is unknown",
}


@pytest.fixture(params=REFUSED)
def refused(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """A file that is no graph of ours, and why."""
    name: str = request.param
    made = {"corrupt": Path(shipped_graph("pair")).read_bytes()[:20_000], "empty": b""}
    if name in made:
        (tmp_path / f"{name}.onnx").write_bytes(made[name])
    folder = tmp_path if name in {"missing", *made} else GRAPHS
    return folder / f"{name}.onnx", REFUSED[name]


def test_the_contract_is_the_one_that_other_programs_rely_on() -> None:
    axes = {
        kind: {name: spec.axes for name, spec in (*contract.inputs.items(), *contract.outputs.items())}
        for kind, contract in CONTRACTS.items()
    }
    assert axes == {
        "pair": {"images": ("N", 2, 14, 14), "leq": ("N",), "digits": ("N", 2, 10)},
        "digit": {"tiles": ("N", 14, 14), "posterior": ("N", 10), "embedding": ("N", "E")},
        "compare": {"first": ("N", "E"), "second": ("N", "E"), "leq": ("N",)},
    }


def test_the_library_names_the_file_and_the_problem(refused: tuple[Path, str]) -> None:
    path, reason = refused
    with pytest.raises(pairedge.GraphError) as refusal:
        pairedge.load(path)
    assert str(refusal.value).startswith(f"{path}: {reason}")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", ["predict", "classify"])
def test_the_command_prints_that_sentence_alone_and_fails(
    refused: tuple[Path, str], command: Command, name: str
) -> None:
    path, reason = refused
    answer = command(name, "--model", path, "a.png", "b.png")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith(f"Error: {path}: {reason}")
    assert answer.stderr.count("\n") == 1


@pytest.mark.parametrize("kind", CONTRACTS)
def test_the_shipped_graphs_keep_their_contracts(kind: str) -> None:
    graph = open_graph(shipped_graph(kind), kind)
    assert graph.metadata["graph"] == kind
    assert set(graph.outputs) == set(CONTRACTS[kind].outputs)


def test_bytes_of_a_graph_are_opened_like_its_file() -> None:
    content = (GRAPHS / "base.onnx").read_bytes()
    same = pairedge.load(GRAPHS / "base.onnx", digits=False)
    assert pairedge.load(content, digits=False).metadata == same.metadata
    with pytest.raises(pairedge.GraphError, match=r"^graph: not an ONNX graph"):
        pairedge.load(content[:50])


def test_a_graph_reads_no_other_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "weights_elsewhere.onnx"
    path.write_bytes((GRAPHS / path.name).read_bytes())
    (tmp_path / "weights.bin").write_bytes(np.float32(1).tobytes())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pairedge.GraphError, match="not an ONNX graph"):
        pairedge.load(path)


def test_no_thread_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="threads must be at least 1, not 0"):
        pairedge.load(threads=0)


@pytest.mark.parametrize(("user", "seen"), [({}, "1"), ({"ORT_DISABLE_TELEMETRY": "0"}, "0")])
def test_telemetry_is_off_before_onnxruntime_is_imported_unless_the_user_set_it(
    interpreter: Interpreter, monkeypatch: pytest.MonkeyPatch, user: dict[str, str], seen: str
) -> None:
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    code = """
import os, sys
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            print(os.environ.get("ORT_DISABLE_TELEMETRY"))
sys.meta_path.insert(0, Watch())
import pairedge
pairedge.load
"""
    assert interpreter(code, env=user).split() == [seen]
