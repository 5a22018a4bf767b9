"""Tests of the hosted processes over the real ring: nothing lost on the way, and every kind of end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from fastpose.errors import CameraError, RecordError
from fastpose.hosts import Host, spawn_encoder, spawn_video_host
from fastpose.hosts.pixels import plane
from fastpose.session.log import read_log
from make_videos import damage, frame_number, grey_frame, make_video, text_file

core = pytest.importorskip("fastpose._core", reason="the engine is not built")

WIDTH, HEIGHT = 320, 240
PATIENCE_S = 30.0

MakeRing = Callable[..., Any]


@pytest.fixture
def make_ring() -> Iterator[MakeRing]:
    rings: list[Any] = []

    def make(**spec: Any) -> Any:
        name = f"fastpose-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        ring = core.Ring.create(name, **({"width": WIDTH, "height": HEIGHT, "frames": "every"} | spec))
        rings.append(ring)
        return ring

    yield make
    for ring in rings:
        ring.request_stop()


@pytest.fixture
def hosts() -> Iterator[list[Host]]:
    started: list[Host] = []
    yield started
    for host in started:
        host.stop()


def encoder(ring: Any, folder: Path, hosts: list[Host], **more: Any) -> Host:
    host = spawn_encoder(
        ring.name,
        folder / "video_top.mkv",
        log_path=folder / "video_top.fplog",
        camera="top",
        stderr_path=folder / "encoder.txt",
        rate_hz=200.0,
        **more,
    )
    hosts.append(host)
    return host


def player(ring: Any, path: Path, folder: Path, hosts: list[Host], **more: Any) -> Host:
    host = spawn_video_host(ring.name, path, stderr_path=folder / "player.txt", **more)
    hosts.append(host)
    return host


def take_all(ring: Any) -> list[np.ndarray]:
    """Every frame that the loop gets, until the producer ends."""
    frames = []
    while not ring.loop_drained:
        slot = ring.take(1000.0)
        if slot >= 0:
            frames.append(np.frombuffer(ring.memory(slot), np.uint8).reshape(HEIGHT, WIDTH).copy())
            ring.release(slot)
    return frames


def publish(ring: Any, index: int, pixels: np.ndarray) -> None:
    slot = ring.acquire(5000.0)
    np.frombuffer(ring.memory(slot), np.uint8)[:] = pixels.ravel()
    ring.publish(
        slot,
        camera_counter=index,
        camera_timestamp_ns=0,
        exposure_start_ns=1_000_000_000 + index * 5_000_000,
        received_ns=core.now_ns(),
    )


def recorded(folder: Path) -> tuple[list[av.VideoFrame], list[int]]:
    log = read_log(folder / "video_top.fplog")
    with av.open(str(folder / "video_top.mkv")) as container:
        return list(container.decode(video=0)), log.records["frame_id"].tolist()


def test_every_frame_reaches_the_file(tmp_path: Path, make_ring: MakeRing, hosts: list[Host]) -> None:
    ring = make_ring(loop=False)
    host = encoder(ring, tmp_path, hosts, codec="ffv1")
    host.wait_ready(PATIENCE_S)
    assert ring.recorder_state == "ready"
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (100, HEIGHT, WIDTH), dtype=np.uint8)
    ring.start()
    for index, frame in enumerate(frames):
        publish(ring, index, frame)
    ring.set_producer_state("finished")
    assert host.wait(PATIENCE_S)
    assert (host.returncode, host.state, ring.recorder_state) == (0, "finished", "finished")
    got, ids = recorded(tmp_path)
    assert ids == list(range(100))
    for frame, expected in zip(got, frames, strict=True):
        assert np.array_equal(plane(frame)[:, :WIDTH], expected)
    assert ring.counts()["not_recorded"] == 0


def test_a_video_through_the_ring_into_a_video(
    tmp_path: Path, make_ring: MakeRing, hosts: list[Host]
) -> None:
    path = make_video(tmp_path / "a.mp4", codec="mjpeg", pix_fmt="yuvj420p", frames=150)
    damage(path, [33, 34])
    ring = make_ring()
    recorder = encoder(ring, tmp_path, hosts)
    camera = player(ring, path, tmp_path, hosts, pace="max")
    camera.wait_ready(PATIENCE_S)
    recorder.wait_ready(PATIENCE_S)
    assert ring.counts()["published"] == 0  # not before the engine says so
    ring.start()
    frames = take_all(ring)
    assert [frame_number(frame) if frame.any() else None for frame in frames] == [
        None if i in (33, 34) else i for i in range(150)
    ]
    assert camera.wait(PATIENCE_S) and recorder.wait(PATIENCE_S)
    assert (camera.returncode, recorder.returncode) == (0, 0)
    assert "2 unreadable" in camera.text and camera.text == ring.producer_text
    got, ids = recorded(tmp_path)
    assert len(got) == 150 and ids == list(range(150))


def test_newest_frame_wins_and_all_are_recorded(
    tmp_path: Path, make_ring: MakeRing, hosts: list[Host]
) -> None:
    path = make_video(tmp_path / "a.mp4", frames=60)
    ring = make_ring(frames="newest", slots=100)
    recorder = encoder(ring, tmp_path, hosts)
    camera = player(ring, path, tmp_path, hosts, rate_hz=500.0)
    camera.wait_ready(PATIENCE_S)
    recorder.wait_ready(PATIENCE_S)
    ring.start()
    assert camera.wait(PATIENCE_S) and recorder.wait(PATIENCE_S)  # nobody takes frames for the loop
    assert ring.counts()["superseded"] == 59
    assert [frame_number(frame) for frame in take_all(ring)] == [59]
    got, ids = recorded(tmp_path)
    assert ids == list(range(60))
    assert [round(frame.time * 1000) for frame in got] == [i * 2 for i in range(60)]  # due times, not luck


def test_no_video_fails_with_its_reason(tmp_path: Path, make_ring: MakeRing, hosts: list[Host]) -> None:
    ring = make_ring()
    camera = player(ring, text_file(tmp_path / "a.mp4"), tmp_path, hosts)
    with pytest.raises(CameraError, match="is no video that FFmpeg can read"):
        camera.wait_ready(PATIENCE_S)
    assert camera.wait(PATIENCE_S) and camera.returncode == 2
    assert ring.producer_state == "failed"
    assert "is no video that FFmpeg can read" in ring.producer_text


def test_no_ring_fails_with_its_reason(tmp_path: Path, hosts: list[Host]) -> None:
    host = spawn_encoder(
        "fastpose-test-absent",
        tmp_path / "a.mkv",
        log_path=tmp_path / "a.fplog",
        camera="top",
        stderr_path=tmp_path / "e.txt",
    )
    hosts.append(host)
    with pytest.raises(RecordError, match="fastpose-test-absent"):
        host.wait_ready(PATIENCE_S)


def test_a_host_that_dies_says_where_to_look(tmp_path: Path, hosts: list[Host]) -> None:
    host = Host("fastpose.hosts.no_such_host", {}, stderr_path=tmp_path / "e.txt", error=CameraError)
    hosts.append(host)
    with pytest.raises(CameraError, match=r"ended with code 1 .*e\.txt"):
        host.wait_ready(PATIENCE_S)
    assert "no_such_host" in (tmp_path / "e.txt").read_text()


def test_stop_ends_both_cleanly(tmp_path: Path, make_ring: MakeRing, hosts: list[Host]) -> None:
    ring = make_ring(frames="newest")
    recorder = encoder(ring, tmp_path, hosts)
    camera = player(ring, make_video(tmp_path / "a.mp4", frames=50), tmp_path, hosts, loop=True)
    camera.wait_ready(PATIENCE_S)
    recorder.wait_ready(PATIENCE_S)
    ring.start()
    while ring.counts()["published"] < 5:
        time.sleep(0.01)
    for host in hosts:
        os.kill(host.pid, signal.SIGINT)  # typed at a terminal that they share: not theirs to obey
    ring.request_stop()
    assert camera.wait(PATIENCE_S) and recorder.wait(PATIENCE_S)
    assert (camera.returncode, recorder.returncode) == (0, 0)
    got, ids = recorded(tmp_path)
    assert len(got) == len(ids) == ring.counts()["published"]


def test_terminate_finishes_the_file(tmp_path: Path, make_ring: MakeRing, hosts: list[Host]) -> None:
    ring = make_ring(loop=False)
    host = encoder(ring, tmp_path, hosts)
    host.wait_ready(PATIENCE_S)
    for index in range(20):
        publish(ring, index, grey_frame(index))
    assert host.stop(PATIENCE_S) == 0
    assert recorded(tmp_path)[1] == list(range(20))


CREATOR = """
import os, sys
from pathlib import Path
from fastpose import _core
from fastpose.hosts import spawn_encoder, spawn_video_host
folder, video, name = Path(sys.argv[1]), sys.argv[2], f"fastpose-{os.getpid()}-test"
ring = _core.Ring.create(name, width=320, height=240, frames="every")
camera = spawn_video_host(name, video, stderr_path=folder / "player.txt", loop=True, rate_hz=200.0)
recorder = spawn_encoder(name, folder / "video_top.mkv", log_path=folder / "video_top.fplog", camera="top",
                         stderr_path=folder / "encoder.txt", rate_hz=200.0)
camera.wait_ready(); recorder.wait_ready()
ring.start()
taken = 0
while True:
    slot = ring.take(1000.0)
    if slot >= 0:
        ring.release(slot)
        taken += 1
        if taken == 100:
            print(camera.pid, recorder.pid, flush=True)
"""


def test_hosts_outlive_a_killed_creator_just_long_enough(tmp_path: Path) -> None:
    """kill -9 of the process that made the ring: the file is finished and nothing keeps running."""
    path = make_video(tmp_path / "a.mp4", frames=50)
    creator = subprocess.Popen(
        [sys.executable, "-c", CREATOR, str(tmp_path), str(path)], stdout=subprocess.PIPE, text=True
    )
    with creator:
        assert creator.stdout is not None
        pids = [int(pid) for pid in creator.stdout.readline().split()]
        creator.kill()
    core.remove_stale_rings()
    assert not Path(f"/dev/shm/fastpose-{creator.pid}-test").exists()
    deadline = time.monotonic() + PATIENCE_S
    while any(is_running(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [is_running(pid) for pid in pids] == [False, False]
    frames, ids = recorded(tmp_path)
    assert len(frames) == len(ids) >= 100
    assert ids == list(range(len(ids)))


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except (OSError, IndexError):
        return False


def test_full_disk(tmp_path: Path, make_ring: MakeRing, hosts: list[Host]) -> None:
    ring = make_ring(loop=False)
    host = encoder(ring, tmp_path, hosts, codec="ffv1")
    host.wait_ready(PATIENCE_S)
    (tmp_path / "video_top.mkv").unlink()
    (tmp_path / "video_top.mkv").symlink_to("/dev/full")
    for index in range(100):  # more than the ring holds: it never blocks
        publish(ring, index, grey_frame(index))
    ring.set_producer_state("finished")
    assert host.wait(PATIENCE_S) and host.returncode == 2
    assert ring.recorder_state == "failed"
    assert "video_top.mkv" in ring.recorder_text and "No space left on device" in ring.recorder_text
