"""Network cameras on loopback: HTTP servers that die, come back and fall silent, and a real RTSP server."""

from __future__ import annotations

import base64
import io
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import av
import pytest
from av.video.reformatter import ColorRange
from PIL import Image

from make_videos import grey_frame

WIDTH, HEIGHT, RATE_HZ = 320, 240, 50
_SYSTEM_PYTHON = "/usr/bin/python3"  # that of Debian's GObject bindings
_PATIENCE_S = 30.0


class HttpCamera:
    """Serves frames that tell their number: JPEG after JPEG, or H.264 in an MPEG transport stream.

    Each client gets its own stream; the number goes on for all of them.

    Parameters
    ----------
    kind : {"mjpeg", "ts"}
    login : str
        "user:password" that clients must send; empty: none.
    """

    def __init__(
        self, kind: Literal["mjpeg", "ts"] = "mjpeg", *, login: str = "", colour: bool = False
    ) -> None:
        self._kind, self._colour = kind, colour
        self._login = base64.b64encode(login.encode()) if login else b""
        self.size = (WIDTH, HEIGHT)
        self.sent = 0  # frames
        self.clients = 0
        self.skip: set[int] = set()  # numbers of frames that are never sent
        self._silent = threading.Event()
        self._connections: list[socket.socket] = []
        self._server: socket.socket | None = None
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/video"

    def start(self) -> None:
        """Listen; after `die`, at the same port as before."""
        self._server = socket.create_server(("127.0.0.1", self.port))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._server,), daemon=True).start()

    def die(self) -> None:
        """Refuse new clients and break the connections of the old ones."""
        assert self._server is not None
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for connection in self._connections:
            connection.close()
        self._connections.clear()

    def fall_silent(self) -> None:
        """Keep every connection, send nothing."""
        self._silent.set()

    def speak(self) -> None:
        self._silent.clear()

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            request = connection.recv(65536)
            if self._login and b"Basic " + self._login not in request:
                connection.sendall(
                    b'HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic realm="cam"\r\n\r\n'
                )
            elif b"GET /video" not in request:
                connection.sendall(b"HTTP/1.0 404 Not Found\r\n\r\n")
            else:
                self.clients += 1
                (self._serve_mjpeg if self._kind == "mjpeg" else self._serve_ts)(connection.sendall)
        except (OSError, av.error.FFmpegError):
            pass
        finally:
            connection.close()

    def _numbers(self) -> Iterator[int]:
        """Paced; the client's first number is 0."""
        start, number = time.monotonic(), 0
        while True:
            time.sleep(max(0.0, start + number / RATE_HZ - time.monotonic()))
            while self._silent.is_set():
                time.sleep(0.01)
            if number not in self.skip:
                yield number
                self.sent += 1
            number += 1

    def _serve_mjpeg(self, send: Callable[[bytes], None]) -> None:
        send(b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=frame\r\n\r\n")
        for number in self._numbers():
            jpeg = self._jpeg(number)
            send(
                b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
                + jpeg
                + b"\r\n"
            )

    def _jpeg(self, number: int) -> bytes:
        memory = io.BytesIO()
        image = Image.fromarray(grey_frame(number % 256, *self.size))
        (image.convert("RGB") if self._colour else image).save(memory, "JPEG", quality=90)
        return memory.getvalue()

    def _serve_ts(self, send: Callable[[bytes], None]) -> None:
        send(b"HTTP/1.0 200 OK\r\nContent-Type: video/mp2t\r\n\r\n")
        with av.open(_Sink(send), "w", format="mpegts", options={"muxdelay": "0"}) as container:
            stream = container.add_stream("libx264", rate=RATE_HZ)
            (stream.width, stream.height), stream.pix_fmt = self.size, "yuv420p"
            stream.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "5"}
            stream.codec_context.gop_size = RATE_HZ // 5
            stream.codec_context.color_range = ColorRange.JPEG
            for number in self._numbers():
                frame = av.VideoFrame.from_ndarray(grey_frame(number % 256, *self.size), format="gray")
                frame = frame.reformat(format="yuv420p", src_color_range="JPEG", dst_color_range="JPEG")
                frame.pts = number
                container.mux(stream.encode(frame))


class _Sink(io.RawIOBase):
    """A file whose every write goes to the client."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        content = bytes(data)  # type: ignore[call-overload]
        self._send(content)
        return len(content)


@contextmanager
def http_camera(kind: Literal["mjpeg", "ts"] = "mjpeg", **more: object) -> Iterator[HttpCamera]:
    camera = HttpCamera(kind, **more)  # type: ignore[arg-type]
    try:
        yield camera
    finally:
        camera.speak()
        with suppress(OSError):  # dead already
            camera.die()


class RtspCamera:
    """GStreamer's RTSP server, in a process that can be killed and started again at the same port."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[str] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/camera"

    def start(self) -> None:
        self._process = subprocess.Popen(
            [_SYSTEM_PYTHON, str(Path(__file__).with_name("rtsp_server.py")), str(self.port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == "ready"

    def die(self) -> None:
        """As a cable that is pulled: no goodbye."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextmanager
def rtsp_camera() -> Iterator[RtspCamera]:
    """Skip the test where GStreamer's RTSP server is not installed."""
    if not _has_rtsp_server():
        pytest.skip(
            "needs gir1.2-gst-rtsp-server-1.0, python3-gi, gstreamer1.0-plugins-good and -ugly of Debian"
        )
    camera = RtspCamera()
    try:
        yield camera
    finally:
        camera.die()


def _has_rtsp_server() -> bool:
    if shutil.which(_SYSTEM_PYTHON) is None or os.name != "posix":
        return False
    script = str(Path(__file__).with_name("rtsp_server.py"))
    return subprocess.run([_SYSTEM_PYTHON, script, "--look"], capture_output=True).returncode == 0


def wait_until(condition: Callable[[], object], what: str = "the condition") -> None:
    """Fail the test if something does not come true."""
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true"
        time.sleep(0.01)
