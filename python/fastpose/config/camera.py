"""Cameras: the simulated one and video files."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from fastpose.config.sim_led import SimLed
from fastpose.config.types import (
    NUMBER,
    ConfigPath,
    Fraction,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Section,
    Text,
)

Frames = Literal["newest", "every"]
PixelFormat = Literal[
    "mono8",
    "rgb8",
    "bgr8",
    "bayer_rg8",
    "bayer_gr8",
    "bayer_gb8",
    "bayer_bg8",
    "yuyv",
    "nv12",
    "mono10",
    "mono12",
]
Rate = Annotated[float, Field(ge=0.1, le=10000), NUMBER]  # Hz
SimPixels = Annotated[int, Field(ge=64, le=8192), NUMBER]  # px


class CameraSection(Section):
    """What every camera has."""

    driver: str
    ring_slots: Annotated[int, Field(ge=5, le=256), NUMBER] = 64
    """Frames that the shared ring holds; the encoder may lag this much, and record.queue_mib beyond."""


class Lighting(Section):
    """Light over the simulated arena."""

    brightness: Annotated[float, Field(ge=0.05, le=1), NUMBER] = 0.6
    """Grey level of a white floor, share of full scale."""
    gradient: Fraction = 0.2
    """Fall of the light from one side to the other, share of the brightness."""
    flicker: Fraction = 0.0
    """Swing of lamps on 50 Hz mains, share of the brightness."""


class Clock(Section):
    """The simulated camera's own clock against the host's."""

    offset_s: Annotated[float, Field(ge=0, le=1e9), NUMBER] = 12.5
    """What it shows when the camera is armed."""
    drift_ppm: Annotated[float, Field(ge=-10000, le=10000), NUMBER] = 20.0
    """How much faster than the host's it runs."""
    stamp_late_us: Annotated[float, Field(ge=-1e6, le=1e6), NUMBER] = 0.0
    """A frame's stamp names a moment so long after its exposure began; real cameras may stamp its end."""


class Faults(Section):
    """What goes wrong on purpose; probabilities are per frame."""

    drop: Fraction = 0.0
    """Exposed, never delivered."""
    late: Fraction = 0.0
    """Delivered late_ms later."""
    late_ms: Annotated[float, Field(ge=0, le=100000), NUMBER] = 20.0
    torn: Fraction = 0.0
    """The lower rows are those of the frame before."""
    failed: Fraction = 0.0
    """Exposed, its buffer did not arrive whole."""
    disconnect_after_s: PositiveFloat | None = None
    reconnect_after_s: PositiveFloat | None = None
    """The cable is back so long after; the camera's counter and clock begin anew. null: never."""
    clock_jump_after_s: PositiveFloat | None = None
    clock_jump_s: Annotated[float, Field(ge=-1e6, le=1e6), NUMBER] = 1.0
    """By how much the camera's clock is set."""

    @model_validator(mode="after")
    def _a_cable_that_is_back_was_pulled(self) -> Self:
        if self.reconnect_after_s is not None and self.disconnect_after_s is None:
            raise ValueError("reconnect_after_s needs disconnect_after_s")
        return self


class SimTrigger(Section):
    """What starts an exposure of a simulated camera."""

    source: Literal["internal", "external_edge"] = "internal"
    """internal: its own clock; external_edge: an edge on `line`."""
    line: Text | None = None
    """A wire by any name; internal: the exposures drive it; external_edge: its edges expose this camera."""

    @model_validator(mode="after")
    def _an_edge_needs_its_line(self) -> Self:
        if self.source == "external_edge" and self.line is None:
            raise ValueError("source external_edge needs the line, a name that another sim camera drives")
        return self


class SimCamera(CameraSection):
    """A simulated animal in an arena, with known keypoints."""

    driver: Literal["sim"]
    shape: Literal["mouse", "rat", "vole"] = "mouse"
    coat: Literal["auto", "dark", "light"] = "auto"
    """dark on a light floor, light on a dark floor; auto: what the shape usually has."""
    body_length_px: Annotated[float, Field(ge=8, le=4096), NUMBER] | None = None
    """Snout to tail base; null: 118 px for a mouse in 640x480, scaled with shape and size."""
    individuals: Annotated[int, Field(ge=1, le=16), NUMBER] = 1
    size: tuple[SimPixels, SimPixels] = (640, 480)
    """Width and height, px."""
    rate_hz: Rate = 100.0
    exposure_us: Annotated[float, Field(ge=1), NUMBER] = 2000.0
    pixel_format: PixelFormat = "mono8"
    seed: NonNegativeInt = 0
    """The same seed gives the same frames."""
    frames_total: PositiveInt | None = None
    """The camera ends after this many frames; null: never."""
    lighting: Lighting = Lighting()
    noise: Annotated[float, Field(ge=0, le=40), NUMBER] = 3.0
    """Standard deviation, grey levels."""
    motion_blur: bool = True
    occlusion: Annotated[float, Field(ge=0, le=0.9), NUMBER] = 0.0
    """Share of the time that the animal spends under a bar."""
    clock: Clock = Clock()
    faults: Faults = Faults()
    camera_trigger: SimTrigger = SimTrigger()
    led: SimLed | None = None
    """A light in view that an output drives; null: none."""
    prerender_frames: Annotated[int, Field(ge=1, le=100000), NUMBER] | None = None
    """Render this many frames before the start and repeat them: high rates on a slow machine."""
    transfer_ms: Annotated[float, Field(ge=0, le=10000), NUMBER] = 0.5
    """Time from the end of the exposure to the frame in memory."""
    reconnect: bool = False
    """true: a camera that is gone is tried again until it is back; outputs are safe meanwhile."""
    frames: Frames = "newest"
    """newest: a slow loop skips to the newest frame, drops are counted; every: the source waits."""

    @model_validator(mode="after")
    def _exposure_fits_in_period(self) -> Self:
        period_us = 1e6 / self.rate_hz
        if self.exposure_us > period_us:
            raise ValueError(
                f"exposure_us {self.exposure_us:g} does not fit into the period at rate_hz {self.rate_hz:g}; "
                f"allowed: at most {period_us:g}"
            )
        return self

    @model_validator(mode="after")
    def _body_fits_in_frame(self) -> Self:
        largest_px = 0.6 * min(self.size)
        if self.body_length_px is not None and self.body_length_px > largest_px:
            raise ValueError(
                f"body_length_px {self.body_length_px:g} is too long for frames of {list(self.size)}; "
                f"allowed: at most {largest_px:g}"
            )
        return self


class VideoCamera(CameraSection):
    """A video file, played as if a camera saw it."""

    driver: Literal["video"]
    path: ConfigPath
    """Any file that FFmpeg reads; relative to the config file."""
    pace: Literal["realtime", "max"] = "realtime"
    """realtime: at rate_hz; max: as fast as the loop takes the frames."""
    rate_hz: Rate | None = None
    """null: the file's own rate."""
    pixel_format: Literal["mono8", "rgb8"] | None = None
    """null: mono8 for grey files, else rgb8."""
    loop: bool = False
    """Start again at the end of the file."""
    in_memory: bool = False
    """Read the whole file before the first exposure, then play it from memory: exact at 1,000 Hz and more,
    where decoding would not keep up. For pace realtime."""
    frames: Frames = Field(default_factory=lambda data: "every" if data.get("pace") == "max" else "newest")
    """As for sim; default: every with pace max, else newest. Stands behind pace, which it reads."""

    @model_validator(mode="after")
    def _memory_plays_in_real_time(self) -> Self:
        if self.in_memory and self.pace != "realtime":
            raise ValueError(f"in_memory is true with pace {self.pace}; allowed: pace realtime")
        return self
