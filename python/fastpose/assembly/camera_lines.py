"""Outputs that are lines of a camera: each camera's process moves its own."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence

from fastpose import _core
from fastpose import config as cfg
from fastpose.drivers import CameraLines, CameraSource

__all__ = ["open_camera_lines"]


def open_camera_lines(
    outputs: Mapping[str, cfg.Output], cameras: Sequence[CameraSource]
) -> dict[str, _core.OutputDriver]:
    """Make the shared memory between the interlock and the cameras' processes; cameras learn of their lines.

    Returns
    -------
    dict
        The driver of each such output. Before the camera's process is there, a level is only noted; it is the
        first that the process writes.

    Raises
    ------
    OutputError
        One camera has too many lines.
    """
    drivers: dict[str, _core.OutputDriver] = {}
    for camera in cameras:
        lines = {
            name: output
            for name, output in outputs.items()
            if isinstance(output, cfg.PylonOutput) and output.camera == camera.name
        }
        if lines:
            drivers |= _open(camera, lines)
    return drivers


def _open(camera: CameraSource, lines: Mapping[str, cfg.PylonOutput]) -> dict[str, _core.OutputDriver]:
    name = f"/fastpose-{os.getpid()}-{time.monotonic_ns()}-{camera.name}-lines"
    block = _core.HostedLines.create(name, safe_high=[line.safe == "high" for line in lines.values()])
    camera.lines = CameraLines(name, dict(lines))
    return {
        output: _core.HostedOutput(block, index, description=f"{line.line} of camera {camera.name}")
        for index, (output, line) in enumerate(lines.items())
    }
