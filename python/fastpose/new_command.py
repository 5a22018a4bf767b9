"""Asks for what `new_config` needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import typer

from fastpose.new_config import CAMERAS, OUTPUTS, PROTOCOLS, Answers

__all__ = ["ask"]

_SOURCES = {
    "video": ("Video file", "video.mp4"),
    "v4l2": ("Device", "/dev/video0"),
    "pylon": ("Serial number", "24001234"),
}


def ask() -> Answers:
    """Ask on the terminal; every question has a default."""
    default = Answers()
    answers = replace(default, subject=typer.prompt("Name of the animal", default.subject))
    answers = replace(answers, camera=_choose("Camera", CAMERAS))
    if answers.camera in _SOURCES:
        answers = replace(answers, source=typer.prompt(*_SOURCES[answers.camera]))
    answers = replace(answers, model=typer.prompt("Model package", default.model))
    answers = replace(answers, bodypart=typer.prompt("Body part that acts", default.bodypart))
    answers = replace(answers, protocol=_choose("Protocol", PROTOCOLS, default.protocol))
    if answers.protocol == "none":
        return answers
    answers = replace(answers, output=_choose("Output", OUTPUTS))
    if answers.output == "serial":
        answers = replace(answers, port=typer.prompt("Port", default.port))
    return answers


def _choose(question: str, allowed: Sequence[str], default: str | None = None) -> str:
    """One of several words; asked again until it is one of them."""
    while True:
        said = str(typer.prompt(f"{question} ({', '.join(allowed)})", default or allowed[0]))
        if said in allowed:
            return said
        typer.echo(f"{said!r} is not allowed; allowed: {', '.join(allowed)}", err=True)
