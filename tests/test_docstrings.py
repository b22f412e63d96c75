"""Every public array has a documented shape, and a dtype where its annotation gives none.

The rule, read from the source by `ast`:

- Checked are public functions and methods (properties too) of modules and of public classes, by the
  annotations of their parameters and result, and the annotated attributes of public classes. Public is what
  does not start with an underscore.
- An annotation names an array when it mentions `NDArray`, `ndarray`, `Tensor` or an alias of arrays; of a
  union, all members but None name one, so that `Picture`, which may also be a path, is none. What stands
  inside `Callable[...]` or `Literal[...]` does not count.
- The docstring of the function, or the attribute's entry under `Attributes:`, states a shape: a tuple in
  parentheses of numbers, capital letters and `...`, such as `(N, 14, 14)`, `(N - 1,)` or `(..., H, W)`, or
  the words `scalar` or `of any shape`.
- It also states a dtype (`uint8`, `float32`, `float`, `bool`, ...) unless the annotations of all its arrays
  do: `NDArray[np.uint8]` does, `NDArray[Any]`, `NDArray[np.floating]` and `Tensor` do not. The `forward` of a
  network need not: its tensors are floats.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOTS = [ROOT / folder for folder in ("pairedge", "train/pairedge_train", "export/pairedge_export")]
FILES = [path for root in ROOTS for path in sorted(root.rglob("*.py"))]
DIMENSION = r"(?:\.\.\.|(?:\d+|\d*[A-Z]\d?)(?:\s*[-+*/]\s*(?:\d+|[A-Z]\d?))*)"
SHAPE = re.compile(
    rf"\({DIMENSION},(?:\s*{DIMENSION},)*(?:\s*{DIMENSION})?\)|\b[Ss]calars?\b|\b[Oo]f any shape\b"
)
DTYPE = re.compile(r"\b(u?int(8|16|32|64)|floats?(16|32|64)?|bools?|boolean)\b", re.I)
CONCRETE = re.compile(r"(u?int|float|bool|complex|str)\d*_?")  # NumPy scalar types; `floating` is abstract

# Each array of an annotation: whether the annotation gives its dtype.
Arrays = list[bool]
Aliases = dict[str, Arrays]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def arrays(annotation: ast.expr | None, aliases: Aliases) -> Arrays:
    """The arrays that an annotation names."""
    match annotation:
        case ast.Constant(value=str(text)):
            try:
                return arrays(ast.parse(text, mode="eval").body, aliases)
            except SyntaxError:  # the key of a mapping, not a type
                return []
        case ast.Subscript(value=base, slice=inner):
            if name_of(base) in ("Callable", "Literal"):
                return []
            if name_of(base) in ("NDArray", "ndarray"):
                return [bool(CONCRETE.fullmatch(name_of(inner) or ""))]
            return [*arrays(base, aliases), *arrays(inner, aliases)]
        case ast.Name() | ast.Attribute():
            name = name_of(annotation) or ""
            return [False] if name in ("NDArray", "ndarray", "Tensor") else aliases.get(name, [])
        case ast.BinOp(left=left, right=right):
            return [*arrays(left, aliases), *arrays(right, aliases)]
        case ast.Tuple(elts=parts):
            return [each for part in parts for each in arrays(part, aliases)]
    return []


def name_of(node: ast.expr) -> str | None:
    """The last part of a dotted name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def array_aliases(sources: dict[str, str]) -> dict[str, Aliases]:
    """The aliases of arrays that each module sees, its own and those it imports.

    Args:
        sources: by the module's dotted name.
    """
    modules = {module: ast.parse(source) for module, source in sources.items()}
    seen: dict[str, Aliases] = {module: {} for module in modules}
    while True:  # until imports of imports bring nothing new
        known = sum(map(len, seen.values()))
        for module, tree in modules.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.ImportFrom):
                    others = seen.get(node.module or "", {})
                    names = {each.name: each.asname or each.name for each in node.names}
                    seen[module] |= {names[name]: others[name] for name in names if name in others}
            seen[module] |= own_aliases(tree, seen[module])
        if known == sum(map(len, seen.values())):
            return seen


def own_aliases(module: ast.Module, aliases: Aliases) -> Aliases:
    """The aliases of arrays that a module defines, those that it sees being known."""
    own: Aliases = {}
    for node in module.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ) if isinstance(value, ast.Name | ast.Subscript | ast.BinOp):
                members = [arrays(member, aliases | own) for member in union(value)]
                if all(members):
                    own[name] = [each for member in members for each in member]
    return own


def union(annotation: ast.expr) -> Iterator[ast.expr]:
    """The members of a union, without None."""
    if isinstance(annotation, ast.BinOp):
        yield from union(annotation.left)
        yield from union(annotation.right)
    elif not (isinstance(annotation, ast.Constant) and annotation.value is None):
        yield annotation


def undocumented(source: str, aliases: Aliases) -> Iterator[str]:
    """What a module's public arrays lack, one line for each function or attribute."""
    for node in ast.parse(source).body:
        if isinstance(node, Function):
            yield from undocumented_function(node, node.name, aliases)
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            entries = attribute_entries(ast.get_docstring(node) or "")
            for member in node.body:
                if isinstance(member, Function):
                    yield from undocumented_function(member, f"{node.name}.{member.name}", aliases)
                elif isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name):
                    name = member.target.id
                    named = [] if name.startswith("_") else arrays(member.annotation, aliases)
                    yield from lacks(f"{member.lineno} {node.name}.{name}", named, entries.get(name, ""))


def undocumented_function(node: Function, name: str, aliases: Aliases) -> Iterator[str]:
    """What a function's docstring lacks."""
    if node.name.startswith("_") or any(name_of(each) == "overload" for each in node.decorator_list):
        return
    parameters = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    parameters += [each for each in (node.args.vararg, node.args.kwarg) if each]
    annotations = [*(parameter.annotation for parameter in parameters), node.returns]
    named = [each for annotation in annotations for each in arrays(annotation, aliases)]
    if node.name == "forward":
        named = [True] * len(named)
    yield from lacks(f"{node.lineno} {name}", named, ast.get_docstring(node) or "")


def lacks(name: str, named: Arrays, text: str) -> Iterator[str]:
    """What a text lacks that documents these arrays."""
    missing = []
    if named and not SHAPE.search(text):
        missing.append("shape")
    if not all(named) and not DTYPE.search(text):
        missing.append("dtype")
    if missing:
        yield f"{name}: no {', no '.join(missing)}"


def attribute_entries(docstring: str) -> dict[str, str]:
    """The text of each attribute under `Attributes:`."""
    _, _, section = docstring.partition("Attributes:\n")
    section = re.split(r"\n\S", section, maxsplit=1)[0]
    parts = re.split(r"^    (\w+):", section, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def module_name(path: Path) -> str:
    """The dotted name of a file's module."""
    root = next(root for root in ROOTS if path.is_relative_to(root))
    return ".".join(path.relative_to(root.parent).with_suffix("").parts).removesuffix(".__init__")


SOURCES = {module_name(path): path.read_text() for path in FILES}
ALIASES = array_aliases(SOURCES)

DOCUMENTED = '''
Tiles: TypeAlias = NDArray[np.uint8]
Picture = str | NDArray[Any]
Reader = Callable[[str], Tiles]

def pool(fields: NDArray[np.float32]) -> Tiles:
    """Tiles (N, 14, 14) of fields (N, 28, 28)."""

def loss(logits: Tensor) -> Tensor:
    """The mean loss, a scalar float32, of float32 logits (B, 10)."""

def read(picture: Picture, reader: Reader) -> str:
    """Pictures may be paths, and a function is no array."""

def _private(tiles: Tiles) -> None: ...

class Net(nn.Module):
    def forward(self, pairs: Tensor) -> Tensor:
        """Map pairs (B, 2, 14, 14) to logits (B,)."""

@dataclass
class Batch:
    """Some pairs.

    Attributes:
        tiles: (..., 14, 14), 0 to 255.
        labels: int64
            (N - 1,).
        name: text.
    """

    tiles: Tiles
    labels: "Tensor | None"
    name: str

    @property
    def first(self) -> Tiles:
        """The first tiles, (N, 14, 14)."""
'''

UNDOCUMENTED = '''
Tiles = NDArray[np.uint8]
Labeled = tuple[Tiles, Tensor]

def pool(fields: NDArray[np.float32]) -> Tiles:
    """Tiles of fields (28x28, averaged)."""

def loss(logits: Tensor) -> float:
    """The mean loss of logits (B, 10)."""

def shuffle(values: NDArray[Any]) -> NDArray[np.floating]:
    """The values, of any shape, in random order."""

def split(pairs: list[Labeled]) -> None: ...

class Net(nn.Module):
    def forward(self, pairs: Tensor) -> Tensor:
        """Compare pairs."""

class Batch(NamedTuple):
    """Pairs, uint8 (N, 2, 14, 14).

    Attributes:
        labels: which digits they show.

    Not an attribute: tiles (N,).
    """

    tiles: Tiles
    labels: Tensor
'''


def test_documented_arrays_pass() -> None:
    assert list(undocumented(DOCUMENTED, array_aliases({"m": DOCUMENTED})["m"])) == []


def test_undocumented_arrays_are_named_with_what_they_lack() -> None:
    assert list(undocumented(UNDOCUMENTED, array_aliases({"m": UNDOCUMENTED})["m"])) == [
        "5 pool: no shape",
        "8 loss: no dtype",
        "11 shuffle: no dtype",
        "14 split: no shape, no dtype",
        "17 Net.forward: no shape",
        "29 Batch.tiles: no shape",
        "30 Batch.labels: no shape, no dtype",
    ]


@pytest.mark.parametrize(
    "text",
    ["(N,)", "(N, 14, 14)", "(2, 10)", "(N - 1,)", "(..., H, W)", "(2N, E)", "a scalar", "of any shape"],
)
def test_shapes_are_recognized(text: str) -> None:
    assert SHAPE.search(f"Float32 {text}, 0 to 1.")


@pytest.mark.parametrize(
    "text", ["(N)", "(in order)", "(first, second)", "14x14", "(0 to 1)", "(see above, too)"]
)
def test_prose_in_parentheses_is_no_shape(text: str) -> None:
    assert not SHAPE.search(f"Tiles {text}.")


@pytest.mark.parametrize("module", SOURCES)
def test_public_arrays_state_shape_and_dtype(module: str) -> None:
    assert list(undocumented(SOURCES[module], ALIASES[module])) == []
