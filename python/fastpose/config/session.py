"""Who is recorded, where to and how long; and what the engine takes of the machine."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from fastpose.config.types import FileText, NonNegativeInt, PositiveFloat, Section, WorkingPath


class Session(Section):
    """One recording."""

    subject: FileText
    """Name of the animal; the session folder's name starts with it. Letters, digits, '.', '_' and '-'."""
    directory: WorkingPath = Field(default=Path("sessions"), validate_default=True)
    """Where session folders are made; relative to the working directory."""
    duration_s: PositiveFloat | None = None
    """Ends the session after this time; null: until the source ends or Ctrl-C."""
    experimenter: str | None = None
    notes: str | None = None


class Engine(Section):
    """What the engine takes of the machine."""

    realtime: bool = True
    """Take SCHED_FIFO, affinity and locked memory where the system grants them."""
    cpu: NonNegativeInt | None = None
    """Core that the loop is bound to; null: any."""
