"""Configs that are good: defaults, names, paths, round trips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from fastpose.config import Config, SimCamera, VideoCamera, Zone, config_from, resolved_yaml
from fastpose.config.load import load_config
from fastpose.errors import ConfigError
from sample_config import SAMPLE, changed


def reloaded(config: Config) -> Config:
    return config_from(yaml.safe_load(resolved_yaml(config)))


def test_it_is_frozen() -> None:
    config = config_from(SAMPLE)
    with pytest.raises(ValidationError, match="frozen"):
        config.session.subject = "other"


def test_the_model_sees_the_only_camera() -> None:
    config = config_from(SAMPLE)
    assert config.model is not None
    assert config.model.camera == "top"
    assert config.network_of("top") is config.model
    assert config.network_of("side") is None


def test_models_may_hold_the_one_network() -> None:
    data = changed("model")
    data["models"] = {"mouse": {"path": "package"}}
    config = config_from(data)
    assert list(config.networks) == ["mouse"]
    assert config.networks["mouse"].camera == "top"


def test_a_session_may_record_only() -> None:
    config = config_from({"session": {"subject": "a"}, "cameras": {"top": {"driver": "sim"}}})
    assert config.networks == {}
    assert config.protocol.type == "none"


@pytest.mark.parametrize(("pace", "frames"), [("max", "every"), ("realtime", "newest")])
def test_a_file_at_full_pace_waits_for_the_loop(pace: str, frames: str) -> None:
    camera = config_from(changed("cameras.top", {"driver": "video", "path": "a.mp4", "pace": pace})).cameras[
        "top"
    ]
    assert isinstance(camera, VideoCamera)
    assert camera.frames == frames


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"codec": "libx264"}, ("ultrafast", None, 25)),
        ({"codec": "libx264", "crf": 18}, ("ultrafast", 18, None)),
        ({"codec": "libx265"}, ("ultrafast", 20, None)),
        ({"codec": "ffv1"}, (None, None, None)),
    ],
)
def test_encoder_defaults_follow_the_codec(given: dict[str, Any], expected: tuple[object, ...]) -> None:
    video = config_from(changed("record.video", given)).record.video
    assert video is not None
    assert (video.preset, video.crf, video.qp) == expected


def test_two_kinds_of_quality_are_one_too_many() -> None:
    with pytest.raises(ConfigError, match="crf is 18 and qp is 20; allowed: one of them"):
        config_from(changed("record.video", {"crf": 18, "qp": 20}))


def test_paths_start_at_the_file_and_sessions_where_you_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    file = tmp_path / "rig" / "config.yaml"
    file.parent.mkdir()
    data = changed("cameras.top", {"driver": "video", "path": "../a.mp4"})
    data["protocol"] = {"type": "python", "path": "mine.py:Mine"}
    file.write_text(yaml.safe_dump(data))
    config = load_config(file)
    camera, protocol = config.cameras["top"], config.protocol
    assert isinstance(camera, VideoCamera)
    assert protocol.type == "python"
    assert camera.path == tmp_path / "a.mp4"
    assert config.networks["model"].folder == tmp_path / "rig" / "package"
    assert (protocol.file, protocol.class_name) == (tmp_path / "rig" / "mine.py", "Mine")
    assert config.session.directory == Path("/sessions")


def test_builtin_models_lie_in_the_package() -> None:
    model = config_from(changed("model.path", "builtin:simulated_mouse")).networks["model"]
    assert model.folder.parts[-3:] == ("fastpose", "models", "simulated_mouse")
    assert str(model.path) == "builtin:simulated_mouse"


def test_yaml_words_keep_their_meaning(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        "session: {subject: 007, notes: 12:30}\n"
        "cameras: {top: {driver: sim, rate_hz: 1e2, motion_blur: yes}}\n"
        "model: {path: package}\n"
        "zones: {corner: {circle: {center: [10, 10], radius_px: 5}}}\n"
        "rules: {r: {type: in_zone, zone: corner, bodyparts: [snout], missing: false}}\n"
        "outputs: {off: {driver: sim}, laser: {driver: sim}}\n"
        "protocol: {type: conditional, when: r, do: {off: off, laser: on}}\n"
    )
    config = load_config(file)
    camera = config.cameras["top"]
    assert isinstance(camera, SimCamera)
    assert (config.session.subject, config.session.notes) == ("007", "12:30")
    assert (camera.rate_hz, camera.motion_blur) == (100.0, True)
    assert config.rules["r"].missing == "false"
    assert config.protocol.type == "conditional"
    assert config.protocol.do == {"off": "off", "laser": "on"}
    file.write_text(resolved_yaml(config))
    assert load_config(file) == config
    assert reloaded(config) == config  # a reader of YAML 1.1 finds the same


def test_resolved_yaml_fills_in_every_default() -> None:
    text = resolved_yaml(config_from(SAMPLE))
    camera = yaml.safe_load(text)["cameras"]["top"]
    assert camera.keys() == SimCamera.model_fields.keys()
    assert camera["exposure_us"] == 2000
    assert "on_late: suppress" in text


def test_environment_variables_fill_strings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBJECT", "m7")
    monkeypatch.delenv("RATE", raising=False)
    monkeypatch.setenv("EMPTY", "")
    data = changed("session.subject", "${SUBJECT}_b")
    data["cameras"]["top"]["rate_hz"] = "${RATE:-50}"
    data["session"]["notes"] = "${EMPTY:-x} ${EMPTY} $${SUBJECT} $5"
    config = config_from(data)
    camera = config.cameras["top"]
    assert isinstance(camera, SimCamera)
    assert config.session.subject == "m7_b"
    assert camera.rate_hz == 50
    assert config.session.notes == "x  ${SUBJECT} $5"
    assert reloaded(config) == config


numbers = st.floats(min_value=0.001, max_value=1e6)
RULES: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries({"type": st.just("speed"), "bodypart": st.text(min_size=1), "above_px_s": numbers}),
    st.fixed_dictionaries(
        {"type": st.just("distance"), "bodyparts": st.just(["a", "b"]), "below_px": numbers},
        optional={"hysteresis_px": numbers, "missing": st.sampled_from(["hold", "true", "false"])},
    ),
    st.fixed_dictionaries(
        {"type": st.just("angle"), "bodyparts": st.just(["a", "b"]), "heading_deg": st.integers(-360, 360)}
        | {"above_deg": st.floats(0, 180)},
        optional={"individual": st.sampled_from(["any", "all", "mouse1"]) | st.integers(0, 9)},
    ),
)


@pytest.mark.parametrize("character", ["\x85", "\u2028", "\u2029", "\n", "\t", "\u00e9"])
def test_odd_characters_in_names_survive(character: str) -> None:
    rule = {"type": "speed", "bodypart": f"a{character} b", "above_px_s": 1}
    config = config_from(changed("rules.other", rule))
    assert reloaded(config) == config


@settings(deadline=None)
@given(rule=RULES, notes=st.text() | st.none(), seed=st.integers(0, 2**63 - 1), noise=st.floats(0, 40))
def test_resolved_yaml_loads_again_to_an_equal_config(
    rule: dict[str, Any], notes: str | None, seed: int, noise: float
) -> None:
    data = changed("rules.other", rule)
    data["session"]["notes"] = notes.replace("${", "$${") if notes else notes
    data["cameras"]["top"] |= {"seed": seed, "noise": noise}
    config = config_from(data)
    assert config.session.notes == notes
    assert reloaded(config) == config


@given(st.integers(0, 640), st.integers(0, 480), st.floats(1, 50))
def test_a_circle_may_reach_over_the_edge(x: int, y: int, radius_px: float) -> None:
    zone = Zone.model_validate({"circle": {"center": [x, y], "radius_px": radius_px}})
    assert zone.points_outside(640, 480) == []


@given(st.lists(st.tuples(st.integers(-99, 99), st.integers(-99, 99)), min_size=3, max_size=3, unique=True))
def test_a_triangle_never_crosses_itself(corners: list[tuple[int, int]]) -> None:
    (x0, y0), (x1, y1), (x2, y2) = corners
    if (x1 - x0) * (y2 - y0) == (x2 - x0) * (y1 - y0):
        with pytest.raises(ValidationError, match="no area"):
            Zone.model_validate({"polygon": corners})
    else:
        assert Zone.model_validate({"polygon": corners}).polygon is not None


def test_the_schema_names_every_section() -> None:
    schema = Config.model_json_schema()
    assert schema["properties"].keys() == Config.model_fields.keys()
    assert schema["additionalProperties"] is False
