"""A request to a web server at each edge, over one connection that stays open."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from fastpose.config.beside import HttpOutput
from fastpose.errors import OutputError
from fastpose.outputs.message import edge_message

__all__ = ["open"]

_REFUSED = 400  # and above: the server did not do it


class HttpLine:
    """Sends where the level is a new one; waits for the answer."""

    def __init__(self, name: str, spec: HttpOutput) -> None:
        self._name, self._spec = name, spec
        self._level: bool | float = False
        parts = urlsplit(spec.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.netloc, timeout=spec.timeout_ms / 1000)
        self._path = parts.path + (f"?{parts.query}" if parts.query else "") or "/"

    def write(self, high: bool) -> None:
        """Say the level; OutputError where the server does not answer or refuses."""
        if high is not self._level:
            self._send(high, None)
            self._level = high

    def write_value(self, value: float) -> None:
        """Say the value."""
        self._send(value > 0, value)
        self._level = value

    def _send(self, high: bool, value: float | None) -> None:
        body = edge_message(self._name, high=high, value=value)
        headers = {"Content-Type": "application/json", **self._spec.headers}
        try:
            self._connection.request(self._spec.method, self._path, body, headers)
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()  # the next request opens it anew
            raise OutputError(f"{self._spec.url}: {error or type(error).__name__}") from error
        if answer.status >= _REFUSED:
            raise OutputError(f"{self._spec.url} answered {answer.status} {answer.reason}")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def open(name: str, spec: HttpOutput) -> HttpLine:
    """The output `name`."""
    return HttpLine(name, spec)
