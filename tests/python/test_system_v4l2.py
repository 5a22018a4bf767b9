"""Whole sessions on a V4L2 device that a preloaded library plays; other programs take it for a camera too."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tools import v4l2_preload

from fake_v4l2 import HEIGHT, WIDTH, FakeDevice, pattern
from rigs import Process, Session, run_process, write_rig


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if reason := v4l2_preload.absent():
        pytest.skip(reason)
    return v4l2_preload.build(tmp_path_factory.mktemp("preload"))


@pytest.fixture
def device(library: Path, tmp_path: Path) -> FakeDevice:
    return FakeDevice(library, tmp_path)


def rig(device: FakeDevice, duration_s: float = 1.0, **camera: Any) -> Path:
    changes = {"cameras.top": device.camera(**camera), "session.duration_s": duration_s}
    return write_rig(device.folder, changes)


def play(device: FakeDevice, config: Path, **settings: str | int) -> Session:
    ended = run_process(config, prefix=device.prefix(**settings))
    assert ended.code == 0, ended.stderr
    (folder,) = (device.folder / "sessions").iterdir()
    return Session(folder)


def recorded(session: Session) -> Iterator[npt.NDArray[np.uint8]]:
    """The frames of the video, bit by bit."""
    import av

    with av.open(str(session.folder / "video_top.mkv")) as container:
        for frame in container.decode(video=0):
            plane = np.frombuffer(frame.planes[0], np.uint8).reshape(-1, frame.planes[0].line_size)
            yield plane[: frame.height, : frame.width]


def check_pixels(session: Session) -> None:
    """Each recorded frame is what the device sent under its number."""
    frames = session.frames
    numbers = frames.loc[frames["recorded"]].sort_values("video_frame")["camera_counter"]
    count = 0
    for number, pixels in zip(numbers, recorded(session), strict=True):
        np.testing.assert_array_equal(pixels, pattern(number))
        count += 1
    assert count > 50


def test_every_frame_goes_through_without_a_copy(device: FakeDevice) -> None:
    session = play(device, rig(device))
    frames = session.frames
    counters = frames["camera_counter"].tolist()
    assert counters == list(range(counters[0], counters[0] + len(counters)))
    assert (frames["drop_reason"].isin(["", "ring"])).all()
    assert not frames["clock_unfitted"].any()
    check_pixels(session)
    (counted,) = device.counted
    assert counted["user_memory"] == counted["filled"] >= len(frames)
    assert counted["maps"] == 0
    top = session.json["devices"]["cameras"]["top"]
    assert (top["card"], top["fourcc"], top["user_memory"], top["exposure_us"]) == (
        "Fake Camera",
        "GREY",
        True,
        2000,
    )
    assert top["controls"]["exposure_time_absolute"] == 20


def test_exposure_start_is_what_the_driver_stamped(device: FakeDevice) -> None:
    frames = play(device, rig(device)).frames
    received = frames.loc[frames["frame_id"] >= 0]
    assert (received["exposure_start_ns"] - received["camera_timestamp_ns"]).abs().max() < 20_000
    assert (received["received_ns"] - received["exposure_start_ns"]).min() >= 2_000_000  # of the device


def test_bad_buffers_and_lost_frames_are_rows_with_their_reason(device: FakeDevice) -> None:
    frames = play(device, rig(device), bad_every=10, cut_every=25, lose_every=17).frames
    counters = frames["camera_counter"].tolist()
    assert sorted(counters) == list(range(min(counters), min(counters) + len(counters)))
    exposure = frames["camera_counter"] + 1  # the device counts its exposures from 1
    lost = exposure % 17 == 0
    bad = ~lost & ((exposure % 10 == 0) | (exposure % 25 == 0))
    assert (frames.loc[lost, "drop_reason"] == "camera").all() and lost.sum() > 3
    assert (frames.loc[bad, "drop_reason"] == "transport").all() and bad.sum() > 5
    assert frames.loc[~lost & ~bad, "drop_reason"].isin(["", "ring"]).all()


def test_a_driver_that_takes_no_memory_of_ours_costs_a_copy_that_is_said(device: FakeDevice) -> None:
    session = play(device, rig(device), no_userptr=1)
    check_pixels(session)
    assert (
        "warning: camera 'top': one copy a frame, for driver 'fake' takes no memory of ours"
        in session.log_text
    )
    assert device.counted[-1]["maps"] > 0
    assert not session.json["devices"]["cameras"]["top"]["user_memory"]


def test_motion_jpeg_is_decoded_into_the_ring(device: FakeDevice) -> None:
    from PIL import Image

    need_turbojpeg()
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    sent = np.asarray((columns + rows) * 0.9, np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(sent).convert("RGB").save(buffer, "JPEG", quality=95)
    picture = device.folder / "frame.jpg"
    picture.write_bytes(buffer.getvalue())
    broken = device.folder / "broken.jpg"
    broken.write_bytes(buffer.getvalue()[:20])
    config = rig(device, compression="mjpg")
    modes = f"MJPG:{WIDTH}x{HEIGHT}@{device.rate_hz}"
    session = play(device, config, modes=modes, jpegs=f"{picture}:{picture}:{picture}:{broken}")
    frames = session.frames
    unreadable = frames["camera_counter"] % 4 == 3
    assert (frames.loc[unreadable, "drop_reason"] == "transport").all()
    assert frames.loc[~unreadable, "drop_reason"].isin(["", "ring"]).all()
    assert max(np.abs(pixels.astype(int) - sent).max() for pixels in recorded(session)) <= 6


def need_turbojpeg() -> None:
    import ctypes

    try:
        ctypes.CDLL("libturbojpeg.so.0")
    except OSError:
        pytest.skip("libturbojpeg.so.0 is not here")


def test_pulled_out_and_put_back_the_session_goes_on(device: FakeDevice) -> None:
    config = rig(device, duration_s=60, reconnect=True)
    with Process(config, prefix=device.prefix()) as process:
        process.wait_for_frames(50)
        device.cable.touch()
        process.wait_for(lambda: (device.folder / "device.json").exists())
        device.cable.unlink()
        folder = process.wait_for_frames(50)
        process.wait_for(lambda: has_reset(folder))
        process.signal(2)
        assert process.end().code in (0, 130)
    session = Session(folder)
    frames = session.frames
    (back,) = np.flatnonzero(frames["counter_reset"])
    assert 40 < back < len(frames) - 1
    counters = frames["camera_counter"].tolist()
    assert counters == list(range(counters[0], counters[0] + len(counters)))


def has_reset(folder: Path) -> bool:
    """Whether a frame came after the reconnect."""
    from fastpose.session.log import read_log

    records = read_log(folder / "log/frames_top.fplog").records
    return bool((records["flags"][:-20] & 64).any())


def test_pulled_out_it_ends_the_session(device: FakeDevice) -> None:
    with Process(rig(device, duration_s=60), prefix=device.prefix()) as process:
        process.wait_for_frames(50)
        device.cable.touch()
        ended = process.end()
    assert ended.code == 2
    assert ended.complaint == "fastpose: camera 'top' disconnected: check its cable and power"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"size": [320, 240]}, "size is 320x240, of which it makes 160x120; allowed with GREY: 160x120"),
        ({"pixel_format": "yuyv"}, "pixel_format yuyv needs YUYV; it offers GREY (mono8)"),
        ({"rate_hz": 60}, "rate_hz is 60, of which it makes 200; allowed at 160x120: 200"),
        ({"controls": {"brightness": 300}}, "control brightness is 300; allowed: 0 to 255 in steps of 1"),
        ({"device": "/dev/video99"}, "camera '/dev/video99': cannot open it"),
    ],
)
def test_check_says_what_the_camera_offers(device: FakeDevice, values: dict[str, Any], says: str) -> None:
    assert says in check(device, rig(device, **values))


def test_check_says_how_frames_come(device: FakeDevice) -> None:
    assert "Fake Camera" in check(device, rig(device))
    assert "one copy a frame, as memory: mmap asks for" in check(device, rig(device, memory="mmap"))


def check(device: FakeDevice, config: Path) -> str:
    command = [*device.prefix(), "COLUMNS=1000", sys.executable, "-m", "fastpose", "check", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return " ".join((done.stdout + done.stderr).split())


def test_found_lists_formats_sizes_rates_and_controls(device: FakeDevice) -> None:
    program = (
        "import pathlib, fastpose.drivers.v4l2_nodes as nodes, fastpose.drivers.v4l2 as v4l2\n"
        f"nodes.DEVICES = pathlib.Path({str(device.folder)!r})\n"
        "(camera,) = v4l2.found()\n"
        "print(camera)"
    )
    command = [*device.prefix(modes="GREY:160x120@200,50;MJPG:320x240@30;H264:320x240@30")]
    listed = subprocess.run(
        [*command, sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    for part in (
        "name='Fake Camera'",
        "formats=('mono8', 'mjpg')",
        "size=(320, 240)",
        "rates_hz=(30.0, 200.0)",
        "GREY: 160x120 at 200/50 Hz",
        "H264 (not supported)",
        "brightness 128 (0 to 255)",
        "1: manual_mode",
    ):
        assert part in listed.stdout


def test_ffmpeg_takes_the_device_for_a_camera(device: FakeDevice) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("no ffmpeg")
    target = device.folder / "frames.raw"
    source = [
        "-f",
        "v4l2",
        "-input_format",
        "gray",
        "-video_size",
        f"{WIDTH}x{HEIGHT}",
        "-i",
        str(device.path),
    ]
    command = [*device.prefix(), "ffmpeg", "-loglevel", "error", *source, "-frames:v", "20", "-f", "rawvideo"]
    subprocess.run([*command, str(target)], check=True, timeout=60)
    frames = np.fromfile(target, np.uint8).reshape(-1, HEIGHT, WIDTH)
    assert len(frames) == 20
    for number, frame in enumerate(frames):
        np.testing.assert_array_equal(frame, pattern(number))


def test_opencv_takes_the_device_for_a_camera(device: FakeDevice) -> None:
    pytest.importorskip("cv2")
    program = (
        "import sys, cv2\n"
        f"camera = cv2.VideoCapture({str(device.path)!r}, cv2.CAP_V4L2)\n"
        "camera.set(cv2.CAP_PROP_CONVERT_RGB, 0)\n"
        "for _ in range(10): sys.stdout.buffer.write(camera.read()[1].tobytes())\n"
    )
    command = [*device.prefix(), sys.executable, "-c", program]
    frames = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60).stdout
    sent = np.frombuffer(frames, np.uint8).reshape(-1, HEIGHT, WIDTH)
    assert len(sent) == 10
    first = int(sent[0, 0, 0]) * 171 % 256  # 171 undoes the pattern's factor 3
    for number, frame in enumerate(sent, start=first):
        np.testing.assert_array_equal(frame, pattern(number))
