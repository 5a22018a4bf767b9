"""Writes a commented config from a few answers; what ``fastpose new`` asks for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fastpose.config.yaml import dump
from fastpose.errors import ConfigError

__all__ = ["CAMERAS", "OUTPUTS", "PROTOCOLS", "Answers", "config_text", "write_config"]

PROTOCOLS = ("none", "conditional", "optogenetic", "trial", "states")
CAMERAS = ("sim", "video", "v4l2", "pylon")
OUTPUTS = ("sim", "serial")
SIM_PARTS = "snout"  # of builtin:simulated_mouse


@dataclass(frozen=True)
class Answers:
    """What a config is made of; the defaults run anywhere.

    Attributes
    ----------
    subject : str
    camera : str
        One of `CAMERAS`.
    source : str
        The file of a video, the device of v4l2, the serial number of pylon; unused with sim.
    model : str
        Folder of a model package.
    bodypart : str
        One that the model has.
    protocol : str
        One of `PROTOCOLS`.
    output : str
        One of `OUTPUTS`.
    port : str
        Device file of a serial output.
    """

    subject: str = "m001"
    camera: str = "sim"
    source: str = ""
    model: str = "builtin:simulated_mouse"
    bodypart: str = SIM_PARTS
    protocol: str = "conditional"
    output: str = "sim"
    port: str = "/dev/ttyACM0"


def write_config(path: Path, answers: Answers) -> None:
    """Write the config.

    Raises
    ------
    ConfigError
        The file is there already, or cannot be written.
    """
    if path.suffix not in (".yaml", ".yml"):
        raise ConfigError(f"{path}: its name ends in {path.suffix or 'nothing'}; allowed: .yaml, .yml")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(config_text(path.name, answers))
    except FileExistsError:
        raise ConfigError(f"{path}: is there already; give another name, or move it away") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None


def config_text(name: str, answers: Answers) -> str:
    """Return the config with its comments."""
    protocol = _PROTOCOLS[answers.protocol]
    moves = "" if answers.protocol == "none" else _outputs(answers)
    return "\n".join(
        filter(
            None,
            (_HEAD.format(name=name, subject=_quoted(answers.subject)), _camera(answers), _MODEL.format(
                model=_quoted(answers.model), bodypart=_quoted(answers.bodypart)
            ), moves, protocol, _RECORD),
        )
    )  # fmt: skip


def _quoted(text: str) -> str:
    """The text as YAML, quoted where it must be."""
    return dump([text]).strip().removeprefix("- ").removeprefix("[").removesuffix("]")


def _camera(answers: Answers) -> str:
    return _CAMERAS[answers.camera].format(source=_quoted(answers.source))


def _outputs(answers: Answers) -> str:
    return _OUTPUTS[answers.output].format(port=_quoted(answers.port))


_HEAD = """\
# Made by `fastpose new`. Check it with `fastpose check {name}`, see its protocol with `fastpose draw {name}`,
# run it with `fastpose run {name}`. Every key that is left out has a default; `fastpose schema` lists them.

session:
  subject: {subject}              # the session folder is sessions/<subject>_<date>_<time>
  directory: sessions        # relative to where you are
  duration_s: 1800           # leave it out to run until Ctrl-C, or until the protocol ends
"""

_CAMERAS = {
    "sim": """\
cameras:
  top:
    driver: sim              # a simulated mouse; other drivers: video, v4l2, aravis, pylon, realsense, stream
    size: [640, 480]         # width, height in px
    rate_hz: 60
    exposure_us: 2000
""",
    "video": """\
cameras:
  top:
    driver: video
    path: {source}
    pace: realtime           # max: as fast as the network goes
""",
    "v4l2": """\
cameras:
  top:
    driver: v4l2             # `fastpose cameras` lists what is plugged in, with sizes and rates
    device: {source}
    size: [640, 480]
    rate_hz: 30
    pixel_format: mono8
    compression: mjpg        # none for a camera with GREY, YUYV or NV12
    exposure_us: 5000        # constant: automatic exposure changes the delay
""",
    "pylon": """\
cameras:
  top:
    driver: pylon            # needs pip install "fastpose-rig[pylon]"
    serial: {source}
    size: [640, 480]
    rate_hz: 100
    pixel_format: mono8
    exposure_us: 2000
""",
}

_MODEL = """\
model:
  path: {model}   # made by `fastpose import` from a trained model

filter:
  type: one_euro             # steady at rest, quick in motion
  min_cutoff_hz: 2.0
  beta: 0.02

# Zones are in px of the frame: x to the right, y down. `fastpose preview` writes a picture to read them off.
zones:
  target: {{circle: {{center: [320, 240], radius_px: 80}}}}

rules:
  in_target:
    type: in_zone
    zone: target
    bodyparts: [{bodypart}]
    min_likelihood: 0.6      # keypoints below count as missing
    min_duration_ms: 50      # so long inside before the rule is true: one bad keypoint does nothing
    hysteresis_px: 5         # it has to leave by this much before it can enter again
"""

_OUTPUTS = {
    "sim": """\
outputs:
  stimulus:
    driver: sim              # moves nothing, is recorded like a real line
    max_on_ms: 20000         # the interlock ends it, whatever the protocol does
""",
    "serial": """\
outputs:
  stimulus:
    driver: serial           # a microcontroller that takes one byte for on and one for off
    port: {port}
    high: "H"
    low: "L"
    max_on_ms: 20000         # the interlock ends it, whatever the protocol does
    safe: low                # before the start and after every exit, also after a crash
""",
}

_PROTOCOLS = {
    "none": """\
protocol: {type: none}       # track and record; rules are recorded, too
""",
    "conditional": """\
protocol:
  type: conditional
  when: in_target
  do: {stimulus: follow}     # high while the rule is true; or {pulse_ms: 10}, on, off
  deadline_ms: 100           # from the start of the exposure; a later reaction is suppressed
  on_late: suppress
""",
    "optogenetic": """\
protocol:
  type: optogenetic          # stimulate while the rule is true
  when: in_target
  do: {stimulus: on}
  min_stim_s: 3              # at least so long, even when the animal has left
  max_stim_s: 10             # at most so long, even when it stays
  inter_trial_s: 40          # then nothing for so long
  max_total_stim_s: 500      # the session ends when the stimulations add up to this
  max_session_s: 3600
""",
    "trial": """\
protocol:
  type: trial
  start_when: in_target      # starts a trial; usually another rule than the response
  response: in_target
  trials:
    stimulated: {do: {stimulus: on}, count: 20}
    control: {count: 20}     # no stimulus
  order: random              # or blocked, sequence
  stimulus_s: 5
  trial_s: 10
  result: any                # a success where the response was true in any frame of the trial; or all
  inter_trial_s: 40
  max_successes: null        # or a number that ends the session
""",
    "states": """\
protocol:
  type: states               # a machine of your own; docs/reference/protocols.md has all keys
  counters: [stimulations]
  limits:
    session_s: 3600
    counters: {stimulations: 40}
    at: [waiting]            # where the counter is looked at
  states:
    waiting:
      next:
        - {rises: in_target, to: stimulating}
    stimulating:
      during: {stimulus: on} # off when the state is left
      count: {stimulations: 1}
      next:
        - {falls: in_target, to: pause}
        - {after_ms: 5000, to: pause}
    pause:
      next:
        - {after_ms: {uniform: [10000, 20000]}, to: waiting}
""",
}

_RECORD = """\
record:
  video: {codec: libx264, preset: veryfast, crf: 20}
"""
