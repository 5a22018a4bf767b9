"""When each action was decided, acted and confirmed: stamps in the rows of events.csv."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastpose.session.log import Records
from fastpose.session.source import SessionLogs

__all__ = ["ActionStamps", "action_stamps"]

_OUTPUT, _REFUSED, _LATE, _CONFIRMED = 2, 3, 4, 5  # csrc/record/records.h EventKind
_CLOCKS_DISAGREE_NS = 5_000_000  # a device's clock may put an edge before the write that made it
_LONGEST_NS = 1_000_000_000

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ActionStamps:
    """Of each event, host clock; 0: does not exist.

    Attributes
    ----------
    decided_ns : ndarray
        (n,) int64 when the loop had decided on the frame that an output, refused or late event came of.
    acted_ns : ndarray
        (n,) int64 when the write of an output event returned.
    confirmed_ns : ndarray
        (n,) int64 when the line moved by the device's own clock, where the device answers.
    """

    decided_ns: Int64
    acted_ns: Int64
    confirmed_ns: Int64


def action_stamps(logs: SessionLogs, records: Records) -> ActionStamps:
    """The stamps of events, from the frames log and from the devices' answers.

    Parameters
    ----------
    logs : SessionLogs
    records : ndarray
        (n,) events in order of time.
    """
    acted = np.where(records["kind"] == _OUTPUT, records["stamp_ns"], 0)
    return ActionStamps(_decided(logs, records), acted.astype(np.int64), _confirmed(records))


def _decided(logs: SessionLogs, records: Records) -> Int64:
    """Of the frame of each action; frames are told apart by their exposure."""
    out = np.zeros(len(records), np.int64)
    acts = np.isin(records["kind"], (_OUTPUT, _REFUSED, _LATE)) & (records["exposure_start_ns"] != 0)
    for camera in logs.cameras.values():
        if camera.frames is None or not len(camera.frames.records):
            continue
        frames = camera.frames.records
        frames = frames[np.argsort(frames["exposure_start_ns"], kind="stable")]
        at = np.searchsorted(frames["exposure_start_ns"], records["exposure_start_ns"]).clip(
            0, len(frames) - 1
        )
        same = frames["exposure_start_ns"][at] == records["exposure_start_ns"]
        same &= frames["frame_id"][at] == records["frame_id"]
        out = np.where(acts & same & (out == 0), frames["decided_ns"][at], out)
    return out


def _confirmed(records: Records) -> Int64:
    """Of each output event: the first answer of its line and level, before the next such edge."""
    out = np.zeros(len(records), np.int64)
    answers = np.flatnonzero(records["kind"] == _CONFIRMED)
    edges = np.flatnonzero(records["kind"] == _OUTPUT)
    for source, value in {(int(e["source"]), int(e["value"])) for e in records[answers]}:
        mine = answers[(records["source"][answers] == source) & (records["value"][answers] == value)]
        acted = edges[(records["source"][edges] == source) & (records["value"][edges] == value)]
        _pair(records["stamp_ns"], acted, mine, out)
    return out


def _pair(stamps: Int64, acted: Int64, answers: Int64, out: Int64) -> None:
    """An answer is that of the last edge before it; so a lost answer leaves its edge without one."""
    before = np.searchsorted(stamps[acted], stamps[answers] + _CLOCKS_DISAGREE_NS, side="right") - 1
    for edge, answer in zip(before, answers, strict=True):
        if edge < 0 or out[acted[edge]] or stamps[answer] - stamps[acted[edge]] > _LONGEST_NS:
            continue
        out[acted[edge]] = stamps[answer]
