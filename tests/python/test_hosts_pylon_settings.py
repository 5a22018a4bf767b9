"""Tests of fastpose.hosts.pylon_settings on pylon's camera emulator: set, read back, refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from basler import emulated
from fastpose.errors import CameraError
from fastpose.hosts.pylon_camera import BaslerCamera
from fastpose.hosts.pylon_library import find_device, library, open_camera
from fastpose.hosts.pylon_nodes import Nodes
from fastpose.hosts.pylon_options import Delivered, Line, PylonSettings


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    camera = open_camera(library(), "0815-0000", emulated=True)
    yield Nodes(camera.GetNodeMap())
    camera.Close()


def set_and_read(settings: PylonSettings, *features: str) -> tuple[Delivered, list[str | None]]:
    """What the camera says that it delivers, and what it says of these features."""
    camera = BaslerCamera(settings)
    try:
        return camera.open(), [camera.nodes.text(name) for name in features]
    finally:
        camera.close()


def test_everything_is_set_and_read_back() -> None:
    settings = emulated(
        size=(320, 256), offset=(16, 8), binning=(2, 1), pixel_format="bayer_rg8", exposure_us=1500.0,
        rate_hz=150.0, gain_db=6.0,
    )  # fmt: skip
    got, read = set_and_read(
        settings, "OffsetX", "OffsetY", "BinningHorizontal", "BinningVertical", "GainAuto"
    )
    assert read == ["16", "8", "2", "1", "Off"]
    assert got.size == (320, 256) and got.pixel_format == "bayer_rg8" and got.buffer_bytes == 320 * 256
    assert (got.exposure_us, got.rate_hz) == (1500.0, 150.0) and got.gain_db == pytest.approx(6.0, abs=0.01)
    assert got.details["model"] == "CamEmu"


@pytest.mark.parametrize(
    ("name", "bytes_per_pixel"), [("mono8", 1), ("mono10", 2), ("mono12", 2), ("bgr8", 3), ("bayer_gb8", 1)]
)
def test_pixel_formats(name: str, bytes_per_pixel: int) -> None:
    got, _ = set_and_read(emulated(pixel_format=name))
    assert got.pixel_format == name and got.buffer_bytes == 640 * 480 * bytes_per_pixel


def test_what_is_not_given_stays_as_the_camera_has_it() -> None:
    got, _ = set_and_read(PylonSettings(serial="0815-0000", emulated=True))
    assert got.size == (1024, 1040) and got.rate_hz == 100.0


def test_a_feature_file_first_then_the_config(tmp_path: Path) -> None:
    pylon = library()
    camera = open_camera(pylon, "0815-0000", emulated=True)
    Nodes(camera.GetNodeMap()).set_integer("size", 200, "Width")
    Nodes(camera.GetNodeMap()).set_feature("Gamma", 0.5)
    pylon.FeaturePersistence.Save(str(tmp_path / "a.pfs"), camera.GetNodeMap())
    camera.Close()
    bare = PylonSettings(serial="0815-0000", emulated=True, pfs=str(tmp_path / "a.pfs"))
    got, read = set_and_read(bare, "Gamma")
    assert got.size == (200, 1040) and read == ["0.5000"]
    got, read = set_and_read(emulated(pfs=str(tmp_path / "a.pfs")), "Gamma")
    assert got.size == (640, 480) and read == ["0.5000"]
    with pytest.raises(CameraError, match=r"pfs '.*b.pfs' cannot be loaded into this camera: "):
        set_and_read(emulated(pfs=str(tmp_path / "b.pfs")))


def test_an_external_edge() -> None:
    settings = emulated(
        trigger_source="external_edge", trigger_line="Line3", trigger_activation="falling", rate_hz=None
    )
    got, read = set_and_read(
        settings, "TriggerSelector", "TriggerMode", "TriggerSource", "TriggerActivation",
        "AcquisitionFrameRateEnable",
    )  # fmt: skip
    assert read == ["FrameStart", "On", "Line3", "FallingEdge", "0"] and got.rate_hz is None


def test_the_internal_trigger_turns_others_off(tmp_path: Path) -> None:
    pylon = library()
    camera = open_camera(pylon, "0815-0000", emulated=True)
    Nodes(camera.GetNodeMap()).set_feature("TriggerMode", "On")
    pylon.FeaturePersistence.Save(str(tmp_path / "a.pfs"), camera.GetNodeMap())
    camera.Close()
    _, read = set_and_read(emulated(pfs=str(tmp_path / "a.pfs")), "TriggerMode")
    assert read == ["Off"]


def test_lines(nodes: Nodes) -> None:
    settings = emulated(
        exposure_active_line="Line2",
        lines=(Line("led", "Line3"), Line("laser", "Line1", "UserOutput3", True)),
    )
    camera = BaslerCamera(settings)
    camera.open((True, False))
    try:
        assert shown(camera.nodes, "Line2") == ("Output", "ExposureActive", "0")
        assert shown(camera.nodes, "Line3") == ("Output", "UserOutput1", "0")
        assert shown(camera.nodes, "Line1") == ("Output", "UserOutput3", "1")
        assert level(camera.nodes, "UserOutput1") and not level(camera.nodes, "UserOutput3")
        camera.write_line(1, True)
        camera.write_line(0, False)
        assert level(camera.nodes, "UserOutput3") and not level(camera.nodes, "UserOutput1")
    finally:
        camera.close()


def shown(nodes: Nodes, line: str) -> tuple[str | None, ...]:
    nodes.set_feature("LineSelector", line)
    return tuple(nodes.text(name) for name in ("LineMode", "LineSource", "LineInverter"))


def level(nodes: Nodes, user_output: str) -> bool:
    nodes.set_feature("UserOutputSelector", user_output)
    return nodes.text("UserOutputValue") == "1"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"size": (5000, 480)}, "size 5000: not taken by this camera; allowed: 1 to 4096"),
        ({"offset": (4000, 0)}, "offset 4000: not taken by this camera; allowed: 0 to 3456"),
        ({"binning": (9, 1)}, "binning 9: not taken by this camera; allowed: 1 to 4"),
        ({"pixel_format": "yuyv"}, "pixel_format yuyv: this camera has none; allowed: mono8, mono10, "),
        ({"pixel_format": "nv12"}, "pixel_format nv12: Basler cameras have none; allowed: mono8, "),
        ({"exposure_us": 1e9}, r"exposure_us 1e\+09: not taken by this camera; allowed: 1 to 1e\+07"),
        ({"gain_db": 60.0}, "gain_db 60: not taken by this camera; allowed: 0 to 48"),
        ({"rate_hz": 9000.0}, "rate_hz 9000: not taken by this camera; allowed: 0.01 to 5000"),
        ({"rate_hz": 500.0, "exposure_us": 5e3}, "rate_hz 500: with exposure_us 5000 and .* grants 200; "),
        ({"trigger_source": "external_edge", "trigger_line": "Line9"}, "camera_trigger.line Line9: allowed"),
        ({"exposure_active_line": "Line7"}, "exposure_active_line Line7: allowed: Line1, Line2, Line3"),
        ({"chunks": ("timestamp",)}, "chunks timestamp: this camera sends none; allowed: none"),
        ({"lines": (Line("led", "Line8"),)}, "outputs.led.line Line8: allowed: Line1, Line2, Line3"),
        ({"lines": (Line("led", "Line1", "UserOutput9"),)}, "UserOutput9 on Line1: allowed: UserOutput1"),
        ({"features": {"PixelFormat": "Mono16"}}, "pixel format is Mono16, which fastpose does not read"),
        ({"features": {"Wdith": 3}}, "features.Wdith: this camera has no such feature"),
        ({"features": {"SensorWidth": 3}}, "features.SensorWidth: cannot be written now"),
        ({"features": {"Width": "many"}}, "features.Width many: .*cannot convert string 'many' to int$"),
    ],
)  # fmt: skip
def test_refusals_name_key_value_and_what_is_allowed(settings: dict[str, object], says: str) -> None:
    with pytest.raises(CameraError, match=says) as caught:
        set_and_read(emulated(**settings))
    assert "\n" not in str(caught.value) and "Exception" not in str(caught.value)


def test_devices() -> None:
    pylon = library()
    assert find_device(pylon, "0815-0001", emulated=True).GetSerialNumber() == "0815-0001"
    with pytest.raises(CameraError, match="serial is not given and pylon finds 2 cameras; here: 0815-0000"):
        find_device(pylon, None, emulated=True)
    with pytest.raises(CameraError, match="serial '0815-0007': no such Basler camera; here: 0815-0000"):
        find_device(pylon, "0815-0007", emulated=True)
    with pytest.raises(CameraError, match="pylon finds no camera: check cable, power, network"):
        find_device(pylon, "24001234", emulated=False)
