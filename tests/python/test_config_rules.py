"""Rules in configs: every kind is there, loads, resolves, becomes a rule of the engine; bad ones are named."""

# ruff: noqa: E501  tables read best with one case a line

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from every_rule import NOT_HERE, RULES, every_rule, kinds
from fastpose.assembly.behaviour import make_rules
from fastpose.check import check
from fastpose.config import config_from, load_config, resolved_yaml
from fastpose.config.homography import fit_homography, map_places
from fastpose.errors import ConfigError
from fastpose.model_package import read_model_package
from sample_config import changed, write_config, write_package


def made(config: dict[str, Any], folder: Path, **package: Any) -> list[Any]:
    checked = config_from(config, base=folder)
    network = read_model_package(write_package(folder / "package", **package))
    return make_rules(checked, checked.rules, network, frame_size=(640, 480))


def test_every_kind_is_in_the_config_of_every_rule() -> None:
    there = {rule["type"] for rule in every_rule()["rules"].values()}
    assert there | set(NOT_HERE) == kinds()


def test_it_loads_again_from_what_it_resolves_to(tmp_path: Path) -> None:
    config = config_from(every_rule(), base=tmp_path)
    (tmp_path / "config.yaml").write_text(resolved_yaml(config))
    assert load_config(tmp_path / "config.yaml") == config


def test_each_becomes_a_rule_that_changes(tmp_path: Path) -> None:
    from fastpose import _core

    rules = made(every_rule(), tmp_path)
    names = list(every_rule()["rules"])
    together, seen = _core.RuleSet(rules), np.zeros((2, len(rules)), bool)
    for i, pose in enumerate(wander(3000)):
        values = np.array(together.update(pose, i * 10_000_000), bool)
        seen[0] |= values
        seen[1] |= ~values
    never = [name for name, both in zip(names, seen.T, strict=True) if not both.all()]
    assert never == []


def wander(frames: int) -> list[np.ndarray]:
    """A body of five parts that walks, stops, bends and turns over the frame at 100 Hz."""
    rng = np.random.default_rng(0)
    poses, at, heading, speed, bend = [], 320 + 240j, 0.3, 100.0, 0.0
    for i in range(frames):
        if i % 50 == 0:
            speed, turn, bend_to = rng.choice([0, 60, 250, 400]), rng.normal(0, 2), rng.normal(0, 0.7)
        heading += turn * 0.01
        bend += 0.1 * (bend_to - bend)
        at += speed * 0.01 * np.exp(1j * heading)
        if not (60 < at.real < 580 and 60 < at.imag < 420):
            heading = np.angle(320 + 240j - at)
        body = at + np.exp(1j * heading) * np.array([0, 0, 0, -10, -55])
        head = at + np.exp(1j * (heading + bend)) * np.array([45, 20 - 10j, 20 + 10j])
        places = np.array([head[0], head[1], head[2], body[2], body[4]])
        poses.append(np.stack([places.real, places.imag, np.ones(5)], -1)[None].astype(np.float32))
    return poses


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("rules.r", {"type": "not", "rule": "in_cornr"}, "rules.r.rule: no rule 'in_cornr' (did you mean 'in_corner'?)"),
        ("rules.r", {"type": "not", "rule": "r"}, "rules.r: goes in a circle: r -> r; allowed: rules that end"),
        ("rules.r", {"type": "begins", "rule": "in_corner", "min_duration_ms": 5}, "rules.r: min_duration_ms is 5, and begins is true in single frames; allowed: 0"),
        ("rules.r", {"type": "sequence", "rules": ["in_corner"], "within_ms": 5}, "rules.r.rules: ['in_corner'] is not allowed; allowed: a list of text (at least 2)"),
        ("rules.r", {"type": "speed", "bodypart": "snout", "above_mm_s": 5}, "rules.r: is in mm, and its camera has no calibration; give calibration:"),
        ("rules.r", {"type": "speed", "bodypart": "snout", "above_px_s": 5, "hysteresis_mm_s": 1}, "rules.r: hysteresis_mm_s given beside a limit in px_s; allowed: hysteresis_px_s"),
        ("rules.r", {"type": "in_zone", "zone": "corner", "bodyparts": ["snout"], "hysteresis_mm": 1}, "rules.r.hysteresis_mm: zone 'corner' is in px; allowed: hysteresis_px"),
        ("rules.r", {"type": "contact", "bodypart": "snout", "to": {}, "below_px": 1}, "rules.r.to: neither given; allowed: exactly one of bodypart, point"),
        ("rules.r", {"type": "posture", "bodyparts": ["a", "b", "c"], "template": [[0, 0]], "below_px": 1}, "rules.r: template has 1 places for 3 bodyparts; allowed: one each"),
        ("rules.r", {"type": "dwell", "zone": "corner", "bodyparts": ["snout"], "above_ms": 9, "within_ms": 9}, "rules.r: above_ms is 9; allowed: less than within_ms, 9"),
        ("rules.r", {"type": "line_crossing", "bodypart": "snout", "line": [[700, 0], [700, 99]]}, "rules.r.line: both ends are outside the frame of camera 'top'"),
        ("rules.r", {"type": "line_crossing", "bodypart": "snout", "line": [[7, 0], [7, 0]]}, "rules.r: both ends of the line are one place"),
        ("rules.r", {"type": "classifier", "model": "a.onnx", "features": [{"speed": "snout", "angle": ["a", "b", "c"]}]}, "rules.r.features[0]: angle and speed given; allowed: exactly one of positions,"),
        ("zones.z", {"circle": {"center": [9, 9], "radius_mm": 5}}, "zones.z: radius_mm given with units: px; allowed: units: mm, or radius_px"),
        ("zones.z", {"circle": {"center": [9, 9]}}, "zones.z.circle: no size, or two; allowed: exactly one of radius_px, radius_mm"),
        ("zones.z", {"mask": "m.png", "units": "mm"}, "zones.z: a mask is an image; allowed: units: px"),
        ("calibration", {"px_per_mm": 2, "points": []}, "calibration.points: [] is not allowed; allowed: a list"),
        ("calibration", {}, "calibration: nothing given; allowed: exactly one of px_per_mm, homography, points, file"),
        ("calibration", {"homography": [[1, 0, 0], [2, 0, 0], [0, 0, 1]]}, "calibration: homography has determinant 0"),
        ("calibration", {"file": "nowhere.yaml"}, "calibration: file '"),
        ("calibrations", {"side": {"px_per_mm": 2}}, "calibrations.side: no camera 'side'; allowed: top"),
    ],
)  # fmt: skip
def test_bad_rules_and_calibrations_are_named(path: str, value: Any, text: str) -> None:
    with pytest.raises(ConfigError) as info:
        config_from(changed(path, value))
    assert str(info.value).startswith(text)
    assert len(info.value.lines) == 1


def test_rules_of_another_camera_are_refused() -> None:
    config = changed("cameras.side", {"driver": "sim", "size": [640, 480], "rate_hz": 100})
    config["model"] = {"path": "package", "device": "fake", "cameras": ["top", "side"]}
    config["rules"]["in_corner"]["camera"] = "top"
    config["rules"]["r"] = {"type": "not", "rule": "in_corner", "camera": "side"}
    with pytest.raises(ConfigError, match=r"rules.r.rule: 'in_corner' looks at another camera"):
        config_from(config)


def test_a_body_part_of_a_target_is_checked(tmp_path: Path) -> None:
    rule = {"type": "contact", "bodypart": "snout", "to": {"bodypart": "nose"}, "below_px": 5}
    found = [
        str(f) for f in check(load_config(write_config(tmp_path, "rules.r", rule))) if f.level == "problem"
    ]
    assert found[0].startswith("rules.r.to.bodypart: no body part 'nose'; allowed: snout,")


def test_contact_with_another_animal_needs_two(tmp_path: Path) -> None:
    rule = {"type": "contact", "bodypart": "snout", "to": {"bodypart": "tailbase"}, "below_px": 30}
    with pytest.raises(ConfigError, match=r"rules.r.to.individual is other, and there is one animal"):
        made(changed("rules.r", rule), tmp_path)
    (_, near) = made(changed("rules.r", rule), tmp_path, individuals=["a", "b"])
    poses = np.ones((2, 5, 3), np.float32)
    poses[1, :, 0] = 20
    assert near.update(poses, 0)
    poses[1, 4, 0] = 200
    poses[0, 4, 0] = 200
    assert not near.update(poses, 1)


def test_a_mask_is_an_image_of_the_frames_size(tmp_path: Path) -> None:
    grey = np.zeros((480, 640), np.uint8)
    grey[100:200, 300:400] = 128
    Image.fromarray(grey).save(tmp_path / "mask.png")
    config = changed("zones.corner", {"mask": "mask.png"})
    (rule,) = made(config, tmp_path)
    at = np.ones((1, 5, 3), np.float32)
    for place, inside in [
        ((300, 100), True),
        ((299, 100), False),
        ((399.4, 199.4), True),
        ((399.6, 150), False),
    ]:
        at[0, 0, :2] = place
        assert rule.update(at, 0) is inside
    Image.fromarray(grey[:99]).save(tmp_path / "mask.png")
    with pytest.raises(ConfigError, match=r"zones.corner.mask is 640x99 px; allowed: the frame's 640x480"):
        made(config, tmp_path)


def test_a_homography_is_found_from_places() -> None:
    rng = np.random.default_rng(0)
    matrix = np.array([[0.5, 0.02, -3], [-0.01, 0.45, 4], [1e-4, -2e-4, 1]])
    px = rng.uniform(0, 600, (9, 2))
    mm = map_places(matrix, px)
    assert np.array(fit_homography(px, mm)) == pytest.approx(matrix, abs=1e-9)
    with pytest.raises(ValueError, match="do not determine a plane"):
        fit_homography([(0, 0), (1, 1), (2, 2), (3, 3)], [(0, 0), (1, 1), (2, 2), (3, 3)])


def test_calibrations_are_read_from_points_and_from_a_file(tmp_path: Path) -> None:
    square = [[10, 10], [110, 10], [110, 110], [10, 110]]
    points = [{"px": [x, y], "mm": [(x - 10) / 2, (y - 10) / 2]} for x, y in square]
    (tmp_path / "top.yaml").write_text("calibration: {homography: [[0.5, 0, -5], [0, 0.5, -5], [0, 0, 1]]}\n")
    for given in ({"points": points}, {"file": "top.yaml"}):
        config = config_from(changed("calibration", given), base=tmp_path)
        assert config.calibration is not None
        assert config.calibration.to_mm((60, 30)) == pytest.approx((25, 10))
        assert config.calibration.to_px((25, 10)) == pytest.approx((60, 30))
        assert "top.yaml" not in resolved_yaml(config)  # what a session keeps is the calibration itself


def test_edges_of_the_frame_need_its_size(tmp_path: Path) -> None:
    config = changed("rules.screen", RULES["screen"])
    checked = config_from(config)
    network = read_model_package(write_package(tmp_path / "package"))
    with pytest.raises(ConfigError, match=r"rules.screen.size: the frame's is not known"):
        make_rules(checked, checked.rules, network)
