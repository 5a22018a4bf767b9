"""Outputs of other packages: entry points of the group fastpose.outputs."""

from __future__ import annotations

from functools import lru_cache
from importlib import metadata
from types import ModuleType

GROUP = "fastpose.outputs"
__all__ = ["GROUP", "plug_in", "plug_ins"]


def plug_ins() -> dict[str, str]:
    """The drivers that other packages bring, each with its module."""
    return {entry.name: entry.value for entry in metadata.entry_points(group=GROUP)}


@lru_cache(maxsize=32)
def plug_in(driver: str) -> ModuleType | None:
    """The module of a driver: a class `Config` and a function `open`; None: no package brings this driver.

    Raises
    ------
    ValueError
        It is there and cannot be used; the text says why.
    """
    for entry in metadata.entry_points(group=GROUP, name=driver):
        try:
            module = entry.load()
        except Exception as error:
            raise ValueError(
                f"the plug-in {entry.value} of driver {driver} cannot be imported: {error}"
            ) from None
        missing = [name for name in ("Config", "open") if not hasattr(module, name)]
        if missing or not isinstance(module, ModuleType):
            raise ValueError(
                f"the plug-in {entry.value} of driver {driver} has no {' and no '.join(missing)}; "
                "a module with a class Config and a function open is needed"
            )
        return module
    return None
