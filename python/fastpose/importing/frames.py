"""Frames for the reference of a package: the user's own, or made from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fastpose.errors import ModelError

__all__ = ["image_files", "read_frames", "reference_frames", "seeded_frames"]

Frames = npt.NDArray[np.uint8]

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")


def reference_frames(
    source: Path | None, *, size: tuple[int, int] = (640, 480), count: int = 4, colour: str = "rgb"
) -> Frames:
    """Frames of one size.

    Parameters
    ----------
    source : Path or None
        Video, image or folder of images; None: frames made from a seed.
    size : tuple of int
        Width and height of seeded frames, px.
    count : int
        Frames, fewer where the source has fewer.
    colour : {"rgb", "grey"}

    Returns
    -------
    ndarray
        (n, H, W, 3) uint8 for rgb, (n, H, W) for grey.

    Raises
    ------
    ModelError
        The source cannot be read.
    """
    if source is None:
        return seeded_frames(size, count=count, colour=colour)
    return read_frames(source, count=count, colour=colour)


def seeded_frames(size: tuple[int, int], *, count: int = 4, colour: str = "rgb", seed: int = 0) -> Frames:
    """Smooth blobs over noise, the same for the same seed; see `reference_frames`."""
    random = np.random.default_rng(seed)
    channels = 3 if colour == "rgb" else 1
    frames = [_seeded_frame(random, size, channels) for _ in range(count)]
    return np.stack(frames) if channels == 3 else np.stack(frames)[..., 0]


def _seeded_frame(random: np.random.Generator, size: tuple[int, int], channels: int) -> Frames:
    width, height = size
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    frame = random.normal(110, 12, (height, width, channels)).astype(np.float32)
    for _ in range(24):
        x, y, radius = random.uniform(0, width), random.uniform(0, height), random.uniform(4, 60)
        blob = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * radius**2))
        frame += blob[..., None] * random.uniform(-90, 90, channels).astype(np.float32)
    return np.clip(np.rint(frame), 0, 255).astype(np.uint8)


def read_frames(source: Path, *, count: int = 4, colour: str = "rgb") -> Frames:
    """Frames spread over a video or a folder of images; see `reference_frames`."""
    pictures = image_files(source)
    try:
        frames = _read_images(pictures, count, colour) if pictures else _read_video(source, count, colour)
    except (OSError, ValueError) as error:
        raise ModelError(f"frames '{source}' cannot be read ({' '.join(str(error).split())})") from None
    if not frames:
        raise ModelError(f"frames '{source}': nothing there; allowed: a video, an image, a folder of images")
    return np.stack(frames)


def image_files(source: Path) -> list[Path]:
    """The image itself, or the images in a folder, sorted by name."""
    files = sorted(source.iterdir()) if source.is_dir() else [source]
    return [file for file in files if file.suffix.lower() in IMAGES and file.is_file()]


def _read_images(files: list[Path], count: int, colour: str) -> list[Frames]:
    """Images of the first one's size, spread over the files."""
    from PIL import Image

    mode = "RGB" if colour == "rgb" else "L"
    frames: list[Frames] = []
    for index in _spread(len(files), count):
        with Image.open(files[index]) as image:
            frame = np.asarray(image.convert(mode))
        if not frames or frame.shape == frames[0].shape:
            frames.append(frame)
    return frames


def _read_video(source: Path, count: int, colour: str) -> list[Frames]:
    """Of the first 300 frames of a video, evenly."""
    import av

    if source.is_dir():
        return []
    with av.open(str(source)) as container:
        frames = list(_decoded(container, 300, "rgb24" if colour == "rgb" else "gray"))
    return [frames[index] for index in _spread(len(frames), count)]


def _decoded(container: object, limit: int, pixel_format: str) -> Iterator[Frames]:
    for index, frame in enumerate(container.decode(video=0)):  # type: ignore[attr-defined]
        if index == limit:
            return
        yield frame.to_ndarray(format=pixel_format)


def _spread(available: int, count: int) -> list[int]:
    """Indices of up to `count` things, from the first to the last."""
    places = np.linspace(0, available - 1, min(available, count)).astype(int)
    return [int(place) for place in np.unique(places)]
