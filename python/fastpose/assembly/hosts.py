"""Watches the processes around the cameras' rings, and waits for them at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from fastpose import _core
from fastpose.drivers import CameraSource
from fastpose.hosts.host import Host
from fastpose.hosts.progress import Progress

__all__ = ["HostFault", "end_hosts", "watch_hosts"]

SOURCE_TIMEOUT_S = 5.0
ENCODER_TIMEOUT_S = 60.0  # without a frame more in the file
END_LOOK_S = 1.0
STALL_S = 20.0

HostFault = Literal["CameraError", "CameraDisconnected", "RecordError"]
Report = Callable[[HostFault, str], None]  # name of the error, text; may be told the same again


def watch_hosts(cameras: Sequence[CameraSource], report: Report) -> None:
    """Look at every process once."""
    for camera in cameras:
        _watch_source(camera, report)
        _watch_encoder(camera, report)


def end_hosts(cameras: Sequence[CameraSource], report: Report) -> None:
    """Let the processes finish their files and end; one that does not is killed."""
    for camera in cameras:
        if camera.ring is not None:
            _end(camera, report)


def _watch_source(camera: CameraSource, report: Report) -> None:
    ring, host = camera.ring, camera.host
    if ring is None or host is None:
        return
    if ring.producer_state == "failed":
        lost = ring.counts()["times_lost"] > 0  # said before it failed: it is the reason
        report("CameraDisconnected" if lost else "CameraError", ring.producer_text)
    elif host.returncode is not None and ring.producer_state != "finished":
        text = (
            f"the process of camera '{camera.name}' ended with code {host.returncode}; "
            f"see log/camera_{camera.name}.txt"
        )
        ring.set_producer_state("failed", text)
        report("CameraDisconnected", text)


def _watch_encoder(camera: CameraSource, report: Report) -> None:
    ring, encoder = camera.ring, camera.encoder
    if ring is None or encoder is None:
        return
    if ring.recorder_state == "failed":
        report("RecordError", ring.recorder_text)
    elif encoder.returncode is not None and ring.recorder_state != "finished":
        camera.encoder = None
        ring.disable_recorder()  # frees the slots that it held
        text = (
            f"the encoder of camera '{camera.name}' ended with code {encoder.returncode}; "
            f"see log/encoder_{camera.name}.txt"
        )
        report("RecordError", text)
    else:
        _watch_progress(camera, ring, encoder, report)


def _watch_progress(camera: CameraSource, ring: _core.Ring, encoder: Host, report: Report) -> None:
    """Say when frames are lost to the video, and when nothing is recorded any more."""
    counts = ring.counts()
    if counts["not_recorded"] and not camera.progress.lost_frames:
        camera.progress.lost_frames = True
        report("RecordError", _lost_frames(camera, ring))
    if not camera.progress.stalled(counts["recorded"], counts["recorder_queue"], STALL_S):
        return
    text = (
        f"the encoder of camera '{camera.name}' has not recorded a frame for {STALL_S:g} s, "
        f"{counts['recorder_queue']} wait: does its disk answer?"
    )
    if camera.spec.frames == "every":  # the source would wait for ever, and the loop with it
        encoder.kill()
        text += " It was killed, so that the loop goes on"
    report("RecordError", text)


def _lost_frames(camera: CameraSource, ring: _core.Ring) -> str:
    pace = ring.recorder_text if ring.recorder_state == "ready" else ""
    return (
        f"the recorder of camera '{camera.name}' is too slow, frames are lost to the video"
        f"{f' ({pace})' if pace else ''}: choose a faster preset or codec, a faster disk, a lower rate or "
        "size, or more record.queue_mib"
    )


def _end(camera: CameraSource, report: Report) -> None:
    ring = camera.ring
    assert ring is not None
    ring.request_stop()
    if camera.host is not None and not camera.host.wait(SOURCE_TIMEOUT_S):
        camera.host.stop()
    if ring.producer_state not in ("finished", "failed"):
        ring.set_producer_state("finished")
    if camera.encoder is not None:
        _end_encoder(camera, ring, camera.encoder, report)
    _watch_encoder(camera, report)  # it may have failed while it finished the file
    camera.host = camera.encoder = None


def _end_encoder(camera: CameraSource, ring: _core.Ring, encoder: Host, report: Report) -> None:
    """Wait while it records what still waits, however long that takes, but not for one that is stuck."""
    progress = Progress()
    while not encoder.wait(END_LOOK_S):
        counts = ring.counts()
        if progress.stalled(counts["recorded"], max(counts["recorder_queue"], 1), ENCODER_TIMEOUT_S):
            encoder.stop()
            camera.encoder = None
            ring.disable_recorder()
            text = (
                f"the encoder of camera '{camera.name}' did not end and was killed; "
                f"{counts['recorder_queue']} frames waited for it"
            )
            report("RecordError", text)
            return
