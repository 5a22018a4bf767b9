"""When a frame of a stream was exposed: from its time stamp and its arrival, or from the camera's own clock.

Note [age of a stream's frames]: The time stamps of a stream count from an origin that nobody knows. The
quickest of many frames ties them to the host's clock: it arrived soonest after its exposure, and all others
are placed by their time stamps, so that the waits of network and decoder show. What stays unknown is how
long the quickest one took, exposure, encoder and network together: `latency_ms`, to be measured once, e.g.
with a lamp. A camera over RTSP also says in its sender reports (RTCP, RFC 3550 section 6.4.1) what its own
clock showed; where camera and host keep the same time (NTP, PTP), the age of every frame is known. A stream
without time stamps has its arrival alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

from fastpose.errors import CameraError
from fastpose.hosts.stream_options import StreamClock

__all__ = ["ExposureClock"]

_NS = 1_000_000_000
_JUMP_NS = _NS  # time stamps that run ahead of every arrival by so much have begun again
_PATIENCE_NS = (
    30 * _NS
)  # frames that are late for so long are not late: the camera's time stamps have stood still
_LEAK_PPM = 200  # no quartz is worse: the tie may slip by so much between two quick frames
_PLAUSIBLE_NS = (-_NS // 20, 60 * _NS)  # age by the camera's own clock
_AGES = 4096


class ExposureClock:
    """Places the frames of one stream on the host's clock.

    Parameters
    ----------
    clock : {"arrival", "sender"}
    latency_ns : int
        From the exposure to the arrival of the quickest frame; for "arrival".
    wall_minus_host_ns : callable
        The host's wall clock (UTC) less its monotonic clock, ns.
    camera : str
        For messages.
    """

    def __init__(
        self,
        clock: StreamClock,
        latency_ns: int = 0,
        *,
        wall_minus_host_ns: Callable[[], int] = lambda: time.time_ns() - time.monotonic_ns(),
        camera: str = "",
    ) -> None:
        self._mode, self._latency_ns, self._camera = clock, latency_ns, camera
        self._wall_minus_host_ns = wall_minus_host_ns
        self._tie_ns: int | None = None  # host clock less time stamp, of the quickest frame
        self._last_pts_ns = self._last_received_ns = 0
        self._window_start_ns = 0
        self._window_tie_ns: int | None = None  # the lowest of the last seconds
        self._ages_ns: list[int] = []
        self._sender_age_ns: int | None = None  # of the quickest frame

    @property
    def has_sender(self) -> bool:
        """The camera has said what its own clock showed."""
        return self._sender_age_ns is not None

    @property
    def is_known(self) -> bool:
        """The age of a frame on arrival is more than a guess."""
        return self._mode == "sender" or self._latency_ns > 0

    def restart(self) -> None:
        """The stream begins again: its time stamps have another origin."""
        self._tie_ns = None

    def place(self, pts_ns: int | None, received_ns: int, sender_ns: int | None = None) -> int:
        """The start of a frame's exposure on the host's clock, ns.

        Parameters
        ----------
        pts_ns : int or None
            Time stamp of the stream; None: it has none.
        received_ns : int
            Arrival, host clock.
        sender_ns : int or None
            The camera's own clock for this frame, ns since 1970.

        Raises
        ------
        CameraError
            Clock "sender", and the camera keeps another time than this machine.
        """
        arrival_ns = self._tied(pts_ns, received_ns)
        if sender_ns is not None:
            exposure_ns = sender_ns - self._wall_minus_host_ns()
            self._note_sender(received_ns - exposure_ns, arrival_ns - exposure_ns)
            if self._mode == "sender":
                return exposure_ns
        if self._mode == "sender" and self._sender_age_ns is not None:
            return arrival_ns - self._sender_age_ns
        return arrival_ns - self._latency_ns

    def describe(self) -> str:
        """What is known of the frames' age, in a line."""
        if self._ages_ns:
            ages = sorted(self._ages_ns)
            middle_ms, p99_ms = median(ages) / 1e6, ages[min(len(ages) - 1, len(ages) * 99 // 100)] / 1e6
            return f"age on arrival by the camera's own clock: median {middle_ms:.1f}, p99 {p99_ms:.1f} ms"
        if self._latency_ns:
            return f"age on arrival: {self._latency_ns / 1e6:g} ms or more (latency_ms of the config)"
        return "age on arrival unknown: the camera does not say it, and latency_ms of the config is 0"

    def _tied(self, pts_ns: int | None, received_ns: int) -> int:
        """When the quickest of all frames would have arrived with this time stamp."""
        if pts_ns is None:
            return received_ns
        tie_ns, waited_ns = received_ns - pts_ns, received_ns - self._last_received_ns
        if self._tie_ns is None or self._has_jumped(pts_ns, tie_ns):
            self._tie_ns, self._window_tie_ns = tie_ns, None
        else:
            self._tie_ns = min(tie_ns, self._tie_ns + waited_ns * _LEAK_PPM // 1_000_000)
        self._last_pts_ns, self._last_received_ns = pts_ns, received_ns
        self._give_up_waiting(tie_ns, received_ns)
        return pts_ns + self._tie_ns

    def _has_jumped(self, pts_ns: int, tie_ns: int) -> bool:
        assert self._tie_ns is not None
        return pts_ns < self._last_pts_ns or tie_ns < self._tie_ns - _JUMP_NS

    def _give_up_waiting(self, tie_ns: int, received_ns: int) -> None:
        """Tie anew when no frame has been near the old tie for long."""
        assert self._tie_ns is not None
        if self._window_tie_ns is None:
            self._window_start_ns, self._window_tie_ns = received_ns, tie_ns
            return
        self._window_tie_ns = min(self._window_tie_ns, tie_ns)
        if received_ns - self._window_start_ns > _PATIENCE_NS:
            if self._window_tie_ns > self._tie_ns + _JUMP_NS:
                self._tie_ns = self._window_tie_ns
            self._window_tie_ns = None

    def _note_sender(self, age_ns: int, quickest_age_ns: int) -> None:
        low, high = _PLAUSIBLE_NS
        if low <= age_ns <= high:
            self._sender_age_ns = quickest_age_ns
            if len(self._ages_ns) < _AGES:
                self._ages_ns.append(age_ns)
        elif self._mode == "sender":
            raise CameraError(
                f"camera '{self._camera}': by its own clock its frames are {age_ns / 1e9:.3f} s old when "
                "they arrive; allowed: 0 to 60; let camera and host keep the same time (NTP, PTP), "
                "or use clock: arrival"
            )
