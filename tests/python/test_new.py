"""`fastpose new`: whatever one answers, `fastpose check` accepts the config, and nothing is overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fastpose.check import check
from fastpose.cli import app
from fastpose.config import load_config
from fastpose.errors import ConfigError
from fastpose.new_config import CAMERAS, OUTPUTS, PROTOCOLS, Answers, write_config


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_check_accepts_every_protocol(protocol: str, tmp_path: Path) -> None:
    file = tmp_path / "experiment.yaml"
    write_config(file, Answers(protocol=protocol))
    config = load_config(file)
    assert config.protocol.type == protocol
    found = check(config, probe_outputs=False)
    problems = [str(each) for each in found if each.level == "problem" and each.path != "model.device"]
    assert problems == []  # which runtimes are installed is not its matter
    assert max(map(len, file.read_text().splitlines())) <= 112


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("output", OUTPUTS)
def test_every_camera_and_output_loads(camera: str, output: str, tmp_path: Path) -> None:
    file = tmp_path / "experiment.yaml"
    write_config(file, Answers(camera=camera, source="0815", output=output, subject="on"))
    config = load_config(file)
    assert config.cameras["top"].driver == camera
    assert config.outputs["stimulus"].driver == output


def test_the_command_asks_again_until_it_understands(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    answers = "m7\nwebcam\nsim\n\n\ntrial\nserial\n/dev/ttyUSB3\n"
    result = CliRunner().invoke(app, ["new", str(file)], input=answers)
    assert result.exit_code == 0, result.output
    assert "'webcam' is not allowed; allowed: sim, video" in result.output
    config = load_config(file)
    assert (config.session.subject, config.protocol.type) == ("m7", "trial")
    assert config.outputs["stimulus"].port == "/dev/ttyUSB3"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("mine")
    result = CliRunner().invoke(app, ["new", "--defaults", str(file)])
    assert result.exit_code == 2
    assert file.read_text() == "mine"
    with pytest.raises(ConfigError, match="is there already"):
        write_config(file, Answers())
    with pytest.raises(ConfigError, match=r"allowed: .yaml"):
        write_config(tmp_path / "mine.txt", Answers())
