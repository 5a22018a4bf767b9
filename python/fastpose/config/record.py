"""What is recorded beside the session log."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from fastpose.config.types import NUMBER, Section, Text

QUANTISER = 25
"""Of libx264. Constant, it needs no look at a frame before it is encoded: a quarter less time than crf."""


def _is_x26x(codec: object) -> bool:
    return str(codec).startswith("libx26")


def _has_qp(codec: object) -> bool:
    return codec in ("libx264", "nvenc", "h264_nvenc", "hevc_nvenc")


class VideoRecord(Section):
    """Encoder of the video file."""

    codec: Text = "libx264"
    """libx264 (small), nvenc (H.264 on an NVIDIA GPU), ffv1 (lossless), raw (as the camera gave it), or
    another encoder by FFmpeg's name."""
    preset: Text | None = Field(
        default_factory=lambda data: "ultrafast" if _is_x26x(data.get("codec")) else None
    )
    """Speed against size; default: ultrafast for libx264 and libx265."""
    crf: Annotated[int, Field(ge=0, le=63), NUMBER] | None = Field(
        default_factory=lambda data: 20 if data.get("codec") == "libx265" else None
    )
    """Quality, lower is better; default: 20 for libx265."""
    qp: Annotated[int, Field(ge=0, le=51), NUMBER] | None = Field(
        default_factory=lambda data: (
            QUANTISER if _has_qp(data.get("codec")) and data.get("crf") is None else None
        )
    )
    """Constant quantiser in place of crf, cheaper to encode, lower is better; 25 for libx264 and nvenc."""
    options: dict[str, str] = Field(default_factory=dict)
    """More options of the encoder, as FFmpeg names them."""

    @model_validator(mode="after")
    def _one_quality(self) -> Self:
        if self.crf is not None and self.qp is not None:
            raise ValueError(f"crf is {self.crf} and qp is {self.qp}; allowed: one of them")
        return self


class Record(Section):
    """Recording."""

    video: VideoRecord | None = VideoRecord()
    """null: no video."""
    every_frame: bool = True
    """false: of the camera that the network sees, only the frames that it saw; all have their rows."""
    queue_mib: Annotated[int, Field(ge=0, le=65536), NUMBER] = 512
    """Memory, for each camera, in which frames wait for a slow encoder or disk beyond the ring's slots; when
    it is full they are lost to the video. Taken only while needed, and not with frames: every, where the
    source waits."""
    on_error: Literal["stop", "continue"] = "stop"
    """After a video encoder failed (full disk, a crash), or was so slow that frames are lost to the video:
    stop ends the session, outputs safe first; continue flags it, and the loop goes on.
    A session log that cannot be written always ends it."""
