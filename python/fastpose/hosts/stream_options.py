"""How a live stream is opened and played; imports nothing of FFmpeg."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["StreamClock", "StreamOptions", "StreamSource"]

StreamClock = Literal["arrival", "sender"]


@dataclass(frozen=True)
class StreamSource:
    """Where a stream comes from, and how FFmpeg is asked for it.

    Attributes
    ----------
    address : str
        A URL without a password, or the name of a device.
    input : str
        FFmpeg's input device ("v4l2", "dshow", "avfoundation", ...); empty for a URL.
    user : str
        Sent to the camera; empty: nobody.
    password_env : str
        Name of the environment variable that holds the password; the password itself goes through no file and
        no command line.
    transport : str
        "tcp" or "udp", of RTSP.
    timeout_s : float
        A stream that says nothing for so long is lost.
    options : dict of str to str
        More options of FFmpeg; they win.
    """

    address: str
    input: str = ""
    user: str = ""
    password_env: str = ""
    transport: str = "tcp"
    timeout_s: float = 5.0
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StreamOptions:
    """How a stream is played into a ring.

    Attributes
    ----------
    ring : str
        Name of the ring in shared memory.
    camera : str
        Its name in the config, for messages.
    source : StreamSource
        Given as the dict of its fields.
    reconnect : bool
        Goes on trying when the stream is lost; False: the process fails.
    clock : {"arrival", "sender"}
        Where the time of the exposure comes from; see `fastpose.hosts.stream_clock`.
    latency_ms : float
        From the exposure to the arrival of the quickest frame, for clock "arrival".
    threads : int
        Threads of the decoder.
    nice : int
        Added to the process's niceness.
    cpus : tuple of int
        Cores that it keeps to; empty: any.
    """

    ring: str
    camera: str
    source: StreamSource
    reconnect: bool = False
    clock: StreamClock = "arrival"
    latency_ms: float = 0.0
    threads: int = 1
    nice: int = 0
    cpus: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.source, dict):
            object.__setattr__(self, "source", StreamSource(**self.source))
