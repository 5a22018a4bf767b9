"""What a session on a GPU does with its cameras' memory: pins the rings, and shows where frames lie there."""

from __future__ import annotations

from collections.abc import Sequence

from fastpose.assembly.networks import Networks
from fastpose.cuda.frame import Frame, frame_of
from fastpose.cuda.gpu import cuda_module
from fastpose.drivers import CameraSource

__all__ = ["gpu_frame", "pin_rings"]


def pin_rings(networks: Networks, cameras: Sequence[CameraSource]) -> None:
    """Register the rings with the GPU, so that frames are uploaded from where they lie.

    Raises
    ------
    DeviceError
        The system does not let memory be pinned.
    """
    for camera in cameras:
        network = networks.by_camera.get(camera.name)
        for graph in network.graphs if network else ():
            graph.graph.register(cuda_module().PinnedRing(camera.ring))


def gpu_frame(networks: Networks, camera: CameraSource) -> Frame | None:
    """Where the frames of a camera lie on the GPU; None without, or where a roi follows the animal.

    Such a roi brings only its own rows to the GPU.
    """
    network = networks.by_camera[camera.name]
    if len(network.graphs) != 1:
        return None
    row = networks.set.index(camera.name) if networks.batch is not None else 0
    graph = network.graphs[0]
    return frame_of(graph.graph, camera.pixel_format, camera.frame_size, graph.device, row)
