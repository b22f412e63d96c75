"""What was rendered is kept once, whole, and only for what it was rendered from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from pairedge_train.data import rendered_cache
from pairedge_train.data.rendered_cache import Arrays, key_of, rendered_once
from pairedge_train.files import cache_folder

FACTS = {"seed": 1}


class Renderer:
    """Renders two arrays and counts how often."""

    calls = 0

    def __call__(self) -> Arrays:
        self.calls += 1
        return {"tiles": np.arange(784, dtype=np.uint8).reshape(4, 14, 14), "labels": np.arange(4)}


def entry() -> Path:
    [path] = (cache_folder() / "rendered").iterdir()
    return path


def test_what_was_rendered_is_read_back_as_it_was() -> None:
    renderer = Renderer()
    first, again = (rendered_once(FACTS, renderer) for _ in range(2))
    assert renderer.calls == 1
    assert first.keys() == again.keys()
    for name, array in first.items():
        assert again[name].dtype == array.dtype
        np.testing.assert_array_equal(again[name], array)
        assert again[name].flags.writeable


def test_other_facts_are_rendered_anew() -> None:
    renderer = Renderer()
    for facts in ({"seed": 1}, {"seed": 2}, {"seed": 1, "held_out": 0}):
        rendered_once(facts, renderer)
    assert renderer.calls == 3


def test_a_key_depends_on_the_programs_and_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    now = key_of(FACTS)
    with monkeypatch.context() as patch:
        patch.setattr(rendered_cache, "_programs", lambda: "other lines")
        assert key_of(FACTS) != now
    for name in ("numpy", "pillow", "matplotlib", "freetype2"):
        with monkeypatch.context() as patch:
            patch.setattr(rendered_cache, "_libraries", lambda name=name: {**_LIBRARIES, name: "0"})
            assert key_of(FACTS) != now
    assert key_of(FACTS) == now


_LIBRARIES = rendered_cache._libraries()


def test_the_programs_are_all_that_draws_and_reads_a_picture() -> None:
    folders = {path.parent.name for path in rendered_cache._PROGRAMS}
    assert folders == {"image", "rendering", "data"}
    names = {path.name for path in rendered_cache._PROGRAMS}
    assert names >= {"tile.py", "ink.py", "conditions.py", "negatives.py", "tiles.py", "synthetic.py"}


@pytest.mark.parametrize("damage", ["cut", "emptied", "changed", "without a digest"])
def test_a_damaged_entry_is_rendered_again_and_replaced(damage: str) -> None:
    renderer = Renderer()
    expected = rendered_once(FACTS, renderer)
    content = bytearray(entry().read_bytes())
    if damage == "cut":
        content = content[:-100]
    elif damage == "emptied":
        content = bytearray()
    elif damage == "changed":
        content[-1] ^= 1
    else:
        content = content.replace(b"sha256", b"sha255")
    entry().write_bytes(content)
    again = rendered_once(FACTS, renderer)
    np.testing.assert_array_equal(again["tiles"], expected["tiles"])
    assert renderer.calls == 2
    rendered_once(FACTS, renderer)
    assert renderer.calls == 2  # the entry is whole again


def test_an_interrupted_rendering_leaves_nothing() -> None:
    def interrupted() -> Arrays:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rendered_once(FACTS, interrupted)
    assert not cache_folder().exists()


def test_what_cannot_be_kept_is_used_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("PAIREDGE_CACHE", str(blocked))
    with pytest.warns(UserWarning, match="rendered pictures are not kept: .*cannot write"):
        assert set(rendered_once(FACTS, Renderer())) == {"tiles", "labels"}


def test_two_processes_render_once(tmp_path: Path) -> None:
    program = f"""
import time
from pathlib import Path
import numpy as np
from pairedge_train.data.rendered_cache import rendered_once

def render():
    with Path({str(tmp_path / "log")!r}).open("a") as log:
        log.write("rendered\\n")
    time.sleep(0.5)
    return {{"tiles": np.zeros(3)}}

assert len(rendered_once({{"seed": 1}}, render)["tiles"]) == 3
"""
    environment = {**os.environ, "PAIREDGE_CACHE": str(tmp_path / "cache")}
    both = [subprocess.Popen([sys.executable, "-c", program], env=environment) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert (tmp_path / "log").read_text() == "rendered\n"


def test_the_cache_is_where_the_variable_says_or_the_platform_keeps_caches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAIREDGE_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("PAIREDGE_CACHE")
    assert cache_folder() == platformdirs.user_cache_path("pairedge")
