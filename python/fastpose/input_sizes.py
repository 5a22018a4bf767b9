"""Sizes of the tensors that a package's network gets: from the frame, the roi and input_size of a config."""

from __future__ import annotations

from fastpose.config import Model, Rectangle, TrackedRoi
from fastpose.errors import ConfigError
from fastpose.model_forms import Shape
from fastpose.model_package import ModelPackage, Padding

__all__ = ["Size", "input_shapes", "narrow_input", "padded", "shapes_of_config", "tensor_sizes"]

Size = tuple[int, int]  # width, height; px


def input_shapes(
    package: ModelPackage,
    area: Size,
    *,
    input_size: Size | None = None,
    tracked: Size | None = None,
) -> dict[str, Shape]:
    """N, C, H, W of every input that a network is compiled for, by what it sees.

    Parameters
    ----------
    package : ModelPackage
    area : tuple of int
        Width and height of the frame, or of the fixed roi, px.
    input_size : tuple of int, optional
        As the config says it.
    tracked : tuple of int, optional
        Width and height of the roi that follows the animal, px.

    Returns
    -------
    dict
        "frame" and, with `tracked`, "roi"; or "crops" for a network behind a detector.

    Raises
    ------
    ConfigError
        The network does not take such an input_size.
    """
    if package.detector is not None:
        width, height = package.detector.crop_size
        return {"crops": (package.count_of_individuals, package.channels, height, width)}
    sizes = {"frame": tensor_sizes(package, input_size, area)[1]}
    if tracked is not None:
        sizes["roi"] = tensor_sizes(package, narrow_input(package, input_size, area, tracked), tracked)[1]
    return {part: (1, package.channels, height, width) for part, (width, height) in sizes.items()}


def shapes_of_config(package: ModelPackage, model: Model, frame_size: Size) -> dict[str, Shape]:
    """`input_shapes` of a config's network on frames of this width and height, px; raises as that does."""
    tracked = model.roi if isinstance(model.roi, TrackedRoi) else None
    fixed = tracked.within if tracked else model.roi
    area = (fixed.width, fixed.height) if isinstance(fixed, Rectangle) else frame_size
    return input_shapes(package, area, input_size=model.input_size, tracked=tracked.size if tracked else None)


def tensor_sizes(package: ModelPackage, input_size: Size | None, area: Size) -> tuple[Size, Size]:
    """Return the size to which an area is resampled, and that of the tensor which holds it.

    Raises ConfigError for an input_size that the network does not take.
    """
    padding = package.padding
    if package.input_size not in (None, input_size or package.input_size):
        raise ConfigError(
            f"model.input_size is {list(input_size or ())}; allowed: {list(package.input_size or ())}, the "
            f"one size that model package '{package.name}' takes"
        )
    if (
        input_size is not None
        and padding.mode == "resample"
        and any(s % padding.multiple for s in input_size)
    ):
        raise ConfigError(
            f"model.input_size is {list(input_size)}; allowed: multiples of {padding.multiple} "
            f"(padding.multiple of model package '{package.name}')"
        )
    return padded(padding, input_size or package.input_size or area)


def padded(padding: Padding, size: Size) -> tuple[Size, Size]:
    """Return the size of the image and that of its tensor, a multiple of what the network takes."""
    width, height = (-(-side // padding.multiple) * padding.multiple for side in size)
    tensor = (width, height)
    return (tensor, tensor) if padding.mode == "resample" else (size, tensor)


def narrow_input(package: ModelPackage, input_size: Size | None, area: Size, roi: Size) -> Size | None:
    """Input size of the roi that moves: animals look as large in it as in the whole area."""
    if input_size is None:
        return None
    multiple = package.padding.multiple if package.padding.mode == "resample" else 1
    scales = (side / whole for side, whole in zip(input_size, area, strict=True))
    width, height = (
        max(1, round(side * scale / multiple)) * multiple for side, scale in zip(roi, scales, strict=True)
    )
    return width, height
