"""``fastpose analyze``: several videos, with progress."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fastpose.analyze import Analysis, analyze_video
from fastpose.config import PixelFormat
from fastpose.errors import FastposeError
from fastpose.hosts.hardware import Decoder
from fastpose.hosts.probe import probe
from fastpose.model import Model, load_model

__all__ = ["analyze_videos"]


def analyze_videos(
    videos: Sequence[Path],
    model: str | Path,
    folder: Path | None = None,
    *,
    device: Any = "cpu",
    precision: Any = "auto",
    pixel_format: PixelFormat | None = None,
    labelled_video: bool = False,
    min_likelihood: float = 0.6,
    decoder: Any = "auto",
) -> list[Analysis]:
    """Analyse videos one after the other; one that fails does not keep the others from being analysed.

    Parameters
    ----------
    videos : sequence of Path
    model : path or str
        Model package, or ``builtin:NAME``.
    folder, pixel_format, labelled_video, min_likelihood, decoder
        As for `fastpose.analyze.analyze_video`.
    device, precision : str
        As for `fastpose.load_model`.

    Raises
    ------
    FastposeError
        The model cannot be loaded; or, after the last video, the problems of all those that failed, of the
        type of the first.
    """
    network = load_model(model, device=device, precision=precision)
    done: list[Analysis] = []
    failed: list[FastposeError] = []
    for video in videos:
        try:
            done.append(
                _with_progress(video, network, folder, pixel_format, labelled_video, min_likelihood, decoder)
            )
        except FastposeError as error:
            failed.append(error)
            continue
        for line in _said(video, done[-1]):
            print(line)
    if failed:
        raise type(failed[0])(*(line for error in failed for line in error.lines))
    return done


def _with_progress(
    video: Path,
    model: Model,
    folder: Path | None,
    pixel_format: PixelFormat | None,
    labelled_video: bool,
    min_likelihood: float,
    decoder: Decoder,
) -> Analysis:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(video.name, total=probe(video).frames)
        return analyze_video(
            video,
            model,
            folder,
            pixel_format=pixel_format,
            labelled_video=labelled_video,
            min_likelihood=min_likelihood,
            decoder=decoder,
            on_frame=lambda count: progress.update(task, completed=count),
        )


def _said(video: Path, analysis: Analysis) -> list[str]:
    count, bad = len(analysis.poses.keypoints), len(analysis.poses.unreadable)
    unreadable = f", {bad} unreadable (missing in the files)" if bad else ""
    decoded = "" if analysis.decoding == "software" else f", decoded by {analysis.decoding}"
    return [f"{video}: {count} frames{unreadable}{decoded}", *(f"  {path}" for path in analysis.files)]
