"""Features of a GenICam camera by name: set, read back, and refused with what is allowed.

Names differ between generations of cameras (ExposureTime, ExposureTimeAbs): each call takes all that mean
the same.
"""

from __future__ import annotations

import importlib
from typing import Any

from fastpose.errors import CameraError
from fastpose.hosts.pylon_library import reason, saying

__all__ = ["Nodes"]

_TOLERANCE = 0.01  # of a number that the camera rounds to its own steps


class Nodes:
    """The features of one camera.

    Parameters
    ----------
    node_map : GenICam node map
    """

    def __init__(self, node_map: Any) -> None:
        self._map = node_map
        self._genicam = importlib.import_module("pypylon.genicam")

    def find(self, *names: str) -> Any | None:
        """The first of these features that the camera has and that can be read; None: it has none."""
        return next(iter(self._all(names, self._genicam.IsReadable)), None)

    def writable(self, *names: str) -> Any | None:
        """The first of these features that can be written now."""
        return next(iter(self._all(names, self._genicam.IsWritable)), None)

    def number(self, *names: str) -> float | None:
        """The value of the first of these features; None: the camera has none of them."""
        node = self.find(*names)
        return None if node is None else float(node.Value)

    def limits(self, *names: str) -> tuple[float, ...]:
        """Lowest and highest value of the first of these features; empty: the camera has none of them."""
        node = self.find(*names)
        return () if node is None else (float(node.Min), float(node.Max))

    def text(self, *names: str) -> str | None:
        """The value of the first of these features as text; None: the camera has none of them."""
        node = self.find(*names)
        return None if node is None else str(node.ToString())

    def choices(self, name: str) -> list[str]:
        """What a choice may be set to now; empty: the camera has no such choice."""
        node = self.find(name)
        return [] if node is None else _offered(node)

    def set_number(self, key: str, value: float, *names: str, what: str = "") -> float:
        """Set every one of these features that the camera has; returns what it reads back.

        Parameters
        ----------
        key : str
            Of the config, for messages.
        value : float
        *names : str
            Names that mean the same.
        what : str
            Way out where the camera has none of them.

        Raises
        ------
        CameraError
            It has none of them, or does not take the value.
        """
        nodes = self._all(names, self._genicam.IsWritable)
        if not nodes:
            raise CameraError(
                f"{key} {value:g}: this camera has no {names[0]} that can be set{'; ' + what if what else ''}"
            )
        for node in nodes:
            _assign(key, node, value)
        got = float(nodes[0].Value)
        if abs(got - value) > max(_TOLERANCE * abs(value), 0.01):
            raise CameraError(f"{key} {value:g}: the camera set {got:g}; allowed: {_range(nodes[0])}")
        return got

    def set_integer(self, key: str, value: int, *names: str) -> None:
        """Set a whole number, which must be taken exactly.

        Raises
        ------
        CameraError
            As `set_number`.
        """
        node = self.writable(*names)
        if node is None and self.number(*names) == value:
            return
        if node is None:
            raise CameraError(f"{key} {value}: this camera has no {names[0]} that can be set")
        _assign(key, node, value)

    def choose(self, key: str, values: tuple[str, ...] | str, *names: str) -> str:
        """Set a choice to the first of `values` that the camera offers; returns that one.

        Raises
        ------
        CameraError
            It has no such choice, or offers none of the values.
        """
        wanted = (values,) if isinstance(values, str) else values
        node = self.find(*names)
        if node is not None and node.ToString() in wanted:
            return str(node.ToString())
        offered = _offered(node) if node is not None else []
        value = next((value for value in wanted if value in offered), None)
        if node is None or value is None:
            allowed = f"allowed: {', '.join(offered)}" if offered else f"this camera has no {names[0]}"
            raise CameraError(f"{key} {wanted[0]}: {allowed}")
        with saying(f"{key} {value}"):
            node.Value = value
        return value

    def switch_off(self, *names: str) -> None:
        """Turn an automatic of the camera off where there is one."""
        node = self.writable(*names)
        if node is not None and "Off" in _offered(node):
            node.Value = "Off"

    def set_feature(self, name: str, value: Any) -> None:
        """Set any feature from its text, or run it: value "execute".

        Raises
        ------
        CameraError
            There is no such feature, or it does not take the value.
        """
        node = self._map.GetNode(name)
        if not self._genicam.IsWritable(node):
            there = self._genicam.IsImplemented(node)
            raise CameraError(
                f"features.{name}: {'cannot be written now' if there else 'this camera has no such feature'}"
            )
        with saying(f"features.{name} {value}"):
            if isinstance(node, self._genicam.ICommand) and value == "execute":
                node.Execute()
            else:
                node.FromString(str(int(value)) if isinstance(value, bool) else str(value))

    def execute(self, *names: str) -> bool:
        """Run the first of these commands; False: the camera has none of them."""
        node = self.writable(*names)
        if node is None:
            return False
        node.Execute()
        return True

    def _all(self, names: tuple[str, ...], test: Any) -> list[Any]:
        nodes = [self._map.GetNode(name) for name in names]
        return [node for node in nodes if test(node)]


def _offered(node: Any) -> list[str]:
    return list(node.GetSettableValues())


def _assign(key: str, node: Any, value: float) -> None:
    genicam = importlib.import_module("pypylon.genicam")
    try:
        node.Value = int(value) if isinstance(node, genicam.IInteger) else float(value)
    except genicam.GenericException as error:
        if not isinstance(error, (genicam.OutOfRangeException, genicam.InvalidArgumentException)):
            raise CameraError(f"{key} {value:g}: {reason(error)}") from None
        raise CameraError(f"{key} {value:g}: not taken by this camera; allowed: {_range(node)}") from None


def _range(node: Any) -> str:
    genicam = importlib.import_module("pypylon.genicam")
    step = node.Inc if isinstance(node, genicam.IInteger) else 1
    text = f"{node.Min:g} to {node.Max:g}"
    return f"{text} in steps of {step}" if step != 1 else text
