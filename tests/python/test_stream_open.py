"""Tests of fastpose.hosts.stream_open: what a stream is, and errors that name the way out and no password."""

from __future__ import annotations

import socket

import av
import pytest

from fastpose.errors import CameraError, CameraTimeout
from fastpose.hosts import stream_open
from fastpose.hosts.stream_open import open_stream, probe_stream
from fastpose.hosts.stream_options import StreamSource
from stream_servers import HEIGHT, RATE_HZ, WIDTH, http_camera, rtsp_camera


def test_transport_stream() -> None:
    with http_camera("ts") as camera:
        info = probe_stream(StreamSource(camera.url))
    assert (info.width, info.height, info.rate_hz) == (WIDTH, HEIGHT, RATE_HZ)
    assert (info.codec, info.container, info.is_grey) == ("h264", "mpegts", False)


@pytest.mark.parametrize("colour", [False, True])
def test_mjpeg_rate_is_measured(colour: bool) -> None:
    """FFmpeg makes 25 Hz up."""
    with http_camera(colour=colour) as camera:
        info = probe_stream(StreamSource(camera.url))
    assert (info.width, info.height, info.is_grey) == (WIDTH, HEIGHT, not colour)
    assert info.rate_hz != 25 and 2 < info.rate_hz < 500
    assert info.codec == "mjpeg"


def test_rtsp() -> None:
    with rtsp_camera() as camera:
        for transport in ("tcp", "udp"):
            info = probe_stream(StreamSource(camera.url, transport=transport))
            assert (info.width, info.height, info.rate_hz, info.container) == (WIDTH, HEIGHT, 50, "rtsp")


@pytest.mark.skipif("lavfi" not in av.formats_available, reason="this FFmpeg has no lavfi")
def test_input_device() -> None:
    info = probe_stream(StreamSource("testsrc=size=160x120:rate=30", input="lavfi"))
    assert (info.width, info.height, info.rate_hz, info.is_grey) == (160, 120, 30.0, False)


def test_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMERA_PASSWORD", "s3cret:/@")
    with http_camera(login="me:s3cret:/@") as camera:
        source = StreamSource(camera.url, user="me", password_env="CAMERA_PASSWORD")
        assert probe_stream(source).width == WIDTH
        with pytest.raises(CameraError, match=r"wants a login .* give user and password_env"):
            probe_stream(StreamSource(camera.url))


def test_no_error_holds_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMERA_PASSWORD", "s3cret")
    with http_camera(login="me:other") as camera:
        for url in (
            camera.url,
            camera.url.replace("video", "audio"),
            "http://127.0.0.1:1/x",
            "nothing://x/y",
        ):
            with pytest.raises(CameraError) as caught:
                open_stream(StreamSource(url, user="me", password_env="CAMERA_PASSWORD"))
            assert "s3cret" not in str(caught.value) and caught.value.__suppress_context__
            assert url in str(caught.value)
    with pytest.raises(CameraError, match=r"no variable 'NOT_THERE'"):
        open_stream(StreamSource("http://127.0.0.1:1/x", user="me", password_env="NOT_THERE"))


def test_refusals_say_what_to_do() -> None:
    with http_camera() as camera:
        wrong = camera.url.replace("video", "audio")
        with pytest.raises(CameraError, match=r"no such stream .* manual"):
            open_stream(StreamSource(wrong))
    with pytest.raises(CameraError, match=r"Connection refused; is the camera on"):
        open_stream(StreamSource("http://127.0.0.1:1/video"))
    with pytest.raises(CameraError, match=r"does not know the protocol; allowed: rtsp"):
        open_stream(StreamSource("nothing://127.0.0.1/video"))
    with pytest.raises(CameraError, match=r"no input device 'nothing'; see: fastpose cameras"):
        open_stream(StreamSource("0", input="nothing"))


def test_a_server_that_accepts_and_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_open, "OPEN_TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(CameraTimeout, match=r"gave no answer within 0.3 s"):
            open_stream(StreamSource(f"http://127.0.0.1:{port}/video"))


def test_not_a_video() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        import threading

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(
                    b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html>Log in</html>" * 3
                )

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(CameraError, match=r"is the camera on, and the address right|no video"):
            open_stream(StreamSource(f"http://127.0.0.1:{server.getsockname()[1]}/"))
