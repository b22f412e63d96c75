"""Data sets of one's own: each format is read alike, splits are fixed and share nothing, bad data refused."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from PIL import Image

from pairedge.image.tile import pool, to_tile
from pairedge_train.data.datasets import fields_of
from pairedge_train.data.loading import load_data
from pairedge_train.data.own import pictures
from pairedge_train.data.own.reading import read_own
from pairedge_train.data.own.splits import OwnData, hashed, position, split_data
from pairedge_train.errors import DataError
from pairedge_train.experiments.recipe import Data, Synthetic

from .own_files import some_fields, write_csv, write_idx, write_pictures

HIRAGANA = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")


def read(path: Path, group_by: str = "") -> OwnData:
    return split_data(read_own(path, group_by))


def split_by_name(data: OwnData) -> dict[str, str]:
    return dict(zip(data.pictures.names, data.splits, strict=True))


# Reading.


def test_pictures_are_read_as_the_runtime_reads_them(tmp_path: Path) -> None:
    write_pictures(tmp_path, 3)
    Image.open(tmp_path / "7" / "0.png").save(tmp_path / "x_7.png")
    data = read_own(tmp_path)
    assert len(data) == 31
    for place, name in enumerate(data.names):
        assert np.array_equal(data.tiles[place], to_tile(tmp_path / name))
        assert data.labels[place] == int(name[0] if "/" in name else 7)
    assert np.abs(pool(data.fields).astype(int) - data.tiles).max() <= 1  # fields are rounded before


def test_a_refused_picture_is_named_with_its_reason(tmp_path: Path) -> None:
    write_pictures(tmp_path, 3)
    (tmp_path / "4" / "notes.png").write_text("no picture")
    Image.new("L", (60, 60), 255).save(tmp_path / "4" / "blank.png")
    Image.open(tmp_path / "7" / "0.png").save(tmp_path / "somewhere.png")
    (tmp_path / "readme.md").write_text("mine")
    (tmp_path / ".hidden").write_text("a program's")
    reasons = dict(read_own(tmp_path).refused)
    assert set(reasons) == {"4/notes.png", "4/blank.png", "somewhere.png", "readme.md"}
    assert reasons["somewhere.png"].startswith("its name neither starts nor ends with a single digit")
    assert str(tmp_path) not in "".join(reasons.values())


def test_many_pictures_are_read_by_several_processes_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pictures(tmp_path, 1)
    one = read_own(tmp_path)
    monkeypatch.setattr(pictures, "_FEW", 2)
    numbers: list[int] = []
    many = read_own(tmp_path, on_picture=numbers.append)
    assert np.array_equal(one.fields, many.fields)
    assert one.names == many.names
    assert numbers == [10] * 10


def test_classes_of_other_names_have_the_order_of_their_file(tmp_path: Path) -> None:
    write_pictures(tmp_path, 3, classes=HIRAGANA)
    (tmp_path / "classes.txt").write_text("\n".join(HIRAGANA) + "\n")
    data = read(tmp_path).data_set()
    assert data.classes == HIRAGANA
    own = read_own(tmp_path)
    assert {name.split("/")[0]: int(label) for name, label in zip(own.names, own.labels, strict=True)} == {
        name: place for place, name in enumerate(HIRAGANA)
    }


@pytest.mark.parametrize("side", [28, 14])
@pytest.mark.parametrize("kind", ["idx", "idx.gz", "npz", "csv", "csv with a header"])
def test_every_format_gives_the_same_pictures(kind: str, side: int, tmp_path: Path) -> None:
    fields, labels = some_fields(3, side)
    if kind.startswith("idx"):
        path = tmp_path / "mine-images-idx3-ubyte"
        write_idx(path, fields)
        write_idx(tmp_path / "mine-labels-idx1-ubyte", labels.astype(np.uint8))
        if kind == "idx.gz":
            for each in list(tmp_path.iterdir()):
                each.with_name(f"{each.name}.gz").write_bytes(gzip.compress(each.read_bytes()))
                each.unlink()
            path = path.with_name(f"{path.name}.gz")
    elif kind == "npz":
        path = tmp_path / "mine.npz"
        np.savez(path, images=fields, labels=labels)
    else:
        path = tmp_path / "mine.csv"
        header = "label," + ",".join(f"pixel{i}" for i in range(side * side))
        write_csv(path, fields, labels.tolist(), header if "header" in kind else "")
    data = read_own(path)
    assert np.array_equal(data.fields, fields if side == 28 else fields.repeat(2, 1).repeat(2, 2))
    assert np.array_equal(data.tiles, pool(fields) if side == 28 else fields)
    assert np.array_equal(data.labels, labels)


def test_a_file_keeps_the_splits_that_it_names(tmp_path: Path) -> None:
    training, labels = some_fields(4)
    test, test_labels = some_fields(2, seed=1)
    np.savez(tmp_path / "keras.npz", x_train=training, y_train=labels, x_test=test, y_test=test_labels)
    for split, fields, truth in (("train", training, labels), ("t10k", test, test_labels)):
        write_idx(tmp_path / "idx" / f"{split}-images-idx3-ubyte", fields)
        write_idx(tmp_path / "idx" / f"{split}-labels-idx1-ubyte", truth.astype(np.uint8))
    for path in (tmp_path / "keras.npz", tmp_path / "idx"):
        data = read(path).data_set()
        assert np.array_equal(np.sort(data.test.tiles, 0), np.sort(pool(test), 0))
        assert data.held_out is not None
        assert len(data.training) + len(data.held_out) == 40  # validation pictures come from training


def test_folders_of_splits_are_kept(tmp_path: Path) -> None:
    write_pictures(tmp_path / "train", 3)
    write_pictures(tmp_path / "val", 1, start=3)
    write_pictures(tmp_path / "test", 1, start=4)
    data = read(tmp_path)
    assert {(name.split("/")[0], split) for name, split in split_by_name(data).items()} == {
        ("train", "training"),
        ("val", "validation"),
        ("test", "test"),
    }


def test_a_csv_row_may_name_its_split(tmp_path: Path) -> None:
    fields, labels = some_fields(4)
    cells = [f"{label},{'test' if row < 10 else ''}" for row, label in enumerate(labels)]
    header = "label,split," + ",".join(f"p{i}" for i in range(784))
    write_csv(tmp_path / "mine.csv", fields, cells, header)
    data = read(tmp_path / "mine.csv")
    assert [data.pictures.names[place] for place in data.places("test")] == [
        f"line {line}" for line in range(2, 12)
    ]


# Splits.


def test_a_picture_lies_where_its_hash_says() -> None:
    # By sha256sum: "a" begins with ca978112ca1bbdca, "c" with 2e7d2c03a9507ae2, "o" with 65c74c15a686187b.
    assert position("a") == pytest.approx(0xCA978112CA1BBDCA / 2**64)
    keys = [str(number) for number in range(2000)]
    parts = hashed(keys, ("test", "validation", "training"))
    assert parts is not None
    for key in keys:
        place = position(key)
        assert parts[key] == ("test" if place < 0.15 else "validation" if place < 0.30 else "training")


def test_few_pictures_reach_every_split_in_the_order_of_their_hashes() -> None:
    for count in range(3, 8):
        parts = hashed([str(number) for number in range(count)], ("test", "validation", "training"))
        assert parts is not None
        assert [parts[key] for key in sorted(parts, key=position)] == sorted(
            parts.values(), key=("test", "validation", "training").index
        )
        assert set(parts.values()) == {"test", "validation", "training"}
    assert hashed(["a", "b"], ("test", "validation", "training")) is None


def test_further_pictures_move_none(tmp_path: Path) -> None:
    fields, labels = some_fields(60, 14)
    np.savez(tmp_path / "few.npz", images=fields[:300], labels=labels[:300])
    np.savez(tmp_path / "many.npz", images=fields, labels=labels)
    few, many = (split_by_name(read(tmp_path / f"{name}.npz")) for name in ("few", "many"))
    assert few.items() <= many.items()


def test_names_and_order_decide_nothing(tmp_path: Path) -> None:
    fields, labels = some_fields(6, 14)
    order = np.random.default_rng(1).permutation(len(labels))
    np.savez(tmp_path / "one.npz", images=fields, labels=labels)
    np.savez(tmp_path / "other.npz", x=fields[order], y=labels[order])
    one, other = read(tmp_path / "one.npz"), read(tmp_path / "other.npz")
    assert one.sha256 == other.sha256
    assert [one.splits[place] for place in order] == list(other.splits)
    assert np.array_equal(one.data_set().training.tiles, other.data_set().training.tiles)


def test_synthetic_digits_are_not_added_to_other_classes(tmp_path: Path) -> None:
    fields, labels = some_fields(5)
    np.savez(tmp_path / "mine.npz", images=fields, labels=labels, classes=np.array(HIRAGANA))
    data = Data(dataset=str(tmp_path / "mine.npz"), synthetic=Synthetic(rendered=5))
    assert load_data(data).classes == HIRAGANA
    with pytest.raises(DataError, match=r"data.synthetic.hands draws digits, but its classes are o, ki, su"):
        load_data(replace(data, synthetic=Synthetic(hands=5)))


@pytest.mark.parametrize("group_by", ["folder", r"^([a-z]+)/"])
def test_a_writer_is_in_one_split(group_by: str, tmp_path: Path) -> None:
    writers = ("anna", "ben", "chi", "dora")
    for start, writer in enumerate(writers):
        write_pictures(tmp_path / writer, 1, start=start)
    splits = split_by_name(read(tmp_path, group_by))
    by_writer = {writer: {s for name, s in splits.items() if name.startswith(writer)} for writer in writers}
    assert all(len(found) == 1 for found in by_writer.values())
    assert set().union(*by_writer.values()) == {"training", "validation", "test"}


def test_writers_stand_in_a_column_or_an_array(tmp_path: Path) -> None:
    fields, labels = some_fields(5, 14)
    writers = np.array([f"w{row // 10}" for row in range(50)])
    np.savez(tmp_path / "mine.npz", images=fields, labels=labels, writer=writers)
    cells = [f"{label},{writer}" for label, writer in zip(labels, writers, strict=True)]
    write_csv(tmp_path / "mine.csv", fields, cells, "label,writer," + ",".join(f"p{i}" for i in range(196)))
    from_npz, from_csv = (read(tmp_path / name, "writer") for name in ("mine.npz", "mine.csv"))
    assert from_npz.splits == from_csv.splits
    assert from_npz.sha256 == from_csv.sha256
    assert all(len(set(from_npz.splits[start : start + 10])) == 1 for start in range(0, 50, 10))


def test_equal_pictures_come_into_the_same_split(tmp_path: Path) -> None:
    fields, labels = some_fields(4, 14)
    np.savez(tmp_path / "twice.npz", images=np.tile(fields, (2, 1, 1)), labels=np.tile(labels, 2))
    data = read(tmp_path / "twice.npz")
    assert data.splits[:40] == data.splits[40:]


def test_splits_have_what_the_networks_see(tmp_path: Path) -> None:
    fields, labels = some_fields(5)
    np.savez(tmp_path / "mine.npz", images=fields, labels=labels)
    data = load_data(Data(dataset=str(tmp_path / "mine.npz")))
    assert data.held_out is not None
    for split in (data.training, data.held_out, data.test):
        for field, tile, label in zip(fields_of(split), split.tiles, split.labels.tolist(), strict=True):
            [place] = np.flatnonzero((fields == field).all(axis=(1, 2)))
            assert label == labels[place]
            assert np.array_equal(tile, pool(field))


def test_folds_and_synthetic_pictures_choose_their_own_validation(tmp_path: Path) -> None:
    fields, labels = some_fields(5)
    np.savez(tmp_path / "mine.npz", images=fields, labels=labels)
    plain = load_data(Data(dataset=str(tmp_path / "mine.npz")))
    folded = load_data(Data(dataset=str(tmp_path / "mine.npz"), folds=2))
    assert plain.held_out is not None
    assert folded.held_out is None
    assert len(folded.training) == len(plain.training) + len(plain.held_out)


def test_other_pictures_than_the_recipe_was_trained_on_are_refused(tmp_path: Path) -> None:
    fields, labels = some_fields(5, 14)
    np.savez(tmp_path / "mine.npz", images=fields, labels=labels)
    digest = load_data(Data(dataset=str(tmp_path / "mine.npz"))).sha256
    load_data(Data(dataset=str(tmp_path / "mine.npz"), sha256=digest))
    fields[3, 6, 6] ^= 1
    np.savez(tmp_path / "mine.npz", images=fields, labels=labels)
    with pytest.raises(
        DataError, match=r"mine.npz: its pictures, labels or splits are not those that the rec"
    ):
        load_data(Data(dataset=str(tmp_path / "mine.npz"), sha256=digest))


def test_a_relative_path_is_found_below_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields, labels = some_fields(5, 14)
    np.savez(tmp_path / "mine.npz", images=fields, labels=labels)
    monkeypatch.setenv("PAIREDGE_DATA", str(tmp_path))
    assert len(load_data(Data(dataset="mine.npz")).test) > 0


# What is refused, in one sentence that names it.


def no_pictures(folder: Path) -> str:
    folder.mkdir()
    return "contains no pictures"


def empty_class(folder: Path) -> str:
    write_pictures(folder, 3)
    for path in (folder / "3").iterdir():
        path.unlink()
    return "has no picture of the class 3$"


def class_of_refused_pictures(folder: Path) -> str:
    write_pictures(folder, 3)
    for path in (folder / "3").iterdir():
        path.write_text("no picture")
    return r"has no picture of the class 3 \(3 were refused; --check-data draws them\)"


def eleven_classes(folder: Path) -> str:
    write_pictures(folder, 3)
    (folder / "ten").mkdir()
    Image.open(folder / "0" / "0.png").save(folder / "ten" / "x.png")
    return "its 11 folders 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ten are not the ten classes"


def classes_without_order(folder: Path) -> str:
    write_pictures(folder, 1, classes=HIRAGANA)
    return r"its 10 folders ha, .* stand in .*classes.txt, one a line in ascending order"


def wrong_order_of_labels(folder: Path) -> str:
    write_pictures(folder, 3, classes=HIRAGANA)
    (folder / "classes.txt").write_text("\n".join([*HIRAGANA[:9], HIRAGANA[0]]))
    return "classes.txt: two classes are called 'o'"


def nine_names(folder: Path) -> str:
    write_pictures(folder, 3, classes=HIRAGANA)
    (folder / "classes.txt").write_text("\n".join(HIRAGANA[:9]))
    return "classes.txt: there are 9 classes, but a model has ten"


def one_picture_a_class(folder: Path) -> str:
    write_pictures(folder, 1)
    return "the class 0 has 1 different picture for test, validation and training, each of which needs one"


def two_writers(folder: Path) -> str:
    for start, writer in enumerate(("anna", "ben")):
        write_pictures(folder / writer, 1, start=start)
    return "has 2 writers for test, validation and training"


def the_same_picture_in_two_splits(folder: Path) -> str:
    write_pictures(folder / "train", 3)
    write_pictures(folder / "test", 1)
    return r"test/0/0.png \(test\) and train/0/0.png \(\w+\) are the same picture"


def the_same_writer_in_two_splits(folder: Path) -> str:
    for split, start in (("train", 0), ("train", 1), ("test", 2)):
        write_pictures(folder / split / ("anna" if start != 1 else "ben"), 1, start=start)
    return "are of the same writer"


def two_labels(folder: Path) -> str:
    write_pictures(folder, 3)
    Image.open(folder / "1" / "0.png").save(folder / "7" / "9.png")
    return "1/0.png and 7/9.png are the same picture, labeled 1 and 7"


def no_writer(folder: Path) -> str:
    write_pictures(folder, 1)
    return "0/0.png lies in no folder of a writer"


def no_match(folder: Path) -> str:
    write_pictures(folder, 1)
    return "0/0.png does not match the pattern of writers"


def no_pattern(folder: Path) -> str:
    write_pictures(folder, 1)
    return r"'\(' is no regular expression"


@pytest.mark.parametrize(
    ("make", "group_by"),
    [
        (no_pictures, ""),
        (empty_class, ""),
        (class_of_refused_pictures, ""),
        (eleven_classes, ""),
        (classes_without_order, ""),
        (wrong_order_of_labels, ""),
        (nine_names, ""),
        (one_picture_a_class, ""),
        (two_writers, "folder"),
        (the_same_picture_in_two_splits, ""),
        (the_same_writer_in_two_splits, "folder"),
        (two_labels, ""),
        (no_writer, "folder"),
        (no_match, "w[0-9]+"),
        (no_pattern, "("),
    ],
)
def test_a_folder_that_cannot_be_trained_on_is_one_sentence(
    make: Callable[[Path], str], group_by: str, tmp_path: Path
) -> None:
    sentence = make(tmp_path / "mine")
    with pytest.raises(DataError, match=sentence) as raised:
        read(tmp_path / "mine", group_by)
    assert "\n" not in str(raised.value)


FIELDS, LABELS = some_fields(3)
TILES, _ = some_fields(3, 14)


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"pictures": FIELDS}, "has no array of pictures called images, .* it has pictures"),
        ({"images": FIELDS}, "has no array labels; it has images"),
        ({"images": FIELDS, "labels": LABELS[:9]}, r"labels has the shape \(9,\) for 30 pictures"),
        ({"images": FIELDS, "labels": LABELS + 1}, r"the label '10' is none of 0, .*, nor 0 to 9"),
        ({"images": FIELDS[:, :20], "labels": LABELS}, "its pictures are 20 x 28, but 28 x 28 or 14 x 14"),
        ({"images": FIELDS[0], "labels": LABELS}, r"images has the shape \(28, 28\)"),
        ({"images": 255 - FIELDS, "labels": LABELS}, "are dark on a bright ground"),
        ({"images": FIELDS * 2.0, "labels": LABELS}, "must hold integers 0 to 255, or floats 0 to 1"),
        (
            {"x_train": FIELDS, "y_train": LABELS, "x_test": TILES, "y_test": LABELS},
            "its arrays have pictures of different sizes",
        ),
        (
            {"images": np.array([FIELDS[0], TILES[0]], object), "labels": LABELS[:2]},
            "is no NPZ file of plain arrays; pictures of mixed sizes belong in a folder",
        ),
        ({"images": FIELDS, "labels": LABELS, "classes": np.array(["a"] * 10)}, "two classes are called 'a'"),
        ({"images": FIELDS, "labels": LABELS, "classes": np.array(5)}, "there are 1 classes, but"),
    ],
)
def test_an_npz_file_that_cannot_be_trained_on_is_one_sentence(
    arrays: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    np.savez(tmp_path / "mine.npz", **arrays)
    with pytest.raises(DataError, match=f"mine.npz: .*{sentence}"):
        read(tmp_path / "mine.npz")


def an_array(file: BinaryIO) -> None:
    np.save(file, np.zeros((2, 28, 28), np.uint8))


def with_header(shape: str) -> Callable[[BinaryIO], None]:
    """An archive whose array of pictures states a shape and holds nothing."""

    def write(file: BinaryIO) -> None:
        header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}\n".encode()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("images.npy", b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header)

    return write


def encrypted(file: BinaryIO) -> None:
    content = io.BytesIO()
    np.savez(content, images=np.zeros((2, 28, 28), np.uint8))
    changed = bytearray(content.getvalue())
    for place in (6, changed.find(b"PK\x01\x02") + 8):  # the flags of the first entry, in both of its headers
        changed[place] |= 1
    file.write(changed)


def test_what_is_no_array_is_left_out(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "mine.npz", "w") as archive:
        archive.writestr("images.npy", "no array")
    with pytest.raises(DataError, match=r"has no array of pictures .* it has none"):
        read(tmp_path / "mine.npz")


@pytest.mark.parametrize(
    "write",
    [
        an_array,
        encrypted,
        with_header(f"({10**12}, 28, 28)"),  # 700 terabytes
        with_header("(" * 5000),
        with_header("-" * 9000 + "1"),
    ],
    ids=["an array", "encrypted", "enormous", "nested", "deep"],
)
def test_what_numpy_cannot_load_is_one_sentence(write: Callable[[BinaryIO], None], tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    with path.open("wb") as file:
        write(file)
    with pytest.raises(DataError, match=r"mine.npz: is no NPZ file of plain arrays"):
        read(path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda lines: [], "is empty"),
        (lambda lines: [*lines[:3], lines[3] + ",0"], "line 4 has 198 values, but 197 are expected"),
        (lambda lines: ["8" + lines[0]], "line 1: the label '80' is none of"),
        (lambda lines: [line + ",7" for line in lines], "have 197 gray levels, but pictures have 784 or 196"),
        (
            lambda lines: [*lines[:2], lines[2].replace(",0,", ",x,", 1)],
            "line 3 has a gray level that is no num",
        ),
        (lambda lines: [lines[0].replace(",0,", ",256,", 1)], "line 1 has a gray level that is no integer"),
    ],
)
def test_a_csv_file_that_cannot_be_trained_on_is_one_sentence(
    change: Callable[[list[str]], list[str]], sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.csv"
    write_csv(path, TILES, LABELS.tolist())
    path.write_text("\n".join(change(path.read_text().splitlines())))
    with pytest.raises(DataError, match=f"mine.csv: .*{sentence}"):
        read(path)


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda images, labels: labels.unlink(), "its labels, mine-labels-idx1-ubyte, are not beside it"),
        (lambda images, labels: images.write_bytes(images.read_bytes()[:-1]), "and holds 23,519"),
        (lambda images, labels: images.write_bytes(labels.read_bytes()), "is no IDX file of pictures"),
        (lambda images, labels: labels.write_bytes(images.read_bytes()), "is no IDX file of labels"),
        (lambda images, labels: images.write_text(""), "is no IDX file of pictures"),
        (
            lambda images, labels: write_idx(labels, LABELS[:7].astype(np.uint8)),
            "has 7 labels for 30 pictures",
        ),
        (lambda images, labels: write_idx(labels, LABELS.astype(np.uint8) + 3), "has the label 12, but"),
    ],
)
def test_an_idx_file_that_cannot_be_trained_on_is_one_sentence(
    harm: Callable[[Path, Path], object], sentence: str, tmp_path: Path
) -> None:
    images, labels = tmp_path / "mine-images-idx3-ubyte", tmp_path / "mine-labels-idx1-ubyte"
    write_idx(images, FIELDS)
    write_idx(labels, LABELS.astype(np.uint8))
    harm(images, labels)
    with pytest.raises(DataError, match=sentence):
        read(images)
    assert images.exists()  # nothing of the user's is deleted


def test_a_path_that_leads_nowhere_suggests_a_name() -> None:
    with pytest.raises(DataError, match=r"^fashion: there is no such file .* did you mean fashion-mnist\?$"):
        load_data(Data(dataset="fashion"))
    with pytest.raises(
        DataError, match=r"^zzz/a: there is no such .*; published ones are mnist, uci, kmnist"
    ):
        load_data(Data(dataset="zzz/a"))


def test_a_file_of_another_kind_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("digits")
    with pytest.raises(DataError, match=r"notes.txt: is neither a folder of pictures nor an IDX, NPZ or CSV"):
        read(tmp_path / "notes.txt")
