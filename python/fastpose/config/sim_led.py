"""A light in view of a simulated camera that a simulated output drives: delays measured without a rig."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from fastpose.config.problems import Problem, no_such
from fastpose.config.types import NUMBER, Name, Section

if TYPE_CHECKING:
    from fastpose.config.root import Config


class SimLed(Section):
    """A light that the camera sees while an output is high, as far as its exposure goes."""

    output: Name
    """Of this config, with driver sim."""
    x: Annotated[float, Field(ge=0), NUMBER]
    y: Annotated[float, Field(ge=0), NUMBER]
    """Its middle, px."""
    radius_px: Annotated[float, Field(ge=1, le=1000), NUMBER] = 6.0
    level: Annotated[float, Field(ge=1, le=255), NUMBER] = 60.0
    """Grey levels, of 255, that it adds where it is on for the whole exposure."""
    delay_us: Annotated[float, Field(ge=0, le=1e6), NUMBER] = 0.0
    """From the write of the output to light: what a measurement has to find."""


def lights_of_cameras(config: Config) -> Iterator[Problem]:
    """Yield lights that no simulated output drives, or that lie outside the frame."""
    for name, camera in config.cameras.items():
        led = getattr(camera, "led", None)
        if not isinstance(led, SimLed):
            continue
        path, driven = f"cameras.{name}.led", config.outputs.get(led.output)
        if driven is None:
            yield Problem(f"{path}.output", no_such("output", led.output, config.outputs))
        elif driven.driver != "sim":
            yield Problem(
                f"{path}.output", f"{led.output!r} has driver {driven.driver}; allowed: a simulated one"
            )
        yield from _outside(path, led, getattr(camera, "size", None))


def _outside(path: str, led: SimLed, size: tuple[int, int] | None) -> Iterator[Problem]:
    if size is not None and not (led.x < size[0] and led.y < size[1]):
        yield Problem(path, f"({led.x:g}, {led.y:g}) lies outside the frame of {list(size)} px")
