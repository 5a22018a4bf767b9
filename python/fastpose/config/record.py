"""What is recorded beside the session log."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from fastpose.config.types import NUMBER, Section, Text


def _is_x26x(codec: object) -> bool:
    return str(codec).startswith("libx26")


class VideoRecord(Section):
    """Encoder of the video file."""

    codec: Text = "libx264"
    """An FFmpeg encoder: libx264 (small), ffv1 (lossless), ..."""
    preset: Text | None = Field(
        default_factory=lambda data: "ultrafast" if _is_x26x(data.get("codec")) else None
    )
    """Speed against size; default: ultrafast for libx264 and libx265."""
    crf: Annotated[int, Field(ge=0, le=63), NUMBER] | None = Field(
        default_factory=lambda data: 18 if _is_x26x(data.get("codec")) else None
    )
    """Quality, lower is better; default: 18 for libx264 and libx265."""
    options: dict[str, str] = Field(default_factory=dict)
    """More options of the encoder, as FFmpeg names them."""


class Record(Section):
    """Recording."""

    video: VideoRecord | None = VideoRecord()
    """null: no video."""
    every_frame: bool = True
    """Record frames that the loop skipped too."""
    on_error: Literal["stop", "continue"] = "stop"
    """A failing video encoder ends the session (outputs safe first), or is flagged while the loop goes on.
    A session log that cannot be written always ends it."""
