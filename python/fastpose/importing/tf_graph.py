"""Lists the operations of a frozen TensorFlow graph without TensorFlow: fields of GraphDef and NodeDef."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fastpose.errors import ModelError

__all__ = ["Operation", "operations"]

NODE = 1  # of GraphDef
NAME, OP, INPUT = 1, 2, 3  # of NodeDef
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types


@dataclass(frozen=True)
class Operation:
    """A node of the graph."""

    name: str
    kind: str
    inputs: tuple[str, ...]


def operations(path: Path) -> list[Operation]:
    """The operations in the order of the file.

    Raises
    ------
    ModelError
        It cannot be read, or is no frozen graph.
    """
    try:
        content = memoryview(path.read_bytes())
        found = [_operation(node) for field, node in _fields(content) if field == NODE]
    except OSError as error:
        raise ModelError(f"'{path}' cannot be read ({error.strerror})") from None
    except (IndexError, ValueError) as error:
        raise ModelError(
            f"'{path}' is no frozen TensorFlow graph, or was cut off ({error}); export it again"
        ) from None
    if not found:
        raise ModelError(f"'{path}' is no frozen TensorFlow graph: it holds no operation")
    return found


def _operation(node: memoryview) -> Operation:
    texts: dict[int, list[str]] = {NAME: [""], OP: [""], INPUT: []}
    for field, value in _fields(node):
        if field in texts:
            texts[field].append(str(value, "utf-8"))
    return Operation(texts[NAME][-1], texts[OP][-1], tuple(texts[INPUT]))


def _fields(content: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Number and bytes of each length-delimited field; the others are passed over."""
    place = 0
    while place < len(content):
        key, place = _varint(content, place)
        size = {VARINT: 0, FIXED64: 8, FIXED32: 4}.get(key & 7)
        if key & 7 in (VARINT, BYTES):
            value, place = _varint(content, place)
            size = value if key & 7 == BYTES else 0
        if size is None or place + size > len(content):
            raise ValueError(f"field {key >> 3} at byte {place} goes beyond the end")
        if key & 7 == BYTES:
            yield key >> 3, content[place : place + size]
        place += size


def _varint(content: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
        if shift > 63:
            raise ValueError(f"a number at byte {place} never ends")
