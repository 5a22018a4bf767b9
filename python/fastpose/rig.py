"""A rig: cameras, network, rules and outputs of one config, opened, armed and run; safe on every exit."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from typing_extensions import Self

from fastpose import _core
from fastpose import config as cfg
from fastpose.assembly.behaviour import Lines, open_outputs
from fastpose.assembly.camera_lines import open_camera_lines
from fastpose.assembly.cameras import hosted_processes, open_camera, open_ring, spawn_hosts
from fastpose.assembly.compute_threads import noting_compute_threads
from fastpose.assembly.disk_watch import DiskWatch
from fastpose.assembly.engine import make_engine
from fastpose.assembly.eye import Eye
from fastpose.assembly.gpu_frames import gpu_frame
from fastpose.assembly.hosts import HostFault, end_hosts, watch_hosts
from fastpose.assembly.machine import Machine, timing_lines
from fastpose.assembly.networks import Networks, open_networks
from fastpose.assembly.session_folder import SessionFolder, model_details
from fastpose.assembly.stopping import make_stop_switch
from fastpose.assembly.streams import open_streams
from fastpose.drivers import CameraSource
from fastpose.errors import ConfigError, FastposeError
from fastpose.pose import Pose
from fastpose.pose_streams import PoseTap, Stream
from fastpose.protocol import Outputs, Protocol
from fastpose.protocol_host import ProtocolHost, load_protocol
from fastpose.protocol_session import LiveProtocolSession
from fastpose.seeding import with_seed
from fastpose.session.finalise import finalise
from fastpose.session.summary import Summary

__all__ = ["Rig"]

POLL_MS = 50.0  # how soon Ctrl-C and the end of a process are seen
EMERGENCY_MS = 1000.0  # for the outputs to be safe; microseconds in truth
SILENT_POLLS = 20  # after the end: a source that hangs delivers nothing more


class Rig:
    """One experiment.

    ``with Rig("config.yaml") as rig: rig.run()``, or iterate over ``rig.poses()``. Entering opens and arms
    everything; nothing flows before `start`. Leaving puts the outputs safe, ends every thread and process,
    and makes the result files.

    Parameters
    ----------
    config : path-like or Config
        The config file, or one that was loaded.
    feed : bool
        Keep poses for `poses`. Protocols in Python get theirs either way.
    eye : Eye, optional
        Looks at every frame of its camera beside the loop, in place of a recorder: ``record.video`` is null.

    Raises
    ------
    FastposeError
        On entering: whatever is wrong, before anything starts.
    """

    def __init__(
        self, config: str | os.PathLike[str] | cfg.Config, *, feed: bool = True, eye: Eye | None = None
    ) -> None:
        self.config = with_seed(config if isinstance(config, cfg.Config) else cfg.load_config(config))
        self._eye = eye
        if eye is not None and self.config.record.video is not None:
            raise ConfigError("record.video is given; a rig whose frames are looked at records no video")
        self._feed = feed
        self._cameras: list[CameraSource] = []
        self._networks = Networks()
        self._lines = Lines(())
        self._machine = Machine(self.config.engine, hosted_processes(self.config))
        self._folder: SessionFolder | None = None
        self._disk: DiskWatch | None = None
        self._engine: _core.Engine | None = None
        self._protocol: ProtocolHost | None = None
        self._streams: list[Stream] = []
        self._tap: PoseTap | None = None
        self._stop_switch: _core.StopSwitch | None = None
        self._ended = ""
        self._started_ns = 0
        self._warnings: list[str] = []
        self.summary: Summary | None = None
        self.timing: list[str] = []
        """What was granted for a steady loop and what was refused, once the session is over."""

    # --- life ---

    def __enter__(self) -> Self:
        if self._folder is not None:
            raise FastposeError("a rig runs once; make a new one: `with Rig(...) as rig:`")
        try:
            self._open()
        except BaseException as error:
            self._tear_down()
            self._let_go()
            self._discard_folder(error)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
            return
        self._ended = "interrupted" if isinstance(error, KeyboardInterrupt) else "fault"
        try:
            self.close(error=str(error) or type(error).__name__)
        except FastposeError as second:  # the first error tells what happened, and stays one line
            self._warn(str(second))
            if isinstance(error, FastposeError):
                text = f"{error}; result files are missing, make them with: fastpose recover {self.directory}"
                error.args = error.lines = (text,)

    def _discard_folder(self, error: BaseException) -> None:
        """Leave no empty session behind, unless the error points into it."""
        if self._folder is not None and str(self._folder.path) not in str(error):
            self._folder.remove()

    def _open(self) -> None:
        _core.remove_stale_rings()
        self._cameras = [open_camera(name, spec) for name, spec in self.config.cameras.items()]
        placement = self._machine.placement
        with noting_compute_threads():
            self._networks = open_networks(self.config, self._cameras, placed=placement.ours)
        self._lines = open_outputs(
            self.config.outputs,
            realtime=self._machine.fifo,
            cpus=placement.others,
            hosted=open_camera_lines(self.config.outputs, self._cameras),
            max_pose_gap_ms=self.config.safety.max_pose_gap_ms,
        )
        protocol = self.config.protocol
        user = load_protocol(protocol) if isinstance(protocol, cfg.PythonProtocol) else None
        self._folder = SessionFolder(self.config)
        self._folder.write_config(self.config)
        for camera in self._cameras:
            open_ring(
                camera,
                loop=camera.name in self._networks.by_camera,
                record=self.config.record,
                watched=self._eye is not None and camera.name == self._eye.camera,
            )
        for camera in self._cameras:
            spawn_hosts(
                camera,
                self.config.record,
                self._folder.path,
                realtime=self.config.engine.realtime,
                cpus=placement.hosts,
                spin_us=self._machine.hosts_spin_us,
            )
        self._lines.spawn(self._folder.path / "log")
        self._streams = open_streams(self.config, self._networks, self._cameras)
        self._folder.write_meta(self.config, self._details())
        self._engine = make_engine(
            self.config,
            self._cameras,
            self._networks,
            self._lines,
            self._folder,
            realtime=self._machine.request(),
            pose_feed=user is not None or self._feed or bool(self._streams),
            hold_frames=user is not None,
        )
        self._tap = PoseTap(self._engine, self._streams)
        self._stop_switch = make_stop_switch(self._lines.interlock)
        self._engine.arm()
        if self._eye is not None:
            self._open_eye(self._eye)
        if user is not None:
            self._protocol = self._host_of(user)
        self._folder.say(f"opened: {json.dumps(self._details()['devices'])}")
        for camera_note in (note for camera in self._cameras for note in camera.notes):
            self._warn(camera_note)
        for note in self._networks.notes:
            self._warn(note)
        self._folder.say(f"network: {self.network}{'; ' + self.hint if self.hint else ''}")

    def _open_eye(self, eye: Eye) -> None:
        ring = self._source(eye.camera).ring
        assert ring is not None
        eye.open(ring)

    def _host_of(self, protocol: Protocol) -> ProtocolHost:
        camera = self._camera_to_iterate(None)
        protocol.frame = gpu_frame(self._networks, self._source(camera))
        pose_from = partial(self._pose_from, camera)
        assert self._tap is not None
        index = self._index_of(camera)
        ring = self._cameras[index].ring
        assert ring is not None
        session = LiveProtocolSession(self.engine, ring, (camera, index), self.directory)
        return ProtocolHost(protocol, self._tap, self.outputs, pose_from, index, session)

    def start(self) -> None:
        """Let frames flow; does nothing the second time."""
        engine = self.engine
        if self._started_ns:
            return
        self._started_ns = _core.now_ns()
        self._folder.say("started") if self._folder is not None else None
        if self._protocol is not None:
            self._protocol.start()
        engine.start()
        self._machine.look(self._cameras)
        self._watch_disk()

    def run(self, on_tick: Callable[[Rig], None] | None = None) -> None:
        """Run to the end: of the sources, of ``session.duration_s``, or until `stop`.

        Parameters
        ----------
        on_tick : callable, optional
            Called with the rig about 20 times a second.

        Raises
        ------
        FastposeError
            A fault ended the session; outputs are safe by then.
        """
        self.start()
        self._feed_streams()
        while not self._ended:
            self._tick(POLL_MS)
            if on_tick is not None:
                on_tick(self)
        self.engine.end_sources()
        self._raise_if_fault()

    def poses(self, camera: str | None = None) -> Iterator[Pose]:
        """Iterate over the poses of a camera, in order, until the session ends.

        Parameters
        ----------
        camera : str, optional
            Default: the only one that a network sees.

        Raises
        ------
        ConfigError
            There are no poses of this camera, or there is a choice.
        FastposeError
            A fault ended the session; outputs are safe by then.
        """
        if self._protocol is not None:
            raise ConfigError(
                "protocol.type is python: it gets the poses; iterate with another protocol type"
            )
        name = self._camera_to_iterate(camera)
        if not self._feed:
            raise ConfigError("this rig keeps no poses; make it with feed=True")
        self.start()
        while (sample := self._next_sample(self._index_of(name))) is not None:
            yield self._pose_from(name, sample)
        self._raise_if_fault()

    def stop(self, reason: str = "interrupted") -> None:
        """End the session at the next tick; thread-safe."""
        self._ended = self._ended or reason

    def emergency_stop(self) -> None:
        """Make all outputs safe at once and for good, and end the session; thread-safe."""
        if self._stop_switch is not None:
            self._stop_switch.throw_and_wait(EMERGENCY_MS)

    def close(self, *, error: str | None = None) -> None:
        """End everything and make the result files; does nothing the second time."""
        if self._engine is None or self._folder is None:
            self._tear_down()
            return
        self._ended = self._ended or "interrupted"
        self._tear_down()
        fault = self._fault() if self._ended != "fault" else None
        if fault is not None:  # it came while the session ended: the last frames may be lost
            self._ended, error = "fault", str(fault)
        try:
            self._say_end(error)
            self._folder.write_ended(self._ended, error, self._end_details())
        finally:
            self._let_go()
        self.summary = finalise(self._folder.path)
        if fault is not None:
            raise fault

    # --- what one can ask ---

    @property
    def engine(self) -> _core.Engine:
        """The engine; only inside ``with``."""
        if self._engine is None:
            raise FastposeError("the rig is not open: use it as `with Rig(...) as rig:`")
        return self._engine

    @property
    def directory(self) -> Path:
        """The session folder."""
        if self._folder is None:
            raise FastposeError("the rig is not open: use it as `with Rig(...) as rig:`")
        return self._folder.path

    @property
    def outputs(self) -> Outputs:
        """The output lines, behind the interlock."""
        return Outputs(self._lines.names, self.engine.command)

    @property
    def cameras(self) -> list[CameraSource]:
        """The cameras, in the config's order."""
        return self._cameras

    @property
    def acting_camera(self) -> CameraSource | None:
        """The camera that the protocol belongs to, else the first with a network; None: only recording."""
        return next((camera for camera in self._cameras if camera.name == self._networks.acting), None)

    @property
    def elapsed_s(self) -> float:
        """Time since the start."""
        return (_core.now_ns() - self._started_ns) / 1e9 if self._started_ns else 0.0

    @property
    def ended(self) -> str:
        """Why it ended: duration, finished, protocol, interrupted, stopped or fault; empty while it runs."""
        return self._ended

    @property
    def warnings(self) -> list[str]:
        """What the user should know, one line each."""
        return self._warnings

    @property
    def network(self) -> str:
        """What runs, in words: form, precision, threads; empty without a network, or before it is open."""
        return self._networks.description if self._networks.by_camera else ""

    @property
    def hint(self) -> str:
        """How the network may become faster; empty where nothing is known."""
        return self._networks.hint

    def snapshot(self) -> dict[str, Any]:
        """Counts, latencies, rules and outputs at this moment: of the acting camera, and of each."""
        shot: dict[str, Any] = dict(self.engine.snapshot())
        names = [camera.name for camera in self._cameras]
        return {**shot, "cameras": dict(zip(names, shot["cameras"], strict=True))}

    # --- inside ---

    def _watch_disk(self) -> None:
        duration_s = self.config.session.duration_s
        left_s = (lambda: duration_s - self.elapsed_s) if duration_s else (lambda: None)
        self._disk = DiskWatch(self.directory, left_s, self._warn)
        self._disk.start()

    def _feed_streams(self) -> None:
        """Take the poses that no protocol takes, for the streams."""
        assert self._tap is not None
        taken = self._index_of(self._camera_to_iterate(None)) if self._protocol is not None else None
        self._tap.take([index for index in range(len(self._cameras)) if index != taken])

    def _camera_to_iterate(self, asked: str | None) -> str:
        """The camera whose poses somebody gets: that asked for, the protocol's, or the only one."""
        _ = self.engine  # raises where the rig is not open
        analysed = self._networks.by_camera
        if not analysed:
            raise ConfigError("model is not given: without a network there are no poses")
        if asked is None and (len(analysed) == 1 or isinstance(self.config.protocol, cfg.PythonProtocol)):
            asked = self._networks.acting
        if asked not in analysed:
            given = "missing" if asked is None else repr(asked)
            raise ConfigError(f"camera is {given}; allowed: {', '.join(analysed)}")
        return asked

    def _source(self, camera: str) -> CameraSource:
        return self._cameras[self._index_of(camera)]

    def _index_of(self, camera: str) -> int:
        return [source.name for source in self._cameras].index(camera)

    def _details(self) -> dict[str, Any]:
        network, networks = self._networks.first, self._networks.by_camera
        several = {name: model_details(each) for name, each in networks.items()} if len(networks) > 1 else {}
        return {
            "devices": {
                "network": network.runs[0].runtime.description if network else None,
                "outputs": self._lines.descriptions,
                "cameras": {
                    camera.name: {
                        "size": camera.frame_size,
                        "pixel_format": camera.pixel_format,
                        **(camera.details or {}),
                    }
                    for camera in self._cameras
                },
            },
            "model": model_details(network) if network else None,
            **({"models": several} if several else {}),
        }

    def _clocks(self) -> dict[str, Any]:
        return {camera.name: dict(camera.ring.clock()) for camera in self._cameras if camera.ring}

    def _end_details(self) -> dict[str, Any]:
        granted = self._machine.report(self.engine)
        self.timing = timing_lines(granted["measures"])
        details = {"clocks": self._clocks(), "granted": granted, "warnings": self._warnings}
        if self._lines.firmware:
            details["firmware"] = self._lines.clocks()
        if self._streams:
            details["streams"] = {stream.name: stream.report() for stream in self._streams}
        return {"counts": self.snapshot(), **details}

    def _say_end(self, error: str | None) -> None:
        assert self._folder is not None
        trace = self._protocol.traceback if self._protocol is not None else ""
        for line in (trace, f"error: {error}" if error else "", f"ended: {self._ended}"):
            self._folder.say(line) if line else None
        for camera in self._cameras:
            self._say_transport(camera)

    def _say_transport(self, camera: CameraSource) -> None:
        """What its transport counted, and how often it was gone."""
        assert self._folder is not None
        if camera.driver is not None and (counted := camera.driver.statistics):
            self._folder.say(f"camera {camera.name}: {counted}")
        if camera.ring is not None and (lost := camera.ring.counts()["times_lost"]):
            times = "once" if lost == 1 else f"{lost} times"
            self._warn(f"camera '{camera.name}' was gone {times}; outputs were safe meanwhile")

    def _warn(self, text: str) -> None:
        if text in self._warnings:
            return
        self._warnings.append(text)
        if self._folder is not None:
            self._folder.say(f"warning: {text}")

    def _next_sample(self, camera: int) -> tuple[Any, ...] | None:
        """The next pose; None when the session is over and all were taken."""
        silent = 0
        while silent < SILENT_POLLS:
            self._tick(0.0)
            if self._ended:
                self.engine.end_sources()
            # Asked first: what came until then is in the feed.
            over = bool(self._ended) and self.engine.wait(0.0)
            assert self._tap is not None
            sample = self._tap.next_pose(POLL_MS, camera)
            if sample is not None or over:
                return sample
            silent += bool(self._ended)
        return None

    def _pose_from(self, camera: str, sample: tuple[Any, ...]) -> Pose:
        frame_id, exposure_start_ns, decided_ns, bits, _flags, keypoints = sample
        package = self._networks.by_camera[camera].package
        mine = self.config.rules_of(camera)
        rules = {name: bool(bits >> i & 1) for i, name in enumerate(self.config.rules) if name in mine}
        shape = (package.count_of_individuals, len(package.bodyparts), 3)
        age_ns = decided_ns - exposure_start_ns
        return Pose(keypoints.reshape(shape), package.bodyparts, frame_id, exposure_start_ns, age_ns, rules)

    def _tick(self, wait_ms: float) -> None:
        over = self.engine.wait(wait_ms)
        watch_hosts(self._cameras, self._report)
        self._lines.watch()
        self._machine.look(self._cameras)
        if self.engine.faulted:
            self._ended = "fault"
        elif self._stop_switch is not None and self._stop_switch.thrown:
            self._ended = self._ended or "stopped"
        elif self._ended:
            return
        elif over:
            self._ended = "finished"
        elif self.engine.protocol_finished:
            self._ended = "protocol"
        elif self.config.session.duration_s and self.elapsed_s >= self.config.session.duration_s:
            self._ended = "duration"

    def _report(self, kind: HostFault, text: str) -> None:
        """Take in what befell a process: a fault, or a warning where the config says so."""
        goes_on = self.config.record.on_error == "continue"
        if kind == "RecordLoss" or (kind == "RecordError" and goes_on):
            self._warn(text)
        elif self._engine is not None:
            self._engine.post_fault(kind, text)

    def _raise_if_fault(self) -> None:
        if self._ended != "fault":
            return
        self._tear_down_engine()
        if (fault := self._fault()) is not None:
            raise fault

    def _fault(self) -> FastposeError | None:
        """The first fault as its typed error."""
        try:
            self.engine.rethrow()
        except FastposeError as error:
            error.__cause__ = self._protocol.error if self._protocol is not None else None
            return error
        return None

    def _tear_down_engine(self) -> None:
        self._lines.close() if self._engine is None else self._engine.stop()
        if self._protocol is not None:
            self._protocol.join()
            self._note_protocol(self._protocol)
        if self._tap is not None:
            self._tap.close()
            self._note_streams()

    def _tear_down(self) -> None:
        """Outputs first; then threads, then the processes, which finish their files."""
        self._tear_down_engine()
        if self._disk is not None:
            self._disk.stop()
        if self._eye is not None:
            self._eye.close()
        self._lines.close()
        end_hosts(self._cameras, self._report)

    def _let_go(self) -> None:
        """Give the shared memory back now, however long somebody keeps this rig."""
        self._engine = self._protocol = self._stop_switch = self._tap = None
        for camera in self._cameras:
            camera.ring = camera.driver = None

    def _note_streams(self) -> None:
        for stream in self._streams:
            if stream.error:
                self._warn(f"stream '{stream.name}' ended: {stream.error}; the loop lost nothing")
            elif stream.lost:
                self._warn(f"stream '{stream.name}' was too slow: {stream.lost} poses were left out of it")

    def _note_protocol(self, protocol: ProtocolHost) -> None:
        dropped = self.engine.snapshot()["feed_dropped"] + protocol.undelivered
        told = [*protocol.complaints]
        if dropped:
            told.append(
                f"{protocol.name} was too slow: it did not get {dropped} poses; the loop lost nothing"
            )
        for line in told:
            self._warn(line)
