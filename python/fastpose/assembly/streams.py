"""The pose streams of a config."""

from __future__ import annotations

from fastpose import config as cfg
from fastpose.assembly.networks import Networks
from fastpose.drivers import CameraSource
from fastpose.errors import ConfigError, OutputError
from fastpose.outputs.pose_message import PoseLayout
from fastpose.outputs.pose_streams import open_stream
from fastpose.pose_streams import Stream

__all__ = ["open_streams"]


def open_streams(config: cfg.Config, networks: Networks, cameras: list[CameraSource]) -> list[Stream]:
    """Open every stream.

    Raises
    ------
    ConfigError, OutputError
        A stream asks for a camera that no network sees, or cannot be opened.
    """
    names = [camera.name for camera in cameras]
    streams = []
    for name, spec in config.streams.items():
        camera = spec.camera or networks.acting
        if camera not in networks.by_camera:
            allowed = ", ".join(networks.by_camera) or "none, there is no network"
            raise ConfigError(f"streams.{name}.camera is {camera!r}; allowed: {allowed}")
        package = networks.by_camera[camera].package
        index = names.index(camera)
        layout = PoseLayout(
            package.individuals or ("animal",), package.bodyparts, cameras[index].rate_hz or 0.0
        )
        try:
            sender = open_stream(spec, layout)
        except OutputError as error:
            raise OutputError(f"streams.{name}: {error}") from error
        streams.append(Stream(name, index, sender, layout, spec.every))
    return streams
