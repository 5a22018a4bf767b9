"""Tests of fastpose.drivers.onvif against a responder on loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fastpose.drivers.onvif import NetworkCamera, discover

MATCH = """<d:ProbeMatch><d:Types>dn:NetworkVideoTransmitter</d:Types>
<d:Scopes>onvif://www.onvif.org/Profile onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/hardware/P1375
 onvif://www.onvif.org/name/AXIS%20P1375</d:Scopes>
<d:XAddrs>{addresses}</d:XAddrs></d:ProbeMatch>"""
ENVELOPE = """<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Body><d:ProbeMatches>{matches}</d:ProbeMatches>
</s:Body></s:Envelope>"""


@contextmanager
def responder(*answers: bytes) -> Iterator[tuple[tuple[str, int], list[bytes]]]:
    """Answers the first message with all of these."""
    heard: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            message, client = server.recvfrom(65536)
            heard.append(message)
            for answer in answers:
                server.sendto(answer, client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname(), heard
        thread.join(30)


def answer(*addresses: str) -> bytes:
    return ENVELOPE.format(matches=MATCH.format(addresses=" ".join(addresses))).encode()


def test_cameras_that_answer() -> None:
    answers = (
        answer("http://192.168.0.64/onvif/device_service", "http://[fe80::1]/onvif/device_service"),
        answer("http://[fe80::2]/onvif", "http://192.168.0.7:8080/onvif"),
        answer("http://192.168.0.64/onvif/device_service"),  # once more, over another network
    )
    with responder(*answers) as (address, heard):
        found = discover(1.0, address)
    assert found == [
        NetworkCamera("192.168.0.64", "AXIS P1375"),
        NetworkCamera("192.168.0.7", "AXIS P1375"),
    ]
    assert b"dn:NetworkVideoTransmitter" in heard[0] and b"discovery/Probe<" in heard[0]


def test_nonsense_is_nobody() -> None:
    no_address = ENVELOPE.format(matches=MATCH.format(addresses="")).encode()
    no_name = answer("http://10.0.0.1/x").replace(b"onvif://www.onvif.org/", b"")
    with responder(b"\x00\xff", b"<a><b></a>", no_address, no_name, b"") as (address, _heard):
        assert discover(0.5, address) == [NetworkCamera("10.0.0.1", "network camera")]


def test_nobody_there() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        assert discover(0.1, silent.getsockname()) == []
