"""A frame where it lies on a GPU, for kernels of users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastpose.cuda.device_array import DeviceArray
from fastpose.errors import DeviceError

__all__ = ["Frame", "frame_of", "no_frame"]

_COLOUR = {"rgb8": 3, "bgr8": 3, "yuyv": 2}
_WIDE = ("mono10", "mono12")


@dataclass(frozen=True)
class Frame:
    """The frame that a network on a GPU saw last.

    Only what the network sees is uploaded: outside of a roi its memory holds what was there before. The
    engine overwrites it with the next frame. After `Model.estimate` it is that of the call; in a protocol
    beside the loop it may be newer than the pose, so copy it first, on the stream of `device`.

    Attributes
    ----------
    device : DeviceArray
        Its pixels on the GPU: ``__cuda_array_interface__`` and DLPack.
    pixel_format : str
    size : tuple of int
        Width and height, px.
    """

    device: DeviceArray
    pixel_format: str
    size: tuple[int, int]

    def __repr__(self) -> str:
        width, height = self.size
        return f"Frame({self.pixel_format}, {width}x{height} px, cuda:{self.device.device})"


def frame_of(graph: Any, pixel_format: str, size: tuple[int, int], device: int, row: int = 0) -> Frame:
    """The frame of one row of a network's graph.

    Parameters
    ----------
    graph : fastpose._cuda.CudaNetwork
    pixel_format : str
    size : tuple of int
        Width and height of the full frame, px.
    device : int
        Index of the GPU.
    row : int
    """
    element = "u16" if pixel_format in _WIDE else "u8"
    shape = _shape(pixel_format, size)
    array = DeviceArray(
        graph.frame_addresses[row],
        shape,
        element,
        strides=_strides(shape, 2 if element == "u16" else 1, graph.frame_strides[row]),
        stream=graph.stream,
        device=device,
        owner=graph,
    )
    return Frame(array, pixel_format, size)


def no_frame(device: str) -> DeviceError:
    """What is raised where there is no whole frame on a GPU."""
    return DeviceError(
        f"there is no whole frame on a GPU, device is {device}; "
        "allowed: device cuda:N without roi.track, once it saw a frame"
    )


def _strides(shape: tuple[int, ...], itemsize: int, row_bytes: int) -> tuple[int, ...] | None:
    """Bytes from one element to the next along each axis; None where rows lie without gaps."""
    within = shape[1] * itemsize if len(shape) == 2 else shape[1] * shape[2]
    if row_bytes == within:
        return None
    return (row_bytes, itemsize) if len(shape) == 2 else (row_bytes, shape[2], 1)


def _shape(pixel_format: str, size: tuple[int, int]) -> tuple[int, ...]:
    width, height = size
    if pixel_format == "nv12":
        return (height * 3 // 2, width)  # luma, then chroma at half height
    channels = _COLOUR.get(pixel_format)
    return (height, width) if channels is None else (height, width, channels)
