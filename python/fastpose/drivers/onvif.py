"""Asks the local network for cameras that answer to ONVIF: one small message, one second of listening.

WS-Discovery (OASIS 2009) over UDP multicast, as the ONVIF Core Specification, chapter 7, wants it. What a
camera answers is its address and names, not the address of its stream: that needs a login, or its manual.
"""

from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

__all__ = ["NetworkCamera", "discover"]

GROUP = ("239.255.255.250", 3702)
_LARGEST = 65536  # bytes of an answer
_SCOPE = "onvif://www.onvif.org/"
_PROBE = """<?xml version="1.0" encoding="utf-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
 xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing">
<s:Header>
<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>
<a:MessageID>uuid:{id}</a:MessageID>
<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>
</s:Header>
<s:Body><d:Probe xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"
 xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></s:Body>
</s:Envelope>"""


@dataclass(frozen=True)
class NetworkCamera:
    """A camera that answered.

    Attributes
    ----------
    host : str
        Its address in the network.
    name : str
        Maker and model, as far as it says.
    """

    host: str
    name: str


def discover(timeout_s: float = 1.0, group: tuple[str, int] = GROUP) -> list[NetworkCamera]:
    """Every camera that answers in time, on every network of this machine; none where there is no network."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as link:
        message = _PROBE.format(id=uuid.uuid4()).encode()
        for address in _own_addresses():
            with suppress(OSError):  # a network that is down
                link.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
                link.sendto(message, group)
        found = {camera.host: camera for answer in _answers(link, timeout_s) for camera in _cameras(answer)}
    return [found[host] for host in sorted(found)]


def _own_addresses() -> set[str]:
    addresses = {"0.0.0.0"}  # the system's choice
    with suppress(OSError):
        addresses |= {
            str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
        }
    return addresses


def _answers(link: socket.socket, timeout_s: float) -> Iterator[bytes]:
    end_s = time.monotonic() + timeout_s
    while (left_s := end_s - time.monotonic()) > 0:
        link.settimeout(left_s)
        try:
            yield link.recv(_LARGEST)
        except TimeoutError:
            return
        except OSError:
            continue  # somebody refused the message


def _cameras(answer: bytes) -> Iterator[NetworkCamera]:
    try:
        root = ElementTree.fromstring(answer)
    except ElementTree.ParseError:
        return
    for match in root.iter("{http://schemas.xmlsoap.org/ws/2005/04/discovery}ProbeMatch"):
        texts = {element.tag.rpartition("}")[2]: element.text or "" for element in match.iter()}
        for address in texts.get("XAddrs", "").split():
            host = urlsplit(address).hostname
            if host and ":" not in host:
                yield NetworkCamera(host, _name(texts.get("Scopes", "").split()))
                break


def _name(scopes: list[str]) -> str:
    """Scopes are addresses such as onvif://www.onvif.org/name/AXIS%20P1375."""
    said = dict(scope.removeprefix(_SCOPE).partition("/")[::2] for scope in scopes if _SCOPE in scope)
    name, hardware = unquote(said.get("name", "")), unquote(said.get("hardware", ""))
    return (name if hardware in name else f"{name} {hardware}".strip()) or "network camera"
