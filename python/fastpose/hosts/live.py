"""What the hosts of cameras that may go away have in common: publish, notice the loss, come back."""

from __future__ import annotations

import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

from fastpose.errors import CameraDisconnected, CameraError
from fastpose.hosts.common import WAIT_MS, ProducerRing, StopFlag, clip, creator_watch, now_ns, report

__all__ = ["LivePlayer", "LostError", "play_live"]

RETRY_S = 1.0
_NS = 1_000_000_000


class LostError(Exception):
    """The camera is gone, or says nothing any more; the text says which."""


class LivePlayer(ABC):
    """Plays one camera into one ring, through as many connections as it takes.

    A driver gives the four abstract methods and calls `_connect` at the end of its constructor.

    Parameters
    ----------
    ring : ProducerRing
        Where the frames go.
    camera : str
        Its name in the config.
    reconnect : bool
        Try again once a second when the camera is lost; False: that is an error.
    clock : callable
        Host time, ns.
    sleep : callable
        Sleeps for so many seconds.
    stop : StopFlag
    """

    def __init__(
        self,
        ring: ProducerRing,
        camera: str,
        *,
        reconnect: bool,
        clock: Callable[[], int] = now_ns,
        sleep: Callable[[float], None] = time.sleep,
        stop: StopFlag | None = None,
    ) -> None:
        self._ring, self._camera, self._may_reconnect = ring, camera, reconnect
        self._clock, self._sleep, self._stop = clock, sleep, stop or StopFlag()
        self._interruptions = self._lost_ns = 0
        self._begins_again = False  # the next frame is the first after an interruption

    @abstractmethod
    def _connect(self) -> None:
        """Open the camera as it was before; raises CameraError."""

    @abstractmethod
    def _disconnect(self) -> None:
        """Let go of the camera, silently."""

    @abstractmethod
    def _step(self, *, publish: bool) -> None:
        """Take what came within `WAIT_MS`; raises LostError."""

    @abstractmethod
    def _summary(self) -> list[str]:
        """What to say at the end."""

    def play(self) -> str:
        """Publish every frame from now on; returns a summary in one line.

        Raises
        ------
        CameraDisconnected
            The camera is lost, and the config does not say ``reconnect: true``.
        """
        while not self._stopping():
            try:
                self._step(publish=True)
            except LostError as lost:
                self._disconnect()
                self._wait_for_connection(str(lost))
        self._disconnect()
        return ", ".join([*self._summary(), *self._said_of_interruptions()])

    def discard(self) -> None:
        """Take the frames of a moment without publishing them: nobody waits for them yet.

        Raises
        ------
        CameraDisconnected
            The camera is lost.
        """
        try:
            self._step(publish=False)
        except LostError as lost:
            raise CameraDisconnected(f"camera '{self._camera}' is lost: {lost}") from lost

    def _wait_for_connection(self, reason: str) -> None:
        if self._stopping():
            return
        if not self._may_reconnect:
            raise CameraDisconnected(
                f"camera '{self._camera}' is lost: {reason}; with reconnect: true the session goes on"
            )
        lost_ns = self._clock()
        self._interruptions += 1
        self.say(f"lost: {reason}")
        self._ring.set_producer_state("lost", clip(f"camera '{self._camera}' is lost: {reason}"))
        if self._reconnect():
            self._begins_again = True
            self._ring.set_producer_state("ready")
            self.say(f"back after {(self._clock() - lost_ns) / _NS:.1f} s")
        self._lost_ns += self._clock() - lost_ns

    def _reconnect(self) -> bool:
        """Try once a second; False if a stop came first."""
        said = ""
        while not self._stopping():
            try:
                self._connect()
            except CameraError as error:
                if str(error) != said:
                    said = str(error)
                    self.say(f"not back: {said}")
            else:
                return True
            self._pause(RETRY_S)
        return False

    def _pause(self, seconds: float) -> None:
        end_ns = self._clock() + round(seconds * _NS)
        while self._clock() < end_ns and not self._stopping():
            self._sleep(WAIT_MS / 1000)

    def _acquire(self) -> int | None:
        """A slot to fill; None when a stop came first."""
        while not self._stopping():
            slot = self._ring.acquire(WAIT_MS)
            if slot >= 0:
                return slot
        return None

    def _stopping(self) -> bool:
        return self._stop.is_set or self._ring.stop_requested

    def say(self, text: str) -> None:
        """Into the session's log/camera_<name>.txt."""
        print(time.strftime("%H:%M:%S"), f"camera '{self._camera}'", text, file=sys.stderr, flush=True)

    def _said_of_interruptions(self) -> list[str]:
        if not self._interruptions:
            return []
        return [f"{self._interruptions} interruptions, {self._lost_ns / _NS:.1f} s in all"]


def play_live(ring: ProducerRing, player: LivePlayer, stop: StopFlag) -> None:
    """From a player that is ready to its end, with every state that the engine waits for."""
    ring.set_producer_state("ready")
    report("ready")
    with creator_watch(ring):
        while not ring.wait_started(0) and not (stop.is_set or ring.stop_requested):
            player.discard()
        summary = clip(player.play())
    player.say(summary)
    ring.set_producer_state("finished", summary)
    report("finished", summary)
