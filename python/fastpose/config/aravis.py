"""GenICam cameras: GigE Vision and USB3 Vision, of any maker."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from fastpose.config.real_camera import RealCamera
from fastpose.config.types import NUMBER, NonNegativeFloat, Section

Feature = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
PACKET_BYTES = "576 to 16000"


class Gige(Section):
    """The network of a GigE Vision camera; nothing of it is touched on others."""

    packet_size: Annotated[int, Field(ge=576, le=16000), NUMBER] | None = None
    """Bytes of a packet with its headers: 8000 or more needs jumbo frames on card and switch. null: as the
    camera is set, or what the network lets through."""
    packet_delay_us: NonNegativeFloat | None = None
    """Pause between packets, for cameras that share a link; null: as the camera is set."""
    resend: bool = True
    """Ask for lost packets again, where the camera can."""
    frame_retention_ms: Annotated[float, Field(ge=1, le=10000), NUMBER] = 20.0
    """An incomplete frame is given up after this much silence; those behind it wait as long."""
    socket_buffer_bytes: Annotated[int, Field(ge=65536, le=1 << 30), NUMBER] = 4 << 20
    """Of the system's receive buffer; the system grants at most net.core.rmem_max."""
    packet_socket: bool | None = None
    """Take packets past the system's UDP, which costs less and needs rights; null: where that is allowed."""


class AravisCamera(RealCamera):
    """A GenICam camera, through Aravis."""

    driver: Literal["aravis"]
    simulated: bool = False
    """true: Aravis' own camera in this process, for trying things out."""
    ptp: bool | None = None
    """Whether the camera keeps its clock by PTP (IEEE 1588); null: as the camera is set."""
    features: dict[Feature, bool | int | float | str] = Field(default_factory=dict)
    """The maker's own settings by their GenICam names, set before all others and in this order; a command is
    given true."""
    buffers: Annotated[int, Field(ge=2, le=64), NUMBER] = 8
    """Frames that the transport may fill before the first of them is taken."""
    gige: Gige = Gige()

    @model_validator(mode="after")
    def _buffers_fit_into_ring(self) -> Self:
        if self.ring_slots < self.buffers + 4:
            raise ValueError(
                f"buffers {self.buffers} do not fit into ring_slots {self.ring_slots}; "
                f"allowed: ring_slots of at least {self.buffers + 4}"
            )
        return self

    @model_validator(mode="after")
    def _the_computer_needs_a_rate(self) -> Self:
        if self.camera_trigger.source != "internal" and self.rate_hz is None:
            raise ValueError(f"camera_trigger {self.camera_trigger.source} needs rate_hz")
        return self
