"""Protocols to start from: what ``fastpose new --template`` copies."""

from __future__ import annotations

from pathlib import Path

from fastpose.errors import ConfigError

__all__ = ["TEMPLATES", "template"]

TEMPLATES = {"cython": "my_protocol.pyx", "python": "my_protocol.py"}


def template(name: str) -> Path:
    """The file of a template.

    Raises
    ------
    ConfigError
        There is no such template.
    """
    if name not in TEMPLATES:
        raise ConfigError(f"--template is {name!r}; allowed: {', '.join(TEMPLATES)}")
    return Path(__file__).with_name(TEMPLATES[name])
