"""Offline use of the engine: poses of whole videos, bit for bit those of the loop on the same frames."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from fastpose.analyze_ahead import poses_of
from fastpose.analyze_batches import batched_poses_of
from fastpose.assembly.behaviour import make_identity
from fastpose.config import MotionIdentity, NoIdentity, PixelFormat
from fastpose.cuda.gpu import index_of, is_cuda
from fastpose.errors import CameraError, ConfigError, DeviceError, RecordError
from fastpose.hosts.common import FRAME_TORN
from fastpose.hosts.hardware import SOFTWARE, Decoder, Decoding, choose_decoding, in_planes
from fastpose.hosts.pixels import SlotFiller
from fastpose.hosts.probe import VideoInfo, probe
from fastpose.hosts.reader import VideoReader
from fastpose.model import Model
from fastpose.session.atomic import replacing, write_json
from fastpose.session.drawing import Rgb, draw_pose
from fastpose.session.labelled import encode_video
from fastpose.session.poses import PoseHeader, write_csv, write_h5

__all__ = ["Analysis", "VideoPoses", "analyze_video", "scorer_of"]

_ROWS_AT_ONCE = 100_000


@dataclass(frozen=True)
class VideoPoses:
    """Keypoints of every frame of a video.

    Attributes
    ----------
    scorer : str
        First header row of the files.
    bodyparts, individuals : tuple of str
        Names; individuals only where there are several.
    keypoints : ndarray
        (frames, individuals, K, 3) float32 x, y (px of the frame), likelihood; NaN: unreadable or not found.
    unreadable, torn : tuple of int
        Numbers of the frames that could not be decoded, and of those built upon one.
    unique_bodyparts : tuple of str
        The last body parts, where they belong to the last individual alone.
    """

    scorer: str
    bodyparts: tuple[str, ...]
    individuals: tuple[str, ...]
    keypoints: npt.NDArray[np.float32]
    unreadable: tuple[int, ...]
    torn: tuple[int, ...]
    unique_bodyparts: tuple[str, ...] = ()

    @property
    def columns(self) -> pd.MultiIndex:
        """Level names and labels as DeepLabCut writes them."""
        return self._header.columns

    @property
    def _header(self) -> PoseHeader:
        return PoseHeader(self.scorer, self.bodyparts, self.individuals, self.unique_bodyparts)

    def chunks(self) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]]:
        """Frame numbers and rows, a bounded number at once; at least one chunk."""
        rows = self._header.rows(self.keypoints)
        for start in range(0, max(len(rows), 1), _ROWS_AT_ONCE):
            part = rows[start : start + _ROWS_AT_ONCE]
            yield np.arange(start, start + len(part), dtype=np.int64), part


@dataclass(frozen=True)
class Analysis:
    """What was written for one video.

    Attributes
    ----------
    poses : VideoPoses
    files : tuple of Path
        h5, csv, meta.json and the labelled video where it was asked for.
    decoding : str
        What decoded the video: "NVDEC of cuda:0", "software", or why the one became the other.
    """

    poses: VideoPoses
    files: tuple[Path, ...]
    decoding: str = "software"


def scorer_of(model: Model) -> str:
    """The scorer in headers and file names: the source tool's where the package knows it, else its name."""
    package = model.package
    return str(package.source.get("scorer") or f"fastpose_{package.name}")


def analyze_video(
    video: str | os.PathLike[str],
    model: Model,
    folder: str | os.PathLike[str] | None = None,
    *,
    pixel_format: PixelFormat | None = None,
    labelled_video: bool = False,
    min_likelihood: float = 0.6,
    identity: MotionIdentity | NoIdentity | None = None,
    on_frame: Callable[[int], None] | None = None,
    decoder: Decoder = "auto",
) -> Analysis:
    """Find the pose in every frame of a video and write DeepLabCut's files.

    Frames are read as the video camera of a session reads them, so that the keypoints are those of the loop:
    bit for bit on a CPU, up to rounding on a GPU, which takes them in batches.
    ``<video><scorer>.h5`` (key ``df_with_missing``) and ``.csv`` get a row for each frame; those
    that cannot be read are missing (NaN) and listed in ``<video><scorer>_meta.json``.

    Parameters
    ----------
    video : path-like
    model : Model
    folder : path-like, optional
        Where the files go; default: beside the video.
    pixel_format : str, optional
        "mono8", "rgb8" or "bgr8"; default: mono8 for grey files, else rgb8.
    labelled_video : bool
        Write ``<video><scorer>_p<percent>_labeled.mp4``, too.
    min_likelihood : float
        Keypoints below are not drawn there.
    identity : MotionIdentity or NoIdentity, optional
        How several animals keep their rows, by the time stamps of the file; default: by motion, as in a
        config without this section.
    on_frame : callable, optional
        Called with the number of frames so far.
    decoder : str
        With a model on a GPU: "auto" decodes by NVDEC where that gives the frames of software decoding,
        "nvdec" by nothing else, "software" never; see `Analysis.decoding`. Elsewhere software decodes.

    Raises
    ------
    DeviceError
        `decoder` is "nvdec", and there is none, or it does not decode this file.
    CameraError
        The video cannot be opened, or holds no frame that can be read.
    RecordError
        A file cannot be written.
    """
    source, info = Path(video), probe(video)
    target = _free_folder(Path(folder) if folder is not None else source.parent)
    finder = _Finder(model, pixel_format or _format_of(info), identity or MotionIdentity())
    decoding = _decoding(source, model, decoder)
    poses = _found(source, info, finder, decoding, on_frame)
    stem = f"{source.stem}{poses.scorer}"
    files = [target / f"{stem}.h5", target / f"{stem}.csv", target / f"{stem}_meta.json"]
    write_h5(files[0], poses)
    write_csv(files[1], poses)
    write_json(files[2], _meta(source, model, poses, info) | {"decoding": decoding.text})
    if labelled_video:
        files.append(target / f"{stem}_p{int(100 * min_likelihood)}_labeled.mp4")
        _write_labelled(files[-1], source, poses, model, info, min_likelihood)
    return Analysis(poses, tuple(files), decoding.text)


def _decoding(video: Path, model: Model, decoder: Decoder) -> Decoding:
    if decoder not in (allowed := get_args(Decoder)):
        raise ConfigError(f"decoder is {decoder!r}; allowed: {', '.join(allowed)}")
    if is_cuda(model.device):
        return choose_decoding(video, index_of(model.device), decoder)
    if decoder == "nvdec":
        raise DeviceError(f"decoder is nvdec with device {model.device}; allowed: with device cuda, cuda:N")
    return SOFTWARE


def _format_of(info: VideoInfo) -> PixelFormat:
    return "mono8" if info.is_grey else "rgb8"


def _free_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordError(f"cannot make folder '{folder}': {error.strerror or error}") from error
    return folder


@dataclass(frozen=True)
class _Frame:
    pixels: npt.NDArray[np.uint8] | None  # None: cannot be read; overwritten by the next frame
    pts_ns: int
    flags: int


def _frames(
    video: Path, info: VideoInfo, pixel_format: PixelFormat, decoding: Decoding = SOFTWARE
) -> Iterator[_Frame]:
    if not SlotFiller.supports(pixel_format):
        raise ConfigError(f"pixel_format is {pixel_format!r}; allowed for videos: mono8, rgb8, bgr8")
    filler = SlotFiller(info.width, info.height, pixel_format)
    shape = (info.height, info.width) if pixel_format == "mono8" else (info.height, info.width, 3)
    slot = np.empty(shape, np.uint8)
    for item in VideoReader(video, threads=0, decoding=decoding):
        frame = item.frame and in_planes(item.frame)
        yield _Frame(slot if filler.fill(frame, slot) else None, item.pts_ns, item.flags)


class _Finder:
    """The poses of a stream of frames: the network, then who is who."""

    def __init__(
        self, model: Model, pixel_format: PixelFormat, identity: MotionIdentity | NoIdentity
    ) -> None:
        self.model = model
        self.pixel_format: PixelFormat = pixel_format
        self._shape = (model.package.count_of_individuals, len(model.bodyparts))
        self._identity = make_identity(identity, model.package)

    def __call__(self, marks: _Marks, frames: Iterable[_Frame]) -> Iterator[npt.NDArray[np.float32]]:
        """Yield (individuals, K, 3) float32 of each frame; NaN where it cannot be read."""
        seen, model = marks.noted(frames), self.model
        if model.batches:
            poses = batched_poses_of(seen, model.open_batch, self.pixel_format)
        else:
            poses = poses_of(seen, model, self.pixel_format)
        for number, found in enumerate(poses):
            pose = np.full((*self._shape, 3), np.nan, np.float32) if found is None else found
            if self._identity is not None:
                self._identity.apply(pose, marks.pts_ns[number])
            yield pose


def _found(
    video: Path,
    info: VideoInfo,
    finder: _Finder,
    decoding: Decoding,
    on_frame: Callable[[int], None] | None,
) -> VideoPoses:
    marks, model = _Marks(), finder.model
    rows: list[npt.NDArray[np.float32]] = []
    for pose in finder(marks, _frames(video, info, finder.pixel_format, decoding)):
        rows.append(pose)
        if on_frame is not None:
            on_frame(len(rows))
    if len(marks.unreadable) == len(rows):
        raise CameraError(f"'{video}' holds no frame that can be decoded; it may be cut off or damaged")
    names, unique = (
        (scorer_of(model), model.bodyparts, model.package.individuals),
        model.package.unique_bodyparts,
    )
    return VideoPoses(*names, np.stack(rows), tuple(marks.unreadable), tuple(marks.torn), unique)


@dataclass
class _Marks:
    """When each frame was, and the numbers of those that something is wrong with."""

    pts_ns: list[int] = field(default_factory=list)
    unreadable: list[int] = field(default_factory=list)
    torn: list[int] = field(default_factory=list)

    def noted(self, frames: Iterable[_Frame]) -> Iterator[npt.NDArray[np.uint8] | None]:
        for number, frame in enumerate(frames):
            self.pts_ns.append(frame.pts_ns)
            if frame.pixels is None:
                self.unreadable.append(number)
            elif frame.flags & FRAME_TORN:
                self.torn.append(number)
            yield frame.pixels


def _meta(video: Path, model: Model, poses: VideoPoses, info: VideoInfo) -> dict[str, Any]:
    import fastpose

    return {
        "scorer": poses.scorer,
        "video": str(video),
        "frame_dimensions": [info.width, info.height],
        "fps": info.rate_hz,
        "nframes": len(poses.keypoints),
        "unreadable_frames": list(poses.unreadable),
        "torn_frames": list(poses.torn),
        "bodyparts": list(poses.bodyparts),
        "individuals": list(poses.individuals),
        "unique_bodyparts": list(poses.unique_bodyparts),
        "model": {"name": model.package.name, "sha256": dict(model.package.sha256), "runs": repr(model)},
        "fastpose": fastpose.__version__,
    }


def _write_labelled(
    path: Path, video: Path, poses: VideoPoses, model: Model, info: VideoInfo, min_likelihood: float
) -> None:
    places = {name: place for place, name in enumerate(poses.bodyparts)}
    skeleton = [(places[a], places[b]) for a, b in model.package.skeleton]

    def drawn(frames: Iterable[_Frame]) -> Iterator[Rgb]:
        for frame, keypoints in zip(frames, poses.keypoints, strict=False):
            shown = np.zeros((info.height, info.width), np.uint8) if frame.pixels is None else frame.pixels
            yield draw_pose(shown, keypoints, skeleton=skeleton, min_likelihood=min_likelihood)

    with replacing(path) as temporary:
        rate = Fraction(info.rate_hz).limit_denominator(65_535)
        encode_video(temporary, rate, drawn(_frames(video, info, _format_of(info))))
