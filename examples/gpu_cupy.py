"""A protocol that looks at the frame itself, on the GPU: light when the arena is dark. With CuPy."""

from typing import Any

from fastpose import Outputs, Pose, Protocol

DARK = 40.0  # mean grey level
LIGHT_MS = 200.0


class LightWhenDark(Protocol):
    """Averages the newest frame where it lies on the GPU; nothing is downloaded but the mean."""

    def on_start(self, outputs: Outputs) -> None:
        """Import CuPy, which needs a driver, and look at the engine's memory as its array."""
        if self.frame is None:
            raise RuntimeError("frames are on a GPU with model.device cuda:0 alone")
        import cupy  # pip install cupy-cuda13x

        self.cupy: Any = cupy
        self.pixels: Any = cupy.asarray(self.frame.device)  # no copy: the newest frame, always

    def on_pose(self, pose: Pose, outputs: Outputs) -> None:
        """Run for every pose, in order."""
        if float(self.cupy.mean(self.pixels)) < DARK:
            outputs.pulse("light", LIGHT_MS)
