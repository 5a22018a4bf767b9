"""Drop-in for the DeepLabCut-live package: scripts written against it run with only the import changed.

    from fastpose.dlclive import DLCLive, Processor

    live = DLCLive("exported.pt", processor=Processor())
    live.init_inference(frame)
    pose = live.get_pose(frame)  # (K, 3) x, y, likelihood in px of the frame

Names, arguments and shapes are those of DeepLabCut-live 1.1.0; the code is our own and runs on fastpose's
engine. Where that version does something else than it documents, this one does what is documented; `DLCLive`
lists where.
"""

from __future__ import annotations

from fastpose.dlclive.analyse import analyze_video
from fastpose.dlclive.benchmark import benchmark_videos
from fastpose.dlclive.display import Display
from fastpose.dlclive.dlclive import DLCLive
from fastpose.dlclive.exceptions import DLCLiveError, DLCLiveWarning
from fastpose.dlclive.live_inference import analyze_live_video
from fastpose.dlclive.processor import KalmanFilterPredictor, Processor

__all__ = [
    "VERSION",
    "DLCLive",
    "DLCLiveError",
    "DLCLiveWarning",
    "Display",
    "KalmanFilterPredictor",
    "Processor",
    "__version__",
    "analyze_live_video",
    "analyze_video",
    "benchmark_videos",
]

VERSION = __version__ = "1.1.0"
"""The version of DeepLabCut-live whose interface this is."""
