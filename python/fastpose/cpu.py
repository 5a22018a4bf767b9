"""What the processor is: name, cores of this process, what it computes with, and the network's runtime."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import sys
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

__all__ = ["Cpu", "OtherPrograms", "this_cpu"]

_INFO, _STAT = Path("/proc/cpuinfo"), Path("/proc/stat")
_BF16 = {"avx512_bf16", "amx_bf16"}
_INT8 = {"avx512_vnni", "avx_vnni", "amx_int8"}


@dataclass(frozen=True)
class Cpu:
    """A processor as a network sees it.

    Attributes
    ----------
    name : str
        As it calls itself.
    cores : int
        Those that this process may use.
    flags : frozenset of str
        Instruction sets by the names of Linux; empty where the system does not tell.
    runtime : str
        OpenVINO and its version.
    """

    name: str
    cores: int
    flags: frozenset[str]
    runtime: str

    @property
    def key(self) -> str:
        """Machine of tuned.json: what was measured holds where all of this is the same."""
        return f"{self.name}, {self.cores} cores, {self.runtime}"

    @property
    def has_bf16(self) -> bool:
        """Whether it multiplies bf16."""
        return bool(_BF16 & self.flags)

    @property
    def has_int8(self) -> bool:
        """Whether it multiplies int8 faster than fp32 (VNNI, AMX)."""
        return bool(_INT8 & self.flags)


def this_cpu() -> Cpu:
    """The processor here, with the cores that this process may use now."""
    name, flags = _told_by_linux()
    return Cpu(name, len(_cores()), flags, _runtime())


class OtherPrograms:
    """How much of the machine everything but this process takes, from when this was made."""

    def __init__(self) -> None:
        self._start_s, self._busy_s = time.perf_counter(), _busy_of_others_s()

    def busy_cores(self) -> float | None:
        """Cores that were busy on average; None where the system does not tell."""
        busy_s, passed_s = _busy_of_others_s(), time.perf_counter() - self._start_s
        if busy_s is None or self._busy_s is None or passed_s <= 0:
            return None
        return max(0.0, busy_s - self._busy_s) / passed_s


def _busy_of_others_s() -> float | None:
    """Time of all cores in other programs, of the kernel, and stolen by a virtual machine's host, s."""
    try:
        fields = list(map(int, _STAT.read_text(encoding="utf-8").split("\n", 1)[0].split()[1:9]))
    except (OSError, ValueError):
        return None
    idle, iowait = 3, 4
    busy = sum(ticks for place, ticks in enumerate(fields) if place not in (idle, iowait))
    own = os.times()
    return float(busy / os.sysconf("SC_CLK_TCK") - own.user - own.system)


@lru_cache(maxsize=1)
def _told_by_linux() -> tuple[str, frozenset[str]]:
    try:
        text = _INFO.read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine(), frozenset()
    name = re.search(r"^model name\s*:\s*(.*\S)", text, re.MULTILINE)
    flags = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    return (
        name[1] if name else platform.processor() or platform.machine(),
        frozenset(flags[1].split()) if flags else frozenset(),
    )


@lru_cache(maxsize=1)
def _runtime() -> str:
    try:
        return f"OpenVINO {importlib.metadata.version('openvino')}"
    except importlib.metadata.PackageNotFoundError:
        return "no OpenVINO"


def _cores() -> set[int]:
    return set(os.sched_getaffinity(0)) if sys.platform == "linux" else set(range(os.cpu_count() or 1))
