"""The guardian: a small process that puts the lines safe when the main process dies without doing so.

It holds the read end of a pipe from the main process and, where the system has them, a handle on that
process. If the main process ends without saying goodbye, as after kill -9, the guardian writes each port's
safe bytes and ends. It is started before arming and inherits the open ports: a port that is exclusive could
not be opened a second time, and opening one again resets many microcontrollers. It imports nothing but the
standard library and is started by its file's path, so that it is up in a few tens of milliseconds.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # a look into typing would double the start-up time
    import subprocess
    from collections.abc import Callable, Sequence
    from types import TracebackType

__all__ = ["GuardedPort", "Guardian", "main"]

_READY = b"ready\n"
_GOODBYE = b"q"
_WRITE_TIMEOUT_S = 1.0
_START_TIMEOUT_S = 10.0
_GPIO_SET_VALUES = 0xC010B40F  # GPIO_V2_LINE_SET_VALUES_IOCTL of linux/gpio.h


class GuardedPort:
    """A port with what to send to it when the main process is gone.

    Parameters
    ----------
    port : str
        Device file, such as /dev/ttyACM0.
    safe_bytes : bytes
        Written as they are: the safe level of every line on this port.
    baud : int
        Used only where the guardian opens the port itself.
    file_descriptor : int or None
        The main process's open port (``SerialPort.fileno()``), inherited by the guardian. None: the guardian
        opens the port by its name when it starts, which must be before the main process takes it exclusively.
    gpio_high : bool or None
        Not None: the descriptor is that of a GPIO line, which gets this level instead of `safe_bytes`.
    """

    def __init__(
        self,
        port: str,
        safe_bytes: bytes,
        *,
        baud: int = 115200,
        file_descriptor: int | None = None,
        gpio_high: bool | None = None,
    ) -> None:
        self.port = port
        self.gpio_high = gpio_high
        self.safe_bytes = safe_bytes
        self.baud = baud
        self.file_descriptor = file_descriptor

    def _open(self) -> int:
        import termios
        import tty

        descriptor = os.open(self.port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        tty.setraw(descriptor, termios.TCSANOW)
        settings = termios.tcgetattr(descriptor)
        settings[4] = settings[5] = getattr(termios, f"B{self.baud}")
        termios.tcsetattr(descriptor, termios.TCSANOW, settings)
        return descriptor

    def open(self) -> None:
        """Open the port unless it was inherited; OSError if that fails."""
        if self.file_descriptor is None:
            self.file_descriptor = self._open()

    def make_safe(self) -> None:
        """Write the safe bytes; OSError if the port does not take them in time."""
        assert self.file_descriptor is not None
        if self.gpio_high is not None:
            _write_gpio(self.file_descriptor, self.gpio_high)
        else:
            _write_all(self.file_descriptor, self.safe_bytes)

    def to_json(self) -> dict[str, object]:
        """This port as the guardian's command line holds it."""
        return {
            "port": self.port,
            "baud": self.baud,
            "safe_bytes": self.safe_bytes.hex(),
            "fd": self.file_descriptor,
            "gpio_high": self.gpio_high,
        }

    @classmethod
    def from_json(cls, entry: dict[str, object]) -> GuardedPort:
        """Turn ``to_json`` back."""
        baud, descriptor = entry.get("baud", 115200), entry.get("fd")
        assert isinstance(baud, int)
        assert descriptor is None or isinstance(descriptor, int)
        safe_bytes = bytes.fromhex(str(entry["safe_bytes"]))
        gpio = entry.get("gpio_high")
        gpio_high = None if gpio is None else bool(gpio)
        return cls(str(entry["port"]), safe_bytes, baud=baud, file_descriptor=descriptor, gpio_high=gpio_high)


def _write_all(descriptor: int, data: bytes) -> None:
    os.set_blocking(descriptor, False)
    while data:
        if not select.select([], [descriptor], [], _WRITE_TIMEOUT_S)[1]:
            raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
        try:
            data = data[os.write(descriptor, data) :]
        except (BlockingIOError, InterruptedError):
            continue


def _write_gpio(descriptor: int, high: bool) -> None:
    import fcntl
    import struct

    fcntl.ioctl(descriptor, _GPIO_SET_VALUES, struct.pack("=QQ", int(high), 1))  # bits, mask


class Guardian:
    """The main process's side: starts the guardian, and lets it go when the lines are safe.

    Parameters
    ----------
    ports : sequence of GuardedPort
        One per serial port. Without any, no process is started.

    Raises
    ------
    OutputError
        The guardian did not start, or could not open a port.
    """

    def __init__(self, ports: Sequence[GuardedPort]) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        if ports:
            self._start(ports)

    def _start(self, ports: Sequence[GuardedPort]) -> None:
        import subprocess

        arguments = json.dumps({"parent": os.getpid(), "ports": [port.to_json() for port in ports]})
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", os.path.abspath(__file__), arguments],  # noqa: PTH100
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[port.file_descriptor for port in ports if port.file_descriptor is not None],
            start_new_session=True,  # neither Ctrl-C nor a signal to our group ends it
        )
        answer = self._first_line()
        if answer != _READY:
            self._end(kill=True)
            from fastpose.errors import OutputError

            said = answer.decode(errors="replace").strip() or f"no answer within {_START_TIMEOUT_S:g} s"
            raise OutputError(f"the guardian of the outputs did not start: {said}")

    def _first_line(self) -> bytes:
        assert self._process is not None and self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], _START_TIMEOUT_S)[0]:
            return b""
        return self._process.stdout.readline()

    @property
    def alive(self) -> bool:
        """Whether the guardian watches; also True where there is nothing to guard."""
        return self._process is None or self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The guardian's process id; None where there is nothing to guard."""
        return None if self._process is None else self._process.pid

    def release(self) -> None:
        """Say goodbye: the lines are safe. Does nothing the second time."""
        if self._process is None or self._process.stdin is None or self._process.stdin.closed:
            return
        with contextlib.suppress(BrokenPipeError):  # it is gone; there is nobody to say goodbye to
            self._process.stdin.write(_GOODBYE)
            self._process.stdin.flush()
        self._end(kill=False)

    def _end(self, *, kill: bool) -> None:
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        if kill:
            process.kill()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.wait()
        process.stdout.close()

    def __enter__(self) -> Guardian:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


def _watch_process(pid: int) -> int | None:
    """A descriptor that becomes readable when the process ends; None where the system has none."""
    open_handle: Callable[[int], int] | None = getattr(os, "pidfd_open", None)
    if open_handle is None:
        return None
    try:
        return open_handle(pid)
    except OSError:
        return None


def _wait_for_end(pipe: int, parent: int | None) -> bool:
    """Block until the main process says goodbye (True) or is gone (False).

    The pipe alone would do, unless another child of the main process holds its write end too; the handle on
    the process alone would do, where there is one.
    """
    handle = None if parent is None else _watch_process(parent)
    gone = parent is not None and os.getppid() != parent
    while True:
        waited = [pipe] if handle is None else [pipe, handle]
        readable = select.select(waited, [], [], 0 if gone else None)[0]
        if pipe in readable:
            return os.read(pipe, 1) == _GOODBYE
        if gone or handle in readable:
            return False


def _make_all_safe(ports: Sequence[GuardedPort]) -> list[str]:
    said = []
    for port in ports:
        try:
            port.make_safe()
            said.append(f"{port.port} put into its safe state")
        except OSError as error:
            said.append(f"{port.port} could not be put into its safe state: {error.strerror}")
    return said


def main(arguments: str) -> int:
    """Run as the guardian.

    Parameters
    ----------
    arguments : str
        JSON: ``[{"port", "baud", "safe_bytes" (hex), "fd"}]``, or ``{"parent": pid, "ports": [...]}``. The
        pipe from the main process is the standard input.

    Returns
    -------
    int
        Exit code: 0 after a goodbye, 3 after the main process was gone, 1 if a port could not be opened.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    given = json.loads(arguments)
    entries, parent = (given, None) if isinstance(given, list) else (given["ports"], given["parent"])
    ports = [GuardedPort.from_json(entry) for entry in entries]
    for port in ports:
        try:
            port.open()
        except OSError as error:
            os.write(1, f"port {port.port} cannot be opened: {error.strerror}\n".encode())
            return 1
    os.write(1, _READY)
    if _wait_for_end(0, parent):
        return 0
    said = _make_all_safe(ports)
    with contextlib.suppress(OSError):  # nobody may read any more
        os.write(2, f"fastpose guardian: the main process is gone; {'; '.join(said)}\n".encode())
    return 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
