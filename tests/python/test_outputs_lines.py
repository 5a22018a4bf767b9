"""Drivers of outputs beside the loop against real receivers on this computer."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from fastpose.config import config_of_output
from fastpose.errors import OutputError
from fastpose.outputs import driver_module


def opened(name: str, **given: Any) -> Any:
    """A line as the process that hosts it opens it."""
    return driver_module(given["driver"]).open(name, config_of_output(given, base=Path()))


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.settimeout(10)
        yield bound


def test_udp_sends_its_bytes(receiver: socket.socket) -> None:
    line = opened("laser", driver="udp", port=receiver.getsockname()[1], high="\x01on", low="")
    line.write(True)
    line.write(False)  # empty: nothing is sent
    line.write(True)
    assert [receiver.recv(100), receiver.recv(100)] == [b"\x01on", b"\x01on"]
    line.close()


def test_osc_sends_a_number(receiver: socket.socket) -> None:
    pytest.importorskip("pythonosc")
    from pythonosc.osc_message import OscMessage

    line = opened("laser", driver="osc", port=receiver.getsockname()[1])
    line.write(True)
    line.write_value(0.25)
    messages = [OscMessage(receiver.recv(200)) for _ in range(2)]
    assert [message.address for message in messages] == ["/fastpose/laser"] * 2
    assert [message.params for message in messages] == [[1], [0.25]]
    line.close()


def test_zmq_publishes_topic_and_json() -> None:
    zmq = pytest.importorskip("zmq")
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    line = opened("laser", driver="zmq", endpoint=endpoint)
    other = opened("reward", driver="zmq", endpoint=endpoint)  # shares the socket
    subscriber = zmq.Context.instance().socket(zmq.SUB)
    subscriber.connect(endpoint)
    subscriber.setsockopt(zmq.SUBSCRIBE, b"")
    subscriber.setsockopt(zmq.RCVTIMEO, 100)
    for _ in range(100):  # until the subscription has arrived
        other.write(False)
        try:
            subscriber.recv_multipart()
            break
        except zmq.Again:
            continue
    line.write(True)
    while (parts := subscriber.recv_multipart())[0] == b"reward":
        pass
    subscriber.close()
    message = json.loads(parts[1])
    assert parts[0] == b"laser"
    assert (message["output"], message["high"]) == ("laser", True)


def test_zmq_endpoint_that_is_taken() -> None:
    pytest.importorskip("zmq")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OutputError, match="cannot be bound"):
            opened("laser", driver="zmq", endpoint=f"tcp://127.0.0.1:{taken.getsockname()[1]}")


def test_lsl_pushes_markers() -> None:
    pylsl = pytest.importorskip("pylsl")
    line = opened("laser", driver="lsl", stream="fastpose_test_markers", low="")
    (found,) = pylsl.resolve_byprop("name", "fastpose_test_markers", timeout=10)
    inlet = pylsl.StreamInlet(found)
    inlet.open_stream(timeout=10)
    line.write(False)  # the first level is no edge
    line.write(True)
    line.write(False)  # empty: no marker
    line.write(True)
    markers = [inlet.pull_sample(timeout=10)[0] for _ in range(2)]
    assert markers == [["laser on"], ["laser on"]]


class _Gui(threading.Thread):
    """The Network Events plugin of the Open Ephys GUI: answers each request."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        import zmq

        self._socket = zmq.Context.instance().socket(zmq.REP)
        self._socket.bind(f"tcp://127.0.0.1:{port}")
        self.requests: list[str] = []

    def run(self) -> None:
        while len(self.requests) < 2:
            self.requests.append(self._socket.recv_string())
            self._socket.send_string("TTLHandled")
        self._socket.close()


def test_open_ephys_sets_its_line_and_waits_for_the_answer() -> None:
    pytest.importorskip("zmq")
    port = free_port()
    gui = _Gui(port)
    gui.start()
    line = opened("laser", driver="open_ephys", port=port, line=5, timeout_ms=10_000)
    line.write(False)  # low already
    line.write(True)
    line.write(False)
    gui.join(10)
    assert gui.requests == ["TTL Line=5 State=1", "TTL Line=5 State=0"]
    line.close()


def test_open_ephys_that_is_not_there() -> None:
    pytest.importorskip("zmq")
    line = opened("laser", driver="open_ephys", port=free_port(), line=1, timeout_ms=100)
    for _ in range(2):  # and once more, with a fresh socket
        with pytest.raises(OutputError, match="Network Events"):
            line.write(True)
    line.close()


class _Hook(BaseHTTPRequestHandler):
    said: list[tuple[str, str, dict[str, Any]]]
    status = 200

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.said.append((self.path, self.headers["X-Key"] or "", body))
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[tuple[type[_Hook], str]]:
    handler = type("Hook", (_Hook,), {"said": [], "protocol_version": "HTTP/1.1"})
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield handler, f"http://127.0.0.1:{server.server_port}/edge?rig=1"
    server.shutdown()
    server.server_close()


def test_http_says_each_edge_once(hook: tuple[type[_Hook], str]) -> None:
    handler, url = hook
    line = opened("laser", driver="http", url=url, headers={"X-Key": "secret"})
    line.write(False)  # low already
    line.write(True)
    line.write(True)
    line.write_value(0.5)
    line.write(False)
    line.close()
    assert [(path, key) for path, key, _ in handler.said] == [("/edge?rig=1", "secret")] * 3
    assert [body["high"] for *_, body in handler.said] == [True, True, False]
    assert handler.said[1][2]["value"] == 0.5


def test_http_that_refuses_or_is_gone(hook: tuple[type[_Hook], str]) -> None:
    handler, url = hook
    handler.status = 503
    line = opened("laser", driver="http", url=url)
    with pytest.raises(OutputError, match="answered 503"):
        line.write(True)
    line.close()
    with pytest.raises(OutputError, match="refused"):
        opened("laser", driver="http", url=f"http://127.0.0.1:{free_port()}/").write(True)


# --- NI-DAQ, whose driver this computer lacks: a library in its place ---


class _Task:
    def __init__(self, name: str) -> None:
        self.name, self.channels, self.written, self.started = (
            name,
            list[tuple[Any, ...]](),
            list[Any](),
            False,
        )
        self.do_channels = self.ao_channels = self
        _Task.made.append(self)

    made: list[_Task] = []  # noqa: RUF012

    def add_do_chan(self, channel: str) -> None:
        if channel.startswith("Dev9"):
            raise _DaqError("Device identifier is invalid.\n\nDevice Specified: Dev9")
        self.channels.append((channel,))

    def add_ao_voltage_chan(self, channel: str, min_val: float, max_val: float) -> None:
        self.channels.append((channel, min_val, max_val))

    def start(self) -> None:
        self.started = True

    def write(self, value: Any) -> None:
        assert self.started
        self.written.append(value)

    def close(self) -> None:
        self.started = False


class _DaqError(Exception):
    pass


@pytest.fixture
def nidaqmx(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    from types import ModuleType, SimpleNamespace

    library = ModuleType("nidaqmx")
    errors = SimpleNamespace(DaqError=_DaqError, DaqNotFoundError=_DaqError)
    library.Task, library.errors = _Task, errors  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "nidaqmx", library)
    monkeypatch.setitem(sys.modules, "nidaqmx.errors", errors)  # type: ignore[arg-type]
    _Task.made.clear()


def test_nidaq_keeps_its_task_open(nidaqmx: None) -> None:
    line = opened("laser", driver="nidaq", channel="Dev1/port0/line3", max_on_ms=10)
    line.write(True)
    line.write(False)
    (task,) = _Task.made
    assert task.channels == [("Dev1/port0/line3",)]
    assert task.written == [True, False]
    assert task.started
    line.close()


def test_nidaq_analogue_in_volts(nidaqmx: None) -> None:
    line = opened("laser", driver="nidaq", channel="Dev1/ao0", high_v=3.0, max_level=4.5, max_on_ms=10)
    line.write(True)
    line.write_value(4.5)
    line.write(False)
    (task,) = _Task.made
    assert task.channels == [("Dev1/ao0", 0.0, 4.5)]
    assert task.written == [3.0, 4.5, 0.0]


def test_nidaq_device_that_is_not_there(nidaqmx: None) -> None:
    with pytest.raises(OutputError, match=r"Dev9/port0/line0: Device identifier is invalid\. Device"):
        opened("laser", driver="nidaq", channel="Dev9/port0/line0", max_on_ms=10)


def test_nidaq_without_its_driver() -> None:
    pytest.importorskip("nidaqmx")
    with pytest.raises(OutputError):
        opened("laser", driver="nidaq", channel="Dev1/port0/line0", max_on_ms=10)


def test_what_is_not_installed_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pylsl", None)
    with pytest.raises(OutputError, match=r"fastpose-rig\[lsl\]"):
        opened("laser", driver="lsl")
