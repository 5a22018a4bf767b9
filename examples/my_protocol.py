"""A protocol in Python: light while the animal keeps still."""

import math

from fastpose import Outputs, Pose, Protocol

STILL_PX_S = 30.0
LIGHT_MS = 500.0


class LightWhenStill(Protocol):
    """Gives a pulse of light once the body's centre moves slower than STILL_PX_S."""

    def __init__(self) -> None:
        self.place_px = (math.nan, math.nan)
        self.exposure_start_ns = 0
        self.was_still = True

    def on_pose(self, pose: Pose, outputs: Outputs) -> None:
        """Run for every pose, in order."""
        x, y, likelihood = map(float, pose["center"])
        if math.isnan(x) or likelihood < 0.6:
            return
        is_still = self.speed_px_s(x, y, pose.exposure_start_ns) < STILL_PX_S
        if is_still and not self.was_still:
            outputs.pulse("light", LIGHT_MS)
        self.was_still = is_still

    def speed_px_s(self, x: float, y: float, exposure_start_ns: int) -> float:
        """Return the speed since the last pose; NaN at the first one."""
        way_px = math.dist(self.place_px, (x, y))
        elapsed_s = (exposure_start_ns - self.exposure_start_ns) / 1e9
        self.place_px, self.exposure_start_ns = (x, y), exposure_start_ns
        return way_px / elapsed_s if elapsed_s > 0 else math.nan
