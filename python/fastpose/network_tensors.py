"""What the network gets to see: frames through the engine's own preprocessing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastpose import _core
from fastpose.input_sizes import tensor_sizes
from fastpose.model_package import ModelPackage

__all__ = ["tensors_of"]


def tensors_of(package: ModelPackage, frames: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.float32]]:
    """Network tensors (1, C, H, W) of whole frames (n, H, W[, 3]) uint8."""
    height, width = frames.shape[1:3]
    image, tensor = tensor_sizes(package, package.input_size, (width, height))
    scale, offset = package.normalisation.factors
    preprocessor = _core.Preprocessor(
        "mono8" if frames.ndim == 3 else "rgb8",
        (width, height),
        tensor,
        image_size=image,
        colour=package.colour,
        scale=scale,
        offset=offset,
    )
    return [preprocessor.run(np.ascontiguousarray(frame)).copy() for frame in frames]
