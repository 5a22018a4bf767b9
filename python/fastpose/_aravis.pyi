# Types of the extension fastpose._aravis (src/bind_aravis.cpp): GigE Vision and USB3 Vision cameras.
from collections.abc import Sequence
from typing import Literal, TypedDict

from fastpose._core import Camera

_Size = tuple[int, int]

class _Found(TypedDict):
    id: str  # that Aravis opens it by
    serial: str
    vendor: str
    model: str
    protocol: str  # GigEVision, USB3Vision, Fake
    address: str

class _Offer(TypedDict):
    formats: tuple[str, ...]
    size: _Size  # largest
    rates_hz: tuple[float, ...]  # lowest, highest

def version() -> str: ...
def enable_fake(genicam_file: str = "") -> None: ...  # lets Fake_1, of this process, be found
def found() -> list[_Found]: ...
def offer(id: str) -> _Offer: ...

class Trigger:
    def __init__(
        self,
        *,
        source: Literal["internal", "software", "external_edge"] = "internal",
        line: str = "",
        activation: Literal["rising", "falling"] = "rising",
    ) -> None: ...

class Gige:
    def __init__(
        self,
        *,
        packet_size: int | None = None,
        packet_delay_us: float | None = None,
        resend: bool = True,
        frame_retention_ms: float = ...,
        socket_buffer_bytes: int = ...,
        packet_socket: bool | None = None,
    ) -> None: ...

class Spec:
    def __init__(
        self,
        *,
        serial: str = "",  # or device id, or address; empty: the only camera there is
        size: _Size | None = None,
        offset: _Size | None = None,
        binning: _Size | None = None,
        pixel_format: str | None = None,
        rate_hz: float | None = None,
        exposure_us: float | None = None,
        gain_db: float | None = None,
        trigger: Trigger = ...,
        ptp: bool | None = None,
        features: Sequence[tuple[str, bool | int | float | str]] = ...,
        buffers: int = ...,
        gige: Gige = ...,
    ) -> None: ...

class AravisCamera(Camera):
    @property
    def details(self) -> dict[str, str]: ...  # vendor, model, serial, firmware, address, packet_size, ptp

def make_camera(spec: Spec) -> AravisCamera: ...
