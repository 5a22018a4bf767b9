"""What a user may name a camera by: a driver, a serial, an address, a video, or a config."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from fastpose.config import Camera, load_config
from fastpose.config.stream import SCHEMES
from fastpose.drivers import DRIVERS
from fastpose.errors import ConfigError

__all__ = ["camera_of"]

_CAMERA: TypeAdapter[Camera] = TypeAdapter(Camera)
_ALLOWED = (
    "allowed: a config (.yaml), DRIVER:SERIAL as `fastpose cameras` has it, an address (rtsp://...), a video"
)


def camera_of(target: str, camera: str | None = None) -> tuple[str, Camera]:
    """The camera that the text means, with a name for it.

    Parameters
    ----------
    target : str
    camera : str, optional
        Which one of a config that has several.

    Raises
    ------
    ConfigError
        It means none.
    """
    driver, colon, device = target.partition(":")
    if Path(target).suffix.lower() in (".yaml", ".yml"):
        return _of_config(Path(target), camera)
    if camera is not None:
        raise ConfigError(f"--camera {camera}: {target!r} is no config; leave it out")
    if driver in SCHEMES and device.startswith("//"):
        return "stream", _spec(target, driver="stream", url=target)
    if driver in DRIVERS:
        return driver, _of_driver(target, driver, device if colon else "")
    if Path(target).is_file():
        return "video", _spec(target, driver="video", path=str(Path(target).absolute()))
    raise ConfigError(f"{target!r} is no camera; {_ALLOWED}; drivers: {', '.join(DRIVERS)}")


def _of_config(path: Path, camera: str | None) -> tuple[str, Camera]:
    cameras = load_config(path).cameras
    if camera is None and len(cameras) > 1:
        raise ConfigError(f"{path} has {len(cameras)} cameras; give --camera, one of: {', '.join(cameras)}")
    name = camera or next(iter(cameras))
    if name not in cameras:
        raise ConfigError(f"{path} has no camera {name!r}; allowed: {', '.join(cameras)}")
    return name, cameras[name]


def _of_driver(target: str, driver: str, device: str) -> Camera:
    """A device is named by its serial, by its file, or by whatever key the driver has for it."""
    if driver == "sim" and device:
        raise ConfigError(f"{target!r}: driver sim has no devices; allowed: sim")
    first = "device" if driver == "stream" or device.startswith("/") else "serial"
    keys = [key for key in ("path", first, "device", "serial") if _has(driver, key)]
    return _spec(target, driver=driver, **({keys[0]: device} if device else {}))


def _has(driver: str, key: str) -> bool:
    schemas = _CAMERA.json_schema()["$defs"].values()
    (schema,) = [s for s in schemas if s.get("properties", {}).get("driver", {}).get("const") == driver]
    return key in schema["properties"]


def _spec(target: str, **values: Any) -> Camera:
    try:
        return _CAMERA.validate_python(values)
    except ValidationError as error:
        problems = [f"{target!r}: {problem['msg']}" for problem in error.errors()]
        raise ConfigError(*problems) from None
