"""A protocol with a CUDA kernel of its own, through pycuda: light when much of the frame changes."""

from typing import Any

import numpy as np

from fastpose import Outputs, Pose, Protocol

CHANGED_SHARE = 0.05
LIGHT_MS = 200.0
KERNEL = """
// Counts pixels that differ by more than `least` from the frame before, which it replaces.
__global__ void changed(const unsigned char* now, unsigned char* before, int size, int least, int* count) {
    int at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= size) return;
    if (abs(int(now[at]) - int(before[at])) > least) atomicAdd(count, 1);
    before[at] = now[at];
}
"""


class LightWhenMoving(Protocol):
    """Counts the pixels that changed since the last pose, on the GPU; four bytes are downloaded."""

    def on_start(self, outputs: Outputs) -> None:
        """Import pycuda, which needs a driver, join the engine's context, and compile the kernel."""
        if self.frame is None:
            raise RuntimeError("frames are on a GPU with model.device cuda:0 alone")
        import pycuda.driver as driver  # pip install "fastpose-rig[pycuda]"
        from pycuda.compiler import SourceModule

        driver.init()
        self.context: Any = driver.Device(self.frame.device.device).retain_primary_context()
        self.context.push()
        self.driver: Any = driver
        self.kernel: Any = SourceModule(KERNEL).get_function("changed")
        self.size = int(np.prod(self.frame.device.shape))
        self.before: Any = driver.mem_alloc(self.size)
        self.count: Any = driver.mem_alloc(4)

    def on_pose(self, pose: Pose, outputs: Outputs) -> None:
        """Run for every pose, in order."""
        if self.frame is None:
            return
        self.driver.memset_d32(self.count, 0, 1)
        numbers = (np.int32(self.size), np.int32(20))
        blocks = (-(-self.size // 256), 1)
        now = np.uintp(self.frame.device.address)
        self.kernel(now, self.before, *numbers, self.count, block=(256, 1, 1), grid=blocks)
        found = np.zeros(1, np.int32)
        self.driver.memcpy_dtoh(found, self.count)
        if found[0] > CHANGED_SHARE * self.size:
            outputs.pulse("light", LIGHT_MS)

    def on_stop(self) -> None:
        """Leave the context as it was found."""
        self.context.pop()
