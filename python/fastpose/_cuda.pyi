# Types of the extension fastpose._cuda (src/bind_cuda.cpp): networks on an NVIDIA GPU, a graph each. It
# imports without a driver; everything but status() and the specs then raises DeviceError.
from collections.abc import Callable, Sequence
from typing import Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from fastpose._core import Backend, Batch, BoxStage, DecodeStage, Estimator, Ring, _Bound

_Size = tuple[int, int]  # width, height
_PoseSize = tuple[int, int]  # individuals, bodyparts
_Rectangle = tuple[int, int, int, int]  # x, y, width, height; px
_Dtype = Literal["f32", "f16", "u8"]
_Layout = Literal["nchw", "nhwc"]

class _DeviceStatus(TypedDict):
    index: int
    name: str
    compute_capability: str  # "9.0"
    memory_bytes: int
    problem: str  # why it cannot be used; empty: it can

class _Status(TypedDict):
    built_for: list[str]  # compute capabilities with code of their own in this build; "12.0+ptx" with text
    runtime: str  # CUDA that this build links: "13.0"
    driver: str  # newest CUDA that the driver runs: "13.1"; empty: there is no driver
    devices: list[_DeviceStatus]
    problem: str  # why no device can be used, and the way out; empty: one can

def status() -> _Status: ...  # never raises, takes under 1 ms without a driver
def require_device(device: int) -> None: ...  # DeviceError: driver, device or architecture do not fit

# --- what a network is made of ---

class Preprocess(_Bound):  # as _core.preprocess_stage, element and layout are the input tensor's
    def __init__(
        self,
        *,
        pixel_format: str,
        frame_size: _Size,
        output_size: _Size,
        image_size: _Size = (0, 0),
        beyond: Literal["mirror", "zero"] = "mirror",
        origin: Literal["centre", "corner"] = "centre",
        roi: _Rectangle,
        colour: Literal["grey", "rgb"],
        scale: Sequence[float],
        offset: Sequence[float],
    ) -> None: ...

class Tensor(_Bound):  # dense; shape is (N, C, H, W) in either layout, missing leading dimensions are 1
    def __init__(
        self, name: str, shape: Sequence[int], dtype: _Dtype = "f32", layout: _Layout = "nchw"
    ) -> None: ...
    @property
    def name(self) -> str: ...
    @property
    def shape(self) -> list[int]: ...
    @property
    def dtype(self) -> str: ...
    @property
    def nbytes(self) -> int: ...

class Decode(_Bound): ...  # made by:

def heatmap_decode(
    *, bodyparts: int, map_size: _Size, stride: float, locref_stdev: float, activation: str
) -> Decode: ...  # outputs heatmap, and locref where locref_stdev > 0; f32 or f16, nchw
def simcc_decode(
    *, bodyparts: int, bins: _Size, split_ratio: float, temperature: float, softmax: bool
) -> Decode: ...  # outputs x, y
def soft_window_decode(
    *, bodyparts: int, map_size: _Size, stride: float, size: int, min_score: float
) -> Decode: ...
def peaks_decode(
    *,
    bodyparts: int,
    map_size: _Size,
    stride: float,
    nms_size: int,
    min_score: float,
    locref_stdev: float = 0.0,
    activation: str = "none",
) -> Decode: ...  # the highest local maxima of each map, as many as there are individuals, highest first
def host_decode(
    stage: DecodeStage,
) -> Decode: ...  # any decoder of _core: the graph downloads the maps as f32, nchw; the CPU decodes

# Several animals: the GPU finds peaks and what the limbs say of their pairs, and the graph downloads these
# lists alone; the CPU puts the animals together. Arguments as _core.paf_decode_stage, paf_tree_decode_stage.
def paf_decode(
    *,
    shape: _PoseSize,
    limbs: Sequence[Sequence[int]],
    map_size: _Size,
    stride: float,
    locref_stdev: float,
    activation: str,
    smoothing_cells: float,
    nms_size: int,
    min_score: float,
    min_likelihood: float,
    min_affinity: float,
    points_per_limb: int,
) -> Decode: ...
def paf_tree_decode(
    *,
    shape: _PoseSize,
    limbs: Sequence[Sequence[int]],
    order: Sequence[int],
    map_size: _Size,
    limb_map_size: _Size,
    stride: float,
    limb_stride: float,
    window: int,
    min_score: float,
    most_peaks: int,
    min_affinity: float,
    points_per_limb: int,
    length_ratio: float,
    length_penalty: float,
) -> Decode: ...
def unique_decode(
    animals: Decode, unique: DecodeStage, *, shape: _PoseSize, unique_bodyparts: int
) -> Decode: ...  # animals: of one of the two above; the maps of `unique` are downloaded

class PinnedRing(_Bound):
    """The slots of a frame ring as pinned memory: frames in it are uploaded from where they lie."""
    def __init__(self, ring: Ring, *, emulated: bool = False) -> None: ...

class _StageTimes(TypedDict):  # of the last frame, ns
    upload: int
    preprocess: int
    network: int
    decode: int
    download: int
    launch: int  # host: from the call until the graph was launched
    wait: int  # host: from then until the keypoints were there

class CudaNetwork(_Bound):
    """Upload, preprocess, network, decode and download as one graph, with a row for each Preprocess.

    The order of set-up: construct; build the network on `stream` with `input_address` and
    `output_addresses`; run it there once (warm-up), synchronize(); then one of begin_capture() and
    end_capture(), adopt_graph(), or call_each_frame(); keep() what must outlive it; finish().
    """

    def __init__(
        self,
        *,
        device: int = 0,
        preprocess: Sequence[Preprocess],
        input: Tensor,
        outputs: Sequence[Tensor],
        decode: Decode,
        individuals: int = 1,
        bodyparts: int,
        high_priority: bool = True,
        stage_times: bool = True,
        whole_frames: bool = False,
        emulated: bool = False,
    ) -> None: ...
    # whole_frames: all of a frame is uploaded, rows dense, not only the roi's part
    # emulated: memory and kernels on the CPU, without a GPU; for tests
    @property
    def stream(self) -> int: ...  # cudaStream_t, not the default one; no more than a number where emulated
    @property
    def input_address(self) -> int: ...
    @property
    def output_addresses(self) -> list[int]: ...
    @property
    def frame_addresses(self) -> list[int]: ...  # of each row: the frame on the device
    @property
    def frame_strides(self) -> list[int]: ...  # bytes from one row of it to the next
    def synchronize(self) -> None: ...
    def begin_capture(self) -> None: ...  # of this thread's work on `stream`, thread-local mode
    def end_capture(
        self, good: bool = True
    ) -> bool: ...  # False: nothing usable was captured, see capture_error; the stream is usable again
    @property
    def capture_error(self) -> str: ...
    def adopt_graph(self, graph: int) -> None: ...  # cudaGraph_t, cloned by finish(): alive until then
    def call_each_frame(
        self, call: Callable[[], bool]
    ) -> None: ...  # where capture was refused: it enqueues on `stream`; two launches a frame, holds the GIL
    def emulate_work(
        self, call: Callable[[], bool]
    ) -> None: ...  # emulated only: work on the stream, which a capture takes up; memory is the process's own
    def keep(self, owner: object) -> None: ...  # engine, context, tensors: as long as this lives
    def finish(self) -> None: ...  # builds and instantiates the graph, runs it once
    def register(
        self, ring: PinnedRing
    ) -> None: ...  # frames outside of registered memory are copied to a pinned buffer first
    def estimate(
        self, frames: Sequence[NDArray[np.uint8 | np.uint16]]
    ) -> NDArray[np.float32]: ...  # one a row; (rows, individuals, bodyparts, 3)
    def move_roi(self, row: int, x: int, y: int) -> None: ...
    def input(self) -> NDArray[np.uint8]: ...  # copies of what the last frame left on the device: bytes
    def output(self, index: int) -> NDArray[np.uint8]: ...
    def set_output(self, index: int, values: NDArray[np.uint8]) -> None: ...  # for tests of decode alone
    @property
    def last_times(self) -> _StageTimes: ...
    @property
    def description(self) -> str: ...  # "cuda:0 NVIDIA H200, one graph of 9 nodes"

def estimator(network: CudaNetwork, row: int = 0) -> Estimator: ...
def track_roi(
    *, wide: CudaNetwork, narrow: CudaNetwork, margin_px: int, step_px: int, min_likelihood: float
) -> Estimator: ...  # both of one row
def batch(network: CudaNetwork) -> Batch: ...  # one graph for all cameras of a set; see _core.batch_row

class CudaBackend(Backend):
    """Only the network on the GPU, with upload and download: the CPU preprocesses and decodes.

    Set-up as that of a CudaNetwork; the first input is the backend's.
    """

    def __init__(
        self,
        *,
        device: int = 0,
        input: Tensor,
        outputs: Sequence[Tensor],
        high_priority: bool = True,
        emulated: bool = False,
        description: str = "",
    ) -> None: ...
    @property
    def stream(self) -> int: ...
    @property
    def input_address(self) -> int: ...
    @property
    def output_addresses(self) -> list[int]: ...
    def synchronize(self) -> None: ...
    def begin_capture(self) -> None: ...
    def end_capture(self, good: bool = True) -> bool: ...
    @property
    def capture_error(self) -> str: ...
    def adopt_graph(self, graph: int) -> None: ...
    def call_each_frame(self, call: Callable[[], bool]) -> None: ...
    def emulate_work(self, call: Callable[[], bool]) -> None: ...
    def keep(self, owner: object) -> None: ...
    def finish(self) -> None: ...

# --- top-down: a detector's graph, boxes on the host, the graph of the crops ---

class Crop(_Bound):  # as _core.crop_stage, element and layout are the input tensor's
    def __init__(
        self,
        *,
        pixel_format: str,
        frame_size: _Size,
        crop_size: _Size,
        roi: _Rectangle,
        colour: Literal["grey", "rgb"],
        scale: Sequence[float],
        offset: Sequence[float],
        mode: Literal["scaled", "centred"],
        antialias: bool,
        margin_px: float,
    ) -> None: ...

class BoxFinder(DecodeStage):  # for host_decode() of a detector: keeps the best boxes of the last frame
    def __init__(self, boxes: BoxStage, most: int) -> None: ...

class CudaCrops(_Bound):
    """The animals of a frame as one batch: places, crops, network, decode, download; set-up as CudaNetwork's.

    The frame is the one that `frames` uploaded last; where the crops lie is read from device memory.
    """

    def __init__(
        self,
        *,
        frames: CudaNetwork,
        crop: Crop,
        input: Tensor,
        outputs: Sequence[Tensor],
        decode: Decode,
        bodyparts: int,
        high_priority: bool = True,
        emulated: bool = False,
    ) -> None: ...
    @property
    def stream(self) -> int: ...
    @property
    def input_address(self) -> int: ...
    @property
    def output_addresses(self) -> list[int]: ...
    def synchronize(self) -> None: ...
    def begin_capture(self) -> None: ...
    def end_capture(self, good: bool = True) -> bool: ...
    @property
    def capture_error(self) -> str: ...
    def adopt_graph(self, graph: int) -> None: ...
    def call_each_frame(self, call: Callable[[], bool]) -> None: ...
    def emulate_work(self, call: Callable[[], bool]) -> None: ...
    def keep(self, owner: object) -> None: ...
    def finish(self) -> None: ...
    def estimate(
        self, boxes: Sequence[tuple[float, float, float, float]]
    ) -> NDArray[np.float32]: ...  # left, top, right, bottom, px; (rows, bodyparts, 3)
    def input(self) -> NDArray[np.uint8]: ...  # the crops as they were left on the device: bytes
    @property
    def description(self) -> str: ...

def top_down(*, detector: CudaNetwork, boxes: BoxFinder, crops: CudaCrops) -> Estimator: ...
