"""Tests of driver realsense on librealsense's software device: streams, stamps, counters, a pulled cable."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fake_ring import FakeRing
from fastpose import drivers
from fastpose.config import RealSenseCamera
from fastpose.drivers import DriverAbsent
from fastpose.errors import CameraDisconnected, CameraError
from fastpose.hosts.common import FRAME_CLOCK_UNFITTED, FRAME_COUNTER_RESET
from fastpose.hosts.realsense_options import RealSenseOptions, StreamChoice
from rigs import run_here

pytest.importorskip("pyrealsense2", reason="pyrealsense2 is not installed")
pytest.importorskip("fastpose._core", reason="the engine is not built")

from fastpose.hosts import realsense, realsense_device
from fastpose.hosts.realsense import RealSensePlayer
from fastpose.hosts.realsense_device import EMULATED_ENV, choose_profile, find_device
from fastpose.hosts.realsense_emulator import EmulatedDevice
from fastpose.hosts.realsense_frames import CameraMicroseconds, DepthScale

WIDTH, HEIGHT, RATE_HZ = 640, 480, 90
GREY = StreamChoice(stream="infrared", index=1, size=(WIDTH, HEIGHT), rate_hz=RATE_HZ, pixel_format="mono8")


@pytest.fixture
def device() -> EmulatedDevice:
    return EmulatedDevice()


def play(
    ring: FakeRing, device: EmulatedDevice, frames: int, choice: StreamChoice = GREY, **options: Any
) -> str:
    """Play until so many frames are published."""

    def find(_serial: str) -> EmulatedDevice:
        if not device.connected:
            raise CameraError("not there")
        return device

    player = RealSensePlayer(ring, RealSenseOptions("fake", "top", choice, **options), find=find)
    seen = ring.on_publish

    def count(ring: FakeRing) -> None:
        if seen is not None:
            seen(ring)
        ring.stop_requested = len(ring.published) >= frames

    ring.on_publish = count
    return player.play()


@pytest.fixture
def ring() -> FakeRing:
    return FakeRing(WIDTH, HEIGHT)


@pytest.mark.parametrize(
    ("stream", "pixel_format", "channels"),
    [("infrared", "mono8", 1), ("color", "rgb8", 3), ("color", "bgr8", 3), ("color", "yuyv", 2)],
)
def test_pixels_are_those_of_the_camera(
    stream: str, pixel_format: str, channels: int, device: EmulatedDevice
) -> None:
    ring = FakeRing(WIDTH, HEIGHT, pixel_format)
    play(ring, device, 5, StreamChoice("", stream, 0, (WIDTH, HEIGHT), RATE_HZ, pixel_format))
    for frame in ring.published:
        row = np.frombuffer(frame.pixels, np.uint8).reshape(HEIGHT, WIDTH, channels)
        number = int(row[0, 0, 0])
        ramp = (np.arange(WIDTH) + number) % 256
        assert (row == ramp[np.newaxis, :, np.newaxis]).all()
    numbers = [frame.pixels[0] for frame in ring.published]
    assert {frame.camera_counter - number for frame, number in zip(ring.published, numbers, strict=True)} == {
        -numbers[0]
    }


def test_depth_as_grey(ring: FakeRing, device: EmulatedDevice) -> None:
    choice = StreamChoice("", "depth", 0, (WIDTH, HEIGHT), RATE_HZ, "mono8")
    play(ring, device, 3, choice, depth_range_mm=(600.0, 900.0))
    row = np.frombuffer(ring.published[0].pixels, np.uint8)[:WIDTH].astype(int)
    assert row[0] == 255 and row[-1] == 1  # nearer and farther than the range
    inside = row[(row > 1) & (row < 255)]
    assert len(inside) == pytest.approx(300, abs=3) and (np.diff(inside) <= 0).all()


def test_depth_scale_is_that_of_the_formula() -> None:
    scale = DepthScale(0.5, (300.0, 1200.0))
    depth = np.array([[0, 1, 600, 1500, 2400, 65535]], np.uint16)
    out = np.empty_like(depth, dtype=np.uint8)
    scale.apply(depth, out)
    assert out.tolist() == [[0, 255, 255, 128, 1, 1]]


def test_exposures_lie_where_the_emulator_made_them(ring: FakeRing, device: EmulatedDevice) -> None:
    """Although the camera's clock runs fast, began at another time and wraps within the test."""
    host_us = time.monotonic_ns() / 1000
    device._clock_offset_us = 2**32 - host_us % 2**32 - 300_000  # wraps 0.3 s from now
    summary = play(ring, device, 60)
    starts = np.array([frame.exposure_start_ns for frame in ring.published])
    steps = np.diff([frame.camera_counter for frame in ring.published])
    assert np.abs(np.diff(starts) - steps * 1e9 / RATE_HZ).max() < 1_000_000
    ages_ms = [(frame.received_ns - frame.exposure_start_ns) / 1e6 for frame in ring.published]
    assert min(ages_ms) >= 3.9  # no frame arrives before its exposure of 4 ms is over
    assert np.median(ages_ms) < 100
    assert not any(frame.flags for frame in ring.published)
    assert all(frame.exposure_error_ns > 0 for frame in ring.published)
    stamps = np.diff([frame.camera_timestamp_ns for frame in ring.published])
    assert np.abs(stamps - steps * 1e9 / RATE_HZ).max() < 10_000
    assert "clock of the camera" in summary


def test_a_clock_that_cannot_be_read_is_said(ring: FakeRing, device: EmulatedDevice) -> None:
    device.latches = False
    summary = play(ring, device, 5)
    assert all(frame.flags & FRAME_CLOCK_UNFITTED for frame in ring.published)
    assert all(frame.exposure_error_ns == 0 for frame in ring.published)
    assert "age of frames unknown: the camera's clock cannot be read" in summary


def test_lost_frames_are_gaps_of_the_counter(ring: FakeRing, device: EmulatedDevice) -> None:
    device.skip = {6, 7}
    summary = play(ring, device, 12)
    numbers = [frame.pixels[0] for frame in ring.published]
    assert not device.skip & set(numbers) and numbers[-1] > 7
    assert np.diff([frame.camera_counter for frame in ring.published]).tolist() == np.diff(numbers).tolist()
    assert "that the camera counted never came" in summary


def test_a_cable_that_is_pulled_and_put_back(ring: FakeRing, device: EmulatedDevice) -> None:
    def pull(ring: FakeRing) -> None:
        if len(ring.published) == 10:
            device.unplug()
            device.frame_number = -1  # counts anew
            threading.Timer(0.3, device.plug_in).start()

    ring.on_publish = pull
    summary = play(ring, device, 20, reconnect=True)
    counters = [frame.camera_counter for frame in ring.published]
    assert (np.diff(counters) >= 1).all()
    assert [bool(f.flags & FRAME_COUNTER_RESET) for f in ring.published].count(True) == 1
    assert [state for state, _ in ring.states] == ["lost", "ready"]
    assert "no longer connected" in ring.states[0][1] and "1 interruptions" in summary


def test_a_camera_that_is_gone_ends_the_session(ring: FakeRing, device: EmulatedDevice) -> None:
    ring.on_publish = lambda _: device.unplug()
    with pytest.raises(CameraDisconnected, match=r"no longer connected; with reconnect: true"):
        play(ring, device, 20)


def test_a_camera_that_says_nothing_is_lost(
    ring: FakeRing, device: EmulatedDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(realsense, "SILENCE_S", 0.3)

    def fall_silent(_ring: FakeRing) -> None:
        device.silent = True

    ring.on_publish = fall_silent
    with pytest.raises(CameraDisconnected, match=r"sent nothing for 0.3 s"):
        play(ring, device, 20)


def test_settings_are_made_and_said(
    ring: FakeRing, device: EmulatedDevice, capsys: pytest.CaptureFixture[str]
) -> None:
    play(ring, device, 1, exposure_us=5000.0, settings={"exposure": 3000.0})
    said = capsys.readouterr().err
    assert "exposure: 3000" in said and "exposure_us: 5000" in said
    profile = choose_profile(device, GREY)
    assert device.set(profile, "exposure", 7000) == 7000
    colour = choose_profile(device, StreamChoice())
    assert device.set_exposure_us(colour, 5000.0) == 5000.0  # of 100 us each
    with pytest.raises(CameraError, match=r"no option 'nothing'; allowed: .*exposure"):
        device.set(profile, "nothing", 1)
    with pytest.raises(CameraError, match=r"'exposure' .* is 0; allowed: 1 to 165000"):
        device.set(profile, "exposure", 0)


def test_choice_of_stream_and_camera(device: EmulatedDevice) -> None:
    best = choose_profile(device, StreamChoice(stream="color"))
    assert (best.width, best.height, best.rate_hz, best.format) == (848, 480, 90, "rgb8")
    right = choose_profile(device, StreamChoice(stream="infrared", index=2, pixel_format="mono8"))
    assert right.index == 2
    with pytest.raises(CameraError, match=r"color as rgb8, 1x1 at any rate; allowed: 640x480 at 30,"):
        choose_profile(device, StreamChoice(size=(1, 1)))
    two = [EmulatedDevice(0), EmulatedDevice(1)]
    assert find_device("EMULATED-1", lambda: two) is two[1]
    with pytest.raises(CameraError, match=r"2 RealSense cameras .* one of: EMULATED-0, EMULATED-1"):
        find_device("", lambda: two)
    with pytest.raises(CameraError, match=r"no RealSense camera with serial '7' .* there: EMULATED-0"):
        find_device("7", lambda: two)
    with pytest.raises(CameraError, match=r"no RealSense camera is connected; there: none"):
        find_device("", list)


def test_microseconds_go_on_when_the_counter_wraps() -> None:
    counter = CameraMicroseconds()
    begin = 2**32 - 10
    assert [counter.ns(us) for us in (begin, begin + 5, 3, 1, 100)] == [
        us * 1000 for us in (begin, begin + 5, 2**32 + 3, 2**32 + 1, 2**32 + 100)
    ]


# --- the driver, and whole sessions with the process ---


@pytest.fixture
def emulated(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., RealSenseCamera]]:
    monkeypatch.setenv(EMULATED_ENV, "1")
    yield lambda **values: RealSenseCamera(driver="realsense", **values)


def test_found(emulated: Callable[..., RealSenseCamera]) -> None:
    rows = drivers.driver_of("realsense").found()
    assert [(row.serial, row.name.split("stream: ")[1], row.formats) for row in rows] == [
        ("EMULATED-0", "color", ("bgr8", "rgb8", "yuyv")),
        ("EMULATED-0", "depth", ("mono8",)),
        ("EMULATED-0", "infrared", ("mono8",)),
    ]
    assert rows[0].size == (848, 480) and rows[0].rates_hz == (30.0, 60.0, 90.0)


def test_look(emulated: Callable[..., RealSenseCamera]) -> None:
    driver = drivers.driver_of("realsense")
    look = driver.look(emulated(size=(640, 480)))
    assert str(look) == "Emulated RealSense EMULATED-0, color, 640x480 px, 90 Hz" and look.channels == 3
    source = driver.open_source("top", emulated(stream="infrared", imager=2, rate_hz=60))
    assert (source.pixel_format, source.rate_hz, source.frame_size) == ("mono8", 60.0, (848, 480))


def test_without_the_sdk(monkeypatch: pytest.MonkeyPatch, emulated: Callable[..., RealSenseCamera]) -> None:
    def missing() -> Any:
        raise ImportError("driver 'realsense' needs pyrealsense2; pip install 'fastpose-rig[realsense]'")

    monkeypatch.setattr(realsense_device, "library", missing)
    with pytest.raises(DriverAbsent, match=r"fastpose-rig\[realsense\]"):
        drivers.driver_of("realsense").found()
    with pytest.raises(DriverAbsent, match=r"fastpose-rig\[realsense\]"):
        drivers.driver_of("realsense").look(emulated())


def test_a_session(tmp_path: Path, emulated: Callable[..., RealSenseCamera]) -> None:
    camera = {
        "driver": "realsense",
        "stream": "infrared",
        "size": [WIDTH, HEIGHT],
        "rate_hz": 60,
        "exposure_us": 4000,
    }
    session = run_here(tmp_path, {"cameras.top": camera, "session.duration_s": 2})
    frames = session.frames
    assert session.json["ended"] == "duration" and len(frames) > 60
    assert frames["processed"].any() and not frames["clock_unfitted"].any()
    ages_ms = (frames["received_ns"] - frames["exposure_start_ns"]) / 1e6
    assert ages_ms.min() >= 3.9
    assert "exposure_us: 4000" in (session.folder / "log" / "camera_top.txt").read_text()
