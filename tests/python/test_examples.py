"""Every example loads, resolves, and names body parts that its model has."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from fastpose.check import check
from fastpose.config import Config, load_config, resolved_yaml

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


@pytest.fixture(params=EXAMPLES, ids=lambda path: path.stem)
def example(request: pytest.FixtureRequest) -> Config:
    return load_config(request.param)


def test_there_are_examples() -> None:
    assert {path.stem for path in EXAMPLES} >= {
        "basler_emulated",
        "classifier",
        "demo",
        "gige_fake",
        "openfield",
        "python_protocol",
        "serial_laser",
        "two_animals",
        "two_cameras",
        "two_rules",
    }


def test_it_loads_and_loads_again(example: Config, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(resolved_yaml(example))
    assert load_config(tmp_path / "config.yaml") == example


def test_it_asks_for_nothing_that_is_not_there(example: Config) -> None:
    missing = {"outputs.laser.port"}  # the reader's own
    if example.protocol.type == "cython":
        missing.add("protocol.path")  # test_compiling compiles it
    if not example.networks["model"].folder.is_dir():
        pytest.skip(f"no model package {example.networks['model'].folder}")
    camera = example.cameras["top"]
    if camera.driver == "video" and not camera.path.exists():
        pytest.skip("FASTPOSE_DATA is not here")
    if camera.driver == "pylon" and importlib.util.find_spec("pypylon") is None:
        pytest.skip("pypylon is not installed (extra 'pylon')")
    if camera.driver == "v4l2" and not Path(camera.device or "").exists():
        pytest.skip(f"no camera {camera.device}")
    if camera.driver == "aravis":
        pytest.skip("its fake camera is plugged in by test_system_aravis")
    sections = (
        "cameras",
        "model.path",
        "model.input_size",
        "rules",
        "zones",
        "outputs",
        "protocol",
        "record",
    )
    problems = [
        str(finding)
        for finding in check(example, probe_outputs=False)
        if finding.level == "problem" and finding.path.startswith(sections) and finding.path not in missing
    ]
    assert problems == []
