"""`fastpose recover`: the results of a session that was killed or lost its power."""

from __future__ import annotations

import time
from pathlib import Path

from fastpose.errors import RecordError
from fastpose.session.finalise import finalise
from fastpose.session.summary import Summary
from fastpose.session.writers_linux import processes_writing

__all__ = ["recover"]


def recover(session_dir: str | Path, *, wait_s: float = 10.0) -> Summary:
    """Make all result files from the log of a session, however it ended. Doing it again changes nothing.

    Parameters
    ----------
    session_dir : path
        The session's folder, which holds `log/`.
    wait_s : float
        How long to wait for processes that still write to it: the video encoder outlives a killed engine
        for a moment.

    Returns
    -------
    Summary
        Its notes say what was lost and what was repaired.

    Raises
    ------
    RecordError
        There is no log, the session is still running, or a file cannot be written.
    """
    session_dir = Path(session_dir)
    _wait_for_writers(session_dir, time.monotonic() + wait_s)
    return finalise(session_dir)


def _wait_for_writers(session_dir: Path, until_s: float) -> None:
    files = [*session_dir.glob("log/*.fplog"), *session_dir.glob("video_*.mkv")]
    while writers := processes_writing(files):
        if time.monotonic() > until_s:
            pids = ", ".join(map(str, writers))
            raise RecordError(f"'{session_dir}' is still in use by process {pids}: end the session first")
        time.sleep(0.1)
