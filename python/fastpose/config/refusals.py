"""Says which of the common camera settings a driver does not have, instead of ignoring them."""

from __future__ import annotations

from collections.abc import Mapping

from fastpose.config.real_camera import RealCamera

__all__ = ["refuse_settings"]


def refuse_settings(camera: RealCamera, reasons: Mapping[str, str]) -> None:
    """Raise ValueError for the first of these settings that the config gives another value than its default.

    Parameters
    ----------
    camera : RealCamera
    reasons : mapping of str to str
        Why, and the way out, by the name of the setting.
    """
    fields = type(camera).model_fields
    for name, reason in reasons.items():
        value = getattr(camera, name)
        if value != fields[name].default:
            raise ValueError(f"{name} is nothing that driver {camera.driver} can set: {reason}")
