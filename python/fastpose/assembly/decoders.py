"""The decode stage of a package: one function for each decoder that model.yaml can name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from fastpose import _core
from fastpose.errors import ModelError
from fastpose.model_package import ModelPackage, Unique

__all__ = ["SoftWindow", "Softmax", "make_decoder", "soft_of", "unique_heatmap"]

Shapes = Sequence[Sequence[int]]  # of the network's outputs for one image, each of four dimensions


def make_decoder(package: ModelPackage, shapes: Shapes) -> _core.DecodeStage:
    """Return what turns the network's outputs into keypoints.

    Parameters
    ----------
    package : ModelPackage
    shapes : sequence of sequence of int
        Shapes of the outputs for one image: four dimensions, missing leading ones are 1.

    Raises
    ------
    ModelError
        The decoder is not supported, or model.yaml and the network do not belong together.
    """
    make = _DECODERS.get(package.decoder)
    if make is None:
        raise ModelError(
            f"model package '{package.name}': decoder {package.decoder}; "
            f"allowed in this version: {', '.join(_DECODERS)}"
        )
    return make(package, shapes)


def _heatmap(package: ModelPackage, shapes: Shapes) -> _core.DecodeStage:
    parts = len(package.bodyparts)
    for name, shape, channels in zip(package.outputs, shapes, (parts, 2 * parts), strict=False):
        _require(package, name, shape[1], channels, "channels")
    return _core.heatmap_decode_stage(
        bodyparts=parts,
        map_size=(shapes[0][3], shapes[0][2]),
        stride=package.stride,
        locref_stdev=package.locref_stdev,
        activation=package.activation,
    )


def _simcc(package: ModelPackage, shapes: Shapes) -> _core.DecodeStage:
    spec = package.simcc
    assert spec is not None
    if len(package.outputs) != 2:
        raise ModelError(
            f"model package '{package.name}': {len(package.outputs)} outputs; decoder simcc needs x, y"
        )
    for name, shape in zip(package.outputs, shapes, strict=True):
        _require(package, name, shape[2], len(package.bodyparts), "rows")
    return _core.simcc_decode_stage(
        bodyparts=len(package.bodyparts),
        bins=(shapes[0][3], shapes[1][3]),
        split_ratio=spec.split_ratio,
        temperature=spec.temperature,
        softmax=spec.softmax,
    )


def _points(package: ModelPackage, shapes: Shapes) -> _core.DecodeStage:
    name, shape = package.outputs[0], shapes[0]
    _require(package, name, shape[2], len(package.bodyparts), "rows")
    if shape[3] != 3:
        raise ModelError(
            f"model package '{package.name}': output {name} has {shape[3]} columns; needed are 3"
        )
    return _core.points_decode_stage(bodyparts=len(package.bodyparts), activation=package.activation)


def _paf(package: ModelPackage, shapes: Shapes) -> _core.DecodeStage:
    maps = _maps_of_paf(package)
    if len(package.outputs) != len(maps):
        raise ModelError(
            f"model package '{package.name}': {len(package.outputs)} outputs; decoder paf needs "
            f"{len(maps)}: {', '.join(kind for kind, _ in maps)}"
        )
    for name, shape, (_, channels) in zip(package.outputs, shapes, maps, strict=True):
        _require(package, name, shape[1], channels, "channels")
    if package.unique is None:
        return _animals(package, shapes, (package.count_of_individuals, len(package.bodyparts)))
    return _with_unique(package, package.unique, shapes)


def _maps_of_paf(package: ModelPackage) -> list[tuple[str, int]]:
    """The outputs in words, and their channels."""
    assert package.paf is not None
    count = len(package.unique_bodyparts)
    parts = len(package.bodyparts) - count
    maps = [("heatmap", parts)]
    maps += [("locref", 2 * parts)] if package.locref_stdev > 0 else []
    maps += [("limbs", 2 * len(package.paf.limbs))]
    if package.unique is not None:
        maps += [("heatmap of unique body parts", count)]
        maps += [("their locref", 2 * count)] if package.unique.locref_stdev > 0 else []
    return maps


def unique_heatmap(package: ModelPackage, unique: Unique, shapes: Shapes) -> _core.DecodeStage:
    """Return the decoder of the unique body parts' maps, which follow those of the animals."""
    _, count, height, width = shapes[_outputs_of_animals(package)]
    return _core.heatmap_decode_stage(
        bodyparts=count,
        map_size=(width, height),
        stride=unique.stride,
        locref_stdev=unique.locref_stdev,
        activation=unique.activation,
    )


def _outputs_of_animals(package: ModelPackage) -> int:
    return 3 if package.locref_stdev > 0 else 2


def _with_unique(package: ModelPackage, unique: Unique, shapes: Shapes) -> _core.DecodeStage:
    """Animals in the first rows and columns of a pose, the unique body parts in the last."""
    shape, count = (package.count_of_individuals, len(package.bodyparts)), len(unique.bodyparts)
    return _core.unique_decode_stage(
        _animals(package, shapes, (shape[0] - 1, shape[1] - count)),
        unique_heatmap(package, unique, shapes),
        shape=shape,
        unique_bodyparts=count,
        animal_outputs=_outputs_of_animals(package),
    )


def _animals(package: ModelPackage, shapes: Shapes, shape: tuple[int, int]) -> _core.DecodeStage:
    assert package.paf is not None
    return _core.paf_decode_stage(
        shape=shape,
        map_size=(shapes[0][3], shapes[0][2]),
        stride=package.stride,
        locref_stdev=package.locref_stdev,
        activation=package.activation,
        **package.paf.model_dump(),
    )


def _paf_tree(package: ModelPackage, shapes: Shapes) -> _core.DecodeStage:
    spec, parts = package.paf_tree, len(package.bodyparts)
    assert spec is not None
    if len(package.outputs) != 2:
        raise ModelError(
            f"model package '{package.name}': {len(package.outputs)} outputs; decoder paf_tree needs 2: "
            "heatmap, limbs"
        )
    for name, shape, channels in zip(package.outputs, shapes, (parts, 2 * len(spec.limbs)), strict=True):
        _require(package, name, shape[1], channels, "channels")
    return _core.paf_tree_decode_stage(
        shape=(package.count_of_individuals, parts),
        map_size=(shapes[0][3], shapes[0][2]),
        limb_map_size=(shapes[1][3], shapes[1][2]),
        stride=package.stride,
        **spec.model_dump(),
    )


class SoftWindow(BaseModel):
    """The weighted mean of a window around the maximum (SLEAP)."""

    model_config = ConfigDict(extra="forbid")
    method: Literal["window"]
    size: int = 5
    min_score: float = 0.2


class Softmax(BaseModel):
    """The mean under a softmax of the enlarged map (Lightning Pose)."""

    model_config = ConfigDict(extra="forbid")
    method: Literal["softmax"]
    upsampling: int = 2
    temperature: float = 1000.0
    radius: int = 2
    shift: float = 1.5


_SOFT: TypeAdapter[SoftWindow | Softmax] = TypeAdapter(
    Annotated[SoftWindow | Softmax, Field(discriminator="method")]
)


def soft_of(package: ModelPackage) -> SoftWindow | Softmax:
    """What model.yaml says of decoder soft_heatmap; raises ModelError."""
    try:
        return _SOFT.validate_python(package.soft)
    except ValidationError as error:
        reason = " ".join(str(error).split())
        raise ModelError(
            f"model package '{package.name}': soft: {reason}; allowed methods: window, softmax"
        ) from None


def _soft_heatmap(package: ModelPackage, shapes: Shapes) -> _core.DecodeStage:
    _, channels, height, width = shapes[0]
    _require(package, package.outputs[0], channels, len(package.bodyparts), "channels")
    spec = soft_of(package)
    values = spec.model_dump(exclude={"method"})
    make = _core.soft_window_decode_stage if isinstance(spec, SoftWindow) else _core.softmax_decode_stage
    return make(bodyparts=channels, map_size=(width, height), stride=package.stride, **values)


_DECODERS: dict[str, Callable[[ModelPackage, Shapes], _core.DecodeStage]] = {
    "heatmap": _heatmap,
    "simcc": _simcc,
    "paf": _paf,
    "paf_tree": _paf_tree,
    "points": _points,
    "soft_heatmap": _soft_heatmap,
}


def _require(package: ModelPackage, output: str, found: int, needed: int, what: str) -> None:
    if found != needed:
        unique = len(package.unique_bodyparts)
        of_them = f" ({unique} of them unique)" if unique else ""
        raise ModelError(
            f"model package '{package.name}': output {output} has {found} {what}, "
            f"{len(package.bodyparts)} bodyparts{of_them} need {needed}; model.yaml and "
            f"{package.network_file} do not belong together"
        )
