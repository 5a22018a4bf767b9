"""Runs an experiment from a config, with a live status; what ``fastpose run`` calls."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from fastpose import _core
from fastpose.config import Config
from fastpose.emergency_key import emergency_key
from fastpose.rig import Rig
from fastpose.session.summary import Summary
from fastpose.status import Snapshot, Status

__all__ = ["RunSummary", "run"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, *((signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()))
REASONS = ("camera", "ring", "recorder", "transport")
_PERCENTILES = ("n", "p50", "p90", "p99", "p99.9", "max")


@dataclass(frozen=True)
class RunSummary:
    """How a run went.

    Attributes
    ----------
    directory : Path
        The session folder.
    frames, processed : int
        Exposures seen; frames that became a pose.
    drops : dict
        Frames not processed or not recorded, by reason.
    latency_ms : dict
        From exposure_start to the decision: n, p50, p90, p99, p99.9, max. Of the acting camera.
    ended : str
    warnings : list of str
    network : str
        What ran: form, precision, threads; empty without a network.
    hint : str
        How it may become faster; empty where nothing is known.
    timing : list of str
        What was granted for a steady loop, and what was refused.
    video : list of str
        For each recorded camera: frames, codec, and how its pixels compare with the camera's.
    latencies_ms : dict
        `latency_ms` of each camera that a network sees.
    clocks : list of str
        How well each camera's clock is known.
    """

    directory: Path
    frames: int
    processed: int
    drops: dict[str, int]
    latency_ms: dict[str, float]
    ended: str
    warnings: list[str]
    network: str = ""
    hint: str = ""
    timing: list[str] = field(default_factory=list)
    video: list[str] = field(default_factory=list)
    latencies_ms: dict[str, dict[str, float]] = field(default_factory=dict)
    clocks: list[str] = field(default_factory=list)


def run(config: Config, *, status: Status) -> RunSummary:
    """Run an experiment to its end.

    Parameters
    ----------
    config : Config
    status : Status
        Shows how it goes.

    Raises
    ------
    FastposeError
        It could not start, or a fault ended it; outputs are safe and the files are complete by then.
    """
    rig = Rig(config, feed=False)
    with _signals_end(rig), rig, emergency_key(rig.emergency_stop) as has_key:
        status.start(rig.directory, has_key=has_key)
        meter = _Meter()
        rig.run(lambda running: status.update(meter.snapshot(running)))
        status.stop()
    assert rig.summary is not None
    return _summary(rig, rig.summary)


@contextmanager
def _signals_end(rig: Rig) -> Iterator[None]:
    def end(_number: int, _frame: FrameType | None) -> None:
        rig.stop("interrupted")

    before = {number: signal.signal(number, end) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _others(cameras: dict[str, Any], shown: str) -> dict[str, dict[str, int]]:
    """What the status says of the cameras beside the one that it shows."""
    return {
        name: {
            "frames": shot["published"],
            "processed": shot["processed"],
            "dropped": sum(shot[f"dropped_{reason}"] for reason in REASONS),
        }
        for name, shot in cameras.items()
        if name != shown
    }


class _Meter:
    """Turns counts into rates between two looks."""

    def __init__(self) -> None:
        self._then_ns, self._then_frames, self._rate_hz = _core.now_ns(), 0, 0.0

    def snapshot(self, rig: Rig) -> Snapshot:
        shot = rig.snapshot()
        loop = rig.acting_camera or next(iter(rig.cameras))
        latency = shot["exposure_to_decided"]
        frames = shot["published"] + shot["dropped_camera"]
        age_ns = _core.now_ns() - shot["newest_exposure_ns"]
        return Snapshot(
            frames=frames,
            processed=shot["processed"],
            drops={reason: shot[f"dropped_{reason}"] for reason in REASONS},
            rate_hz=self._rate(frames),
            age_ms=age_ns / 1e6 if shot["newest_exposure_ns"] else None,
            p50_ms=latency["p50_ns"] / 1e6 if latency["n"] else None,
            p99_ms=latency["p99_ns"] / 1e6 if latency["n"] else None,
            rules={name: bool(shot["rules"] >> i & 1) for i, name in enumerate(rig.config.rules)},
            outputs={
                name: bool(level) for name, level in zip(rig.config.outputs, shot["outputs"], strict=True)
            },
            recorder_queue=max(camera["recorder_queue"] for camera in shot["cameras"].values()),
            others=_others(shot["cameras"], loop.name),
            elapsed_s=rig.elapsed_s,
            total_frames=loop.total_frames,
            duration_s=rig.config.session.duration_s,
            faults=list(rig.warnings),
        )

    def _rate(self, frames: int) -> float:
        now_ns = _core.now_ns()
        passed_s = (now_ns - self._then_ns) / 1e9
        if passed_s >= 1.0:
            self._rate_hz = (frames - self._then_frames) / passed_s
            self._then_ns, self._then_frames = now_ns, frames
        return self._rate_hz


def _summary(rig: Rig, summary: Summary) -> RunSummary:
    cameras = summary.cameras.values()
    reasons = {reason for camera in cameras for reason in camera.drops}
    return RunSummary(
        directory=summary.session_dir,
        frames=sum(camera.exposures for camera in cameras),
        processed=sum(camera.processed for camera in cameras),
        drops={reason: sum(camera.drops.get(reason, 0) for camera in cameras) for reason in sorted(reasons)},
        latency_ms=_latency(summary.latency, rig.config.acting_camera),
        latencies_ms={
            name: latency for name in rig.config.analysed if (latency := _latency(summary.latency, name))
        },
        ended=summary.ended,
        warnings=[*rig.warnings, *summary.notes],
        network=rig.network,
        hint=rig.hint,
        timing=rig.timing,
        video=[
            f"{name}: {camera.video_text}" for name, camera in summary.cameras.items() if camera.video_text
        ],
        clocks=[f"{name}: {text}" for name, text in summary.clocks.items()],
    )


def _latency(latency: dict[str, Any], camera: str | None) -> dict[str, float]:
    """From exposure to decision, of one camera; empty where no frame was processed."""
    found = latency["cameras"].get(camera)
    decided = found["end_to_end"]["exposure_start->decided"] if found else {"n": 0}
    return {name: decided[name] for name in _PERCENTILES} if decided["n"] else {}
