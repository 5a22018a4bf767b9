"""Device files, their serials and their stable names."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastpose.drivers import v4l2_nodes
from fastpose.drivers.v4l2_nodes import Node, nodes, pick
from fastpose.errors import CameraError

WEBCAM = Node(Path("/dev/video0"), Path("/dev/v4l/by-id/webcam"), "A1", "Some Webcam")
ITS_METADATA = Node(Path("/dev/video1"), Path("/dev/video1"), "A1", "Some Webcam")
OTHER = Node(Path("/dev/video2"), Path("/dev/video2"), "B2", "Other")


def captures(node: Node) -> bool:
    return node is not ITS_METADATA


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small /dev and /sys with a USB camera of two nodes and a camera of the board."""
    for name in ("dev/video0", "dev/video1", "dev/video10", "dev/videoX", "dev/null"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    links = tmp_path / "dev/v4l/by-id"
    links.mkdir(parents=True)
    (links / "usb-Maker_Cam_A1-video-index0").symlink_to("../../video0")
    usb = tmp_path / "sys/devices/usb1/1-2"
    (usb / "1-2:1.0").mkdir(parents=True)
    (usb / "serial").write_text("A1\n")
    for number in (0, 1):
        folder = tmp_path / f"sys/class/video{number}"
        folder.mkdir(parents=True)
        (folder / "name").write_text("Maker Cam\n")
        (folder / "device").symlink_to(usb / "1-2:1.0")
    monkeypatch.setattr(v4l2_nodes, "DEVICES", tmp_path / "dev")
    monkeypatch.setattr(v4l2_nodes, "LINKS", links)
    monkeypatch.setattr(v4l2_nodes, "CLASS", tmp_path / "sys/class")
    return tmp_path


def test_nodes_have_their_serial_and_a_name_that_stays(system: Path) -> None:
    first, second, board = nodes()
    assert [node.path.name for node in (first, second, board)] == ["video0", "video1", "video10"]
    assert first.stable_path.name == "usb-Maker_Cam_A1-video-index0"
    assert (first.serial, first.name) == ("A1", "Maker Cam")
    assert second.stable_path == second.path
    assert (board.serial, board.name) == ("", "")


def test_a_machine_without_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(v4l2_nodes, "DEVICES", tmp_path)
    monkeypatch.setattr(v4l2_nodes, "LINKS", tmp_path / "none")
    assert nodes() == []


def test_by_serial_the_node_that_captures() -> None:
    assert pick([ITS_METADATA, WEBCAM, OTHER], "A1", captures) is WEBCAM
    assert pick([WEBCAM, OTHER], "/dev/video2", captures) is OTHER


def test_without_a_serial_the_only_one() -> None:
    assert pick([WEBCAM, ITS_METADATA], None, captures) is WEBCAM
    with pytest.raises(CameraError, match=r"2 cameras fit; set serial or device to one of: A1 .*, B2"):
        pick([WEBCAM, OTHER], None, captures)


def test_what_is_not_there_is_said_with_what_is() -> None:
    with pytest.raises(CameraError, match=r"no camera has the serial 'C3'; here: A1 \(Some Webcam\)"):
        pick([WEBCAM], "C3", captures)
    with pytest.raises(CameraError, match=r"there is no camera; here: no /dev/video\* at all"):
        pick([], None, captures)
