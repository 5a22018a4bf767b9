"""Configs that are bad: one line each, which names the path, the value and what is allowed."""

# ruff: noqa: E501  a table reads best with one case a line

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastpose.config import config_from, load_config
from fastpose.errors import ConfigError
from sample_config import MISSING, SAMPLE, changed, write_config


def error_of(data: Any) -> str:
    with pytest.raises(ConfigError) as info:
        config_from(data)
    return str(info.value)


BAD = [
    # unknown keys
    ("cameras.top.rate", 5, "cameras.top.rate: unknown key (did you mean 'rate_hz'?); allowed: driver, ring_slots,"),
    ("rulez", 5, "rulez: unknown key (did you mean 'rules'?); allowed: session, cameras, synchronise, model,"),
    ("model.roi", {"track": True, "size": [9, 9], "margin_px": 2, "x": 0}, "model.roi.x: unknown key; allowed: track, size,"),
    ("model.roi", {"z": 0, "x": 0, "y": 0, "width": 9, "height": 9}, "model.roi.z: unknown key; allowed: x, y, width, height"),
    ("model.roi", {"track": False, "size": [99, 99]}, "model.roi.track: false is not allowed; allowed: True"),
    # wrong types and values out of range
    ("cameras.top.rate_hz", "fast", "cameras.top.rate_hz: 'fast' is not allowed; allowed: a number at least 0.1 and"),
    ("cameras.top.rate_hz", True, "cameras.top.rate_hz: true is not allowed; allowed: a number"),
    ("cameras.top.rate_hz", float("nan"), "cameras.top.rate_hz: nan is not allowed; allowed: a number"),
    ("cameras.top.ring_slots", 2.5, "cameras.top.ring_slots: 2.5 is not allowed; allowed: a whole number at least 5"),
    ("cameras.top.size", [640], "cameras.top.size[1]: missing; allowed: a whole number at least 64 and at most 8192"),
    ("cameras.top", 5, "cameras.top: 5 is not allowed; allowed: a mapping"),
    ("cameras", {}, "cameras: a mapping is not allowed; allowed: a mapping of names to settings (at least 1)"),
    ("session", MISSING, "session: missing; allowed: a mapping with subject, directory,"),
    ("session.subject", "a/b", "session.subject: 'a/b' is not allowed; allowed: letters, digits, '.', '_' and '-'"),
    ("session.subject", True, "session.subject: true is not allowed; allowed: letters"),
    ("session.duration_s", -1, "session.duration_s: -1 is not allowed; allowed: a number greater than 0, null"),
    ("session.duration_s", 0, "session.duration_s: 0 is not allowed; allowed: a number greater than 0, null"),
    ("rules.in_corner.bodyparts", [], "rules.in_corner.bodyparts: [] is not allowed; allowed: a list of text (at least 1)"),
    ("rules.in_corner.bodyparts", ["a", "a"], "rules.in_corner.bodyparts: 'a' stands twice"),
    ("rules.in_corner.individual", -1, "rules.in_corner.individual: -1 is not allowed; allowed: a whole number at least 0, text"),
    ("rules.in_corner.min_likelihood", 60, "rules.in_corner.min_likelihood: 60 is not allowed; allowed: a number at least 0 and at most 1"),
    # names that a user chooses
    ("cameras.a b", {"driver": "sim"}, "cameras: 'a b' is not a name; allowed: letters, digits"),
    # drivers and types
    ("cameras.top.driver", "sin", "cameras.top.driver: 'sin' is not allowed (did you mean 'sim'?); allowed: sim, video"),
    ("outputs.laser.driver", "nidaq", "outputs.laser.driver: 'nidaq' is not in this version; this version has: sim, serial"),
    ("cameras.top.driver", MISSING, "cameras.top.driver: missing; allowed: sim, video"),
    ("model.device", "cuda", "model.device: 'cuda' is not in this version; this version has: cpu, fake"),
    ("protocol.type", "tria", "protocol.type: 'tria' is not allowed (did you mean 'trial'?); allowed: none,"),
    ("protocol.do.laser", "onn", "protocol.do.laser: 'onn' is not allowed (did you mean 'on'?); allowed: a mapping with pulse_ms, on, off, follow"),
    ("protocol.do.laser", {}, "protocol.do.laser.pulse_ms: missing; allowed: a number greater than 0"),
    # names of things that are not there
    ("rules.in_corner.zone", "corne", "rules.in_corner.zone: no zone 'corne' (did you mean 'corner'?); allowed: corner"),
    ("protocol.when", "corner", "protocol.when: no rule 'corner' (did you mean 'in_corner'?); allowed: in_corner"),
    ("protocol.do", {"lasr": "on"}, "protocol.do.lasr: no output 'lasr' (did you mean 'laser'?); allowed: laser"),
    ("outputs", {}, "protocol.do.laser: no output 'laser'; allowed: none, there is no output"),
    ("model.camera", "tp", "model.camera: no camera 'tp' (did you mean 'top'?); allowed: top"),
    ("cameras.side", {"driver": "sim"}, "model.camera: missing; allowed: top, side"),
    ("model", MISSING, "model: missing; rules and protocols need a network"),
    ("models", {"a": {"path": "b"}}, "models: given beside model; allowed: one of model, models"),
    # what does not fit together
    ("zones.corner.polygon", [[0, 0], [900, 0], [0, 9]], "zones.corner: (900, 0) is outside the frame of camera 'top'; allowed: x from 0 to 640, y from 0 to 480"),
    ("zones.far", {"circle": {"center": [10, 500], "radius_px": 50}}, "zones.far: (10, 500) is outside the frame of camera 'top'"),
    ("zones.far", {"rectangle": {"x": 600, "y": 0, "width": 50, "height": 9}}, "zones.far: (650, 9) is outside the frame"),
    ("zones.corner.polygon", [[0, 0], [9, 0]], "zones.corner.polygon: [[0, 0], [9, 0]] is not allowed; allowed: a list"),
    ("zones.corner.polygon", [[0, 0], [9, 0], [5, 0]], "zones.corner: the polygon has no area"),
    ("zones.corner.polygon", [[0, 0], [9, 9], [9, 0], [0, 5]], "zones.corner: edges 0 and 2 of the polygon cross"),
    ("zones.corner.polygon", [[0, 0], [9, 0], ["x", 5]], "zones.corner.polygon[2][0]: 'x' is not allowed; allowed: a number"),
    ("zones.corner", {}, "zones.corner: no shape given; allowed: exactly one of polygon, circle, rectangle"),
    ("zones.corner.circle", {"center": [1, 1], "radius_px": 1}, "zones.corner: polygon and circle given; allowed: exactly one of"),
    ("model.roi", {"x": 600, "y": 0, "width": 100, "height": 9}, "model.roi: 100x9 px at (600, 0) goes beyond the frame of camera 'top'; allowed: within 640x480 px"),
    ("model.roi", {"track": True, "size": [700, 100]}, "model.roi.size: 700x100 px; allowed: at most the 640x480 px searched"),
    ("model.roi", {"track": True, "size": [64, 99], "within": {"x": 9, "y": 9, "width": 50, "height": 100}}, "model.roi.size: 64x99 px; allowed: at most the 50x100"),
    ("model.roi", {"track": True, "size": [64, 64], "within": {"x": 600, "y": 0, "width": 100, "height": 99}}, "model.roi.within: 100x99 px at (600, 0) goes beyond"),
    ("model.roi", {"track": True, "size": [100, 200], "margin_px": 50}, "model.roi.margin_px: 50; allowed: less than half of size"),
    ("cameras.top.exposure_us", 20000, "cameras.top: exposure_us 20000 does not fit into the period at rate_hz 100; allowed: at most 10000"),
    ("cameras.top.body_length_px", 400, "cameras.top: body_length_px 400 is too long for frames of [640, 480]; allowed: at most 288"),
    ("protocol.do.laser", {"pulse_ms": 300}, "protocol.do.laser.pulse_ms: 300 is more than its max_on_ms; allowed: at most 100"),
    ("rules.r", {"type": "speed", "bodypart": "a"}, "rules.r: neither given; allowed: exactly one of above_px_s, below_px_s"),
    ("rules.r", {"type": "distance", "bodyparts": ["a", "b"], "above_px": 1, "below_px": 2}, "rules.r: above_px and below_px given; allowed: exactly one"),
    ("rules.r", {"type": "angle", "bodyparts": ["a", "b"], "above_deg": 9}, "rules.r: neither given; allowed: exactly one of point, heading_deg"),
    ("rules.r", {"type": "angle", "bodyparts": ["a", "b", "c"], "above_deg": 9, "point": [1, 1]}, "rules.r: point and heading_deg go with two"),
    ("outputs.laser", {"driver": "serial", "port": "/dev/null"}, "outputs.laser.max_on_ms: missing; allowed: a number greater than 0"),
    ("outputs.laser", {"driver": "serial", "port": "a", "max_on_ms": 9, "low": "H"}, "outputs.laser: high and low are both 'H'"),
    ("outputs.laser", {"driver": "serial", "port": "a", "max_on_ms": 9, "low": "€"}, "outputs.laser.low: '€' holds characters that are no single byte"),
    ("outputs.laser", {"driver": "serial", "port": "a", "max_on_ms": 9, "baud": 9601}, "outputs.laser.baud: 9601 is not allowed; allowed: 1200, 2400"),
    ("protocol", {"type": "python", "path": "mine.py"}, "protocol.path: 'mine.py' names no class in a file; allowed: FILE.py:Class"),
    ("session.subject", "${FASTPOSE_NOWHERE}", "session.subject: environment variable FASTPOSE_NOWHERE is not set; set it, or write ${FASTPOSE_NOWHERE:-default}"),
    ("session.notes", "${A", "session.notes: '${A' has no whole variable; allowed: ${NAME}"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value", "text"), BAD, ids=[f"{path}={value!r:.30}" for path, value, _ in BAD]
)
def test_one_line_that_says_all(path: str, value: Any, text: str) -> None:
    error = error_of(changed(path, value))
    assert error.startswith(text)
    assert len(error.splitlines()) == 1


def test_every_problem_has_its_line() -> None:
    data = changed("protocol.when", "nothing")
    data["rules"]["in_corner"]["zone"] = "nowhere"
    assert [line.split(":")[0] for line in error_of(data).splitlines()] == [
        "rules.in_corner.zone",
        "protocol.when",
    ]
    data["session"]["duration_s"] = data["cameras"]["top"]["noise"] = -1
    assert [line.split(":")[0] for line in error_of(data).splitlines()] == [
        "session.duration_s",
        "cameras.top.noise",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "session: {subject: a}\nsession: {subject: b}\n",
            "line 2, column 1: key 'session' stands twice; keep one",
        ),
        ("session: {subject: a, subject: b}\n", "line 1, column 23: key 'subject' stands twice; keep one"),
        ("session: [\n", "line 2, column 1: expected the node content, but found '<stream end>'"),
        ("session: \t{a\n", "line 1, column 10: found character '\\t' that cannot start any token"),
        ("", "no sections; allowed: session, cameras, synchronise, model,"),
        ("- 1\n", "no sections; allowed: session, cameras, synchronise, model,"),
        ("session: !!python/object:os.system {}\n", "line 1, column 10: could not determine a constructor"),
        ("a: &a [*a]\n", "refers to itself through a YAML alias; write the values out"),
        ("a: \x07\n", "is not YAML: unacceptable character"),
    ],
)
def test_bad_yaml_names_the_line(tmp_path: Path, text: str, line: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as info:
        load_config(file)
    assert str(info.value).startswith(f"{file}: {line}")
    assert len(info.value.lines) == 1


def test_a_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "arena.yaml").touch()
    with pytest.raises(
        ConfigError, match=r"area\.yaml: no such file \(did you mean 'arena\.yaml'\?\); allowed: "
    ):
        load_config(tmp_path / "area.yaml")


def test_files_that_are_no_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_config(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"session: {subject: m\xfc}")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load_config(tmp_path / "latin.yaml")


def test_the_file_is_named(tmp_path: Path) -> None:
    file = write_config(tmp_path, "session.duration_s", -1)
    with pytest.raises(ConfigError) as info:
        load_config(file)
    assert str(info.value).startswith(f"{file}: session.duration_s: -1 ")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(section=st.sampled_from(list(SAMPLE)), value=json_values)
def test_whatever_stands_there_is_a_config_or_a_config_error(section: str, value: Any) -> None:
    try:
        config_from(changed(section, value))
    except ConfigError as error:
        assert error.lines
        assert all(": " in line for line in error.lines)
