"""What ``fastpose replay`` prints."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fastpose.config import load_config
from fastpose.errors import ConfigError
from fastpose.replay.replay import Replay, Source, replay_session

__all__ = ["as_json", "print_replay", "run"]

MOST_ROWS = 40  # of differences; --json has them all


def run(session: Path, config: Path | None, source: str) -> Replay:
    """Replay a session as the command line asks for it.

    Raises
    ------
    FastposeError
        See `replay_session`.
    """
    known: dict[str, Source] = {"poses": "poses", "video": "video"}
    if source not in known:
        raise ConfigError(f"--from is {source!r}; allowed: poses, video")
    return replay_session(session, config=load_config(config) if config else None, source=known[source])


def as_json(replay: Replay) -> str:
    """For programs."""
    return json.dumps(replay.as_json(), indent=2)


def print_replay(replay: Replay, console: Console) -> None:
    """Frames, edges by name, and what differs."""
    for name, camera in replay.cameras.items():
        console.print(
            f"{name}: {camera.frames} frames, {camera.dropped} dropped ones beside them; poses differ by up "
            f"to {camera.raw_px:g} px, filtered ones by {camera.filtered_px:g} px"
        )
        if camera.missing_poses:
            console.print(f"{name}: {camera.missing_poses} poses are lost and count as missing")
        if camera.not_in_video:
            console.print(f"{name}: {camera.not_in_video} frames are not in the video: recorded poses stand")
    console.print(_counts(replay))
    if replay.differences:
        console.print(_differences(replay))
    for note in replay.notes:
        console.print(f"note: {note}")
    console.print(_verdict(replay))


def _counts(replay: Replay) -> Table:
    table = Table("event", "name", "recorded", "replayed", box=None, padding=(0, 2, 0, 0))
    for (event, name), (old, new) in replay.counts.items():
        table.add_row(event, name, str(old), str(new))
    return table


def _differences(replay: Replay) -> Table:
    table = Table(
        "time_s", "frame", "event", "name", "value", "cause", "only", box=None, padding=(0, 2, 0, 0)
    )
    for each in replay.differences[:MOST_ROWS]:
        frame = "" if each.frame_id is None else str(each.frame_id)
        row = (f"{each.time_s:.6f}", frame, each.event, each.name, str(each.value), each.cause, each.side)
        table.add_row(*row)
    return table


def _verdict(replay: Replay) -> str:
    edges = sum(old for old, _ in replay.counts.values())
    if replay.identical:
        return f"{replay.session}: all {edges} events are bit-identical"
    hidden = len(replay.differences) - MOST_ROWS
    more = f"; {hidden} more with --json" if hidden > 0 else ""
    return f"{replay.session}: {len(replay.differences)} events differ{more}"
