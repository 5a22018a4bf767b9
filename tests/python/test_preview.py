"""Tests of fastpose preview: its numbers, its picture, what it takes for a camera, and whole previews."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from fastpose.config import RealSenseCamera, SimCamera, StreamCamera, VideoCamera
from fastpose.errors import CameraDisconnected, CameraError, CameraTimeout, ConfigError, RecordError
from make_videos import make_video
from stream_servers import http_camera, wait_until

pytest.importorskip("fastpose._core", reason="the engine is not built")

from fastpose.preview import command
from fastpose.preview.command import Options, View, line_of, preview, rate_hz, render
from fastpose.preview.live import LiveCamera
from fastpose.preview.numbers import ImageNumbers, bits_of, grey_of, image_numbers
from fastpose.preview.picture import picture_of, write_png
from fastpose.preview.target import camera_of

RATE_OF_LINE = re.compile(r"rate ([\d.]+) Hz")


# --- numbers ---


def test_brightness_and_clipping() -> None:
    grey = np.full((100, 100), 51, np.uint8)
    grey[:10], grey[10:15] = 0, 255
    numbers = image_numbers(grey)
    assert numbers.dark == 0.1 and numbers.bright == 0.05
    assert numbers.brightness == pytest.approx((0.85 * 51 + 0.05 * 255) / 255)
    twelve = image_numbers(np.full((10, 10), 4095, np.uint16), bits=12)
    assert twelve.brightness == 1.0 and twelve.bright == 1.0


def test_sharpness_tells_focus_whatever_the_light() -> None:
    rng = np.random.default_rng(0)
    edges = np.repeat(np.repeat(rng.integers(0, 200, (64, 64)), 8, 0), 8, 1).astype(np.uint8)
    blurred = edges.astype(float)
    values = [image_numbers(edges).sharpness]
    for _ in range(4):
        blurred = (blurred + np.roll(blurred, 1, 0) + np.roll(blurred, 1, 1) + np.roll(blurred, -1, 0)) / 4
        values.append(image_numbers(blurred.astype(np.uint8)).sharpness)
    assert values == sorted(values, reverse=True) and values[0] > 2 * values[-1]
    assert image_numbers(edges // 2).sharpness == pytest.approx(values[0], rel=0.05)
    assert image_numbers(np.zeros((5, 5), np.uint8)).sharpness == 0.0


def test_grey_of_each_format() -> None:
    mono = np.arange(24, dtype=np.uint8).reshape(4, 6)
    assert grey_of(mono, "mono8") is mono
    assert grey_of(mono, "bayer_rg8").tolist() == [[1, 3, 5], [13, 15, 17]]
    assert grey_of(mono, "bayer_gb8").tolist() == [[0, 2, 4], [12, 14, 16]]
    assert grey_of(mono.reshape(4, 3, 2), "yuyv").tolist() == mono[:, ::2].tolist()
    assert grey_of(np.stack([mono, mono + 1, mono + 2], 2), "bgr8").tolist() == (mono + 1).tolist()
    assert grey_of(np.zeros((6, 4), np.uint8), "nv12").shape == (4, 4)
    assert grey_of(mono, "mono12").tolist() == mono.view("<u2").tolist() and bits_of("mono12") == 12


def test_rate_is_that_of_the_last_two_seconds() -> None:
    slow = [i * 100_000_000 for i in range(50)]
    fast = [slow[-1] + (i + 1) * 10_000_000 for i in range(300)]
    assert rate_hz(slow) == pytest.approx(10.0)
    assert rate_hz(slow + fast) == pytest.approx(100.0)
    assert rate_hz([]) is None and rate_hz([5]) is None and rate_hz([5, 5]) is None


# --- picture ---


def ramp(pixel_format: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """A smooth colour image of 64x48 as (its RGB, the slot of that format)."""
    y, x = np.mgrid[0:48, 0:64].astype(float)
    rgb = np.stack([60 + 2 * x, 200 - 2 * y, 90 + x + y], 2).round().astype(np.uint8)
    red, green, blue = rgb[:, :, 0], rgb[:, :, 1], rgb[:, :, 2]
    if pixel_format == "rgb8":
        return rgb, rgb
    if pixel_format == "bgr8":
        return rgb, rgb[:, :, ::-1].copy()
    order = {"bayer_rg8": "RGGB", "bayer_gr8": "GRBG", "bayer_gb8": "GBRG", "bayer_bg8": "BGGR"}[pixel_format]
    planes = {"R": red, "G": green, "B": blue}
    mosaic = np.empty((48, 64), np.uint8)
    for index, colour in enumerate(order):
        rows, columns = slice(index // 2, None, 2), slice(index % 2, None, 2)
        mosaic[rows, columns] = planes[colour][rows, columns]
    return rgb, mosaic


@pytest.mark.parametrize("pixel_format", ["rgb8", "bgr8", "bayer_rg8", "bayer_gr8", "bayer_gb8", "bayer_bg8"])
def test_colours_are_those_of_the_scene(pixel_format: str) -> None:
    rgb, slot = ramp(pixel_format)
    picture = np.asarray(picture_of(slot, pixel_format, (64, 48))).astype(int)
    assert picture.shape == rgb.shape
    assert np.abs(picture - rgb)[2:-2, 2:-2].max() <= 6


def test_yuv_pictures() -> None:
    yuyv = np.zeros((48, 64, 2), np.uint8)
    yuyv[:, :, 0], yuyv[:, 0::2, 1], yuyv[:, 1::2, 1] = 81, 90, 240  # BT.601: red
    nv12 = np.full((72, 64), 81, np.uint8)
    nv12[48:, 0::2], nv12[48:, 1::2] = 90, 240
    for slot, pixel_format in ((yuyv, "yuyv"), (nv12, "nv12")):
        red, green, blue = np.asarray(picture_of(slot, pixel_format, (64, 48))).reshape(-1, 3).mean(0)
        assert red > 240 and green < 12 and blue < 12


def test_grey_pictures() -> None:
    grey = np.arange(48, dtype=np.uint8).reshape(6, 8)
    assert (np.asarray(picture_of(grey, "mono8", (8, 6))) == grey).all()
    deep = (grey.astype("<u2") * 16).view(np.uint8)
    assert (np.asarray(picture_of(deep, "mono12", (8, 6))) == grey).all()


def test_a_picture_is_whole_or_not_there(tmp_path: Path) -> None:
    picture = Image.fromarray(np.zeros((4, 4), np.uint8))
    write_png(picture, tmp_path / "a.png")
    write_png(picture, tmp_path / "a.png")
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]
    with pytest.raises(RecordError, match=r"cannot be written .* give another place with -o"):
        write_png(picture, tmp_path / "gone" / "a.png")


# --- what is a camera ---


def test_names_of_cameras(tmp_path: Path) -> None:
    assert camera_of("sim") == ("sim", SimCamera(driver="sim"))
    assert camera_of("rtsp://cam/1") == ("stream", StreamCamera(driver="stream", url="rtsp://cam/1"))
    assert camera_of("stream:0") == ("stream", StreamCamera(driver="stream", device="0"))
    assert camera_of("realsense:77") == ("realsense", RealSenseCamera(driver="realsense", serial="77"))
    video = make_video(tmp_path / "a.mkv", frames=3)
    for name in (str(video), f"video:{video}"):
        assert camera_of(name) == ("video", VideoCamera(driver="video", path=video))


def test_cameras_of_configs(tmp_path: Path) -> None:
    config = tmp_path / "two.yaml"
    config.write_text(
        "session: {subject: a}\ncameras: {top: {driver: sim}, side: {driver: sim, shape: rat}}\n"
    )
    assert camera_of(str(config), "side")[1] == SimCamera(driver="sim", shape="rat")
    with pytest.raises(ConfigError, match=r"has 2 cameras; give --camera, one of: top, side"):
        camera_of(str(config))
    with pytest.raises(ConfigError, match=r"no camera 'left'; allowed: top, side"):
        camera_of(str(config), "left")


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("nothing", r"'nothing' is no camera; allowed: a config .* drivers: sim, video"),
        ("sim:7", r"driver sim has no devices"),
        ("stream", r"neither is given of url, device"),
        ("rtsp://me:hush@cam/1", r"holds a password"),
        ("gone.yaml", r"gone.yaml"),
    ],
)
def test_what_is_no_camera(target: str, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        camera_of(target)


def test_camera_is_for_configs() -> None:
    with pytest.raises(ConfigError, match=r"--camera top: 'sim' is no config; leave it out"):
        camera_of("sim", "top")


# --- the view ---

VIEW = View(
    title="top: sim, 640x480 px, mono8",
    frames=120,
    rate_hz=99.98,
    nominal_hz=100.0,
    dropped={"camera": 3, "transport": 0},
    exposure_us=2000.0,
    age_ms=4.25,
    age_is_guess=True,
    clock="+20.0 ppm against the host's, residual 1.0 us",
    image=ImageNumbers(0.5, 0.2, 0.0, 0.123),
    lost="",
    picture="preview_top.png",
)


def test_view_says_what_a_user_needs() -> None:
    text = render(VIEW).plain.splitlines()
    assert text[0] == VIEW.title
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in text[1:]}
    assert rows["rate"] == "99.98 Hz (set: 100), 120 frames"
    assert rows["dropped"] == "3 in the camera"
    assert rows["exposure"] == "2000 us"
    assert rows["brightness"] == "50% of full scale, 20% black"
    assert rows["age"] == "4.2 ms from exposure to here or more: a guess"
    assert rows["picture"] == "preview_top.png"
    assert "picture" not in line_of(VIEW) and "rate 99.98 Hz" in line_of(VIEW)


# --- whole previews ---


def look(target: str, tmp_path: Path, **options: Any) -> tuple[str, Path | None]:
    out = io.StringIO()
    made = preview(target, None, Options(tmp_path / "p.png", **options), Console(file=out, width=500))
    return out.getvalue(), made


def sim_config(tmp_path: Path, **values: Any) -> str:
    config = tmp_path / "sim.yaml"
    settings = "".join(f", {key}: {value}" for key, value in values.items())
    config.write_text(
        f"session: {{subject: a}}\ncameras: {{top: {{driver: sim, size: [320, 240]{settings}}}}}\n"
    )
    return str(config)


def test_a_preview_of_the_simulated_camera(tmp_path: Path) -> None:
    text, made = look(sim_config(tmp_path, rate_hz=50), tmp_path, seconds=1.5)
    rates = [float(rate) for rate in RATE_OF_LINE.findall(text)]
    assert rates and 5 < rates[-1] < 51  # a machine that is busy with other things loses some
    assert made == tmp_path / "p.png"
    with Image.open(made) as picture:
        assert picture.size == (320, 240) and 60 < np.asarray(picture).mean() < 200


def test_losses_of_the_camera_are_shown(tmp_path: Path) -> None:
    text, _ = look(sim_config(tmp_path, rate_hz=100, faults="{drop: 0.2}"), tmp_path, seconds=2)
    assert re.search(r"dropped \d+ in the camera", text.splitlines()[-1])


def test_every_writes_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []
    monkeypatch.setattr(command, "write_png", lambda _picture, path: written.append(path))
    monkeypatch.setattr(command, "_SETTLE_S", 0.0)
    look(sim_config(tmp_path, rate_hz=50), tmp_path, seconds=3.5, every_s=0.5)
    assert len(written) >= 2


def test_a_video_ends_by_itself(tmp_path: Path) -> None:
    text, _ = look(str(make_video(tmp_path / "a.mkv", frames=60)), tmp_path)
    assert "rate" in text


def test_a_network_camera(tmp_path: Path) -> None:
    with http_camera("ts") as camera:
        text, made = look(camera.url, tmp_path, seconds=1.5)
    assert made is not None and "or more: a guess" in text


def test_a_camera_that_goes_away(tmp_path: Path) -> None:
    with http_camera("ts") as camera:
        threading.Thread(target=_die_later, args=(camera,), daemon=True).start()
        with pytest.raises(CameraError, match=r"is lost"):
            look(camera.url, tmp_path, seconds=60)


def _die_later(camera: Any) -> None:
    wait_until(lambda: camera.clients >= 2 and camera.sent > 100)
    camera.die()


def test_a_sim_that_is_unplugged(tmp_path: Path) -> None:
    target = sim_config(tmp_path, rate_hz=50, faults="{disconnect_after_s: 0.5}")
    with pytest.raises(CameraDisconnected):
        look(target, tmp_path, seconds=60)


def test_no_frame_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_PATIENCE_S", 0.5)
    monkeypatch.setattr(LiveCamera, "frame", lambda *_args: None)
    with pytest.raises(CameraTimeout, match=r"does the camera wait for a trigger"):
        look(sim_config(tmp_path), tmp_path, seconds=60)


def test_nothing_is_left_behind(tmp_path: Path, recorded_rings: Callable[[], set[str]]) -> None:
    before = recorded_rings()
    look(sim_config(tmp_path), tmp_path, seconds=0.5)
    assert recorded_rings() <= before


@pytest.fixture
def recorded_rings() -> Callable[[], set[str]]:
    folder = Path("/dev/shm")
    if not folder.is_dir():
        pytest.skip("shared memory has no folder here")
    return lambda: {file.name for file in folder.glob("*fastpose-*-camera")}
