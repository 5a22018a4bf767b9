"""One Basler camera over the slots of a ring: opened and set, grabbing, closed, and opened again."""

from __future__ import annotations

import contextlib
import importlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastpose.errors import CameraError
from fastpose.hosts.common import WAIT_MS
from fastpose.hosts.pylon_library import emulated_cameras, library, open_camera, reason, saying
from fastpose.hosts.pylon_nodes import Nodes
from fastpose.hosts.pylon_options import Delivered, PylonSettings
from fastpose.hosts.pylon_settings import delivered, free_user_output, set_camera, set_output_line
from fastpose.hosts.pylon_slots import Slots, buffer_factory

__all__ = ["BaslerCamera"]

_WAIT_MS = int(WAIT_MS)
_STATISTICS = {
    "failed": "Statistic_Failed_Buffer_Count",
    "without a buffer": "Statistic_Buffer_Underrun_Count",
    "packets lost": "Statistic_Failed_Packet_Count",
    "packets asked for again": "Statistic_Resend_Packet_Count",
    "out of step": "Statistic_Resynchronization_Count",
}


def removal_handler(pylon: Any, removal: threading.Event) -> Any:
    """Sets an event when pylon says that the camera was unplugged."""

    class Handler(pylon.ConfigurationEventHandler):  # type: ignore[misc]
        def OnCameraDeviceRemoved(self, _camera: Any) -> None:  # noqa: N802
            removal.set()

    return Handler()


class BaslerCamera:
    """Thread-bound but for its output lines, which another thread may write while it is open.

    Parameters
    ----------
    settings : PylonSettings
    """

    def __init__(self, settings: PylonSettings) -> None:
        self._settings = settings
        self._pylon = library(emulated=emulated_cameras(settings.serial) if settings.emulated else 0)
        genicam = importlib.import_module("pypylon.genicam")
        self._exception, self._timeout = genicam.GenericException, genicam.TimeoutException
        self._throw = self._pylon.TimeoutHandling_ThrowException
        self._return = self._pylon.TimeoutHandling_Return
        self._removal = threading.Event()
        self._handler: Any = None
        self._camera: Any = None
        self._nodes: Nodes | None = None
        self._user_outputs: list[str] = []

    def open(self, levels: tuple[bool, ...] = ()) -> Delivered:
        """Open it, set it, and put its output lines to these levels; returns what it delivers.

        Raises
        ------
        CameraError
            It is not there, in use, or does not take a setting.
        """
        self._camera = open_camera(self._pylon, self._settings.serial, emulated=self._settings.emulated)
        try:
            self._watch_removal()
            self._nodes = set_camera(self._pylon, self._camera, self._settings)
            self._open_lines(levels)
            return delivered(self._nodes, self._settings)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of it, however it is; does nothing the second time."""
        if self._camera is None:
            return
        with contextlib.suppress(self._exception):
            self._camera.StopGrabbing()
        with contextlib.suppress(self._exception):
            self._camera.Close()
        with contextlib.suppress(self._exception):
            self._camera.DestroyDevice()
        self._forget_handler()
        self._camera = self._nodes = self._handler = None

    def _forget_handler(self) -> None:
        """A traceback may keep pylon's object for longer than ours: it must not call what is gone."""
        if self._handler is not None:
            self._camera.DeregisterConfiguration(self._handler)

    @contextmanager
    def grabbing(self, slots: Slots) -> Iterator[None]:
        """Within, frames come into these slots, all of which are ours.

        Raises
        ------
        CameraError
            It does not start.
        """
        factory = buffer_factory(self._pylon, slots)
        try:
            with saying("the camera does not start to grab"):
                self._camera.MaxNumBuffer.Value = slots.count
                self._camera.SetBufferFactory(factory)
                self._camera.StartGrabbing(self._pylon.GrabStrategy_OneByOne)
            slots.note_armed()
            yield
        finally:
            with contextlib.suppress(self._exception):
                self._camera.StopGrabbing()
            slots.forget()

    @property
    def nodes(self) -> Nodes:
        """Its features, while it is open."""
        assert self._nodes is not None
        return self._nodes

    @property
    def gone(self) -> bool:
        """Whether pylon has told us that it was unplugged; costs nothing."""
        return self._removal.is_set()

    def look_if_gone(self) -> bool:
        """Whether it was unplugged, asked of pylon, which takes a millisecond."""
        if self._camera.IsCameraDeviceRemoved():
            self._removal.set()
        return self.gone

    @property
    def stream(self) -> str:
        """Its transport, as pylon calls it: BaslerUsb, BaslerGigE, BaslerCamEmu."""
        return str(self._camera.GetDeviceInfo().GetDeviceClass())

    @property
    def serial(self) -> str:
        """Its serial number."""
        return str(self._camera.GetDeviceInfo().GetSerialNumber())

    def ready(self, timeout_ms: int) -> bool:
        """Whether a result can be had at once; waits for one at most so long."""
        return bool(self._camera.GetGrabResultWaitObject().Wait(timeout_ms))

    def retrieve(self) -> Any | None:
        """The next result in the order of exposure, failed ones too; None: none came within 100 ms.

        Raises
        ------
        CameraError
            The camera cannot go on; `look_if_gone` says whether it was unplugged.
        """
        try:
            return self._camera.RetrieveResult(_WAIT_MS, self._throw)
        except self._timeout:
            return None
        except self._exception as error:
            raise CameraError(f"grabbing failed: {reason(error)}") from None

    def poll(self) -> Any | None:
        """As `retrieve`, without waiting."""
        try:
            result = self._camera.RetrieveResult(0, self._return)
        except self._exception as error:
            raise CameraError(f"grabbing failed: {reason(error)}") from None
        return result if result.IsValid() else None

    def copy(self, result: Any) -> Any:
        """Another reference to a result: pylon has its buffer back when both are released."""
        return self._pylon.GrabResult(result)

    def ready_for_trigger(self) -> bool:
        """Whether a trigger would start an exposure; waits for it at most 100 ms."""
        return bool(self._camera.WaitForFrameTriggerReady(_WAIT_MS, self._return))

    def trigger(self) -> bool:
        """Start an exposure by software; False: the camera was not ready for one within 100 ms."""
        ready = self.ready_for_trigger()
        if ready:
            self._camera.ExecuteSoftwareTrigger()
        return ready

    def write_line(self, index: int, high: bool) -> None:
        """Set the user output behind a line; returns when the camera has it.

        Raises
        ------
        CameraError
            It did not take it.
        """
        with saying(f"line {self._settings.lines[index].line}"):
            self._select_output(self._user_outputs[index])
            self._output_value.Value = high

    def statistics(self) -> str:
        """What the transport counted, where it counted anything."""
        try:
            nodes = Nodes(self._camera.GetStreamGrabberNodeMap())
            counts = {text: int(nodes.number(name) or 0) for text, name in _STATISTICS.items()}
        except self._exception:
            return ""
        return ", ".join(f"{count} {text}" for text, count in counts.items() if count)

    def _watch_removal(self) -> None:
        self._removal.clear()
        self._handler = removal_handler(self._pylon, self._removal)
        append, ours = self._pylon.RegistrationMode_Append, self._pylon.Cleanup_None
        self._camera.RegisterConfiguration(self._handler, append, ours)

    def _open_lines(self, levels: tuple[bool, ...]) -> None:
        """The level before the line: it must not twitch."""
        self._user_outputs = []
        for index, line in enumerate(self._settings.lines):
            name = free_user_output(self.nodes, line, self._user_outputs)
            self._user_outputs.append(name)
            self.write_line(index, levels[index] if levels else False)
            set_output_line(self.nodes, line, name)

    def _select_output(self, name: str) -> None:
        selector = self.nodes.writable("UserOutputSelector")
        if selector is not None and selector.Value != name:
            selector.Value = name

    @property
    def _output_value(self) -> Any:
        node = self.nodes.writable("UserOutputValue")
        if node is None:
            raise CameraError("this camera has no UserOutputValue: it has no user outputs")
        return node
