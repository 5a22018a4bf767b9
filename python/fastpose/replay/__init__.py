"""A recorded session once more: its poses through rules and protocol, with the same config or another."""

from fastpose.replay.compare import Difference
from fastpose.replay.replay import CameraReplay, Replay, replay_session

__all__ = ["CameraReplay", "Difference", "Replay", "replay_session"]
