"""Reads a model package: the folder that holds a network and what its numbers mean."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from typing_extensions import Self

from fastpose.config.problems import nearest, no_such, problems_of
from fastpose.errors import ConfigError, ModelError
from fastpose.made_by import made_by

__all__ = [
    "Detector",
    "ModelPackage",
    "Normalisation",
    "Padding",
    "Paf",
    "PafTree",
    "SimCC",
    "Unique",
    "digest_of",
    "read_model_package",
]

DESCRIPTION = "model.yaml"
NETWORK = "model.onnx"


Factors = tuple[float, float, float]  # one a channel


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class Normalisation(_Part):
    """Tensor = pixel * scale + offset, per channel, pixel in 0..255."""

    scale: tuple[float, ...]
    offset: tuple[float, ...]

    @property
    def factors(self) -> tuple[Factors, Factors]:
        """Scale and offset as preprocess takes them: those of grey three times."""
        return _three(self.scale), _three(self.offset)

    def in_counts(self, step: float, zero: float) -> Normalisation:
        """Return the same for a tensor of whole numbers: value = (count - zero) * step."""
        return Normalisation(
            scale=tuple(value / step for value in self.scale),
            offset=tuple(value / step + zero for value in self.offset),
        )


class Padding(_Part):
    """Sizes that the network takes."""

    multiple: Annotated[int, Field(ge=1)] = 1
    """Width and height of its input are multiples of this, px."""
    mode: Literal["resample", "reflect", "zero"] = "resample"
    """How a frame gets such a size: resampled, mirrored beyond its right and bottom edge, or continued
    there with tensor values of 0 (SLEAP)."""


class SimCC(_Part):
    """What decoder simcc needs: two outputs, x (1, K, W * split_ratio) and y (1, K, H * split_ratio)."""

    split_ratio: Annotated[float, Field(gt=0)] = 2.0
    """Bins per input px."""
    temperature: Annotated[float, Field(gt=0)] = 1.0
    """The logits are multiplied by it before the softmax; RTMPose: sigma * decode_beta."""
    softmax: bool = True
    """Whether a softmax over the bins gives the likelihoods; false: the maximum itself is one."""


class Paf(_Part):
    """What decoder paf needs: heatmap (1, K, h, w), locref (1, 2K, h, w) and limbs (1, 2L, h, w)."""

    limbs: Annotated[tuple[tuple[int, int], ...], Field(min_length=1)]
    """Indices of the two body parts that each part affinity field joins."""
    nms_size: Annotated[int, Field(ge=1)] = 5
    """Cells, odd: a peak is the maximum of a window of this size."""
    smoothing_cells: Annotated[float, Field(ge=0)] = 1.0
    """Standard deviation of the Gaussian (11 cells wide) over the heatmap before the peaks; 0: none."""
    min_score: Annotated[float, Field(ge=0, le=1)] = 0.01
    """Of a peak."""
    min_affinity: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Of a pair of peaks."""
    points_per_limb: Annotated[int, Field(ge=2, le=64)] = 10
    """Samples of the line integral."""
    min_likelihood: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Of a keypoint that the assembly uses (DeepLabCut: pcutoff)."""


class PafTree(_Part):
    """What decoder paf_tree needs (SLEAP): heatmap (1, K, h, w) and limbs (1, 2L, lh, lw)."""

    limbs: Annotated[tuple[tuple[int, int], ...], Field(min_length=1)]
    """Indices of the body parts that each part affinity field leads from and to."""
    order: tuple[int, ...]
    """Indices of the limbs that assembly walks, from the root of the skeleton on."""
    limb_stride: Annotated[float, Field(gt=0)]
    """Input px per cell of the fields."""
    window: Annotated[int, Field(ge=1)] = 5
    """Side of the window whose weighted mean is a peak's place, cells; odd."""
    min_score: float = 0.2
    """Only peaks above count."""
    most_peaks: Annotated[int, Field(ge=1, le=256)] = 64
    """Of a body part; the highest are kept."""
    min_affinity: float = 0.25
    """Of a pair of peaks."""
    points_per_limb: Annotated[int, Field(ge=2, le=64)] = 10
    """Samples along the line between two peaks."""
    length_ratio: Annotated[float, Field(gt=0)] = 0.25
    """Longer lines than this share of the fields' larger side lose affinity."""
    length_penalty: Annotated[float, Field(ge=0)] = 1.0
    """Affinity that a line of endless length loses."""


class Unique(_Part):
    """Body parts that exist once in the frame (DeepLabCut: unique body parts), beside decoder paf.

    They are the last body parts of a pose, and belong to its last individual alone: animals have NaN there,
    and that individual has NaN in the animals' body parts. Their outputs stand behind those of paf: heatmap
    (1, U, h, w), and locref (1, 2U, h, w) where there is one; decoded as decoder heatmap does.
    """

    bodyparts: Annotated[tuple[str, ...], Field(min_length=1)]
    """Their names; the last of the package's."""
    stride: Annotated[float, Field(gt=0)]
    """Input px per cell of their maps."""
    locref_stdev: Annotated[float, Field(ge=0)]
    """px per unit of their locref; 0: they have none."""
    activation: Literal["none", "sigmoid", "clip"]
    """Of their scores."""


class Detector(_Part):
    """Finds the animals for a top-down network; both see the same frame."""

    file: Annotated[str, Field(min_length=1)]
    """ONNX file of the package: an RGB or grey tensor (1, C, H, W) in."""
    kind: Literal["boxes", "centroids"]
    """boxes: outputs are boxes (n, 4) x1, y1, x2, y2 in input px, and scores (n,); centroids: a heatmap
    (1, 1, h, w)."""
    outputs: Annotated[tuple[str, ...], Field(min_length=1)]
    """Names of its outputs, in that order."""
    normalisation: Normalisation
    scale: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Size of its input relative to the frame."""
    padding: Padding = Padding()
    stride: Annotated[float, Field(gt=0)] = 1.0
    """Input px per cell; centroids only."""
    min_score: Annotated[float, Field(ge=0, le=1)] = 0.6
    crop_size: tuple[int, int]
    """Width and height of the crop that the network sees of each animal, px."""
    crop: Literal["scaled", "centred"] = "scaled"
    """scaled: the box, grown to the crop's aspect ratio, is resized (DeepLabCut); centred: the frame's own px
    around the centre (SLEAP)."""
    antialias: bool = True
    """A crop that is made smaller is low-passed first (DeepLabCut-live), or not (DeepLabCut); scaled only."""
    margin_px: Annotated[float, Field(ge=0)] = 0
    """Added on every side of a box; scaled only."""


class ModelPackage(_Part):
    """What model.yaml says; every name and size agrees with the others."""

    name: Annotated[str, Field(min_length=1)]
    bodyparts: Annotated[tuple[str, ...], Field(min_length=1)]
    skeleton: tuple[tuple[str, str], ...] = ()
    individuals: tuple[str, ...] = ()
    """Names of the animals; empty for a network that finds one. With `unique` the last is no animal: it has
    the unique body parts (DeepLabCut calls it single)."""
    colour: Literal["grey", "rgb"]
    normalisation: Normalisation
    padding: Padding
    stride: Annotated[float, Field(gt=0)]
    """Input px per cell of the maps."""
    locref_stdev: Annotated[float, Field(ge=0)]
    """px per unit of locref; 0: the network has none."""
    decoder: Literal["heatmap", "soft_heatmap", "simcc", "points", "paf", "paf_tree"]
    """points: the network itself gives (K, 3) or (N, K, 3) x, y, likelihood in input px. soft_heatmap: the
    position is a weighted mean of cells, around the maximum (SLEAP) or over the map (Lightning Pose)."""
    activation: Literal["none", "sigmoid", "clip"]
    """Of the scores."""
    outputs: Annotated[tuple[str, ...], Field(min_length=1)]
    """Names of the network's outputs: heatmap, then locref where there is one; what the other decoders need
    stands with `SimCC`, `Paf`, `PafTree` and `Unique`."""
    simcc: SimCC | None = None
    paf: Paf | None = None
    paf_tree: PafTree | None = None
    unique: Unique | None = None
    soft: dict[str, Any] = {}
    """Parameters of decoder soft_heatmap."""
    detector: Detector | None = None
    """Given for a top-down network, which then sees one animal at a time."""
    network_file: str = "model.onnx"
    """model.xml (with model.bin) for networks that exist as OpenVINO IR only."""
    input_size: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] | None = None
    """Width and height of the network's input, px, where it takes one size alone: the roi is resampled
    to it."""
    resized_origin: Literal["centre", "corner"] = "centre"
    """What a resampled roi keeps in place: pixel (0, 0)'s centre moves by half the scale (OpenCV's resize),
    or coordinates are multiplied by the scale alone (Lightning Pose)."""
    training_size: tuple[int, int] | None = None
    """Width and height that it was trained on, px."""
    source: dict[str, Any] = {}
    """Where it came from."""
    sha256: dict[str, str]
    """Hex digest per file of the package."""

    folder: Annotated[Path, Field(exclude=True)]
    """Where the package lies."""

    @property
    def network(self) -> Path:
        """The network's file."""
        return self.folder / self.network_file

    @property
    def count_of_individuals(self) -> int:
        """Rows of a pose: the animals, and with `unique` one more."""
        return max(1, len(self.individuals))

    @property
    def unique_bodyparts(self) -> tuple[str, ...]:
        """The last body parts, which only the last individual has; empty without `unique`."""
        return self.unique.bodyparts if self.unique else ()

    @property
    def channels(self) -> int:
        """Channels of the network's input."""
        return 1 if self.colour == "grey" else 3

    def index_of_individual(self, asked: int | str) -> int | str:
        """Return the index of the animal that a rule asks for; "any" and "all" as they are.

        Raises
        ------
        ConfigError
            The network has no such animal.
        """
        if asked in ("any", "all"):
            return asked
        if asked in self.individuals:
            return self.individuals.index(str(asked))
        indices = f"0 to {self.count_of_individuals - 1}"
        if isinstance(asked, str):
            raise ConfigError(no_such("individual", asked, ("any", "all", *self.individuals, indices)))
        if not 0 <= asked < self.count_of_individuals:
            allowed = ", ".join(("any", "all", *self.individuals, indices))
            count = self.count_of_individuals
            raise ConfigError(f"{asked} is not among the {count} of the network; allowed: {allowed}")
        return asked

    def verify_hashes(self) -> None:
        """Raise ModelError unless every file is as it was when the package was written."""
        needed = (self.network_file, *((self.detector.file,) if self.detector else ()))
        for name in needed:
            if name not in self.sha256:
                raise ModelError(f"model package '{self.folder}': {DESCRIPTION} holds no sha256 of {name}")
        for name, expected in self.sha256.items():
            found = _digest(self.folder, name)
            if found != expected.lower():
                raise ModelError(
                    f"model package '{self.folder}': {name} has sha256 {found[:12]}..., {DESCRIPTION} says "
                    f"{expected[:12]}...; the file was changed or cut off: copy or import the package again"
                )

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if len(set(self.bodyparts)) != len(self.bodyparts):
            raise ValueError("bodyparts holds a name twice")
        strangers = [name for edge in self.skeleton for name in edge if name not in self.bodyparts]
        if strangers:
            raise ValueError(f"skeleton names {strangers[0]!r}, which is none of the bodyparts")
        if len(self.normalisation.scale) != self.channels or len(self.normalisation.offset) != self.channels:
            raise ValueError(f"normalisation needs {self.channels} scale and offset for colour {self.colour}")
        return self

    @model_validator(mode="after")
    def _unique_comes_last(self) -> Self:
        if self.unique is None:
            return self
        if self.decoder != "paf" or self.detector is not None:
            beside = " with a detector" if self.detector else ""
            raise ValueError(f"decoder is {self.decoder}{beside}; unique belongs to decoder paf alone")
        names = self.unique.bodyparts
        if len(names) >= len(self.bodyparts) or self.bodyparts[-len(names) :] != names:
            raise ValueError(
                f"unique.bodyparts are {', '.join(names)}; allowed: the last of bodyparts, but not all"
            )
        if len(self.individuals) < 2 or self.individuals[-1] in self.individuals[:-1]:
            raise ValueError(
                f"individuals are {', '.join(self.individuals) or 'none'}; unique needs the animals, then "
                "another name for what has the unique body parts"
            )
        return self

    @model_validator(mode="after")
    def _decoder_has_its_part(self) -> Self:
        parts = {"simcc": self.simcc, "paf": self.paf, "paf_tree": self.paf_tree}
        for name, part in parts.items():
            if (self.decoder == name) != (part is not None):
                raise ValueError(f"decoder is {self.decoder}; {name} belongs to decoder {name} alone")
        fields = self.paf or self.paf_tree
        limbs = fields.limbs if fields else ()
        count = len(self.bodyparts) - len(self.unique_bodyparts)
        if any(not 0 <= part < count for limb in limbs for part in limb):
            raise ValueError(f"{self.decoder}.limbs names a body part beyond the {count} that there are")
        return self


def read_model_package(folder: str | os.PathLike[str], *, verify: bool = True) -> ModelPackage:
    """Read and check a model package.

    Parameters
    ----------
    folder : path-like
        The package: ``model.yaml`` and ``model.onnx``.
    verify : bool
        Compare the files with their hashes.

    Raises
    ------
    ModelError
        The package is missing, incomplete, or was changed.
    """
    path = Path(folder)
    data = _description(path)
    try:
        package = ModelPackage.model_validate({**data, "folder": path})
    except ValidationError as error:
        problems = problems_of(error, data, ModelPackage.model_json_schema())
        raise ModelError(
            *(f"model package '{path}': {DESCRIPTION}: {problem}" for problem in problems)
        ) from None
    if verify:
        package.verify_hashes()
    return package


def _description(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        siblings = [other.name for other in folder.parent.glob("*/")] if folder.parent.is_dir() else []
        raise ModelError(
            f"model package '{folder}': no such folder{nearest(folder.name, siblings)}; "
            f"allowed: a folder with {DESCRIPTION} and {NETWORK}{made_by(folder)}"
        )
    try:
        data = yaml.safe_load((folder / DESCRIPTION).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())
        raise ModelError(
            f"model package '{folder}': {DESCRIPTION} cannot be read ({reason}); "
            f"allowed: a folder with {DESCRIPTION} and {NETWORK}"
        ) from None
    if not isinstance(data, dict) or "folder" in data:
        raise ModelError(f"model package '{folder}': {DESCRIPTION} is no description of a model package")
    return data


def digest_of(path: Path) -> str:
    """Hex sha256 of a file as it is now; read again only where its time or size changed. Raises OSError."""
    state = path.stat()
    return _digest_as_of(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=32)
def _digest_as_of(path: Path, _mtime_ns: int, _size: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest(folder: Path, name: str) -> str:
    try:
        return digest_of(folder / name)
    except OSError as error:
        raise ModelError(
            f"model package '{folder}': {name} cannot be read ({error.strerror}); "
            "copy or import the package again"
        ) from None


def _three(values: tuple[float, ...]) -> Factors:
    r, g, b = values if len(values) == 3 else values * 3
    return r, g, b
