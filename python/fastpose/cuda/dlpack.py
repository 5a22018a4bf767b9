"""DLPack capsules (version 0, ``dltensor``) of memory that is described in Python.

Source of the layout: dlpack.h of https://github.com/dmlc/dlpack, structures DLTensor and DLManagedTensor.
"""

from __future__ import annotations

import ctypes
import math
from typing import Any, Protocol

__all__ = ["CPU", "CUDA", "capsule_of"]

CPU, CUDA = 1, 2  # kDLCPU, kDLCUDA
_CODES = {"i": 0, "u": 1, "f": 2}  # kDLInt, kDLUInt, kDLFloat
_NAME = b"dltensor"


class _Array(Protocol):
    @property
    def address(self) -> int: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def element(self) -> str: ...
    @property
    def itemsize(self) -> int: ...
    @property
    def strides(self) -> tuple[int, ...] | None: ...
    @property
    def device(self) -> int: ...


class _Device(ctypes.Structure):
    _fields_ = (("kind", ctypes.c_int32), ("index", ctypes.c_int32))


class _Type(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16))


class _Tensor(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device", _Device),
        ("ndim", ctypes.c_int32),
        ("dtype", _Type),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    )


class _Managed(ctypes.Structure):
    _fields_ = (("tensor", _Tensor), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p))


_Callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
_new_capsule.restype = ctypes.py_object
_is_valid = ctypes.pythonapi.PyCapsule_IsValid
_is_valid.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
_pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
_pointer_of.argtypes = (ctypes.c_void_p, ctypes.c_char_p)
_pointer_of.restype = ctypes.c_void_p

_alive: dict[int, Any] = {}
"""What capsules that were not given back stand on, by the address of their structure."""


def capsule_of(array: _Array, kind: int) -> Any:
    """A capsule that owns a reference to `array` until its consumer gives it back."""
    rank = len(array.shape)
    lengths = (ctypes.c_int64 * rank)(*array.shape)
    strides = (ctypes.c_int64 * rank)(*_element_strides(array))
    dtype = _Type(_CODES[array.element[0]], 8 * array.itemsize, 1)
    tensor = _Tensor(array.address, _Device(kind, array.device), rank, dtype, lengths, strides, 0)
    managed = _Managed(tensor, None, ctypes.cast(_give_back, ctypes.c_void_p))
    _alive[ctypes.addressof(managed)] = (managed, lengths, strides, array)
    return _new_capsule(ctypes.addressof(managed), _NAME, ctypes.cast(_drop, ctypes.c_void_p))


def _element_strides(array: _Array) -> tuple[int, ...]:
    if array.strides is not None:
        return tuple(stride // array.itemsize for stride in array.strides)
    return tuple(math.prod(array.shape[axis + 1 :]) for axis in range(len(array.shape)))


def _on_give_back(managed: int) -> None:
    _alive.pop(managed, None)


def _on_drop(capsule: int) -> None:
    """Of a capsule that nobody consumed: one that was consumed has another name."""
    if _is_valid(capsule, _NAME):
        _alive.pop(_pointer_of(capsule, _NAME), None)


_give_back = _Callback(_on_give_back)
_drop = _Callback(_on_drop)
