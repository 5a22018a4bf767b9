"""Senders of poses: one class a transport, each with `send(sample)`."""

from __future__ import annotations

import socket
from typing import Any, Protocol

from fastpose.config.beside import LslStream, OscStream, PoseStream, UdpStream, ZmqStream
from fastpose.outputs import needs
from fastpose.outputs.pose_message import PoseLayout, PoseSample, pose_json
from fastpose.outputs.zmq_socket import publisher

__all__ = ["Sender", "open_stream"]


class Sender(Protocol):
    """Sends poses; an exception ends this stream, not the session."""

    def send(self, sample: PoseSample) -> None: ...


class UdpSender:
    """JSON in a datagram."""

    def __init__(self, spec: UdpStream, layout: PoseLayout) -> None:
        self._layout, self._address = layout, (spec.host, spec.port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def send(self, sample: PoseSample) -> None:
        self._socket.sendto(pose_json(sample, self._layout).encode(), self._address)


class ZmqSender:
    """Topic and JSON."""

    def __init__(self, spec: ZmqStream, layout: PoseLayout) -> None:
        self._layout, self._topic, self._socket = layout, spec.topic.encode(), publisher(spec.endpoint)

    def send(self, sample: PoseSample) -> None:
        self._socket.send_multipart([self._topic, pose_json(sample, self._layout).encode()])


class OscSender:
    """A message for each body part: ADDRESS/<individual>/<bodypart> x y likelihood."""

    def __init__(self, spec: OscStream, layout: PoseLayout) -> None:
        client = needs("pythonosc.udp_client", "osc", "osc")
        self._client: Any = client.SimpleUDPClient(spec.host, spec.port)
        self._addresses = [
            [f"{spec.address}/{individual}/{bodypart}" for bodypart in layout.bodyparts]
            for individual in layout.individuals
        ]

    def send(self, sample: PoseSample) -> None:
        for addresses, points in zip(self._addresses, sample.keypoints.tolist(), strict=True):
            for address, point in zip(addresses, points, strict=True):
                self._client.send_message(address, point)


class LslSender:
    """One channel a number: <individual>_<bodypart>_x, _y, _likelihood; stamped with exposure_start."""

    def __init__(self, spec: LslStream, layout: PoseLayout) -> None:
        pylsl = needs("pylsl", "lsl", "lsl")
        names = [
            f"{individual}_{bodypart}_{axis}"
            for individual in layout.individuals
            for bodypart in layout.bodyparts
            for axis in ("x", "y", "likelihood")
        ]
        info = pylsl.StreamInfo(
            spec.name, "MoCap", len(names), layout.rate_hz, pylsl.cf_float32, f"fastpose_{spec.name}"
        )
        channels = info.desc().append_child("channels")
        for name in names:
            channel = channels.append_child("channel")
            channel.append_child_value("label", name)
            channel.append_child_value("unit", "normalized" if name.endswith("likelihood") else "pixels")
        self._outlet: Any = pylsl.StreamOutlet(info)

    def send(self, sample: PoseSample) -> None:
        self._outlet.push_sample(sample.keypoints.ravel().tolist(), sample.exposure_start_ns / 1e9)


def open_stream(spec: PoseStream, layout: PoseLayout) -> Sender:
    """The sender that a config asks for.

    Raises
    ------
    OutputError
        What it stands on is not installed, or its address cannot be had.
    """
    if isinstance(spec, UdpStream):
        return UdpSender(spec, layout)
    if isinstance(spec, ZmqStream):
        return ZmqSender(spec, layout)
    if isinstance(spec, OscStream):
        return OscSender(spec, layout)
    return LslSender(spec, layout)
