"""Decoders of several animals on an NVIDIA GPU: it finds peaks and limbs, the CPU assembles the animals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastpose.assembly.decoders import unique_heatmap
from fastpose.model_package import ModelPackage

__all__ = ["lists_decode"]

Shapes = Sequence[Sequence[int]]  # of the network's outputs for one image, each of four dimensions


def lists_decode(module: Any, package: ModelPackage, shapes: Shapes) -> Any:
    """Return the `_cuda.Decode` of a package whose decoder is paf or paf_tree.

    Parameters
    ----------
    module : module
        `fastpose._cuda`.
    package : ModelPackage
        It and the network belong together: `make_decoder` was there before.
    shapes : sequence of sequence of int
    """
    pose = (package.count_of_individuals, len(package.bodyparts))
    if package.paf_tree is not None:
        return module.paf_tree_decode(
            shape=pose,
            map_size=(shapes[0][3], shapes[0][2]),
            limb_map_size=(shapes[1][3], shapes[1][2]),
            stride=package.stride,
            **package.paf_tree.model_dump(),
        )
    if package.unique is None:
        return _animals(module, package, shapes, pose)
    unique = len(package.unique.bodyparts)
    return module.unique_decode(
        _animals(module, package, shapes, (pose[0] - 1, pose[1] - unique)),
        unique_heatmap(package, package.unique, shapes),
        shape=pose,
        unique_bodyparts=unique,
    )


def _animals(module: Any, package: ModelPackage, shapes: Shapes, pose: tuple[int, int]) -> Any:
    assert package.paf is not None
    return module.paf_decode(
        shape=pose,
        map_size=(shapes[0][3], shapes[0][2]),
        stride=package.stride,
        locref_stdev=package.locref_stdev,
        activation=package.activation,
        **package.paf.model_dump(),
    )
