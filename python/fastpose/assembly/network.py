"""From frames of one kind to poses: the estimator of one model package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fastpose import _core
from fastpose.assembly.backends import Device, open_backend, open_detector
from fastpose.assembly.decoders import make_decoder
from fastpose.config import PixelFormat
from fastpose.errors import ConfigError, ModelError
from fastpose.model_package import Detector, ModelPackage, Normalisation, Padding

__all__ = ["Network", "NetworkOptions", "TrackRoi", "load_network"]

Size = tuple[int, int]  # width, height; px
Rectangle = tuple[int, int, int, int]  # x, y, width, height; px
CENTROID_WINDOW = 5  # cells, SLEAP's
SEVERAL = ("points", "paf", "paf_tree")  # decoders that give several animals without a detector


@dataclass(frozen=True)
class TrackRoi:
    """A roi that follows the animal.

    Attributes
    ----------
    size : tuple of int
        Width and height of the roi, px; it stays the same.
    margin_px : int
        What must lie on each side of the keypoints; where they leave less the full area is searched.
    min_likelihood : float
        Keypoints below are not followed; without any the full area is searched.
    """

    size: Size
    margin_px: int = 20
    min_likelihood: float = 0.5


@dataclass(frozen=True)
class NetworkOptions:
    """How a network runs.

    Attributes
    ----------
    device : str
        "cpu" or "fake".
    precision : str
        "auto", "fp32" or "bf16".
    threads : int
        0: the runtime's choice.
    roi : tuple of int or None
        x, y, width, height of the rectangle it sees, px; None: the full frame.
    input_size : tuple of int or None
        Width and height to which the roi is resampled, px; None: as `padding` of the package says.
    track : TrackRoi or None
        A smaller roi that follows the animal inside `roi`; None: it always sees `roi`.
    placed : bool
        The engine chooses the cores of all threads.
    """

    device: str = "cpu"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    threads: int = 0
    roi: Rectangle | None = None
    input_size: Size | None = None
    track: TrackRoi | None = None
    placed: bool = False

    @property
    def runs_on(self) -> Device:
        """Device, precision and threads."""
        return Device(self.device, self.precision, self.threads, self.placed)


@dataclass(frozen=True)
class Network:
    """An estimator, planned for one frame size and pixel format."""

    package: ModelPackage
    estimator: _core.Estimator
    backend: _core.Backend


@dataclass(frozen=True)
class _Frames:
    size: Size
    pixel_format: PixelFormat


def load_network(
    package: ModelPackage, options: NetworkOptions, *, frame_size: tuple[int, int], pixel_format: PixelFormat
) -> Network:
    """Plan the stages and compile the networks.

    Parameters
    ----------
    package : ModelPackage
    options : NetworkOptions
    frame_size : tuple of int
        Width and height of the full frame, px.
    pixel_format : PixelFormat

    Raises
    ------
    ConfigError
        The roi does not fit into the frame, or input_size is none that the network takes.
    DeviceError
        The device or precision is not to be had.
    ModelError
        The network is not what model.yaml says.
    """
    frames, roi = _Frames(frame_size, pixel_format), options.roi or (0, 0, *frame_size)
    if package.detector is not None:
        return _top_down(package, package.detector, options, frames, roi)
    _check_individuals(package)
    if options.track is not None:
        if package.unique_bodyparts:
            raise ConfigError(
                f"roi.track is true; model package '{package.name}' has unique body parts "
                f"({', '.join(package.unique_bodyparts)}), which do not go with the animals; "
                "allowed: a fixed roi"
            )
        return _tracking(package, options, frames, roi)
    parts, backend = _stages(package, options, frames, roi, options.input_size)
    return Network(package, _core.single_stage(parts), backend)


def _stages(
    package: ModelPackage, options: NetworkOptions, frames: _Frames, roi: Rectangle, input_size: Size | None
) -> tuple[_core.StageParts, _core.Backend]:
    image, tensor = tensor_sizes(package, input_size, roi)
    tensor_spec = _Tensor(image, tensor, package.padding, package.normalisation, package.resized_origin)
    preprocess = _preprocess(frames, roi, tensor_spec)
    backend = open_backend(package, options.runs_on, (1, package.channels, tensor[1], tensor[0]))
    decoder = make_decoder(package, backend.output_shapes)
    return _core.StageParts(preprocessor=preprocess, backend=backend, decoder=decoder), backend


@dataclass(frozen=True)
class _Tensor:
    """What a network wants as input: the roi resampled to `image`, in a tensor of `size`."""

    image: Size
    size: Size
    padding: Padding
    normalisation: Normalisation
    origin: Literal["centre", "corner"]


def _preprocess(frames: _Frames, roi: Rectangle, tensor: _Tensor) -> _core.PreprocessStage:
    normalisation = tensor.normalisation
    return _core.preprocess_stage(
        pixel_format=frames.pixel_format,
        frame_size=frames.size,
        output_size=tensor.size,
        image_size=tensor.image,
        beyond="zero" if tensor.padding.mode == "zero" else "mirror",
        origin=tensor.origin,
        roi=roi,
        colour="rgb" if len(normalisation.scale) == 3 else "grey",
        scale=_three(normalisation.scale),
        offset=_three(normalisation.offset),
    )


def tensor_sizes(package: ModelPackage, input_size: Size | None, roi: Rectangle) -> tuple[Size, Size]:
    """Return the size to which the roi is resampled, and that of the tensor which holds it.

    Raises ConfigError for an input_size that the network does not take.
    """
    padding = package.padding
    if (
        input_size is not None
        and padding.mode == "resample"
        and any(s % padding.multiple for s in input_size)
    ):
        raise ConfigError(
            f"model.input_size is {list(input_size)}; allowed: multiples of {padding.multiple} "
            f"(padding.multiple of model package '{package.name}')"
        )
    return _padded(padding, input_size or (roi[2], roi[3]))


def _padded(padding: Padding, size: Size) -> tuple[Size, Size]:
    width, height = (-(-side // padding.multiple) * padding.multiple for side in size)
    tensor = (width, height)
    return (tensor, tensor) if padding.mode == "resample" else (size, tensor)


def _tracking(package: ModelPackage, options: NetworkOptions, frames: _Frames, area: Rectangle) -> Network:
    track = options.track
    assert track is not None
    if package.input_size is not None:
        raise ConfigError(
            f"roi.track is true; allowed: a fixed roi, model package '{package.name}' takes one "
            f"input size alone, {package.input_size[0]}x{package.input_size[1]} px"
        )
    if track.size[0] > area[2] or track.size[1] > area[3]:
        raise ConfigError(
            f"roi.size is {list(track.size)}; allowed: at most the {area[2]}x{area[3]} px that are searched"
        )
    wide, backend = _stages(package, options, frames, area, options.input_size)
    narrow_size = _narrow_input(package, options, area, track.size)
    narrow, _ = _stages(package, options, frames, (area[0], area[1], *track.size), narrow_size)
    estimator = _core.track_roi(
        wide=wide, narrow=narrow, margin_px=track.margin_px, min_likelihood=track.min_likelihood
    )
    return Network(package, estimator, backend)


def _narrow_input(package: ModelPackage, options: NetworkOptions, area: Rectangle, size: Size) -> Size | None:
    """Input size of the roi that moves: animals look as large in it as in the whole area."""
    if options.input_size is None:
        return None
    multiple = package.padding.multiple if package.padding.mode == "resample" else 1
    scales = (side / whole for side, whole in zip(options.input_size, area[2:], strict=True))
    width, height = (
        max(1, round(side * scale / multiple)) * multiple for side, scale in zip(size, scales, strict=True)
    )
    return width, height


def _top_down(
    package: ModelPackage, detector: Detector, options: NetworkOptions, frames: _Frames, roi: Rectangle
) -> Network:
    if options.track is not None:
        raise ConfigError(
            f"roi.track is true; model package '{package.name}' has a detector that finds the animals"
        )
    if options.input_size is not None:
        raise ConfigError(
            f"model.input_size is {list(options.input_size)}; allowed: none, the crops of model package "
            f"'{package.name}' are {detector.crop_size[0]}x{detector.crop_size[1]} px"
        )
    crop = _crop(package, detector, frames, roi)
    preprocess, finder, boxes = _detection(package, detector, options.runs_on, frames, roi)
    count, (width, height) = package.count_of_individuals, detector.crop_size
    backend = open_backend(package, options.runs_on, (count, package.channels, height, width))
    estimator = _core.top_down(
        preprocessor=preprocess,
        detector=finder,
        boxes=boxes,
        crop=crop,
        backend=backend,
        decoder=make_decoder(package, [_of_one_row(shape, count) for shape in backend.output_shapes]),
    )
    return Network(package, estimator, backend)


def _detection(
    package: ModelPackage, detector: Detector, device: Device, frames: _Frames, roi: Rectangle
) -> tuple[_core.PreprocessStage, _core.Backend, _core.BoxStage]:
    scaled = (max(1, int(roi[2] * detector.scale)), max(1, int(roi[3] * detector.scale)))
    image, tensor = _padded(detector.padding, scaled)
    # Boxes are edges and SLEAP's centroids are scaled alone: neither has a half-pixel term.
    tensor_spec = _Tensor(image, tensor, detector.padding, detector.normalisation, "corner")
    preprocess = _preprocess(frames, roi, tensor_spec)
    shape = (1, len(detector.normalisation.scale), tensor[1], tensor[0])
    backend = open_detector(package, device, shape)
    return preprocess, backend, _boxes(package, detector, backend)


def _boxes(package: ModelPackage, detector: Detector, backend: _core.Backend) -> _core.BoxStage:
    if detector.kind == "boxes":
        if len(detector.outputs) != 2:
            raise ModelError(f"model package '{package.name}': detector.outputs; needed are boxes, scores")
        return _core.box_stage(min_score=detector.min_score)
    _, channels, height, width = backend.output_shapes[0]
    if channels != 1:
        raise ModelError(f"model package '{package.name}': {channels} centroid maps; allowed: 1")
    return _core.centroid_stage(
        map_size=(width, height), stride=detector.stride, min_score=detector.min_score, window=CENTROID_WINDOW
    )


def _crop(package: ModelPackage, detector: Detector, frames: _Frames, roi: Rectangle) -> _core.CropStage:
    if detector.kind == "centroids" and detector.crop == "scaled":
        raise ModelError(f"model package '{package.name}': detector.crop is scaled; centroids allow: centred")
    return _core.crop_stage(
        pixel_format=frames.pixel_format,
        frame_size=frames.size,
        crop_size=detector.crop_size,
        roi=roi,
        colour=package.colour,
        scale=_three(package.normalisation.scale),
        offset=_three(package.normalisation.offset),
        mode=detector.crop,
        antialias=detector.antialias,
        margin_px=detector.margin_px,
    )


def _of_one_row(shape: list[int], count: int) -> list[int]:
    """Shape of one row of a batch; outputs of three dimensions carry the batch in the second of four."""
    axis = 0 if shape[0] == count else 1
    return [1 if i == axis else size for i, size in enumerate(shape)] if count > 1 else shape


def _check_individuals(package: ModelPackage) -> None:
    if package.count_of_individuals > 1 and package.decoder not in SEVERAL:
        raise ModelError(
            f"model package '{package.name}': {package.count_of_individuals} individuals; decoder "
            f"{package.decoder} gives one animal without a detector"
        )


def _three(values: tuple[float, ...]) -> tuple[float, float, float]:
    r, g, b = values if len(values) == 3 else values * 3
    return r, g, b
