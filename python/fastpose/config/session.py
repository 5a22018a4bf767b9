"""Who is recorded, where to and how long; and what the engine takes of the machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from fastpose.config.types import NUMBER, FileText, NonNegativeInt, PositiveFloat, Section, WorkingPath


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
    """Take what makes the loop's timing steady, where the system grants it; false: none of what follows but
    cpu."""
    fifo: bool = True
    """SCHED_FIFO for cameras, the loop and the ends of pulses; the loop has it while it leaves the kernel its
    share of the core (sched_rt_runtime_us)."""
    lock_memory: bool = True
    """Keep the memory of the process in RAM while a session runs."""
    affinity: bool = True
    """Leave a core to the loop, where there are two: all other threads, and the encoder and other processes
    where there are cores enough, keep off it."""
    cpu: NonNegativeInt | None = None
    """Core that the loop is bound to; null: the last of the fastest with affinity, else any."""
    spin_us: Annotated[int, Field(ge=0, le=5000), NUMBER] = 300
    """Longest time for which the loop awaits an expected frame without sleeping, us a frame; less where the
    budget for real-time threads leaves less. 0: it always sleeps."""
