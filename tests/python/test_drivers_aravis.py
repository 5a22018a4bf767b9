"""Driver aravis: what it opens, what it refuses, what it says where it is not built."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastpose
from fastpose import _core
from fastpose.config import AravisCamera, config_from
from fastpose.drivers import aravis
from fastpose.drivers.source import CameraSource, DriverAbsent
from fastpose.errors import CameraError, ConfigError
from gige_fake import FakeGigeCamera
from sample_config import changed
from test_stubs import engine_function, parameters, stub_functions

CAMERA = {"driver": "aravis", "pixel_format": "mono8", "size": [128, 64], "rate_hz": 100, "exposure_us": 2000}
IN_PROCESS = {**CAMERA, "simulated": True}


def camera_of(values: dict[str, Any]) -> AravisCamera:
    sections = changed("cameras.top", values)
    camera = config_from({name: sections[name] for name in ("session", "cameras")}).cameras["top"]
    assert isinstance(camera, AravisCamera)
    return camera


@pytest.fixture
def built() -> Any:
    return pytest.importorskip("fastpose._aravis", reason="this fastpose was built without Aravis")


def opened(values: dict[str, Any]) -> CameraSource:
    return aravis.open_source("top", camera_of(values))


def ring_for(source: CameraSource) -> _core.Ring:
    width, height = source.frame_size
    return _core.Ring.create(
        f"/fastpose-test-aravis-{np.random.default_rng().integers(1 << 40)}",
        slots=24,
        width=width,
        height=height,
        pixel_format=source.pixel_format,
        recorder=False,
        producer_slots=source.slots_held,
        buffer_bytes=source.buffer_bytes,
    )


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"gige": {"packet_size": 100}},
            "cameras.top.gige.packet_size: 100 is not allowed; allowed: a whole",
        ),
        ({"features": {"no such": 1}}, "cameras.top.features"),
        ({"buffers": 16, "ring_slots": 12}, "buffers 16 do not fit into ring_slots 12"),
        (
            {"camera_trigger": {"source": "software"}, "rate_hz": None},
            "camera_trigger software needs rate_hz",
        ),
    ],
)
def test_configs_that_are_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as info:
        camera_of({**CAMERA, **values})
    assert said in str(info.value)


def test_features_keep_their_order_and_types() -> None:
    features = {"UserSetLoad": True, "Gamma": 0.7, "GainRaw": 3, "LineMode": "Output"}
    camera = camera_of({**CAMERA, "features": features})
    assert list(camera.features.items()) == list(features.items())
    assert [type(value) for value in camera.features.values()] == [bool, float, int, str]


def test_it_says_what_to_install_where_it_is_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named '{name}'")

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(DriverAbsent, match=r"built without Aravis.*apt-get install libaravis-dev"):
        aravis.found()


def test_what_is_set_is_read_back(built: Any) -> None:
    source = opened({**IN_PROCESS, "size": [640, 480], "offset": [8, 4], "rate_hz": 150})
    assert (source.frame_size, source.pixel_format) == ((640, 480), "mono8")
    assert source.rate_hz == pytest.approx(150, rel=1e-3)
    assert (source.slots_held, source.buffer_bytes) == (8, 640 * 480)
    assert source.details is not None and source.details["model"] == "Fake"


def test_what_is_left_out_stays_as_the_camera_is_set(built: Any) -> None:
    source = opened({"driver": "aravis", "simulated": True})
    assert (source.frame_size, source.pixel_format, source.rate_hz) == ((512, 512), "mono8", 25.0)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"size": [4096, 64]}, "size: width is 4096; this camera allows 1 to 2048"),
        ({"exposure_us": 1}, "exposure_us is 1; this camera allows 10 to"),
        ({"rate_hz": 5000}, "rate_hz is 5000; this camera allows"),
        ({"gain_db": 3}, "no gain in dB"),
        ({"ptp": True}, "it has no PTP"),
        ({"features": {"Nothing": 1}}, "features.Nothing: this camera has no such feature"),
        ({"serial": "nobody", "simulated": False}, "no GenICam camera with serial 'nobody'"),
    ],
)
def test_what_the_camera_refuses(built: Any, values: dict[str, Any], said: str) -> None:
    with pytest.raises(CameraError) as info:
        opened({**IN_PROCESS, **values})
    assert said in str(info.value)
    assert "\n" not in str(info.value)


def test_features_are_set(built: Any) -> None:
    source = opened({**IN_PROCESS, "features": {"GainRaw": 3, "TestBoolean": True}})
    assert source.frame_size == (128, 64)


def test_a_look_opens_the_camera_and_lets_it_go(built: Any) -> None:
    with FakeGigeCamera("GV11") as fake:
        values = {**CAMERA, "serial": fake.serial, "gige": {"packet_size": 8000}}
        for _ in range(2):
            look = aravis.look(camera_of(values))
            assert (look.size, look.channels) == ((128, 64), 1)
            assert "Aravis Fake" in str(look)


def test_a_small_receive_buffer_is_told(tmp_path: Path) -> None:
    limit = tmp_path / "rmem_max"
    limit.write_text("212992\n")
    assert "212992 bytes only: sysctl -w net.core.rmem_max=4194304" in aravis._small_buffer(4194304, limit)
    assert aravis._small_buffer(65536, limit) == aravis._small_buffer(65536, tmp_path / "none") == ""


def test_it_finds_the_camera_on_the_network(built: Any) -> None:
    with FakeGigeCamera("GV12") as fake:
        (camera,) = [camera for camera in aravis.found() if camera.serial == fake.serial]
    assert (camera.driver, camera.name) == ("aravis", "Aravis Fake")
    assert camera.size == (2048, 2048)
    assert {"mono8", "rgb8", "bayer_rg8"} <= set(camera.formats)
    assert camera.rates_hz == pytest.approx((0.1, 1000))
    assert camera.note == "GigEVision, 127.0.0.1"


def test_what_a_grab_costs(built: Any) -> None:
    source = opened(IN_PROCESS)
    assert source.driver is not None
    cost = _core.measure_grab_cost(source.driver, ring_for(source), frames=20)
    assert cost["failed"] == 0
    assert len(cost["queued_ns"]) >= 10 and len(cost["live_ns"]) >= 10
    assert (cost["queued_ns"] > 0).all() and (cost["live_ns"] > 0).all()


def test_the_camera_counts_what_it_did(built: Any) -> None:
    source = opened(IN_PROCESS)
    assert source.driver is not None
    assert source.driver.statistics == "0 frames complete"
    _core.measure_grab_cost(source.driver, ring_for(source), frames=5)
    assert int(source.driver.statistics.split()[0]) >= 5


STUB = Path(fastpose.__file__).with_name("_aravis.pyi")
FUNCTIONS = dict(stub_functions(STUB))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_stub_has_the_extensions_signatures(built: Any, name: str) -> None:
    stub, extension = FUNCTIONS[name], engine_function(built, name)
    assert parameters(stub, method="." in name) == parameters(extension, method="." in name)
