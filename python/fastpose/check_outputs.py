"""Whether the outputs of a config can be had here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from fastpose.config import BesideOutput, GpioOutput, Output, PylonOutput
from fastpose.finding import Finding, ok, problem

__all__ = ["check_other_output"]

_STANDS_ON = {  # driver: module, extra
    "nidaq": ("nidaqmx", "nidaq"),
    "lsl": ("pylsl", "lsl"),
    "zmq": ("zmq", "zmq"),
    "open_ephys": ("zmq", "zmq"),
    "osc": ("pythonosc", "osc"),
    "screen": ("pygame", "screen"),
}


def check_other_output(name: str, output: Output) -> Iterator[Finding]:
    """What is to say of an output that has no serial port."""
    path = f"outputs.{name}"
    if isinstance(output, PylonOutput):
        yield ok(f"{path}.line", f"{output.line} of camera '{output.camera}'")
    elif isinstance(output, GpioOutput):
        yield _gpio(f"{path}.chip", output.chip)
    elif isinstance(output, BesideOutput):
        yield _beside(f"{path}.driver", output.driver)
    else:
        yield ok(path, "simulated")


def _gpio(path: str, chip: str) -> Finding:
    if not Path(chip).exists():
        found = ", ".join(str(each) for each in sorted(Path("/dev").glob("gpiochip*")))
        here = f"here: {found}" if found else "there is no GPIO chip here"
        return problem(path, f"'{chip}': no such file; {here}")
    if not os.access(chip, os.R_OK | os.W_OK):
        return problem(path, f"'{chip}': permission denied, add the user to the group gpio")
    return ok(path, f"'{chip}' is there")


def _beside(path: str, driver: str) -> Finding:
    module, extra = _STANDS_ON.get(driver, ("", ""))
    if module and find_spec(module) is None:
        return problem(path, f'{driver} needs {module}; install it with: pip install "fastpose-rig[{extra}]"')
    return ok(path, f"{driver}, beside the loop")
