"""Random crops of labelled frames: geometry that moves labels with pixels, and light that moves no label."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]  # (H, W) grey
Points = NDArray[np.float32]  # (K, 2) x, y in px


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """How far samples are varied; every range is wide enough that a rig's own setting lies within it."""

    size_px: int = 256  # side of the square crop
    background: float = 0.15  # share of crops placed anywhere in the frame
    free_rotation: float = 0.6  # share of crops under any rotation; the others stay near upright
    upright_deg: float = 25.0  # standard deviation of the rotation of the others
    scale: tuple[float, float] = (0.8, 1.25)
    flip: float = 0.5  # share of mirrored crops
    flip_pairs: tuple[tuple[int, int], ...] = ()  # bodyparts that change places in a mirror
    contrast: tuple[float, float] = (0.6, 1.4)
    brightness: float = 40.0  # largest shift, grey levels
    gamma_log_sd: float = 0.25
    gradient: float = 35.0  # largest illumination ramp from centre to border, grey levels
    blur: float = 0.3  # share of crops with Gaussian blur
    motion_blur: float = 0.15  # share of crops smeared in one direction
    noise: float = 8.0  # largest standard deviation of pixel noise, grey levels
    cutout: float = 0.15  # share of crops with a grey rectangle over them


def random_sample(
    rng: np.random.Generator, frame: Frame, keypoints: Points, how: Augmentation
) -> tuple[Frame, Points]:
    """One crop (size, size) and its keypoints; a keypoint that left the crop becomes NaN."""
    flip = bool(rng.random() < how.flip)
    matrix = random_matrix(rng, frame.shape, keypoints, how, flip=flip)
    crop, points = warp(frame, keypoints, matrix, how.size_px, border=random_border(rng))
    if flip:
        points = mirrored(points, how.flip_pairs)
    outside = ((points < 0) | (points > how.size_px - 1)).any(axis=1)
    points[outside] = np.nan
    return relit(rng, crop, how), points


def random_matrix(
    rng: np.random.Generator, shape: tuple[int, ...], keypoints: Points, how: Augmentation, *, flip: bool
) -> NDArray[np.float64]:
    """Affine map (2, 3) from frame to crop: rotation, scale, mirror, and the place in the crop."""
    if rng.random() < how.background:
        centre = rng.uniform((0, 0), (shape[1], shape[0]))
    else:
        centre = np.nanmean(keypoints, axis=0) + rng.uniform(-0.38, 0.38, 2) * how.size_px
    free = rng.random() < how.free_rotation
    angle = rng.uniform(0, 2 * np.pi) if free else np.deg2rad(rng.normal(0, how.upright_deg))
    scale = np.exp(rng.uniform(*np.log(how.scale)))
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.array([[cos, -sin], [sin, cos]]) @ np.diag([-1.0 if flip else 1.0, 1.0])
    return np.column_stack([linear, how.size_px / 2 - linear @ centre])


def random_border(rng: np.random.Generator) -> int | None:
    """Grey level beyond the frame, or None: the frame's own border goes on."""
    return None if rng.random() < 0.5 else int(rng.integers(0, 256))


def warp(
    frame: Frame, keypoints: Points, matrix: NDArray[np.float64], size_px: int, *, border: int | None = None
) -> tuple[Frame, Points]:
    """Frame and keypoints under one affine map; both use integer coordinates at pixel centres."""
    mode = cv2.BORDER_REPLICATE if border is None else cv2.BORDER_CONSTANT
    crop = cv2.warpAffine(
        frame, matrix, (size_px, size_px), flags=cv2.INTER_LINEAR, borderMode=mode, borderValue=border or 0
    )
    points = keypoints @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(crop, dtype=np.uint8), points.astype(np.float32)


def mirrored(points: Points, pairs: tuple[tuple[int, int], ...]) -> Points:
    """Keypoints after a mirror, where left and right change places."""
    points = points.copy()
    for left, right in pairs:
        points[[left, right]] = points[[right, left]]
    return points


def relit(rng: np.random.Generator, crop: Frame, how: Augmentation) -> Frame:
    """The crop under other light, optics and sensor noise."""
    image = crop.astype(np.float32)
    if rng.random() < how.cutout:
        cut(rng, image)
    image = 255.0 * (image / 255.0) ** np.exp(rng.normal(0, how.gamma_log_sd))
    mean = image.mean()
    image = (image - mean) * rng.uniform(*how.contrast) + mean + rng.uniform(-1, 1) * how.brightness
    image += ramp(rng, image.shape[0]) * rng.uniform(0, how.gradient)
    image = blurred(rng, image, how)
    image += rng.standard_normal(image.shape, dtype=np.float32) * rng.uniform(0, how.noise)
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def cut(rng: np.random.Generator, image: NDArray[np.float32]) -> None:
    """Lay a grey rectangle, an eighth to a quarter of the side, over the image."""
    side = image.shape[0]
    height, width = rng.integers(side // 16, side // 5, 2)
    y, x = rng.integers(0, side, 2)
    image[y : y + height, x : x + width] = rng.uniform(0, 255)


def ramp(rng: np.random.Generator, side: int) -> NDArray[np.float32]:
    """A plane (side, side) through zero at the centre, 1 at the border, falling in a random direction."""
    angle = rng.uniform(0, 2 * np.pi)
    axis = np.linspace(-1, 1, side, dtype=np.float32)
    return np.asarray(np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None], dtype=np.float32)


def blurred(rng: np.random.Generator, image: NDArray[np.float32], how: Augmentation) -> NDArray[np.float32]:
    """Out of focus, moved during the exposure, both or neither."""
    if rng.random() < how.blur:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.6)), dtype=np.float32)
    if rng.random() < how.motion_blur:
        image = np.asarray(cv2.filter2D(image, -1, streak(rng)), dtype=np.float32)
    return image


def streak(rng: np.random.Generator) -> NDArray[np.float32]:
    """Kernel of a straight motion, 3 to 9 px long, centred so that it moves no label. Sums to 1."""
    length, angle = rng.uniform(3, 9), rng.uniform(0, np.pi)
    kernel = np.zeros((11, 11), dtype=np.float32)
    for step in np.linspace(-length / 2, length / 2, 31):
        kernel[round(5 + step * np.sin(angle)), round(5 + step * np.cos(angle))] += 1
    return np.asarray(kernel / kernel.sum(), dtype=np.float32)
