"""Network cameras and webcams through FFmpeg."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator
from typing_extensions import Self

from fastpose.config.real_camera import RealCamera
from fastpose.config.refusals import refuse_settings
from fastpose.config.types import NUMBER, NonNegativeFloat, Text

__all__ = ["SCHEMES", "StreamCamera"]

SCHEMES = ("rtsp", "rtsps", "http", "https", "udp", "rtp", "tcp", "srt", "rtmp")
_OWN_PAGE = "set it in the camera itself, most have a web page for it"
_REFUSED = {
    "serial": "name the camera by url or device",
    "offset": _OWN_PAGE,
    "binning": _OWN_PAGE,
    "exposure_us": _OWN_PAGE,
    "gain_db": _OWN_PAGE,
    "camera_trigger": "streams run by their own clock; for triggers use driver pylon or aravis",
}


def _network_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError(
            f"{url!r} is no address of a stream; allowed: {', '.join(SCHEMES)} (a file: driver video)"
        )
    if parts.password is not None or re.search("pass(word|wd)?=", parts.query, re.IGNORECASE):
        hidden = f"{parts.scheme}://{parts.hostname}{parts.path}"
        raise ValueError(
            f"{hidden!r} holds a password, which would go into every session's config.yaml; "
            "use user and password_env"
        )
    return url


class StreamCamera(RealCamera):
    """A network camera (`url`), or a webcam through FFmpeg's input devices (`device`)."""

    driver: Literal["stream"]
    url: Annotated[str, AfterValidator(_network_address)] | None = None
    """rtsp://192.168.0.64/stream1, http://192.168.0.64/video.mjpg, ..."""
    device: Text | None = None
    """A webcam by the name or number that `fastpose cameras` shows."""
    input: Text | None = None
    """FFmpeg's input device, for `device`; null: v4l2 on Linux, dshow on Windows, avfoundation on macOS."""
    user: Text | None = None
    """For cameras that want a login."""
    password_env: Text | None = None
    """Name of the environment variable that holds the password; the password itself stands nowhere."""
    transport: Literal["tcp", "udp"] = "tcp"
    """Of RTSP. tcp: nothing is lost on the way, a bad network delays. udp: a bad network loses frames."""
    timeout_s: Annotated[float, Field(ge=0.5, le=60), NUMBER] = 5.0
    """A stream that is silent for so long is lost."""
    clock: Literal["arrival", "sender"] = "arrival"
    """Where exposure_start comes from. arrival: the stream's time stamps, tied to when the quickest frames
    arrived, less latency_ms. sender: the camera's own clock, which it tells over RTSP; for cameras that keep
    this machine's time (NTP, PTP)."""
    latency_ms: NonNegativeFloat = 0.0
    """From the exposure to the arrival of the quickest frame; measure it, for clock arrival."""
    options: dict[str, str] = Field(default_factory=dict)
    """More options of FFmpeg."""
    pixel_format: Literal["mono8", "rgb8", "bgr8"] | None = None
    """null: mono8 for grey streams, else rgb8."""
    frames: Literal["newest"] = "newest"
    """A live stream does not wait."""

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.url is None) == (self.device is None):
            given = "both are" if self.url else "neither is"
            raise ValueError(f"{given} given of url, device; allowed: one of them")
        if self.url is None and (self.user or self.password_env):
            raise ValueError("user and password_env are for url; a device takes no login")
        if self.url is not None and self.input is not None:
            raise ValueError("input is for device; a url says by itself what it is")
        if self.password_env and not self.user:
            raise ValueError("password_env is given without user; allowed: both")
        if self.clock == "sender" and not (self.url or "").startswith("rtsp"):
            raise ValueError(
                "clock is sender; allowed for rtsp alone, nothing else tells the camera's own clock"
            )
        return self

    @model_validator(mode="after")
    def _only_what_ffmpeg_can_set(self) -> Self:
        refuse_settings(self, _REFUSED)
        return self
