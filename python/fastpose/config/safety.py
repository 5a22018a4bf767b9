"""What makes the outputs safe when the experiment does not go as planned."""

from __future__ import annotations

from fastpose.config.types import PositiveFloat, Section


class Safety(Section):
    """Beyond the limits of each output."""

    max_pose_gap_ms: PositiveFloat | None = 2000.0
    """When no pose comes for so long, all outputs go safe, until the next pose. null: never."""
