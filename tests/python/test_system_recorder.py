"""The recorder in whole sessions: every pixel, every frame, and whatever happens to it, the loop goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import av
import numpy as np
import psutil
import pytest

from fastpose import Rig
from fastpose.assembly import hosts as assembly_hosts
from fastpose.config import PixelFormat
from fastpose.errors import RecordError
from fastpose.session.finalise import finalise
from fastpose.session.log import read_log
from fastpose.session.recorded import recorded_frames
from fastpose.sim import Simulation
from rigs import HEIGHT, WIDTH, Process, Session, recover, run_here, run_process, video_frames, write_rig

SIZE = (WIDTH, HEIGHT)
CODECS = ("libx264", "ffv1", "raw")
FAST = {"cameras.top.frames": "newest", "cameras.top.prerender_frames": 16}
TOO_FAST = {  # for the network on one thread
    "cameras.top": {
        "driver": "sim",
        "size": [320, 240],
        "rate_hz": 1000,
        "exposure_us": 500,
        "frames_total": 600,
        "prerender_frames": 20,
    },
    "model": {"path": "builtin:simulated_mouse", "threads": 1},
    "zones": {},
    "rules": {},
    "protocol": {"type": "none"},
}
CONTINUE = {"record.on_error": "continue"}


def as_rendered(pixel_format: str = "mono8", **fields: Any) -> Simulation:
    """What the simulated camera of a small rig sees."""
    return Simulation(size=SIZE, rate_hz=200.0, exposure_us=1000.0, pixel_format=pixel_format, **fields)


def equals_camera(folder: Path, simulation: Simulation, frames: Any) -> int:
    """Compare each frame of the video with the camera's, by the ids of frames.parquet; returns how many."""
    recorded = frames[frames["recorded"]].sort_values("video_frame")
    assert recorded["frame_id"].is_monotonic_increasing
    count = 0
    video = recorded_frames(folder / "video_top.mkv")
    for counter, pixels in zip(recorded["camera_counter"], video, strict=True):
        expected, _ = simulation.render(int(counter))
        assert pixels.dtype == expected.dtype
        np.testing.assert_array_equal(pixels, expected)
        count += 1
    return count


@pytest.mark.parametrize("pixel_format", get_args(PixelFormat))
def test_ffv1_holds_the_pixels_of_the_camera(tmp_path: Path, pixel_format: str) -> None:
    changes = {"cameras.top.pixel_format": pixel_format, "cameras.top.frames_total": 30}
    session = run_here(tmp_path, changes)
    assert equals_camera(session.folder, as_rendered(pixel_format), session.frames) == 30
    told = session.json["counts"]["cameras"]["top"]["recording"]
    assert (told["codec"], told["exact"], told["compared_frames"]) == ("ffv1", True, 4)


@pytest.mark.parametrize("pixel_format", ["mono8", "bayer_gr8", "rgb8", "bgr8", "yuyv", "nv12"])
def test_raw_holds_the_pixels_of_the_camera(tmp_path: Path, pixel_format: str) -> None:
    changes = {"cameras.top.pixel_format": pixel_format, "cameras.top.frames_total": 30}
    session = run_here(tmp_path, {**changes, "record.video.codec": "raw"})
    assert equals_camera(session.folder, as_rendered(pixel_format), session.frames) == 30
    assert session.json["counts"]["cameras"]["top"]["recording"]["exact"] is True


@pytest.mark.parametrize("pixel_format", ["mono8", "mono10", "rgb8"])
def test_libx264_says_its_psnr(tmp_path: Path, pixel_format: str) -> None:
    changes = {"cameras.top.pixel_format": pixel_format, "cameras.top.frames_total": 30}
    session = run_here(tmp_path, {**changes, "record.video": {"codec": "libx264"}})
    simulation, white = as_rendered(pixel_format), 1023 if pixel_format == "mono10" else 255
    video = recorded_frames(session.folder / "video_top.mkv")
    squares = [
        np.square(pixels.astype(float) - simulation.render(index)[0]).mean()
        for index, pixels in zip(range(4), video, strict=False)
    ]
    expected = 10 * np.log10(white**2 / np.mean(squares))
    told = session.json["counts"]["cameras"]["top"]["recording"]
    assert told["psnr_db"] == pytest.approx(expected, abs=0.01)
    assert 25 < told["psnr_db"] < 70
    assert session.summary is not None
    assert session.summary.video == [f"top: 30 in the video (libx264, PSNR {expected:.1f} dB, 4 compared)"]


def test_a_codec_that_cannot_take_the_frames_is_refused_before_the_start(tmp_path: Path) -> None:
    changes = {"cameras.top.pixel_format": "mono12", "record.video": {"codec": "libx264"}}
    ended = run_process(write_rig(tmp_path, changes))
    assert ended.code == 2
    assert "record.video.codec: top: " in ended.complaint
    assert ended.complaint.endswith("'libx264' takes no mono12 frames of 160 x 120; use ffv1 or libx265")
    assert not (tmp_path / "sessions").exists()


def test_frames_that_the_loop_skipped_are_recorded_all_the_same(tmp_path: Path) -> None:
    session = run_here(tmp_path, {**TOO_FAST, "record.video": {"codec": "raw"}})
    frames = session.frames
    skipped = frames[frames["drop_reason"] == "ring"]
    assert len(skipped) > 0 and skipped["recorded"].all()
    assert frames.loc[frames["frame_id"].notna(), "recorded"].all()
    simulation = Simulation(size=(320, 240), rate_hz=1000, exposure_us=500, prerender_frames=20)
    assert equals_camera(session.folder, simulation, frames) == len(frames["frame_id"].dropna())


HALF_A_SECOND = 100  # frames


def logged(folder: Path) -> int:
    """Frames that the encoder has given to the file."""
    path = folder / "log" / "video_top.fplog"
    return len(read_log(path).records) if path.exists() else 0


def playable(path: Path) -> int:
    """Frames of a file that was cut off, as any player sees them."""
    count = 0
    with av.open(str(path)) as container:
        try:
            for _ in container.decode(video=0):
                count += 1
        except av.error.FFmpegError:
            pass
    return count


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("victim", ["encoder", "everything"])
def test_what_was_recorded_plays_after_a_kill(tmp_path: Path, codec: str, victim: str) -> None:
    changes = {**FAST, **CONTINUE, "cameras.top.frames_total": None, "record.video": {"codec": codec}}
    with Process(write_rig(tmp_path, changes)) as process:
        folder = process.wait_for_frames(20)
        video = folder / "video_top.mkv"
        encoder = process.host("encoder")
        process.wait_for(lambda: logged(folder) > 300)  # 1.5 s
        encoder.suspend()  # from here on it writes nothing, so that the copy below is what a kill leaves
        process.wait_for(lambda: encoder.status() == psutil.STATUS_STOPPED)
        at_least = logged(folder) - HALF_A_SECOND
        left = tmp_path / "left.mkv"
        left.write_bytes(video.read_bytes())
        if victim == "everything":
            process.kill()
            encoder.kill()
            encoder.wait()
        else:
            encoder.kill()
            process.wait_for(lambda: "ended with code -9" in (folder / "log.txt").read_text())
            process.signal(signal.SIGINT)
            assert process.end().code == 0
    assert playable(left) >= at_least
    if victim == "everything":
        done = recover(folder)
        assert done.returncode == 0, done.stderr
    session = Session(folder)
    frames = session.frames
    assert video_frames(video) == frames["recorded"].sum() >= at_least
    if codec != "libx264":
        simulation = as_rendered(prerender_frames=16)
        assert equals_camera(folder, simulation, frames) == video_frames(video)
    lost = frames[frames["frame_id"].notna() & ~frames["recorded"]]
    assert lost["drop_reason"].isin(["recorder", "ring"]).all()


def test_a_disk_that_fills_up_takes_the_video_but_not_the_session(tmp_path: Path, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    changes = {**FAST, **CONTINUE, "session.directory": str(small_disk), "record.video": {"codec": "raw"}}
    session = run_here(tmp_path, {**changes, "cameras.top.frames_total": 800})
    told = session.json
    assert told["ended"] == "finished"
    (warning,) = [line for line in told["warnings"] if "No space left on device" in line]
    assert "kept for the session's log" in warning
    frames = session.frames
    assert frames["frame_id"].notna().sum() + (frames["drop_reason"] == "camera").sum() == 800
    recorded = frames["recorded"].sum()
    assert 0 < recorded == video_frames(session.folder / "video_top.mkv") < 800
    lost = frames[frames["frame_id"].notna() & ~frames["recorded"]]
    assert lost["drop_reason"].isin(["recorder", "ring"]).all()
    assert equals_camera(session.folder, as_rendered(prerender_frames=16), frames) == recorded


AT_100_HZ = Simulation(size=SIZE, rate_hz=100, exposure_us=1000, prerender_frames=16)


class SlowDisk(threading.Thread):
    """A pipe in place of the video's file: what is written is taken at a pace, as a slow disk does."""

    def __init__(self, path: Path, bytes_per_s: float) -> None:
        super().__init__(daemon=True)
        self._path, self._bytes_per_s = path, bytes_per_s
        self.content = bytearray()
        path.unlink()
        os.mkfifo(path)

    def run(self) -> None:
        with self._path.open("rb", buffering=0) as pipe:
            while chunk := pipe.read(16_384):
                self.content += chunk
                if self._bytes_per_s:
                    time.sleep(len(chunk) / self._bytes_per_s)

    def recover(self) -> None:
        """The disk as fast as memory from now on."""
        self._bytes_per_s = 0


def slow_session(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    on_tick: Callable[[Rig, SlowDisk], None],
) -> tuple[Rig, Session]:
    """A session of 1.9 MB/s onto a disk that takes 0.5 MB/s."""
    all_changes = {**FAST, "cameras.top.rate_hz": 100, "record.video": {"codec": "raw"}, **changes}
    disks: list[SlowDisk] = []

    def finish(folder: Path) -> Any:
        disks[0].join()
        (folder / "video_top.mkv").unlink()
        (folder / "video_top.mkv").write_bytes(disks[0].content)
        return finalise(folder)

    monkeypatch.setattr("fastpose.rig.finalise", finish)
    rig = Rig(write_rig(tmp_path, all_changes))
    try:
        with rig:
            disks.append(SlowDisk(rig.directory / "video_top.mkv", 500e3))
            disks[0].start()
            rig.run(lambda running: on_tick(running, disks[0]))
    except RecordError as error:
        rig.stop(str(error))
    return rig, Session(rig.directory)


def test_a_disk_that_is_slow_for_a_while_costs_no_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three seconds at a quarter of what is written: 220 frames wait, 60 have room in the ring."""
    most = 0

    def tick(rig: Rig, disk: SlowDisk) -> None:
        nonlocal most
        (camera,) = rig.cameras
        assert camera.ring is not None
        most = max(most, camera.ring.counts()["recorder_queue"])
        if rig.elapsed_s > 3:
            disk.recover()

    changes = {"cameras.top.frames_total": 400}
    rig, session = slow_session(tmp_path, monkeypatch, changes, tick)
    assert rig.ended == "finished" and rig.warnings == []
    frames = session.frames
    assert most > 64
    received = frames["frame_id"].notna()
    assert frames.loc[received, "recorded"].all() and received.sum() > 350
    assert equals_camera(session.folder, AT_100_HZ, frames)
    assert session.json["counts"]["cameras"]["top"]["recording"]["most_frames_waiting"] > 50


@pytest.mark.parametrize("on_error", ["continue", "stop"])
def test_a_disk_that_stays_slow_is_flagged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_error: str
) -> None:
    changes = {
        "cameras.top.frames_total": 400,
        "record.queue_mib": 0,
        "cameras.top.ring_slots": 16,
        "record.on_error": on_error,
    }

    def tick(rig: Rig, disk: SlowDisk) -> None:
        if rig.elapsed_s > 3:
            disk.recover()

    rig, session = slow_session(tmp_path, monkeypatch, changes, tick)
    told, frames = session.json, session.frames
    text = "the recorder of camera 'top' is too slow, frames are lost to the video"
    if on_error == "continue":
        assert told["ended"] == "finished" and any(line.startswith(text) for line in told["warnings"])
        assert frames["processed"].sum() > 300
    else:
        assert told["ended"] == "fault" and told["error"].startswith(text)
        assert frames["processed"].sum() < 390
    lost = frames["drop_reason"] == "recorder"
    assert lost.sum() > 0 and not frames.loc[lost, "recorded"].any()
    assert told["counts"]["cameras"]["top"]["drops"]["recorder"] == lost.sum()
    assert equals_camera(session.folder, AT_100_HZ, frames)
    assert rig.summary is not None


@pytest.mark.parametrize("frames", ["newest", "every"])
def test_an_encoder_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frames: str) -> None:
    """Stopped as a debugger or a dead disk stops it: flagged; a source that waits for it is set free."""
    monkeypatch.setattr(assembly_hosts, "STALL_S", 0.5)
    monkeypatch.setattr(assembly_hosts, "ENCODER_TIMEOUT_S", 1.0)
    changes = {**FAST, **CONTINUE, "cameras.top.frames": frames, "cameras.top.frames_total": 500}
    stopped = False

    def stop(rig: Rig) -> None:
        nonlocal stopped
        encoder = rig.cameras[0].encoder
        ring = rig.cameras[0].ring
        if not stopped and encoder is not None and ring is not None and ring.counts()["recorded"] > 150:
            os.kill(encoder.pid, signal.SIGSTOP)
            stopped = True

    with Rig(write_rig(tmp_path, {**changes, "record.queue_mib": 0})) as rig:
        rig.run(stop)
    session = Session(rig.directory)
    assert stopped and session.json["ended"] == "finished"
    assert any("has not recorded a frame for 0.5 s" in line for line in rig.warnings)
    table = session.frames
    assert table["processed"].sum() + (table["drop_reason"].isin(["ring", "camera"])).sum() >= 500
    assert 0 < table["recorded"].sum() < 500
    if frames == "every":
        assert table["processed"].sum() == 500


@pytest.mark.parametrize("pixel_format", ["bayer_rg8", "mono12", "yuyv"])
def test_a_labelled_copy_on_request(tmp_path: Path, pixel_format: str) -> None:
    """The animal as eyes see it, keypoints on it; the recording stays as it is."""
    session = run_here(tmp_path, {"cameras.top.pixel_format": pixel_format, "cameras.top.frames_total": 20})
    before = (session.folder / "video_top.mkv").read_bytes()
    made = subprocess.run(
        [sys.executable, "-m", "fastpose", "export", str(session.folder), "--labelled-video"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (made.returncode, made.stdout.strip()) == (0, str(session.folder / "labelled_top.mp4")), (
        made.stderr
    )
    assert (session.folder / "video_top.mkv").read_bytes() == before
    rgb, _ = as_rendered("mono8" if pixel_format == "mono12" else "rgb8").render(0)
    with av.open(str(session.folder / "labelled_top.mp4")) as container:
        first = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(float)
    seen = first if rgb.ndim == 3 else first.mean(axis=2)
    difference = np.abs(seen - rgb)[60:, 80:]  # beyond the text
    assert np.median(difference) < 8
