"""From frames of one kind to poses: the estimator of one model package."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from fastpose import _core
from fastpose.assembly.backends import Device, open_backend, open_detector
from fastpose.assembly.cuda_networks import GpuNetwork, Row, open_gpu_network
from fastpose.assembly.cuda_top_down import TopDownPlan, open_gpu_top_down
from fastpose.assembly.decoders import make_decoder
from fastpose.assembly.running import Running, text_of_all
from fastpose.config import PixelFormat
from fastpose.cuda.forms import gpu_hint
from fastpose.cuda.gpu import cuda_module
from fastpose.errors import ConfigError, ModelError
from fastpose.input_sizes import narrow_input, padded, tensor_sizes
from fastpose.model_forms import Precision, tune_hint
from fastpose.model_package import Detector, Factors, ModelPackage, Normalisation, Padding

__all__ = ["Frames", "Network", "NetworkOptions", "TrackRoi", "load_batch", "load_network", "why_no_batch"]

_Made = TypeVar("_Made")
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
    step_px : int
        The roi moves in steps of this; a multiple of the network's deepest stride keeps its poses those of
        the full area.
    """

    size: Size
    margin_px: int = 20
    min_likelihood: float = 0.5
    step_px: int = 16


@dataclass(frozen=True)
class NetworkOptions:
    """How a network runs.

    Attributes
    ----------
    device : str
        "cpu", "cuda:N" or "fake".
    precision : str
        "auto", "fp32", "fp16", "bf16" or "int8"; auto: see `fastpose.model_forms.form_of` and
        `fastpose.cuda.forms.gpu_form_of`.
    threads : int
        0: as ``fastpose tune`` found, else the runtime's choice.
    roi : tuple of int or None
        x, y, width, height of the rectangle it sees, px; None: the full frame.
    input_size : tuple of int or None
        Width and height to which the roi is resampled, px; None: as `padding` of the package says.
    track : TrackRoi or None
        A smaller roi that follows the animal inside `roi`; None: it always sees `roi`.
    alone : bool
        The only network of this process; see `fastpose.assembly.backends.Device`.
    runtime : str
        Of device cuda: "auto", "tensorrt", "tensorrt-rtx" or "torch".
    emulated : bool
        bf16 also where the CPU lacks it; see `fastpose.assembly.backends.Device`.
    detector_device : str
        "cpu": the detector runs there beside a network on a GPU; empty: on `device`.
    """

    device: str = "cpu"
    precision: Precision = "auto"
    threads: int = 0
    roi: Rectangle | None = None
    input_size: Size | None = None
    track: TrackRoi | None = None
    alone: bool = False
    runtime: str = "auto"
    emulated: bool = False
    detector_device: str = ""

    @property
    def detector_on(self) -> Device:
        """What runs the detector, in fp32 where the network is on a GPU."""
        if not self.detector_device:
            return self.runs_on
        return Device(self.detector_device, "fp32", alone=self.alone)

    @property
    def runs_on(self) -> Device:
        """Device, precision and threads."""
        return Device(self.device, self.precision, self.threads, self.alone, self.runtime, self.emulated)


@dataclass(frozen=True)
class Network:
    """An estimator, planned for one frame size and pixel format."""

    package: ModelPackage
    estimator: _core.Estimator
    runs: tuple[Running, ...]
    """What runs, for each input size and network."""
    graphs: tuple[GpuNetwork, ...] = ()
    """On a GPU: the graphs that it is made of, each with its preprocessing and decoding."""

    @property
    def backend(self) -> _core.Backend:
        """The first network's; not on a GPU."""
        return self.runs[0].backend

    @property
    def description(self) -> str:
        """What runs, in words."""
        return text_of_all(self.runs)

    @property
    def notes(self) -> list[str]:
        """What stood in the way, a line each."""
        notes = {running.note for running in (*self.runs, *(graph.running for graph in self.graphs))}
        return sorted(notes - {""})

    @property
    def hint(self) -> str:
        """How it may become faster; empty where nothing is known."""
        if self.graphs:
            return gpu_hint(self.package)
        untuned = any(running.form and running.threads_by == "runtime" for running in self.runs)
        return tune_hint(self.package) if untuned else ""


@dataclass(frozen=True)
class Frames:
    """What a camera delivers: width and height, px, and the pixel format."""

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
    frames, roi = Frames(frame_size, pixel_format), options.roi or (0, 0, *frame_size)
    if package.detector is not None:
        return _top_down(package, package.detector, options, frames, roi)
    if options.detector_device:
        raise ConfigError(
            f"detector_device is {options.detector_device}; model package '{package.name}' has no detector, "
            "leave it out"
        )
    _check_individuals(package)
    if options.track is not None:
        if package.unique_bodyparts:
            raise ConfigError(
                f"roi.track is true; model package '{package.name}' has unique body parts "
                f"({', '.join(package.unique_bodyparts)}), which do not go with the animals; "
                "allowed: a fixed roi"
            )
        return _tracking(package, options, frames, roi)
    if options.runs_on.is_cuda:
        found = _on_gpu(package, options, [frames], [roi], options.input_size)
        return Network(package, cuda_module().estimator(found.graph), (found.running,), (found,))
    parts, running = _stages(package, options, frames, roi, options.input_size)
    return Network(package, _core.single_stage(parts), (running,))


def why_no_batch(package: ModelPackage, options: NetworkOptions, cameras: Sequence[Frames]) -> str:
    """Why one network cannot take the frames of all these cameras at once; empty where it can."""
    if package.detector is not None:
        return f"model package '{package.name}' has a detector"
    if options.track is not None:
        return "roi.track is true"
    areas = [options.roi[2:] if options.roi else frames.size for frames in cameras]
    sizes = {tensor_sizes(package, options.input_size, area) for area in areas}
    return "" if len(sizes) == 1 else "the cameras' frames differ in size; input_size would make them alike"


def load_batch(
    package: ModelPackage, options: NetworkOptions, cameras: Sequence[Frames]
) -> tuple[_core.Batch, list[Network]]:
    """Compile one network that takes a frame of each camera at once.

    Returns
    -------
    Batch
    list of Network
        That of each camera: its row of the batch.

    Raises
    ------
    ConfigError, DeviceError, ModelError
        As `load_network`, or the network takes no batch.
    """
    _check_individuals(package)
    count, rois = len(cameras), [options.roi or (0, 0, *frames.size) for frames in cameras]
    image, tensor = tensor_sizes(package, options.input_size, rois[0][2:])
    spec = _Tensor(image, tensor, package.padding, package.normalisation, package.resized_origin)
    shape = (count, package.channels, tensor[1], tensor[0])
    if options.runs_on.is_cuda:
        found = _on_gpu(package, options, cameras, rois, options.input_size, f"batch of {count}")
        whole: _core.Batch = cuda_module().batch(found.graph)
        return whole, [
            Network(package, _core.batch_row(whole, row), (found.running,), (found,)) for row in range(count)
        ]
    running = open_backend(package, options.runs_on, shape, f"batch of {count}")
    batch = _core.Batch(
        preprocessors=[
            _preprocess(frames, roi, spec, running.backend) for frames, roi in zip(cameras, rois, strict=True)
        ],
        backend=running.backend,
        decoder=make_decoder(package, [_of_one_row(shape, count) for shape in running.backend.output_shapes]),
    )
    rows = [_core.batch_row(batch, row) for row in range(count)]
    return batch, [Network(package, row, (running,)) for row in rows]


def _on_gpu(
    package: ModelPackage,
    options: NetworkOptions,
    cameras: Sequence[Frames],
    rois: Sequence[Rectangle],
    input_size: Size | None,
    part: str = "frame",
) -> GpuNetwork:
    """One graph for the frames of all cameras, which have the same tensor size."""
    image, tensor = tensor_sizes(package, input_size, rois[0][2:])
    rows = [
        Row(
            {
                "pixel_format": frames.pixel_format,
                "frame_size": frames.size,
                "output_size": tensor,
                "image_size": image,
                "beyond": "zero" if package.padding.mode == "zero" else "mirror",
                "origin": package.resized_origin,
                "roi": roi,
                "colour": package.colour,
            }
        )
        for frames, roi in zip(cameras, rois, strict=True)
    ]
    shape = (len(rows), package.channels, tensor[1], tensor[0])
    device, precision, runtime = options.device, options.precision, options.runtime
    return open_gpu_network(package, device, precision, rows, shape, runtime=runtime, part=part)


def _stages(
    package: ModelPackage,
    options: NetworkOptions,
    frames: Frames,
    roi: Rectangle,
    input_size: Size | None,
    part: str = "frame",
) -> tuple[_core.StageParts, Running]:
    image, tensor = tensor_sizes(package, input_size, roi[2:])
    tensor_spec = _Tensor(image, tensor, package.padding, package.normalisation, package.resized_origin)
    running = open_backend(package, options.runs_on, (1, package.channels, tensor[1], tensor[0]), part)
    preprocess = _preprocess(frames, roi, tensor_spec, running.backend)
    decoder = make_decoder(package, running.backend.output_shapes)
    return _core.StageParts(preprocessor=preprocess, backend=running.backend, decoder=decoder), running


@dataclass(frozen=True)
class _Tensor:
    """What a network wants as input: the roi resampled to `image`, in a tensor of `size`."""

    image: Size
    size: Size
    padding: Padding
    normalisation: Normalisation
    origin: Literal["centre", "corner"]


def _preprocess(
    frames: Frames, roi: Rectangle, tensor: _Tensor, backend: _core.Backend
) -> _core.PreprocessStage:
    element, layout = backend.input_format
    scale, offset = _factors(tensor.normalisation, backend)
    return _core.preprocess_stage(
        pixel_format=frames.pixel_format,
        frame_size=frames.size,
        output_size=tensor.size,
        image_size=tensor.image,
        beyond="zero" if tensor.padding.mode == "zero" else "mirror",
        origin=tensor.origin,
        roi=roi,
        colour=_colour(tensor.normalisation),
        scale=scale,
        offset=offset,
        element=element,
        layout=layout,
    )


def _factors(normalisation: Normalisation, backend: _core.Backend) -> tuple[Factors, Factors]:
    """Scale and offset that preprocess applies.

    A network of bytes takes counts of the normalised value, or grey levels that it normalises itself.
    """
    if backend.input_format[0] == "f32":
        return normalisation.factors
    step, zero = backend.input_counts
    return normalisation.in_counts(step, zero).factors if step else ((1.0, 1.0, 1.0), (0.0, 0.0, 0.0))


def _tracking(package: ModelPackage, options: NetworkOptions, frames: Frames, area: Rectangle) -> Network:
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
    narrow_area, narrow_size = (
        (area[0], area[1], *track.size),
        narrow_input(package, options.input_size, area[2:], track.size),
    )
    if options.runs_on.is_cuda:
        whole = _on_gpu(package, options, [frames], [area], options.input_size)
        part = _on_gpu(package, options, [frames], [narrow_area], narrow_size, "roi")
        return Network(
            package,
            cuda_module().track_roi(wide=whole.graph, narrow=part.graph, **_following(track)),
            (whole.running, part.running),
            (whole, part),
        )
    (wide, searching), (narrow, following) = _at_once(
        lambda: _stages(package, options, frames, area, options.input_size),
        lambda: _stages(package, options, frames, narrow_area, narrow_size, "roi"),
    )
    estimator = _core.track_roi(wide=wide, narrow=narrow, **_following(track))
    return Network(package, estimator, (searching, following))


def _following(track: TrackRoi) -> dict[str, Any]:
    return {
        "margin_px": track.margin_px,
        "step_px": track.step_px,
        "min_likelihood": track.min_likelihood,
    }


def _at_once(*makers: Callable[[], _Made]) -> list[_Made]:
    """What each makes, in order; to compile a network takes one core, and holds no GIL."""
    with ThreadPoolExecutor(len(makers)) as threads:
        futures = [threads.submit(copy_context().run, maker) for maker in makers]
        return [future.result() for future in futures]


def _top_down(
    package: ModelPackage, detector: Detector, options: NetworkOptions, frames: Frames, roi: Rectangle
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
    if detector.kind == "centroids" and detector.crop == "scaled":
        raise ModelError(f"model package '{package.name}': detector.crop is scaled; centroids allow: centred")
    if options.detector_on.is_cuda:
        return _top_down_on_gpu(package, detector, options, frames, roi)
    preprocess, finder, boxes = _detection(package, detector, options.detector_on, frames, roi)
    count, (width, height) = package.count_of_individuals, detector.crop_size
    running = open_backend(package, options.runs_on, (count, package.channels, height, width), "crops")
    crop = _crop(package, detector, frames, roi, running.backend)
    estimator = _core.top_down(
        preprocessor=preprocess,
        detector=finder.backend,
        boxes=boxes,
        crop=crop,
        backend=running.backend,
        decoder=make_decoder(package, [_of_one_row(shape, count) for shape in running.backend.output_shapes]),
    )
    return Network(package, estimator, (running, finder))


def _top_down_on_gpu(
    package: ModelPackage, detector: Detector, options: NetworkOptions, frames: Frames, roi: Rectangle
) -> Network:
    """Two graphs: the detector's, and that of the crops."""
    image, tensor = _detector_sizes(detector, roi)
    source = {"pixel_format": frames.pixel_format, "frame_size": frames.size, "roi": roi}
    row = {
        "output_size": tensor,
        "image_size": image,
        "beyond": "zero" if detector.padding.mode == "zero" else "mirror",
        "origin": "corner",
        "colour": _colour(detector.normalisation),
    }
    crop = {
        "crop_size": detector.crop_size,
        "colour": package.colour,
        "mode": detector.crop,
        "antialias": detector.antialias,
        "margin_px": detector.margin_px,
    }
    width, height = detector.crop_size
    plan = TopDownPlan(
        Row(source | row),
        (1, len(detector.normalisation.scale), tensor[1], tensor[0]),
        source | crop,
        (package.count_of_individuals, package.channels, height, width),
        lambda shapes: _boxes(package, detector, shapes),
    )
    found = open_gpu_top_down(package, options.device, options.precision, plan, runtime=options.runtime)
    runs = (found.crops.running, found.detector.running)
    return Network(package, found.estimator, runs, (found.detector,))


def _detector_sizes(detector: Detector, roi: Rectangle) -> tuple[Size, Size]:
    """Part of the tensor that the roi fills, and the tensor."""
    return padded(
        detector.padding, (max(1, int(roi[2] * detector.scale)), max(1, int(roi[3] * detector.scale)))
    )


def _colour(normalisation: Normalisation) -> Literal["grey", "rgb"]:
    return "rgb" if len(normalisation.scale) == 3 else "grey"


def _detection(
    package: ModelPackage, detector: Detector, device: Device, frames: Frames, roi: Rectangle
) -> tuple[_core.PreprocessStage, Running, _core.BoxStage]:
    image, tensor = _detector_sizes(detector, roi)
    # Boxes are edges and SLEAP's centroids are scaled alone: neither has a half-pixel term.
    tensor_spec = _Tensor(image, tensor, detector.padding, detector.normalisation, "corner")
    shape = (1, len(detector.normalisation.scale), tensor[1], tensor[0])
    running = open_detector(package, device, shape)
    preprocess = _preprocess(frames, roi, tensor_spec, running.backend)
    return preprocess, running, _boxes(package, detector, running.backend.output_shapes)


def _boxes(package: ModelPackage, detector: Detector, shapes: Sequence[Sequence[int]]) -> _core.BoxStage:
    if detector.kind == "boxes":
        if len(detector.outputs) != 2:
            raise ModelError(f"model package '{package.name}': detector.outputs; needed are boxes, scores")
        return _core.box_stage(min_score=detector.min_score)
    _, channels, height, width = shapes[0]
    if channels != 1:
        raise ModelError(f"model package '{package.name}': {channels} centroid maps; allowed: 1")
    return _core.centroid_stage(
        map_size=(width, height), stride=detector.stride, min_score=detector.min_score, window=CENTROID_WINDOW
    )


def _crop(
    package: ModelPackage, detector: Detector, frames: Frames, roi: Rectangle, backend: _core.Backend
) -> _core.CropStage:
    element, layout = backend.input_format
    scale, offset = _factors(package.normalisation, backend)
    return _core.crop_stage(
        pixel_format=frames.pixel_format,
        frame_size=frames.size,
        crop_size=detector.crop_size,
        roi=roi,
        colour=package.colour,
        scale=scale,
        offset=offset,
        mode=detector.crop,
        antialias=detector.antialias,
        margin_px=detector.margin_px,
        element=element,
        layout=layout,
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
