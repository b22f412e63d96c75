"""A picture that cannot be read is refused in one sentence, by the library and by the command."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from PIL import Image, ImageFile

from pairedge import ImageError
from pairedge.image.tile import to_tile
from pairedge_train.rendering.pen_digits import Look, draw_digit

from .hostile import lzw_tiff, png_without_palette, premultiplied_tiff

Command = Callable[..., CompletedProcess[str]]


def cut_short(kind: str, **options: object) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        stream = BytesIO()
        draw_digit(3, Look()).save(stream, kind, **options)
        path.write_bytes(stream.getvalue()[: stream.tell() // 2])

    return write


def noisy(path: Path) -> None:
    levels = 250 + np.random.default_rng(0).integers(-3, 4, (60, 60))
    Image.fromarray(levels.astype(np.uint8)).save(path)


def bomb(path: Path) -> None:
    """A PNG of 20,000 x 20,000 black pixels in some 50 kB."""
    side = 20_000
    rows = zlib.compress(bytes((1 + side // 8) * side))
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def zipped_bomb(kind: bytes, start: bytes) -> bytes:
    """A small blank PNG with a chunk that would unpack to 64 million bytes."""
    stream = BytesIO()
    Image.new("L", (80, 60), 255).save(stream, "PNG")
    content = stream.getvalue()
    end_of_header = 8 + 25
    packed = chunk(kind, start + zlib.compress(bytes(64_000_000), 9))
    return content[:end_of_header] + packed + content[end_of_header:]


def two_digits(path: Path) -> None:
    page = Image.new("RGB", (240, 120), "white")
    page.paste(draw_digit(3, Look()), (0, 0))
    page.paste(draw_digit(5, Look()), (120, 0))
    page.save(path)


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, "no such file or directory"),
    "directory": (Path.mkdir, "is a directory"),
    "empty": (Path.touch, "the file is empty"),
    "text": (
        lambda path: path.write_text("three\n"),
        "not a PNG, JPEG, BMP, GIF, WebP, TIFF, PNM, AVIF or HEIC picture",
    ),
    "cut PNG": (cut_short("PNG"), "the picture is damaged or truncated"),
    "cut JPEG": (cut_short("JPEG"), "the picture is damaged or truncated"),
    "cut BMP": (cut_short("BMP"), "the picture is damaged or truncated"),
    "cut GIF": (cut_short("GIF"), "the picture is damaged or truncated"),
    "cut WebP": (cut_short("WEBP"), "the picture is damaged or truncated"),
    "cut TIFF": (cut_short("TIFF", compression="tiff_lzw"), "the picture is damaged or truncated"),
    "cut PNM": (cut_short("PPM"), "the picture is damaged or truncated"),
    "one pixel": (lambda path: Image.new("RGB", (1, 1)).save(path), "no ink found"),
    "blank": (lambda path: Image.new("RGB", (80, 60), "white").save(path), "no ink found"),
    "noise": (noisy, "no ink found"),
    "cut progressive JPEG": (cut_short("JPEG", progressive=True), "the picture is damaged or truncated"),
    "transparent": (lambda path: Image.new("RGBA", (80, 60)).save(path), "no ink found"),
    "a line of pixels": (lambda path: Image.new("L", (1, 10_000), 255).save(path), "no ink found"),
    "zipped text bomb": (
        lambda path: path.write_bytes(zipped_bomb(b"zTXt", b"note\0\0")),
        "the picture is damaged",
    ),
    "zipped profile bomb": (lambda path: path.write_bytes(zipped_bomb(b"iCCP", b"name\0\0")), ""),
    "two digits": (two_digits, "several digits found"),
    "bomb": (bomb, "20000 x 20000 pixels"),
}


@pytest.fixture(params=BAD)
def bad(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """A file that is no picture of a digit, and why."""
    write, reason = BAD[request.param]
    path = tmp_path / "bad.png"
    write(path)
    return path, reason


def test_the_library_names_the_file_and_the_reason(bad: tuple[Path, str]) -> None:
    path, reason = bad
    with pytest.raises(ImageError) as refusal:
        to_tile(path)
    assert str(refusal.value).startswith(f"{path}: {reason}")


def test_the_command_prints_that_sentence_and_no_answer_and_fails(
    bad: tuple[Path, str], command: Command
) -> None:
    path, reason = bad
    missing = path.parent / "missing-too.png"
    answer = command("predict", path, missing)
    code, status = {"no ink found": (3, "no-ink"), "several digits found": (4, "several")}.get(
        reason, (1, "unreadable")
    )
    assert (answer.returncode, answer.stdout) == (code, f"{path}, {missing}: no answer  {status}\n")
    if path.is_dir():  # which stands for the pictures in it, of which there are none
        assert answer.stderr.startswith(f"Error: {path}: contains no pictures")
        return
    first, second = answer.stderr.splitlines()
    assert first.startswith(f"Error: {path}: {reason}")
    assert "missing-too.png" in second


def test_a_path_that_no_system_can_hold_is_refused() -> None:
    with pytest.raises(ImageError, match="null"):
        to_tile("a\0b.png")


def test_a_bomb_is_never_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked: list[object] = []
    monkeypatch.setattr(ImageFile.ImageFile, "load", unpacked.append)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)  # Pillow's own guard
    path = tmp_path / "bomb.png"
    bomb(path)
    assert path.stat().st_size < 100_000
    with Image.open(path) as image:
        for picture in (path, path.read_bytes(), image):
            with pytest.raises(ImageError, match="a picture may have 1 to 64 million"):
                to_tile(picture)
    assert unpacked == []


@pytest.mark.parametrize("make", [png_without_palette, premultiplied_tiff, lzw_tiff])
def test_what_a_decoder_trips_over_is_refused_in_one_sentence_alone(
    make: Callable[[], bytes], tmp_path: Path, command: Command
) -> None:
    path = tmp_path / "odd"
    path.write_bytes(make())
    answer = command("classify", path)
    assert (answer.returncode, answer.stdout) == (1, f"{path}: no answer  unreadable\n")
    assert re.fullmatch(rf"Error: {path}: (a|the) picture .+\n", answer.stderr)


def test_an_image_that_the_caller_opened_is_refused_alike_when_it_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "cut.jpg"
    cut_short("JPEG")(path)
    with Image.open(path) as image, pytest.raises(ImageError, match="damaged"):
        to_tile(image)


def test_odd_but_readable_files_leave_standard_error_empty(tmp_path: Path, command: Command) -> None:
    exif = Image.Exif()
    exif[0x0112] = 1
    stream = BytesIO()
    draw_digit(3, Look()).save(stream, "JPEG", exif=exif)
    content = bytearray(stream.getvalue())
    start = content.index(b"Exif\0\0") + 6
    content[start + 8 : start + 10] = b"\0\xff" if content[start : start + 2] == b"MM" else b"\xff\0"
    path = tmp_path / "odd.jpg"
    path.write_bytes(content)
    with pytest.warns(UserWarning, match="Corrupt EXIF"):
        to_tile(path)
    assert command("classify", path).stderr == ""
