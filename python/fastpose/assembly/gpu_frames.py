"""Where the frames of a session lie on a GPU."""

from __future__ import annotations

from fastpose.assembly.networks import Networks
from fastpose.cuda.frame import Frame, frame_of
from fastpose.drivers import CameraSource

__all__ = ["gpu_frame"]


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
