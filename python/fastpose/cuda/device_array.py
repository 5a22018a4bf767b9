"""Memory on a GPU as other libraries take it: ``__cuda_array_interface__`` (version 3) and DLPack."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fastpose.cuda.dlpack import CUDA, capsule_of
from fastpose.errors import DeviceError

__all__ = ["DeviceArray"]

_TYPES = {"f32": ("<f4", 4), "f16": ("<f2", 2), "u8": ("|u1", 1), "u16": ("<u2", 2), "i32": ("<i4", 4)}


@dataclass(frozen=True, eq=False)
class DeviceArray:
    """A dense or strided view of memory on a GPU; it owns nothing, and copies nothing.

    PyTorch, CuPy, Numba and pycuda (as a kernel's argument) take it as it is.

    Attributes
    ----------
    address : int
        On the device.
    shape : tuple of int
    element : str
        f32, f16, u8, u16 or i32.
    strides : tuple of int or None
        Bytes; None: dense, last axis first.
    stream : int
        The cudaStream_t that writes it, for whom it has to be waited; 0: nothing has to be waited for.
    device : int
        Index of the GPU.
    owner : object
        Kept alive as long as this view.
    """

    address: int
    shape: tuple[int, ...]
    element: str
    strides: tuple[int, ...] | None = None
    stream: int = 0
    device: int = 0
    owner: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.element not in _TYPES:
            raise DeviceError(f"element is {self.element!r}; allowed: {', '.join(_TYPES)}")

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return _TYPES[self.element][1]

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        """See https://numba.readthedocs.io/en/stable/cuda/cuda_array_interface.html."""
        return {
            "version": 3,
            "shape": self.shape,
            "typestr": _TYPES[self.element][0],
            "data": (self.address, False),
            "strides": self.strides,
            "stream": self.stream or None,
        }

    def __dlpack__(self, *, stream: int | None = None, **_: Any) -> Any:
        """A capsule of this memory; the consumer's stream waits by itself where it needs to."""
        return capsule_of(self, CUDA)

    def __dlpack_device__(self) -> tuple[int, int]:
        """Kind of device and index, as DLPack counts them."""
        return CUDA, self.device
