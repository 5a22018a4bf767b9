"""State diagrams: what a machine has is in its picture, and the pictures of the manual are fresh."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from fastpose.config import as_states, load_config
from fastpose.draw_command import draw
from fastpose.errors import ConfigError
from fastpose.state_diagram import draw_states
from protocol_rig import config_of

ROOT = Path(__file__).parents[2]
KINDS = ("conditional", "optogenetic", "trial", "states")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("kind", KINDS)
def test_the_pictures_of_the_manual_are_those_of_the_examples(kind: str, tmp_path: Path) -> None:
    draw(load_config(ROOT / "examples" / f"{kind}.yaml"), tmp_path / "drawn.svg")
    assert (ROOT / "docs" / "pictures" / f"protocol_{kind}.svg").read_text(encoding="utf-8") == (
        tmp_path / "drawn.svg"
    ).read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_every_state_and_every_way_is_there(kind: str) -> None:
    protocol = as_states(load_config(ROOT / "examples" / f"{kind}.yaml").protocol)
    assert protocol is not None
    drawing = ET.fromstring(draw_states(protocol, "a < b"))
    texts = [text.text or "" for text in drawing.iter(f"{SVG}text")]
    for name, state in protocol.all_states.items():
        assert texts.count(name) == 1
        for transition in state.next:
            for target in transition.targets:
                assert any(text.endswith(f"→ {target}") for text in texts)
    ways = [text for text in texts if "→" in text]
    assert len(list(drawing.iter(f"{SVG}circle"))) == len(ways)


def test_nothing_is_drawn_outside_and_no_two_lanes_are_one(tmp_path: Path) -> None:
    protocol = as_states(load_config(ROOT / "examples" / "trial.yaml").protocol)
    assert protocol is not None
    drawing = ET.fromstring(draw_states(protocol))
    width = float(drawing.get("width") or 0)
    lanes = []
    for group in drawing.iter(f"{SVG}g"):
        strokes = re.findall(r"M(\S+) (\S+)H(\S+)V(\S+)H", group[0].get("d") or "")
        xs = {float(x) for _, _, x, _ in strokes}
        assert len(xs) == 1
        (x,) = xs
        assert 0 < x < width
        ys = [float(y) for _, y, _, end in strokes] + [float(end) for _, _, _, end in strokes]
        assert all(other != x or max(ys) < low or min(ys) > high for other, low, high in lanes)
        lanes.append((x, min(ys), max(ys)))
    assert len(lanes) > 5


def test_names_cannot_break_the_picture() -> None:
    states = {"a": {"next": [{"when": "inside", "to": "a"}]}}
    protocol = as_states(config_of({"type": "states", "states": states}).protocol)
    assert protocol is not None
    ET.fromstring(draw_states(protocol, "<script>&'"))


def test_a_protocol_without_states_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"protocol.type is none, .*allowed: conditional, optogenetic"):
        draw(config_of({"type": "none"}), tmp_path / "x.svg")


def test_the_command(tmp_path: Path) -> None:
    config = ROOT / "examples" / "states.yaml"
    command = [sys.executable, "-m", "fastpose", "draw", str(config)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "states.svg\n", "")
    assert (tmp_path / "states.svg").exists()
