"""Memory on a GPU as others see it: the interface's dictionary, and DLPack, which is held against NumPy."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from fastpose.cuda import dlpack
from fastpose.cuda.device_array import DeviceArray
from fastpose.cuda.frame import Frame, frame_of
from fastpose.errors import DeviceError


class HostArray:
    """The same description, of memory on the host: what NumPy can look at."""

    def __init__(self, array: DeviceArray) -> None:
        self._array = array

    def __dlpack__(self, **_: object) -> object:
        return dlpack.capsule_of(self._array, dlpack.CPU)

    def __dlpack_device__(self) -> tuple[int, int]:
        return dlpack.CPU, 0


def array_of(values: np.ndarray, element: str, *, strided: bool = False) -> DeviceArray:
    strides = values.strides if strided else None
    return DeviceArray(values.ctypes.data, values.shape, element, strides, owner=values)


@pytest.mark.parametrize(
    ("element", "dtype"), [("f32", "f4"), ("f16", "f2"), ("u8", "u1"), ("u16", "u2"), ("i32", "i4")]
)
def test_dlpack_gives_the_same_memory(element: str, dtype: str) -> None:
    values = np.arange(24).astype(dtype).reshape(2, 3, 4)
    seen = np.from_dlpack(HostArray(array_of(values, element)))
    np.testing.assert_array_equal(seen, values)
    assert seen.dtype == values.dtype and seen.ctypes.data == values.ctypes.data


def test_dlpack_keeps_strides() -> None:
    values = np.arange(48, dtype=np.uint8).reshape(6, 8)[::2, 1:5]
    np.testing.assert_array_equal(np.from_dlpack(HostArray(array_of(values, "u8", strided=True))), values)


def test_capsules_are_given_back_consumed_or_not() -> None:
    values = np.zeros((2, 2), np.float32)
    before = len(dlpack._alive)
    unused = dlpack.capsule_of(array_of(values, "f32"), dlpack.CPU)
    seen = np.from_dlpack(HostArray(array_of(values, "f32")))
    assert len(dlpack._alive) == before + 2
    del unused, seen
    gc.collect()
    assert len(dlpack._alive) == before


def test_the_interface_says_where_and_what() -> None:
    array = DeviceArray(0xDEAD00, (480, 640, 3), "u8", stream=7, device=1)
    assert array.__cuda_array_interface__ == {
        "version": 3,
        "shape": (480, 640, 3),
        "typestr": "|u1",
        "data": (0xDEAD00, False),
        "strides": None,
        "stream": 7,
    }
    assert array.__dlpack_device__() == (2, 1)
    assert DeviceArray(1, (1,), "u8").__cuda_array_interface__["stream"] is None


def test_an_unknown_element_is_refused() -> None:
    with pytest.raises(DeviceError, match=r"element is 'f64'; allowed: f32, f16"):
        DeviceArray(1, (1,), "f64")


class Graph:
    frame_addresses = (4096, 8192)
    frame_strides = (0, 0)
    stream = 5


@pytest.mark.parametrize(
    ("pixel_format", "shape", "typestr"),
    [
        ("mono8", (48, 64), "|u1"),
        ("bayer_rg8", (48, 64), "|u1"),
        ("mono12", (48, 64), "<u2"),
        ("rgb8", (48, 64, 3), "|u1"),
        ("yuyv", (48, 64, 2), "|u1"),
        ("nv12", (72, 64), "|u1"),
    ],
)
def test_a_frame_has_the_shape_of_its_pixel_format(
    pixel_format: str, shape: tuple[int, ...], typestr: str
) -> None:
    graph = Graph()
    graph.frame_strides = (0, int(np.prod(shape[1:])) * (2 if typestr == "<u2" else 1))
    frame = frame_of(graph, pixel_format, (64, 48), 0, row=1)
    interface = frame.device.__cuda_array_interface__
    assert (interface["shape"], interface["typestr"]) == (shape, typestr)
    assert interface["data"] == (8192, False) and interface["stream"] == 5
    assert isinstance(frame, Frame) and repr(frame) == f"Frame({pixel_format}, 64x48 px, cuda:0)"


@pytest.mark.parametrize(
    ("pixel_format", "row_bytes", "strides"),
    [("mono8", 128, (128, 1)), ("mono12", 256, (256, 2)), ("rgb8", 256, (256, 3, 1)), ("mono8", 64, None)],
)
def test_rows_may_lie_apart(pixel_format: str, row_bytes: int, strides: tuple[int, ...] | None) -> None:
    graph = Graph()
    graph.frame_strides = (row_bytes, 0)
    assert frame_of(graph, pixel_format, (64, 48), 0).device.strides == strides
