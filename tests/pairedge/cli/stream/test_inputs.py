"""What arguments and lists name, in which order, and what is said of what they do not name."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import click
import pytest

from pairedge.cli.stream.inputs import Inputs
from pairedge.cli.stream.item import Item
from pairedge.cli.stream.lists import count_rows, read_list

PAIR = ("first", "second")


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder `photos` with pictures, other files and subfolders, in the working directory."""
    for name in (
        "b.png",
        "a.JPG",
        "a2/c.png",
        "a2/.d.png",
        "a2/deep/e.tif",
        ".hidden/f.png",
        "notes.txt",
        "README",
    ):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path / "photos"


def named(*names: str, recursive: bool = False, columns: tuple[str, ...] = ("picture",)) -> list[Item]:
    return list(Inputs(columns, names, None, recursive).items())


def names(*arguments: str, recursive: bool = False) -> list[str]:
    return [item.names[0] for item in named(*arguments, recursive=recursive)]


def test_a_folder_stands_for_its_pictures_sorted_by_name(photos: Path) -> None:
    assert names("photos") == ["photos/a.JPG", "photos/b.png"]


def test_subfolders_are_read_where_their_names_stand(photos: Path) -> None:
    assert names("photos", recursive=True) == [
        "photos/a.JPG",
        "photos/a2/c.png",
        "photos/a2/deep/e.tif",
        "photos/b.png",
    ]
    assert names("photos", recursive=True) == [
        str(p) for p in sorted(map(Path, names("photos", recursive=True)))
    ]


def test_what_a_folder_leaves_out_is_kept_with_its_reason(photos: Path) -> None:
    inputs = Inputs(("picture",), ("photos",), None, False)
    assert len(list(inputs.items())) == inputs.count() == 2
    assert dict(inputs.left_out) == {
        "photos/.hidden": "hidden",
        "photos/README": "no suffix",
        "photos/a2": "a subfolder; --recursive reads it",
        "photos/notes.txt": "not a picture by its suffix '.txt'",
    }


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_to_a_folder_is_not_followed(photos: Path) -> None:
    (photos / "a2" / "loop").symlink_to(photos)
    inputs = Inputs(("picture",), ("photos",), None, True)
    assert len(list(inputs.items())) == 4
    assert ("photos/a2/loop", "a link to a folder") in inputs.left_out


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("photos/*.png", ["photos/b.png"]),
        ("photos/[ab].*", ["photos/a.JPG", "photos/b.png"]),
        ("photos/**/?.png", ["photos/a2/c.png", "photos/b.png"]),
        ("photos/a*", ["photos/a.JPG", "photos/a2/c.png"]),  # as with a shell, a folder that matches is read
    ],
)
def test_a_pattern_that_the_shell_left_is_expanded(photos: Path, pattern: str, expected: list[str]) -> None:
    assert names(pattern) == expected


def test_a_file_with_the_characters_of_a_pattern_is_that_file(photos: Path) -> None:
    (photos / "[ab].png").touch()
    assert names("photos/[ab].png") == ["photos/[ab].png"]


@pytest.mark.parametrize(
    ("argument", "error"),
    [
        ("photos/*.bmp", "photos/*.bmp: no file matches"),
        ("empty", "empty: contains no pictures; --recursive reads its subfolders"),
    ],
)
def test_what_names_no_picture_is_an_item_with_an_error(photos: Path, argument: str, error: str) -> None:
    assert [(item.names, item.error) for item in named(argument)] == [((argument,), error)]


def test_a_dash_is_a_picture_from_standard_input(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"content")))
    inputs = Inputs(("picture",), ("photos/b.png", "-"), None, False)
    assert inputs.count() == 2  # without reading it
    first, second = inputs.items()
    assert (first.picture(), second.picture()) == ("photos/b.png", b"content")


def test_pictures_are_paired_two_by_two(photos: Path) -> None:
    assert [item.names for item in named("photos", "c", "d", columns=PAIR)] == [
        ("photos/a.JPG", "photos/b.png"),
        ("c", "d"),
    ]
    *_, last = named("photos", "c", columns=PAIR)
    assert (last.names, last.error) == (("c", ""), "c: has no second picture to compare with")


def listed(tmp_path: Path, content: str | bytes, *columns: str, name: str = "list") -> list[Item]:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_list(str(path), columns or ("picture",)))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_list_of_paths_has_one_a_line(tmp_path: Path, end: str) -> None:
    items = listed(tmp_path, end.join(["a.png", "", "b c,d.png", "#e.png"]))
    assert [item.names[0] for item in items] == ["a.png", "b c,d.png", "#e.png"]
    pairs = listed(tmp_path, end.join(["a", "b", "c"]), *PAIR)
    assert [item.names for item in pairs] == [("a", "b"), ("c", "")]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_a_csv_list_has_columns_in_any_order(tmp_path: Path, separator: str, mark: bytes) -> None:
    text = 'id,SECOND,other,"first"\r\n7,b.png,x,"a 1.png"\r\n,d.png,,c.png\r\n'.replace(",", separator)
    items = listed(tmp_path, mark + text.encode(), *PAIR)
    assert [(item.names, item.id or None) for item in items] == [
        (("a 1.png", "b.png"), "7"),
        (("c.png", "d.png"), None),
    ]


def test_a_csv_cell_may_hold_separators_quotes_and_line_ends(tmp_path: Path) -> None:
    [item] = listed(tmp_path, 'picture\n"a,""b""\nc.png"\n')
    assert item.names == ('a,"b"\nc.png',)


def test_json_lines_keep_the_kind_of_their_ids(tmp_path: Path) -> None:
    lines = ['{"first": "a", "second": "b", "id": 7}', '{"id": "x", "second": "d", "first": "c", "more": []}']
    items = listed(tmp_path, "\n".join(lines), *PAIR)
    assert [(item.names, item.id) for item in items] == [(("a", "b"), 7), (("c", "d"), "x")]


@pytest.mark.parametrize(
    ("content", "columns", "errors"),
    [
        ("first,second\na,b\nc\n", PAIR, [None, "row 2: names no second"]),
        ("first,second\n,b\n", PAIR, ["row 1: names no first"]),
        (
            '{"picture": "a"}\n{"picture": 7}\n[]\n{',
            ("picture",),
            [None, *["names no picture"] * 2, "not JSON"],
        ),
        (
            '{"picture": "a"}\n{"picture": "b", "id": NaN}\n{"picture": "c", "id": 1e999}\n'
            '{"picture": "\\ud800"}\n' + "[" * 9000 + '\n{"picture": "\\udcff"}',
            ("picture",),
            [None, *["not JSON"] * 4, None],  # half a surrogate pair is a byte of a file name, or no text
        ),
        ("picture,id\na,1\n", ("picture",), [None]),
    ],
)
def test_a_row_that_names_no_picture_is_an_item_with_an_error(
    tmp_path: Path, content: str, columns: tuple[str, ...], errors: list[str | None]
) -> None:
    for item, error in zip(listed(tmp_path, content, *columns), errors, strict=True):
        assert (item.error is None) == (error is None)
        assert (error or "") in (item.error or "")


@pytest.mark.parametrize(
    ("name", "content", "columns", "reason"),
    [
        ("a.csv", "file\na.png\n", ("picture",), "must name the column 'picture', but has 'file'"),
        ("a.csv", "a.png\n", PAIR, "must name the columns 'first' and 'second'"),
        ("list", "picture\na.png\n", PAIR, "must name the columns 'first' and 'second'"),
        ("list", "first,second\na,b\n", ("picture",), "must name the column 'picture'"),
        ("list", b"\xff\xfea\x00", ("picture",), "is UTF-16"),
    ],
)
def test_a_list_with_other_columns_is_wrong_usage(
    tmp_path: Path, name: str, content: str | bytes, columns: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(click.UsageError, match=reason):
        listed(tmp_path, content, *columns, name=name)


def test_an_empty_list_has_no_items(tmp_path: Path) -> None:
    assert listed(tmp_path, "") == listed(tmp_path, "\n\n") == []


def test_a_list_comes_from_standard_input_as_far_as_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    content = io.BytesIO(b"a.png\nb.png\nc.png\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(content))
    items = read_list("-", ("picture",))
    assert next(items).names == ("a.png",)
    assert content.tell() <= len(b"a.png\nb.png\n")
    assert count_rows("-") is None


def test_names_that_are_no_text_keep_their_bytes(tmp_path: Path) -> None:
    [item] = listed(tmp_path, b"a\xff.png\n")
    assert item.names[0].encode(errors="surrogateescape") == b"a\xff.png"


def test_rows_are_counted_without_reading_them(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(b"a\nb\nc\n")
    assert Inputs(("picture",), (), str(path), False).count() == 3
