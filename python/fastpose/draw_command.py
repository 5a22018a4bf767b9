"""Draws the protocol of a config."""

from __future__ import annotations

from pathlib import Path

from fastpose.config import Config, as_states
from fastpose.errors import ConfigError
from fastpose.state_diagram import draw_states

__all__ = ["draw"]


def draw(config: Config, out: Path) -> None:
    """Write the protocol's state diagram as SVG.

    Raises
    ------
    ConfigError
        The protocol has no states, or the file cannot be written.
    """
    machine = as_states(config.protocol)
    if machine is None:
        raise ConfigError(
            f"protocol.type is {config.protocol.type}, which has no states to draw; "
            "allowed: conditional, optogenetic, trial, states"
        )
    try:
        out.write_text(draw_states(machine, f"{config.session.subject}: {config.protocol.type}"), "utf-8")
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written: {error.strerror}") from None
