"""Runs the measurement with an LED: learns where it is, then watches it beside an experiment."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from fastpose import _core
from fastpose import config as cfg
from fastpose.assembly.eye import Eye, EyeFrame
from fastpose.config.safety import Safety
from fastpose.drivers import CameraSource
from fastpose.errors import CameraTimeout, ConfigError
from fastpose.loopback.led import LedAction, LedLoopback, SeenFrames, measure_led
from fastpose.loopback.spot import Phase, RoiPx, Spot, grey_levels, learn_spot
from fastpose.rig import Rig
from fastpose.session.events import EVENTS, event_records
from fastpose.session.frames import camera_frames
from fastpose.session.recorded import WHITE
from fastpose.session.source import SessionLogs, read_session

__all__ = ["led_on_rig"]

CYCLES = 3  # off, on; then off once more
FRAMES = 6  # of each time
SETTLE_NS = 60_000_000  # for a slow light, and for stamps that are not quite right
MARGIN_NS = 2_000_000
PATIENCE_NS = 5_000_000_000
POLL_S = 0.005


def led_on_rig(
    config: cfg.Config, output: str, *, roi: RoiPx | None, seconds: float
) -> tuple[LedLoopback, Path]:
    """Run an experiment and measure its reactions by the light of an LED that an output drives.

    Parameters
    ----------
    config : Config
        Its protocol moves the output; the camera whose frames it decides on sees the LED.
    output : str
        Which of the config's.
    roi : tuple of int or None
        x, y, width, height of the LED; None: it is looked for.
    seconds : float

    Raises
    ------
    ConfigError
        The config has no such output or no network, the LED cannot be measured, or the output never moved.
    FastposeError
        As of a session.
    """
    camera = _camera_of(config, output)
    spot = calibrate(config, camera, output, roi)
    levels: dict[int, float] = {}
    pixel_format = ""

    def look(frame: EyeFrame) -> None:
        levels[frame.frame_id] = spot.level_of(grey_levels(frame.pixels, pixel_format))

    eye = Eye(camera, look)
    with Rig(_experiment(config, seconds), feed=False, eye=eye) as rig:
        source = _source(rig, camera)
        pixel_format, exposure_us = source.pixel_format, _exposure_us(source)
        rig.run()
    _raise_what_it_saw(eye)
    logs = read_session(rig.directory)
    actions = _actions(logs, list(config.outputs).index(output), list(config.cameras).index(camera))
    if not actions:
        raise ConfigError(f"output {output!r} did not go high in {seconds:g} s; there is nothing to measure")
    frames = _frames(logs, camera, spot, levels)
    return measure_led(actions, frames, exposure_us=exposure_us, spot=spot), rig.directory


def _camera_of(config: cfg.Config, output: str) -> str:
    if output not in config.outputs:
        raise ConfigError(
            f"--led is {output!r}; allowed: {', '.join(config.outputs) or 'none, add an output'}"
        )
    camera = config.acting_camera
    if camera is None:
        raise ConfigError(
            "model is not given: without a network nothing acts, and there is nothing to measure"
        )
    return camera


def _experiment(config: cfg.Config, seconds: float) -> cfg.Config:
    return config.model_copy(
        update={
            "session": config.session.model_copy(update={"duration_s": seconds}),
            "record": config.record.model_copy(update={"video": None}),  # we are the recorder
        }
    )


def _source(rig: Rig, camera: str) -> CameraSource:
    return next(source for source in rig.cameras if source.name == camera)


def _exposure_us(source: CameraSource) -> float | None:
    """As the camera says that it is set, else as the config asks; None: not known."""
    if source.driver is not None and source.driver.exposure_ns > 0:
        return source.driver.exposure_ns / 1e3
    told: Any = (source.details or {}).get("exposure_us") or getattr(source.spec, "exposure_us", None)
    return float(told) if told else None


def _raise_what_it_saw(eye: Eye) -> None:
    if eye.error is not None:
        raise eye.error


# --- after the session ---


def _actions(logs: SessionLogs, output: int, camera: int) -> list[LedAction]:
    """Each time that a frame of this camera raised the output."""
    events = event_records(logs)
    mine = events[(events["kind"] == EVENTS.index("output")) & (events["source"] == output)]
    mine = mine[(mine["value"] == 1) & (mine["exposure_start_ns"] != 0) & (mine["camera"] == camera)]
    return [
        LedAction(int(event["exposure_start_ns"]), int(event["stamp_ns"]), int(event["frame_id"]))
        for event in mine
    ]


def _frames(logs: SessionLogs, camera: str, spot: Spot, levels: dict[int, float]) -> SeenFrames:
    records = camera_frames(logs.cameras[camera]).records
    records = records[(records["frame_id"] >= 0) & (records["exposure_start_ns"] != 0)]
    own = np.asarray(records["camera_timestamp_ns"], np.int64)
    has_clock = len(own) > 0 and bool((own > 0).all() and (np.diff(own) > 0).all())  # and nobody set it
    ids = np.asarray(records["frame_id"], np.int64)
    level = np.array([levels.get(int(frame_id), np.nan) for frame_id in ids])
    starts = own if has_clock else np.asarray(records["exposure_start_ns"], np.int64)
    return SeenFrames(ids, starts, spot.fraction(level))


# --- before it ---


def calibrate(config: cfg.Config, camera: str, output: str, roi: RoiPx | None) -> Spot:
    """Switch the output off and on in a session of its own, without a network, and learn what changes.

    Raises
    ------
    ConfigError
        The LED cannot be measured, or the interlock lets it on for too short a time.
    CameraTimeout
        No frames come.
    FastposeError
        As of a session.
    """
    with tempfile.TemporaryDirectory(prefix="fastpose-led-") as folder:
        watch = _Watch(camera)
        with Rig(_calibration(config, Path(folder)), feed=False, eye=watch.eye) as rig:
            source = _source(rig, camera)
            watch.period_ns = round(1e9 / source.rate_hz) if source.rate_hz else 0
            watch.pixel_format = source.pixel_format
            rig.start()
            phases = _switch(rig, watch, output, config.outputs[output])
        _raise_what_it_saw(watch.eye)
    return learn_spot(phases, white=WHITE.get(watch.pixel_format, 255), roi=roi)


def _calibration(config: cfg.Config, folder: Path) -> cfg.Config:
    """The cameras and outputs alone; a simulated camera does not end meanwhile."""
    cameras = {
        name: spec.model_copy(update={"frames_total": None}) if isinstance(spec, cfg.SimCamera) else spec
        for name, spec in config.cameras.items()
    }
    alone = {
        "session": config.session.model_copy(update={"directory": folder, "duration_s": None}),
        "cameras": cameras,
        "record": config.record.model_copy(update={"video": None}),
        "safety": Safety(),
        "protocol": cfg.NoProtocol(),
        "filter": cfg.NoFilter(),
        **dict.fromkeys(("model", "calibration", "synchronise"), None),
    }
    nothing: dict[str, Any] = {name: {} for name in ("models", "calibrations", "rules", "streams")}
    return config.model_copy(update={**alone, **nothing})


def _switch(rig: Rig, watch: _Watch, output: str, limits: cfg.Output) -> list[Phase]:
    """Off and on in turn, as long and as often as the interlock allows."""
    longest_ns = round((limits.max_on_ms or 0) * 1e6)
    phases, rose_ns = [], 0
    for turn in range(2 * CYCLES + 1):
        on = turn % 2 == 1
        if on:
            _wait_until(rose_ns + round(1.05e9 / limits.max_rate_hz) if limits.max_rate_hz and rose_ns else 0)
        switched_ns = _core.now_ns()
        changed = rig.outputs.on(output) if on else rig.outputs.off(output)
        if on and not changed:
            raise ConfigError(
                f"outputs.{output}: the interlock refused to switch the LED on for the calibration; look at "
                "its max_total_ms and not_with"
            )
        rose_ns = switched_ns if on else rose_ns
        phases.append(watch.gather(rig, on, switched_ns, longest_ns if on else 0))
    rig.outputs.off(output)
    if not any(phase.on and phase.frames for phase in phases):
        least_ms = (SETTLE_NS + FRAMES * watch.period_ns) / 1e6
        raise ConfigError(
            f"outputs.{output}.max_on_ms is {limits.max_on_ms:g}: no frame was exposed while the LED was "
            f"on; allowed with --led: {least_ms:.0f} is enough"
        )
    return phases


def _wait_until(until_ns: int) -> None:
    time.sleep(max(0, until_ns - _core.now_ns()) / 1e9)


class _Watch:
    """Keeps the frames that were exposed while the output was on all the time, or off."""

    def __init__(self, camera: str) -> None:
        self.eye = Eye(camera, self._look)
        self.period_ns = 0
        self.pixel_format = ""
        self._phase: Phase | None = None
        self._from_ns, self._until_ns = 0, 0
        self._frames = 0

    def gather(self, rig: Rig, on: bool, switched_ns: int, longest_ns: int) -> Phase:
        """Wait for frames; they end before the interlock ends the light after `longest_ns` (0: never)."""
        settle_ns = min(SETTLE_NS, longest_ns // 3) if longest_ns else SETTLE_NS
        self._from_ns = switched_ns + settle_ns
        self._until_ns = switched_ns + longest_ns - MARGIN_NS if longest_ns else 2**62
        began, phase = self._frames, Phase(on)
        self._phase = phase
        give_up_ns = switched_ns + PATIENCE_NS + FRAMES * self.period_ns
        over_ns = self._until_ns + 4 * self.period_ns + SETTLE_NS
        while len(phase.frames) < FRAMES and _core.now_ns() < min(give_up_ns, over_ns):
            if rig.engine.faulted:
                rig.engine.rethrow()
            time.sleep(POLL_S)
        self._phase = None
        if self._frames == began:
            raise CameraTimeout(
                f"camera '{self.eye.camera}' sent no frame while its LED was looked for; does it wait for "
                "a trigger?"
            )
        return phase

    def _look(self, frame: EyeFrame) -> None:
        self._frames += 1
        phase, begin_ns = self._phase, frame.exposure_start_ns
        if phase is None or len(phase.frames) >= FRAMES:
            return
        if begin_ns >= self._from_ns and begin_ns + self.period_ns <= self._until_ns:
            phase.frames.append(grey_levels(frame.pixels, self.pixel_format).copy())
