"""Protocols that look at frames on a GPU: without one they say so, and need no library before they start."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from fastpose.config import PythonProtocol
from fastpose.cuda.frame import Frame, frame_of
from fastpose.protocol_host import load_protocol

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = ["gpu_cupy.py:LightWhenDark", "gpu_pycuda.py:LightWhenMoving"]


class Outputs:
    def __init__(self) -> None:
        self.pulses: list[tuple[str, float]] = []

    def pulse(self, name: str, pulse_ms: float) -> bool:
        self.pulses.append((name, pulse_ms))
        return True


def loaded(name: str) -> Any:
    return load_protocol(PythonProtocol(type="python", path=str(EXAMPLES / name)))


@pytest.mark.parametrize("name", NAMES)
def test_without_a_gpu_it_says_so(name: str) -> None:
    with pytest.raises(RuntimeError, match=r"model.device cuda:0 alone"):
        loaded(name).on_start(Outputs())


class HostGraph:
    """Frames in the host's memory stand for those on a device."""

    stream = 0

    def __init__(self, pixels: np.ndarray) -> None:
        self.pixels = pixels
        self.frame_addresses = (pixels.ctypes.data,)
        self.frame_strides = (pixels.strides[0],)


def frame_on(pixels: np.ndarray) -> Frame:
    return frame_of(HostGraph(pixels), "mono8", (pixels.shape[1], pixels.shape[0]), 0)


def test_the_one_with_cupy_sees_every_new_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    import ctypes

    def asarray(array: Any) -> np.ndarray:
        interface = array.__cuda_array_interface__
        address, shape = interface["data"][0], interface["shape"]
        memory = (ctypes.c_uint8 * int(np.prod(shape))).from_address(address)
        return np.frombuffer(memory, np.uint8).reshape(shape)

    cupy: Any = ModuleType("cupy")
    cupy.asarray, cupy.mean = asarray, np.mean
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    pixels, outputs, protocol = np.full((48, 64), 200, np.uint8), Outputs(), loaded(NAMES[0])
    protocol.frame = frame_on(pixels)
    protocol.on_start(outputs)
    protocol.on_pose(None, outputs)
    assert outputs.pulses == []
    pixels[:] = 10
    protocol.on_pose(None, outputs)
    assert outputs.pulses == [("light", 200.0)]


def test_the_one_with_pycuda_launches_over_the_whole_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    class Driver(ModuleType):
        init = staticmethod(lambda: None)
        mem_alloc = staticmethod(lambda size: ("memory", size))
        memset_d32 = staticmethod(lambda *arguments: None)

        class Device:
            def __init__(self, index: int) -> None:
                self.index = index

            def retain_primary_context(self) -> Any:
                return type("Context", (), {"push": lambda s: None, "pop": lambda s: None})()

        @staticmethod
        def memcpy_dtoh(target: np.ndarray, source: Any) -> None:
            target[0] = 400

    class SourceModule:
        def __init__(self, text: str) -> None:
            assert "__global__ void changed" in text

        def get_function(self, name: str) -> Any:
            return lambda *arguments, **options: calls.append((arguments, options))

    package, compiler = ModuleType("pycuda"), ModuleType("pycuda.compiler")
    driver = Driver("pycuda.driver")
    compiler.SourceModule = SourceModule  # type: ignore[attr-defined]
    package.driver = driver  # type: ignore[attr-defined]
    for module in (package, compiler, driver):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    pixels, outputs, protocol = np.zeros((48, 64), np.uint8), Outputs(), loaded(NAMES[1])
    protocol.frame = frame_on(pixels)
    protocol.on_start(outputs)
    protocol.on_pose(None, outputs)
    protocol.on_stop()
    (now, _, size, _, _), options = calls[0]
    assert int(now) == pixels.ctypes.data and int(size) == 48 * 64
    assert options["block"][0] * options["grid"][0] >= 48 * 64
    assert outputs.pulses == [("light", 200.0)]
