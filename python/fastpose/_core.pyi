# Types of the extension fastpose._core (src/bind_*.cpp).
# Poses are (individuals, bodyparts, 3) float32: x, y in full-frame sensor px, likelihood.
# Sizes are (width, height) px, rectangles (x, y, width, height) px.
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict, overload

import numpy as np
from numpy.typing import NDArray
from typing_extensions import CapsuleType, Never

_Size: TypeAlias = tuple[int, int]
_Rectangle: TypeAlias = Sequence[int]
_Shape: TypeAlias = tuple[int, int]  # individuals, bodyparts
_PixelFormat: TypeAlias = Literal[
    "mono8",
    "rgb8",
    "bgr8",
    "bayer_rg8",
    "bayer_gr8",
    "bayer_gb8",
    "bayer_bg8",
    "yuyv",
    "nv12",
    "mono10",
    "mono12",
]
_ClockSource: TypeAlias = Literal["none", "latched", "frames"]
_CounterKind: TypeAlias = Literal["uint16", "uint32", "uint64", "gvsp16", "gvsp64"]
_Frame: TypeAlias = NDArray[Any]  # uint8; uint16 for mono10 and mono12
_Frames: TypeAlias = Literal["newest", "every"]
_Colour: TypeAlias = Literal["grey", "rgb"]
_Element: TypeAlias = Literal["f32", "u8"]
_Layout: TypeAlias = Literal["nchw", "nhwc"]
_Activation: TypeAlias = Literal["none", "sigmoid", "clip"]
_Isa: TypeAlias = Literal["scalar", "avx2", "avx512"]
_Missing: TypeAlias = Literal["hold", "false", "true"]
_Which: TypeAlias = Literal["any", "all"]
_Side: TypeAlias = Literal["left", "right", "both"]
_ScoreActivation: TypeAlias = Literal["none", "logistic", "softmax"]
_NewHostState: TypeAlias = Literal["starting", "ready", "finished", "failed", "lost"]
_HostState: TypeAlias = Literal["none", "starting", "ready", "finished", "failed", "lost"]
_Fate: TypeAlias = Literal["", "not_looped", "superseded", "not_recorded", "missing", "failed"]
_Action: TypeAlias = Literal["off", "on", "pulse", "train", "level", "ramp"]
_EventTopic: TypeAlias = Literal["edge", "level", "confirmed", "stop"]
_Reaction: TypeAlias = Literal["pulse", "on", "off", "follow"]
_EdgeCause: TypeAlias = Literal["protocol", "timer", "interlock", "safe", "user"]
_FaultKind: TypeAlias = Literal[
    "CameraError",
    "CameraDisconnected",
    "ModelError",
    "OutputError",
    "RecordError",
    "DeviceError",
    "FastposeError",
]

class _LatencySummary(TypedDict):
    n: int
    p50_ns: int
    p90_ns: int
    p99_ns: int
    p999_ns: int
    max_ns: int

class _RingCounts(TypedDict):
    published: int
    superseded: int
    not_recorded: int
    missing: int
    failed: int
    times_lost: int
    ledger_lost: int
    recorded: int
    recorder_queue: int
    recorder_waiting: int

class _CameraSnapshot(TypedDict):
    published: int
    processed: int
    dropped_ring: int
    dropped_camera: int
    dropped_recorder: int
    dropped_transport: int
    unmatched: int
    times_lost: int
    late: int
    feed_dropped: int
    newest_exposure_ns: int
    expected_work_ns: int
    recorder_queue: int
    exposure_to_decided: _LatencySummary
    exposure_to_acted: _LatencySummary
    dequeued_to_decided: _LatencySummary

class _Snapshot(_CameraSnapshot):  # of the acting camera
    lost_records: int
    outputs_ended_ns: int  # 0: not yet
    rules: int  # bit i: rule i is true
    outputs: list[int]  # level of each output
    cameras: list[_CameraSnapshot]

class _ThreadGrant(TypedDict):
    realtime: bool
    affinity: bool
    moved: bool  # off its core in each inference, by the network's runtime
    thread_id: int  # of the system; 0 where it has none

class _MemoryGrant(TypedDict):
    present: bool
    future: bool
    locked_bytes: int

class _LoopTiming(TypedDict):
    fifo: Literal["not_asked", "refused", "over_budget", "granted"]
    fifo_left: int  # times that SCHED_FIFO was left
    warm_up_work_ns: int  # of the networks for one frame
    expected_share: float  # of the core, 0-1
    share: float  # in the last quarter of a second
    most_share: float
    frames: int
    spun: int  # frames that came while the loop spun
    spin_ns: int  # allowed for a frame

class _RealtimeLimits(TypedDict):
    runtime_us: int  # -1: no limit
    period_us: int
    budget: float  # share of a core, 0-1

class _ClockReport(TypedDict):
    source: _ClockSource
    readings: int  # outliers among them
    outliers: int
    restarts: int  # the clock jumped, was reset or changed its rate
    offset_ns: int  # host minus camera, at the newest reading
    drift_ppm: float  # how much faster the camera's clock runs
    drift_error_ppm: float  # two standard deviations
    residual_ns: float
    error_ns: int  # of exposure_start at the newest reading
    ptp: str  # as the camera names it; empty: none

class _BoundType(type): ...  # pybind11's metaclass

class _Bound(metaclass=_BoundType):
    def __init__(self, *args: Never, **kwargs: Never) -> None: ...  # TypeError where a class has no other

# --- clocks ---

def now_ns() -> int: ...
def wall_clock_ns() -> int: ...

class LatencyHistogram(_Bound):
    def __init__(self) -> None: ...
    def add(self, latency_ns: int) -> None: ...
    def quantile_ns(self, p: float) -> int: ...
    def summary(self) -> _LatencySummary: ...

class ClockFit(_Bound):
    """A camera's clock against the host's; see csrc/latency/clock_fit.h."""

    def __init__(self) -> None: ...
    def set_delay(self, shortest_ns: int, longer_ns: int = 0) -> None:
        """At least shortest_ns, by up to longer_ns more, from exposure start to the quickest arrival."""

    def add(self, host_before_ns: int, camera_ns: int, host_after_ns: int) -> None:
        """Both clocks were read, the camera's in between."""

    def add_frame(self, camera_ns: int, received_ns: int) -> None:
        """A frame arrived; only counts where the camera's clock cannot be read."""

    def exposure(self, camera_ns: int, received_ns: int) -> tuple[int, int, bool]:
        """(exposure_start_ns, exposure_error_ns, fitted); not fitted: a guess from received_ns, error 0."""

    def to_host_ns(self, camera_ns: int) -> int: ...
    def error_ns(self, camera_ns: int) -> float: ...
    def report(self) -> _ClockReport: ...
    @property
    def fitted(self) -> bool: ...
    @property
    def suspect(self) -> bool:
        """Something contradicts the fit: read the clock again now."""

    @property
    def source(self) -> _ClockSource: ...
    @property
    def drift_ppm(self) -> float: ...
    @property
    def residual_ns(self) -> float: ...

class FrameStamps(_Bound):
    """What the ring wants to know of a frame beside its pixels; see csrc/frame/frame.h."""

    @property
    def camera_counter(self) -> int: ...
    @property
    def camera_timestamp_ns(self) -> int: ...
    @property
    def exposure_start_ns(self) -> int: ...
    @property
    def exposure_error_ns(self) -> int: ...
    @property
    def received_ns(self) -> int: ...
    @property
    def flags(self) -> int: ...

class FrameStamper(_Bound):
    """Which frame it is and when it was exposed; see csrc/engine/frame_stamper.h.

    highest_rate_hz: the camera exposes no faster; 0: not known. Raises ConfigError for an unknown counter.
    """

    def __init__(self, counter: _CounterKind, *, highest_rate_hz: float = 0.0) -> None: ...
    def begin(self, exposure_ns: int) -> None:
        """A connection begins: the next number continues nothing, the clock is fitted anew."""

    def stamp(self, number: int, camera_ns: int, received_ns: int) -> FrameStamps: ...
    @property
    def clock(self) -> ClockFit: ...

class FrameWindow(_Bound):
    """In which moment to look for the next frame without sleeping; see csrc/engine/frame_window.h."""

    def allow_spin(self, spin_ns: int) -> None: ...
    def note_received(self, received_ns: int) -> None: ...
    def note_wake_up(self, late_ns: int) -> None: ...
    def next(self) -> tuple[int, int]:
        """When it begins and ends, ns; (0, 0): none, no frame is expected."""

# --- frame ring ---

def remove_stale_rings() -> None: ...

class Ring(_Bound):
    @staticmethod
    def create(
        name: str,
        *,
        slots: int = 32,
        width: int,
        height: int,
        pixel_format: _PixelFormat = "mono8",
        frames: _Frames = "newest",
        loop: bool = True,
        recorder: bool = True,
        record_taken: bool = False,
        stride_bytes: int = 0,
        producer_slots: int = 1,
        buffer_bytes: int = 0,
    ) -> Ring: ...
    @staticmethod
    def attach(name: str) -> Ring: ...
    @property
    def name(self) -> str: ...
    @property
    def slots(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def pixel_format(self) -> _PixelFormat: ...
    @property
    def slot_bytes(self) -> int: ...
    @property
    def buffer_bytes(self) -> int: ...
    @property
    def stride_bytes(self) -> int: ...  # of a (luma) row
    def memory(self, slot: int) -> memoryview: ...  # writable, slot_bytes long
    def address(self, slot: int) -> int: ...  # of buffer_bytes of it, in this process
    # The producer's side.
    def acquire(self, timeout_ms: float) -> int: ...  # a slot; -1: none became free
    @overload
    def publish(self, slot: int, stamps: FrameStamps) -> int: ...  # the frame_id
    @overload
    def publish(
        self,
        slot: int,
        *,
        camera_counter: int,
        camera_timestamp_ns: int,
        exposure_start_ns: int,
        received_ns: int,
        flags: int = 0,
        exposure_error_ns: int = 0,
    ) -> int: ...  # the frame_id
    @overload
    def note_failed(self, stamps: FrameStamps) -> None: ...
    @overload
    def note_failed(
        self,
        *,
        camera_counter: int,
        camera_timestamp_ns: int = 0,
        exposure_start_ns: int = 0,
        received_ns: int = 0,
        flags: int = 0,
        exposure_error_ns: int = 0,
    ) -> None: ...
    def set_producer_state(self, state: _NewHostState, text: str = "") -> None: ...
    def set_clock(self, clock: ClockFit, *, ptp: str = "") -> None:
        """Report the camera's clock to the session; ptp: its state as the camera names it."""

    def wait_started(self, timeout_ms: float) -> bool: ...
    def note_armed(self) -> None: ...  # the camera exposes as soon as it is triggered
    def wait_armed(self, timeout_ms: float) -> bool: ...
    # The consumers' side.
    def take(self, timeout_ms: float) -> int: ...  # a slot; -1: no frame came
    def release(self, slot: int) -> None: ...
    def recorder_next(
        self, timeout_ms: float
    ) -> tuple[int, int, int, int] | None: ...  # slot, frame_id, flags, exposure_start_ns
    def recorder_release(self, slot: int) -> None: ...
    def set_recorder_state(self, state: _NewHostState, text: str = "") -> None: ...
    def set_recorder_progress(self, *, recorded: int, waiting: int) -> None: ...
    def next_ledger_entry(self) -> tuple[_Fate, int, int] | None: ...  # fate, frame_id, camera_counter
    def disable_recorder(self) -> None: ...
    @property
    def recorder_drained(self) -> bool: ...
    @property
    def loop_drained(self) -> bool: ...
    # Life.
    def start(self) -> None: ...
    def request_stop(self) -> None: ...
    @property
    def stop_requested(self) -> bool: ...
    def creator_alive(self) -> bool: ...
    def counts(self) -> _RingCounts: ...
    def clock(self) -> _ClockReport: ...
    @property
    def producer_state(self) -> _HostState: ...
    @property
    def recorder_state(self) -> _HostState: ...
    @property
    def producer_text(self) -> str: ...
    @property
    def recorder_text(self) -> str: ...

# --- simulated camera ---

class SimLighting(_Bound):
    def __init__(self, *, brightness: float = 0.6, gradient: float = 0.2, flicker: float = 0.0) -> None: ...
    @property
    def brightness(self) -> float: ...
    @property
    def gradient(self) -> float: ...
    @property
    def flicker(self) -> float: ...

class SimClock(_Bound):
    def __init__(
        self, *, offset_s: float = 12.5, drift_ppm: float = 20.0, stamp_late_us: float = 0.0
    ) -> None: ...
    @property
    def offset_s(self) -> float: ...
    @property
    def drift_ppm(self) -> float: ...
    @property
    def stamp_late_us(self) -> float: ...

class SimFaults(_Bound):
    def __init__(
        self,
        *,
        drop: float = 0.0,
        late: float = 0.0,
        late_ms: float = 20.0,
        torn: float = 0.0,
        failed: float = 0.0,
        disconnect_after_s: float | None = None,
        reconnect_after_s: float | None = None,
        clock_jump_after_s: float | None = None,
        clock_jump_s: float = 1.0,
    ) -> None: ...
    @property
    def drop(self) -> float: ...
    @property
    def late(self) -> float: ...
    @property
    def late_ms(self) -> float: ...
    @property
    def torn(self) -> float: ...
    @property
    def failed(self) -> float: ...
    @property
    def disconnect_after_s(self) -> float | None: ...
    @property
    def reconnect_after_s(self) -> float | None: ...
    @property
    def clock_jump_after_s(self) -> float | None: ...
    @property
    def clock_jump_s(self) -> float: ...

class SimTrigger(_Bound):
    def __init__(
        self, *, source: Literal["internal", "external_edge"] = "internal", line: str = ""
    ) -> None: ...
    @property
    def source(self) -> str: ...
    @property
    def line(self) -> str: ...

class SimLed(_Bound):
    def __init__(
        self,
        *,
        output: str,
        x: float,
        y: float,
        radius_px: float = 6.0,
        level: float = 60.0,
        delay_us: float = 0.0,
    ) -> None: ...
    @property
    def output(self) -> str: ...
    @property
    def x(self) -> float: ...
    @property
    def y(self) -> float: ...
    @property
    def radius_px(self) -> float: ...
    @property
    def level(self) -> float: ...
    @property
    def delay_us(self) -> float: ...

class SimSpec(_Bound):
    def __init__(
        self,
        *,
        shape: Literal["mouse", "rat", "vole"] = "mouse",
        coat: Literal["auto", "dark", "light"] = "auto",
        size: Sequence[int] = ...,
        rate_hz: float = 100.0,
        exposure_us: float = 2000.0,
        pixel_format: _PixelFormat = "mono8",
        seed: int = 0,
        frames_total: int | None = None,
        individuals: int = 1,
        body_length_px: float | None = None,
        lighting: SimLighting | Mapping[str, float] | None = None,
        noise: float = 3.0,
        motion_blur: bool = True,
        occlusion: float = 0.0,
        clock: SimClock | Mapping[str, float] | None = None,
        faults: SimFaults | Mapping[str, float | None] | None = None,
        prerender_frames: int | None = None,
        transfer_ms: float = 0.5,
        every_frame: bool = False,
        camera_trigger: SimTrigger | Mapping[str, str] | None = None,
        led: SimLed | None = None,
    ) -> None: ...
    @property
    def shape(self) -> Literal["mouse", "rat", "vole"]: ...
    @property
    def coat(self) -> Literal["auto", "dark", "light"]: ...
    @property
    def size(self) -> list[int]: ...
    @property
    def rate_hz(self) -> float: ...
    @property
    def exposure_us(self) -> float: ...
    @property
    def pixel_format(self) -> _PixelFormat: ...
    @property
    def seed(self) -> int: ...
    @property
    def frames_total(self) -> int | None: ...
    @property
    def individuals(self) -> int: ...
    @property
    def body_length_px(self) -> float: ...
    @property
    def lighting(self) -> SimLighting: ...
    @property
    def noise(self) -> float: ...
    @property
    def motion_blur(self) -> bool: ...
    @property
    def occlusion(self) -> float: ...
    @property
    def clock(self) -> SimClock: ...
    @property
    def faults(self) -> SimFaults: ...
    @property
    def prerender_frames(self) -> int | None: ...
    @property
    def transfer_ms(self) -> float: ...
    @property
    def every_frame(self) -> bool: ...
    @property
    def camera_trigger(self) -> SimTrigger: ...
    @property
    def led(self) -> SimLed | None: ...

class SimFate(_Bound):
    @property
    def dropped(self) -> bool: ...
    @property
    def late(self) -> bool: ...
    @property
    def torn(self) -> bool: ...
    @property
    def failed(self) -> bool: ...
    @property
    def tear_row(self) -> int: ...

class Simulation(_Bound):
    @overload
    def __init__(self, spec: SimSpec) -> None: ...
    @overload
    def __init__(self, **kwargs: Any) -> None: ...  # those of SimSpec
    def render(self, index: int) -> tuple[_Frame, NDArray[np.float32]]: ...  # frame, pose
    def truth(self, index: int) -> NDArray[np.float32]: ...
    def fate(self, index: int) -> SimFate: ...
    @property
    def spec(self) -> SimSpec: ...
    @property
    def period_s(self) -> float: ...
    @property
    def bodyparts(self) -> list[str]: ...

class Camera(_Bound):
    @property
    def frame_size(self) -> _Size: ...
    @property
    def pixel_format(self) -> _PixelFormat: ...
    @property
    def rate_hz(self) -> float: ...
    @property
    def exposure_ns(self) -> int: ...
    @property
    def stride_bytes(self) -> int: ...
    @property
    def buffer_bytes(self) -> int: ...
    @property
    def depth(self) -> int: ...
    @property
    def statistics(self) -> str: ...

def make_sim_camera(spec: SimSpec) -> Camera: ...

class FrameStore(_Bound):
    def __init__(self, *, pixel_format: _PixelFormat, size: _Size) -> None: ...
    def append(self, flags: int = 0) -> memoryview: ...  # of one more frame, to be filled
    def __len__(self) -> int: ...

def make_memory_camera(frames: FrameStore, *, rate_hz: float, loop: bool = False) -> Camera: ...

# --- preprocess and decode ---

def best_isa() -> _Isa: ...

class Preprocessor(_Bound):
    def __init__(
        self,
        pixel_format: _PixelFormat,
        frame_size: _Size,
        output_size: _Size,
        *,
        roi: _Rectangle | None = None,
        image_size: _Size | None = None,
        colour: _Colour = "grey",
        scale: Sequence[float] = ...,
        offset: Sequence[float] = ...,
        element: _Element = "f32",
        layout: _Layout = "nchw",
        isa: Literal["auto"] | _Isa = "auto",
    ) -> None: ...
    def run(self, frame: _Frame, out: NDArray[Any] | None = None) -> NDArray[Any]: ...
    def time_ns(self, frame: _Frame, calls: int) -> NDArray[np.int64]: ...
    def move_roi(self, x: int, y: int) -> tuple[int, int]: ...
    @property
    def output_shape(self) -> tuple[int, int, int, int]: ...
    @property
    def tensor_to_sensor(self) -> tuple[float, float, float, float]: ...

def preprocess(
    frame: _Frame,
    *,
    pixel_format: _PixelFormat,
    frame_size: _Size,
    output_size: _Size,
    roi: _Rectangle | None = None,
    image_size: _Size | None = None,
    colour: _Colour = "grey",
    scale: Sequence[float] = ...,
    offset: Sequence[float] = ...,
    element: _Element = "f32",
    layout: _Layout = "nchw",
    isa: Literal["auto"] | _Isa = "auto",
) -> NDArray[Any]: ...
def resize_like_opencv(frame: NDArray[np.uint8], size: _Size) -> NDArray[np.uint8]: ...

class HeatmapDecoder(_Bound):
    def __init__(
        self,
        bodyparts: int,
        map_size: _Size,
        *,
        stride: float = 8.0,
        locref_stdev: float = ...,
        activation: _Activation = "sigmoid",
        isa: Literal["auto"] | _Isa = "auto",
    ) -> None: ...
    def run(
        self,
        heatmap: NDArray[np.float32],
        locref: NDArray[np.float32] | None = None,
        *,
        tensor_to_sensor: Sequence[float] = ...,
        out: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]: ...  # (bodyparts, 3)
    def time_ns(
        self, heatmap: NDArray[np.float32], locref: NDArray[np.float32] | None, calls: int
    ) -> NDArray[np.int64]: ...

def decode(
    heatmap: NDArray[np.float32],
    locref: NDArray[np.float32] | None = None,
    *,
    stride: float = 8.0,
    locref_stdev: float = ...,
    activation: _Activation = "sigmoid",
    tensor_to_sensor: Sequence[float] = ...,
    isa: Literal["auto"] | _Isa = "auto",
) -> NDArray[np.float32]: ...  # (bodyparts, 3)

class PreprocessStage(_Bound): ...

def preprocess_stage(
    *,
    pixel_format: _PixelFormat,
    frame_size: _Size,
    output_size: _Size,
    image_size: _Size = (0, 0),
    beyond: Literal["mirror", "zero"] = "mirror",
    origin: Literal["centre", "corner"] = "centre",
    roi: _Rectangle,
    colour: _Colour,
    scale: Sequence[float],
    offset: Sequence[float],
    element: _Element = "f32",
    layout: _Layout = "nchw",
) -> PreprocessStage: ...

class DecodeStage(_Bound):
    def run(
        self,
        outputs: Sequence[NDArray[np.float32]],
        shape: _Shape,
        *,
        tensor_to_sensor: Sequence[float] = ...,
    ) -> NDArray[np.float32]: ...  # (individuals, bodyparts, 3)

def heatmap_decode_stage(
    *, bodyparts: int, map_size: _Size, stride: float, locref_stdev: float, activation: _Activation
) -> DecodeStage: ...
def simcc_decode_stage(
    *, bodyparts: int, bins: _Size, split_ratio: float, temperature: float, softmax: bool
) -> DecodeStage: ...
def soft_window_decode_stage(
    *, bodyparts: int, map_size: _Size, stride: float, size: int, min_score: float
) -> DecodeStage: ...
def softmax_decode_stage(
    *,
    bodyparts: int,
    map_size: _Size,
    stride: float,
    upsampling: int,
    temperature: float,
    radius: int,
    shift: float,
) -> DecodeStage: ...
def points_decode_stage(*, bodyparts: int, activation: _Activation) -> DecodeStage: ...

class BoxStage(_Bound):
    def run(
        self, outputs: Sequence[NDArray[np.float32]], room: int, *, tensor_to_sensor: Sequence[float] = ...
    ) -> NDArray[np.float32]: ...  # (n, 5): left, top, right, bottom, score

def box_stage(*, min_score: float) -> BoxStage: ...
def centroid_stage(*, map_size: _Size, stride: float, min_score: float, window: int) -> BoxStage: ...

class CropStage(_Bound):
    def run(
        self, frame: _Frame, box: Sequence[float]
    ) -> tuple[NDArray[Any], tuple[float, float, float, float]]: ...  # tensor, tensor_to_sensor

def crop_stage(
    *,
    pixel_format: _PixelFormat,
    frame_size: _Size,
    crop_size: _Size,
    roi: _Rectangle,
    colour: _Colour,
    scale: Sequence[float],
    offset: Sequence[float],
    mode: Literal["scaled", "centred"],
    antialias: bool,
    margin_px: float,
    element: _Element = "f32",
    layout: _Layout = "nchw",
) -> CropStage: ...

# --- several animals ---

def paf_decode_stage(
    *,
    shape: _Shape,
    limbs: Sequence[Sequence[int]],
    map_size: _Size,
    stride: float,
    locref_stdev: float,
    activation: _Activation = "sigmoid",
    smoothing_cells: float = ...,
    nms_size: int = 5,
    min_score: float = ...,
    min_likelihood: float = ...,
    min_affinity: float = ...,
    points_per_limb: int = 10,
    isa: Literal["auto"] | _Isa = "auto",
) -> DecodeStage: ...
def paf_tree_decode_stage(
    *,
    shape: _Shape,
    limbs: Sequence[Sequence[int]],
    order: Sequence[int],
    map_size: _Size,
    limb_map_size: _Size,
    stride: float,
    limb_stride: float,
    window: int = 5,
    min_score: float = ...,
    most_peaks: int = 20,
    min_affinity: float = ...,
    points_per_limb: int = 10,
    length_ratio: float = ...,
    length_penalty: float = ...,
) -> DecodeStage: ...
def unique_decode_stage(
    animals: DecodeStage,
    unique: DecodeStage,
    *,
    shape: _Shape,
    unique_bodyparts: int,
    animal_outputs: int,
) -> DecodeStage: ...

class Identity(_Bound):
    def apply(self, pose: NDArray[np.float32], exposure_start_ns: int) -> None: ...
    def reset(self) -> None: ...

def motion_identity(
    shape: _Shape,
    *,
    min_likelihood: float = 0.1,
    max_gap_ms: float = 2000.0,
    velocity_window_ms: float = 50.0,
    tolerance: float = 0.3,
    unique_bodyparts: int = 0,
) -> Identity: ...
def time_animals_ns(
    decoder: DecodeStage,
    identity: Identity,
    rules: Sequence[Rule],
    frames: Sequence[Sequence[NDArray[np.float32]]],
    shape: _Shape,
    *,
    calls: int,
    step_ns: int,
) -> NDArray[np.int64]: ...  # (calls, 3): decoder, identity, all rules

# --- networks ---

class Backend(_Bound):
    @property
    def input_shape(self) -> list[int]: ...
    @property
    def input_format(self) -> tuple[_Element, _Layout]: ...
    @property
    def input_counts(
        self,
    ) -> tuple[float, float]: ...  # step (0: grey levels), zero
    @property
    def output_shapes(self) -> list[list[int]]: ...
    @property
    def description(self) -> str: ...
    @property
    def granted(self) -> dict[str, Any]: ...  # precision, threads (0: not known), pinned, cached
    def run(self, input: NDArray[Any]) -> list[NDArray[np.float32]]: ...
    def time_runs(self, runs: int) -> list[int]: ...  # ns

def fake_backend(
    input_shape: Sequence[int],
    outputs: Sequence[NDArray[np.float32]],
    *,
    element: _Element = "f32",
    layout: _Layout = "nchw",
) -> Backend: ...

# --- filters, zones and rules ---

class Filter(_Bound):
    def apply(self, pose: NDArray[np.float32], exposure_start_ns: int) -> None: ...  # in place
    def reset(self) -> None: ...
    def expect_delay(self, work_ns: int) -> None: ...
    def learn_delay(self, exposure_start_ns: int, *, decided_ns: int, acted_ns: int = 0) -> None: ...
    @property
    def horizon_ns(self) -> int: ...

def one_euro_filter(
    shape: _Shape,
    *,
    min_cutoff_hz: float = 1.0,
    beta: float = 0.02,
    derivative_cutoff_hz: float = 1.0,
    max_gap_ms: float = 500.0,
) -> Filter: ...
def kalman_filter(
    shape: _Shape,
    *,
    process_noise: float = 5000.0,
    measurement_noise_px: float = 2.0,
    horizon_ms: float = 0.0,
    automatic_horizon: bool = False,
    min_likelihood: float = 0.0,
    max_gap_ms: float = 500.0,
) -> Filter: ...
def bench_filter(
    filter: Filter, pose: NDArray[np.float32], *, calls: int = 100000, step_ns: int = 10000000
) -> float: ...  # mean ns of a call

class Zone(_Bound):
    def signed_distance(self, x: float, y: float) -> float: ...
    def contains(self, x: float, y: float, margin_px: float = 0.0) -> bool: ...

def polygon_zone(corners: Sequence[Sequence[float]]) -> Zone: ...
def circle_zone(*, center: Sequence[float], radius_px: float) -> Zone: ...
def rectangle_zone(*, x: float, y: float, width: float, height: float) -> Zone: ...
def square_zone(*, center: Sequence[float], side_px: float, angle_deg: float = 0.0) -> Zone: ...
def ellipse_zone(
    *, center: Sequence[float], half_axes_px: Sequence[float], angle_deg: float = 0.0
) -> Zone: ...
def mask_zone(mask: NDArray[np.uint8]) -> Zone: ...

class Condition(_Bound): ...

class Rule(_Bound):
    def __init__(
        self,
        condition: Condition,
        *,
        min_duration_ms: float = 0.0,
        refractory_ms: float = 0.0,
        missing: _Missing = "hold",
    ) -> None: ...
    def update(self, pose: NDArray[np.float32], exposure_start_ns: int) -> bool: ...
    @property
    def value(self) -> bool: ...
    def reset(self) -> None: ...

class RuleSet(_Bound):
    def __init__(self, rules: Sequence[Rule]) -> None: ...
    def update(self, pose: NDArray[np.float32], exposure_start_ns: int) -> list[int]: ...
    @property
    def order(self) -> list[int]: ...
    def reset(self) -> None: ...

class Calibration(_Bound):
    def __init__(self, px_to_mm: Sequence[float]) -> None: ...  # a homography, row by row
    def to_mm(self, x: float, y: float) -> tuple[float, float]: ...

class Gate(_Bound):
    def __init__(
        self,
        shape: _Shape,
        *,
        min_likelihood: float = 0.6,
        individual: int | str = "any",
        unique_bodyparts: int = 0,
        calibration: Calibration | None = None,
    ) -> None: ...

class Limit(_Bound):
    def __init__(
        self,
        *,
        above: float | None = None,
        below: float | None = None,
        hysteresis: float = 0.0,
        unit: str = "px",
    ) -> None: ...

def in_zone_condition(
    gate: Gate,
    *,
    zone: Zone,
    bodyparts: Sequence[int],
    which: _Which = "any",
    outside: bool = False,
    hysteresis: float = 0.0,
) -> Condition: ...
def head_in_zone_condition(
    gate: Gate,
    *,
    zone: Zone,
    zone_bodyparts: Sequence[int],
    which: _Which = "any",
    hysteresis: float = 0.0,
    bodyparts: Sequence[int],
    point: Sequence[float],
    limit: Limit,
) -> Condition: ...
def crossing_condition(
    gate: Gate,
    *,
    bodypart: int,
    start: Sequence[float],
    end: Sequence[float],
    side: _Side = "both",
    hysteresis: float = 0.0,
    max_gap_ms: float = 500.0,
) -> Condition: ...
def edge_condition(
    inner: Condition, *, begins: bool, min_duration_ms: float = 0.0, missing: _Missing = "hold"
) -> Condition: ...
def dwell_condition(
    inner: Condition, *, limit: Limit, within_ms: float = 0.0, missing: _Missing = "hold"
) -> Condition: ...
def speed_condition(gate: Gate, *, bodypart: int, limit: Limit, window_ms: float = 50.0) -> Condition: ...
def freezing_condition(
    gate: Gate,
    *,
    bodyparts: Sequence[int],
    limit: Limit,
    which: _Which = "all",
    window_ms: float = 200.0,
) -> Condition: ...
def acceleration_condition(
    gate: Gate,
    *,
    bodypart: int,
    limit: Limit,
    change: Literal["any", "faster", "slower"] = "any",
    window_ms: float = 100.0,
) -> Condition: ...
def angular_velocity_condition(
    gate: Gate,
    *,
    bodyparts: Sequence[int],
    limit: Limit,
    side: _Side = "both",
    window_ms: float = 100.0,
) -> Condition: ...
def distance_condition(gate: Gate, *, bodyparts: Sequence[int], limit: Limit) -> Condition: ...
def contact_condition(
    gate: Gate,
    *,
    bodypart: int,
    limit: Limit,
    point: Sequence[float] | None = None,
    to_bodypart: int = 0,
    to_individual: int | str = "other",
) -> Condition: ...
def approach_condition(
    gate: Gate,
    *,
    bodypart: int,
    limit: Limit,
    point: Sequence[float] | None = None,
    to_bodypart: int = 0,
    to_individual: int | str = "other",
    away: bool = False,
    window_ms: float = 200.0,
) -> Condition: ...
def angle_condition(
    gate: Gate,
    *,
    bodyparts: Sequence[int],
    limit: Limit,
    point: Sequence[float] | None = None,
    heading_deg: float | None = None,
) -> Condition: ...
def egocentric_condition(
    gate: Gate, *, bodyparts: Sequence[int], limit: Limit, side: _Side = "both"
) -> Condition: ...
def body_length_condition(gate: Gate, *, bodyparts: Sequence[int], limit: Limit) -> Condition: ...
def posture_condition(
    gate: Gate,
    *,
    bodyparts: Sequence[int],
    places: Sequence[Sequence[float]],
    limit: Limit,
    turn: bool = True,
    scale: bool = False,
) -> Condition: ...
def join_condition(join: Literal["any", "all"], rules: Sequence[int]) -> Condition: ...
def not_condition(rule: int) -> Condition: ...
def edge_of_rule_condition(rule: int, *, begins: bool) -> Condition: ...
def sequence_condition(rules: Sequence[int], *, within_ms: float) -> Condition: ...

class Scorer(_Bound):
    def run(self, numbers: Sequence[float]) -> list[float]: ...
    def time_runs(self, runs: int) -> NDArray[np.int64]: ...
    @property
    def inputs(self) -> int: ...
    @property
    def classes(self) -> int: ...
    @property
    def description(self) -> str: ...

def forest_scorer(
    *,
    inputs: int,
    classes: int,
    nodes: Sequence[tuple[int, float, int, int]],
    roots: Sequence[int],
    leaves: Sequence[tuple[int, int, float]],
    base: Sequence[float] = ...,
    complement: bool = False,
    offset: Sequence[float] = ...,
    scale: Sequence[float] = ...,
    activation: _ScoreActivation = "none",
    divide_by_sum: bool = False,
) -> Scorer: ...
def linear_scorer(
    *,
    coefficients: NDArray[np.float32],
    intercepts: Sequence[float],
    offset: Sequence[float] = ...,
    scale: Sequence[float] = ...,
    activation: _ScoreActivation = "none",
    divide_by_sum: bool = False,
) -> Scorer: ...
def backend_scorer(backend: Backend) -> Scorer: ...
def classifier_condition(
    gate: Gate,
    *,
    scorer: Scorer,
    features: Sequence[tuple[str, Sequence[tuple[int, int]]]],
    window: Literal["stack", "mean", "mean_std"] = "stack",
    window_frames: int = 1,
    class_index: int = 1,
    above: float | None = None,
    hysteresis: float = 0.0,
    hold_ns: int = 100000000,
    max_gap_ns: int = 200000000,
) -> Condition: ...
def plugin_condition(capsule: object, *, min_likelihood: float = 0.6) -> Condition: ...
def time_behaviour_ns(
    rules: RuleSet,
    protocol: Protocol,
    interlock: Interlock,
    poses: NDArray[np.float32],
    *,
    calls: int,
    step_ns: int,
) -> NDArray[np.int64]: ...  # (calls, 3): rules, protocol, interlock
def bench_rule(
    rule: Rule, pose: NDArray[np.float32], *, calls: int = 100000, step_ns: int = 10000000
) -> float: ...  # mean ns of a call

# --- outputs ---

class OutputDriver(_Bound):
    def write(self, high: bool) -> bool: ...
    def write_value(self, value: float) -> bool: ...
    @property
    def analogue(self) -> bool: ...
    @property
    def description(self) -> str: ...
    @property
    def error(self) -> str: ...

class SimOutput(OutputDriver):
    def __init__(self, name: str) -> None: ...
    def set_broken(self, broken: bool) -> None: ...
    @property
    def high(self) -> bool: ...
    @property
    def value(self) -> float: ...
    @property
    def writes(self) -> int: ...
    @property
    def rising_edges(self) -> int: ...
    @property
    def falling_edges(self) -> int: ...

class SerialPort(_Bound):
    def __init__(self, path: str, *, baud: int = 115200, write_timeout_ms: int = 20) -> None: ...
    def fileno(self) -> int: ...
    @property
    def path(self) -> str: ...
    @property
    def baud(self) -> int: ...
    @property
    def low_latency(self) -> bool: ...

class SerialOutput(OutputDriver):
    def __init__(self, port: SerialPort, *, high: bytes, low: bytes) -> None: ...

class HostedLines(_Bound):
    @staticmethod
    def create(name: str, *, safe_high: Sequence[bool]) -> HostedLines: ...
    @staticmethod
    def attach(name: str) -> HostedLines: ...
    @property
    def name(self) -> str: ...
    def __len__(self) -> int: ...
    def safe_high(self, line: int) -> bool: ...
    def serve(self) -> None: ...
    def end(self, why: str) -> None: ...
    def next(self, timeout_ms: float) -> tuple[int, bool, int] | None: ...  # line, high, sequence
    def answer(self, line: int, sequence: int, *, written: bool, why: str = "") -> None: ...
    def creator_alive(self) -> bool: ...

class HostedOutput(OutputDriver):
    def __init__(self, lines: HostedLines, line: int, *, description: str, timeout_ms: int = 100) -> None: ...

class FirmwareDevice(_Bound):
    def __init__(
        self,
        port: SerialPort,
        *,
        lines: Sequence[tuple[int, bool, bool, float]],  # pin, safe_high, analogue, max_on_ms
        input_pins: Sequence[int] = ...,
        heartbeat_ms: int = 250,
        open_timeout_ms: int = 5000,
        priority: int = 0,
    ) -> None: ...
    def set(self, line: int, level: int) -> bool: ...  # level: 0-65535
    def next_input_edge(
        self,
    ) -> tuple[int, int, int, bool, int] | None: ...  # stamp_ns, device_ns, input, high, number
    @property
    def clock(self) -> _ClockReport: ...
    @property
    def repeated(self) -> int: ...
    @property
    def error(self) -> str: ...
    @staticmethod
    def safe_bytes() -> bytes: ...

class FirmwareOutput(OutputDriver):
    def __init__(self, device: FirmwareDevice, line: int) -> None: ...

class FirmwareSimulator(_Bound):
    def __init__(
        self, *, drift_ppm: float = 0.0, offset_s: float = 0.0, wire_delay_us: float = 0.0
    ) -> None: ...
    @property
    def path(self) -> str: ...
    @property
    def armed(self) -> bool: ...
    def level(self, pin: int) -> int: ...
    def edges(self) -> list[tuple[int, int, int, int]]: ...  # pin, level, host_ns, device_ns
    def device_ns(self, host_ns: int) -> int: ...
    def drive_input(self, pin: int, high: bool, host_ns: int = 0) -> None: ...
    def connect(self, output_pin: int, input_pin: int) -> None: ...
    def unplug(self) -> None: ...
    def freeze(self, frozen: bool) -> None: ...
    def lose_replies(self, count: int) -> None: ...

class GpioOutput(OutputDriver):
    def __init__(
        self, chip: str, line: int, *, active_low: bool = False, initial_high: bool = False
    ) -> None: ...
    def fileno(self) -> int: ...

class BesideCommand(_Bound):
    @property
    def line(self) -> int: ...
    @property
    def high(self) -> bool: ...
    @property
    def value(self) -> float | None: ...
    @property
    def given_ns(self) -> int: ...

class BesideLines(_Bound):
    @staticmethod
    def create(name: str, *, safe_high: Sequence[bool]) -> BesideLines: ...
    @staticmethod
    def attach(name: str) -> BesideLines: ...
    @property
    def name(self) -> str: ...
    def __len__(self) -> int: ...
    def safe_high(self, line: int) -> bool: ...
    @property
    def waiting(self) -> int: ...
    @property
    def ended(self) -> bool: ...
    @property
    def goodbye(self) -> bool: ...
    def say_goodbye(self) -> None: ...
    def end(self, why: str) -> None: ...
    def next(self, timeout_ms: float) -> BesideCommand | None: ...
    def answer(self, command: BesideCommand, *, written: bool, why: str = "") -> None: ...

class BesideDevice(_Bound):
    def __init__(self, lines: BesideLines) -> None: ...

class BesideOutput(OutputDriver):
    def __init__(
        self, device: BesideDevice, line: int, *, description: str, analogue: bool = False
    ) -> None: ...

class StopSwitch(_Bound):
    @staticmethod
    def create(name: str, interlock: Interlock | None) -> StopSwitch: ...
    @staticmethod
    def attach(name: str) -> StopSwitch: ...
    def throw_and_wait(self, timeout_ms: float) -> bool: ...
    @property
    def thrown(self) -> bool: ...
    @property
    def reaction_ns(self) -> int: ...

class OutputLine(_Bound):
    def __init__(
        self,
        name: str,
        driver: OutputDriver,
        *,
        max_on_ns: int = 0,
        max_rate_hz: float = 0.0,
        safe_high: bool = False,
        max_total_ns: int = 0,
        max_level: float = 0.0,
        not_with: Sequence[str] = ...,
    ) -> None: ...
    @property
    def name(self) -> str: ...
    @property
    def driver(self) -> OutputDriver: ...

class EdgeResult(_Bound):
    @property
    def changed(self) -> bool: ...
    @property
    def refused(self) -> bool: ...
    @property
    def failed(self) -> bool: ...
    @property
    def stamp_ns(self) -> int: ...
    @property
    def high(self) -> bool: ...  # the level written or refused

class InterlockEvent(_Bound):
    @property
    def stamp_ns(self) -> int: ...
    @property
    def output(self) -> int: ...
    @property
    def cause(self) -> _EdgeCause: ...
    @property
    def high(self) -> bool: ...
    @property
    def refused(self) -> bool: ...
    @property
    def topic(self) -> _EventTopic: ...
    @property
    def value(self) -> int: ...

class Interlock(_Bound):
    def __init__(
        self,
        lines: Sequence[OutputLine],
        *,
        timer_priority: int = 0,
        timer_cpus: Sequence[int] = ...,
        max_pose_gap_ns: int = 0,
    ) -> None: ...
    def arm(self) -> None: ...
    @property
    def armed(self) -> bool: ...
    def to_safe(self) -> None: ...
    def emergency_stop(self) -> None: ...
    @property
    def stopped(self) -> bool: ...
    def note_pose(self) -> None: ...
    def apply(self, command: OutputCommand) -> EdgeResult: ...
    def value(self, output: int) -> float: ...
    def total_on_ns(self, output: int) -> int: ...
    def on(self, output: int) -> EdgeResult: ...
    def off(self, output: int) -> EdgeResult: ...
    def pulse(self, output: int, duration_ns: int) -> EdgeResult: ...
    def high(self, output: int) -> bool: ...
    def rising_edges(self, output: int) -> int: ...
    def refused(self, output: int) -> int: ...
    def forced_low(self, output: int) -> int: ...
    def poll_event(self) -> InterlockEvent | None: ...
    @property
    def events_lost(self) -> int: ...
    @property
    def faulty_line(self) -> int: ...  # -1: none
    @property
    def fault_message(self) -> str: ...

# --- protocols ---

class OutputCommand(_Bound):
    def __init__(
        self,
        output: int,
        action: _Action,
        *,
        duration_ns: int = 0,
        period_ns: int = 0,
        count: int = 0,
        value: float = 0.0,
        to: float = 0.0,
    ) -> None: ...
    @property
    def output(self) -> int: ...
    @property
    def action(self) -> _Action: ...
    @property
    def duration_ns(self) -> int: ...
    @property
    def period_ns(self) -> int: ...
    @property
    def count(self) -> int: ...
    @property
    def value(self) -> float: ...
    @property
    def to(self) -> float: ...

_Note: TypeAlias = tuple[Literal["state", "trial"], int, int, int]  # kind, source, value, stamp_ns

class Decision(_Bound):
    @property
    def commands(self) -> list[OutputCommand]: ...
    @property
    def state(self) -> int: ...
    @property
    def late(self) -> bool: ...
    @property
    def suppressed_outputs(self) -> int: ...  # bit i: output i
    @property
    def finished(self) -> bool: ...
    @property
    def notes(self) -> list[_Note]: ...

class Protocol(_Bound):
    def step(
        self,
        keypoints: NDArray[np.float32],
        rules: Sequence[int],
        *,
        frame_id: int = 0,
        exposure_start_ns: int = 0,
        now_ns: int = 0,
    ) -> Decision: ...
    def advance(self, now_ns: int) -> Decision: ...  # what is due without a frame
    @property
    def next_wakeup_ns(self) -> int: ...  # int64's largest: never
    def reset(self) -> None: ...

class NoProtocol(Protocol):
    def __init__(self) -> None: ...

class ConditionalProtocol(Protocol):
    def __init__(
        self,
        *,
        rule: int,
        actions: Sequence[
            OutputCommand | tuple[int, _Reaction, int]
        ],  # output, reaction, duration of a pulse in ns
        deadline_ns: int = 0,
        suppress_late: bool = True,
    ) -> None: ...

class PolicyProtocol(Protocol):
    def __init__(self, capsule: CapsuleType) -> None: ...

_Duration: TypeAlias = tuple[int, int]  # shortest and longest, ns: drawn between both
_Guard: TypeAlias = tuple[int, int, int]  # counter, least, most

class TransitionSpec(_Bound):
    def __init__(
        self,
        *,
        trigger: Literal["when", "unless", "rises", "falls", "after", "timer"],
        source: int = 0,  # rule or timer
        after: _Duration = (0, 0),
        provided: Sequence[_Guard] = ...,
        choice: Literal["chance", "present_trial", "next_trial"] = "chance",
        targets: Sequence[tuple[int, float]],  # state, weight; of trials one a type
    ) -> None: ...

class StateSpec(_Bound):
    def __init__(
        self,
        *,
        on_entry: Sequence[OutputCommand] = ...,
        on_exit: Sequence[OutputCommand] = ...,
        during: Sequence[OutputCommand] = ...,
        next: Sequence[TransitionSpec] = ...,
        start_timers: Sequence[int] = ...,
        stop_timers: Sequence[int] = ...,
        count: Sequence[tuple[int, int, bool]] = ...,  # counter, by, reset first
        final: bool = False,
        limited: bool = False,
        checks_limits: bool = False,
        deadline_ns: int = 0,
        suppress_late: bool = True,
    ) -> None: ...

class StatesLimits(_Bound):
    def __init__(
        self,
        *,
        session_ns: int = 0,
        time_in_states_ns: int = 0,
        counters: Sequence[_Guard] = ...,
        trials: bool = False,
        end_state: int = -1,
    ) -> None: ...

class TrialListSpec(_Bound):
    def __init__(
        self,
        *,
        counts: Sequence[int] = ...,
        blocks: int = 1,
        order: Literal["sequence", "random", "blocked"] = "blocked",
    ) -> None: ...

def draw_trials(spec: TrialListSpec, *, seed: int) -> list[int]: ...

class StateMachine(Protocol):
    def __init__(
        self,
        *,
        rules: int,
        outputs: int,
        states: Sequence[StateSpec],
        initial: int = 0,
        timers: Sequence[_Duration] = ...,
        counters: int = 0,
        trials: TrialListSpec = ...,
        limits: StatesLimits = ...,
        seed: int = 0,
        tells_states: bool = True,
    ) -> None: ...
    @property
    def state(self) -> int: ...
    @property
    def finished(self) -> bool: ...
    def counter(self, index: int) -> int: ...

def time_steps(
    protocol: Protocol, rules: Sequence[Sequence[int]], *, steps: int, period_ns: int
) -> NDArray[np.int64]: ...

_Edge: TypeAlias = tuple[int, int, bool, bool, _EdgeCause]  # time_ns, output, high, refused, cause

class VirtualRig(_Bound):
    def __init__(self, protocol: Protocol, lines: Sequence[OutputLine]) -> None: ...
    def run_until(self, time_ns: int) -> None: ...
    def frame(self, time_ns: int, rules: Sequence[int], *, age_ns: int = 0) -> None: ...
    def end(self) -> None: ...
    def high(self, output: int) -> bool: ...
    @property
    def finished(self) -> bool: ...
    @property
    def edges(self) -> list[_Edge]: ...
    @property
    def notes(self) -> list[_Note]: ...

# --- engine ---

class Estimator(_Bound): ...

class StageParts(_Bound):
    def __init__(self, *, preprocessor: PreprocessStage, backend: Backend, decoder: DecodeStage) -> None: ...

def single_stage(parts: StageParts) -> Estimator: ...
def track_roi(
    *, wide: StageParts, narrow: StageParts, margin_px: int, step_px: int, min_likelihood: float
) -> Estimator: ...
def top_down(
    *,
    preprocessor: PreprocessStage,
    detector: Backend,
    boxes: BoxStage,
    crop: CropStage,
    backend: Backend,
    decoder: DecodeStage,
) -> Estimator: ...

class Batch(_Bound):
    def __init__(
        self, *, preprocessors: Sequence[PreprocessStage], backend: Backend, decoder: DecodeStage
    ) -> None: ...

def batch_row(batch: Batch, row: int) -> Estimator: ...

class PipelineParts(_Bound):
    def __init__(
        self,
        *,
        estimator: Estimator,
        identity: Identity | None = None,
        filter: Filter | None = None,
        rules: Sequence[Rule] = ...,
        protocol: Protocol | None = None,
        interlock: Interlock | None = None,
        individuals: int = 1,
        bodyparts: int,
        rule_ids: Sequence[int] = ...,
    ) -> None: ...

class Pipeline(_Bound):
    def __init__(self, parts: PipelineParts) -> None: ...
    def process(
        self, frame: _Frame, *, pixel_format: _PixelFormat, exposure_start_ns: int = 0
    ) -> NDArray[np.float32]: ...

_Bytes: TypeAlias = NDArray[np.uint8]  # (n, bytes of a record)
_ReplayInput: TypeAlias = tuple[int, Literal["on", "off", "pulse", "safe", "arm"], int, int]

def protocol_cost(
    protocol: Protocol, keypoints: NDArray[np.float32], rules: Sequence[int], *, steps: int
) -> NDArray[np.int64]: ...  # ns of each

class LogicalLines(_Bound):
    def __init__(self, lines: Sequence[OutputLine], *, start_ns: int) -> None: ...
    def command(
        self, time_ns: int, output: int, action: _Action, duration_ns: int = 0
    ) -> tuple[bool, bool, bool, int]: ...  # changed, refused, failed, stamp_ns
    def end_until(self, time_ns: int) -> None: ...
    def to_safe(self, time_ns: int) -> None: ...
    def take_events(self) -> _Bytes: ...

def replay_camera(
    *,
    filter: Filter | None,
    rules: Sequence[Rule],
    rule_ids: Sequence[int],
    protocol: Protocol | None,
    lines: Sequence[OutputLine],
    individuals: int,
    bodyparts: int,
    work_ns: int,
    camera: int,
    frames: _Bytes,
    raw: NDArray[np.float32],
    guide: _Bytes,
    inputs: Sequence[_ReplayInput],
) -> tuple[_Bytes, NDArray[np.float32], int]: ...  # events, filtered, latest_end_ns

class LogSpec(_Bound):
    def __init__(self, path: str, header_json: str) -> None: ...

class _V4l2Size(TypedDict):
    size: _Size
    rates_hz: list[float]  # highest first

class _V4l2Format(TypedDict):
    fourcc: str
    pixel_format: str  # ours; "mjpg"; empty: not supported
    sizes: list[_V4l2Size]

class _V4l2Control(TypedDict):
    name: str
    minimum: int
    maximum: int
    step: int
    default: int
    value: int
    writable: bool
    inactive: bool
    menu: list[str]

class _V4l2Description(TypedDict):
    path: str
    card: str
    driver: str
    bus: str
    formats: list[_V4l2Format]
    controls: list[_V4l2Control]

class _V4l2Settings(TypedDict):
    path: str
    card: str
    driver: str
    bus: str
    fourcc: str
    user_memory: bool
    why_copied: str
    controls: dict[str, int]

class V4l2Camera(Camera):
    @property
    def settings(self) -> _V4l2Settings: ...

def v4l2_describe(path: str) -> _V4l2Description: ...
def make_v4l2_camera(
    *,
    path: str,
    pixel_format: _PixelFormat | None = None,
    mjpg: bool = False,
    size: _Size | None = None,
    rate_hz: float | None = None,
    exposure_us: float | None = None,
    controls: Sequence[tuple[str, int]] = ...,
    memory: Literal["auto", "userptr", "mmap"] = "auto",
    buffers: int = 8,
) -> V4l2Camera: ...

class CameraPart(_Bound):
    def __init__(
        self,
        *,
        name: str,
        ring: Ring,
        driver: Camera | None = None,
        log: LogSpec = ...,
        pipeline: PipelineParts | None = None,
        pose_log: LogSpec = ...,
        rate_hz: float = 0.0,
        follower: bool = False,
        reconnect: bool = False,
    ) -> None: ...

class SetPart(_Bound):
    def __init__(
        self,
        *,
        cameras: Sequence[int],
        by: Literal["counter", "time"] = "counter",
        tolerance_ms: float = 0.0,
        wait_ms: float = 3.0,
        batch: Batch | None = None,
        reads_all: bool = False,
    ) -> None: ...

class RealtimeRequest(_Bound):
    def __init__(
        self,
        *,
        fifo: bool = True,
        lock_memory: bool = True,
        loop_cpus: Sequence[int] = ...,
        other_cpus: Sequence[int] = ...,
        spin_ns: int = 0,
    ) -> None: ...

def realtime_limits() -> _RealtimeLimits: ...

class Engine(_Bound):
    def __init__(
        self,
        *,
        cameras: Sequence[CameraPart],
        set: SetPart = ...,
        acting_camera: int = 0,
        interlock: Interlock | None = None,
        event_log: LogSpec = ...,
        log: bool = True,
        pose_feed: bool = False,
        hold_frames: bool = False,
        realtime: RealtimeRequest = ...,
    ) -> None: ...
    def arm(self) -> None: ...
    def start(self) -> None: ...
    def wait(self, timeout_ms: float) -> bool: ...
    def end_sources(self) -> None: ...
    def stop(self) -> None: ...
    def rethrow(self) -> None: ...
    @property
    def faulted(self) -> bool: ...
    @property
    def protocol_finished(self) -> bool: ...
    def post_fault(self, kind: _FaultKind, text: str) -> None: ...
    def snapshot(self) -> _Snapshot: ...
    def next_pose(
        self, timeout_ms: float, camera: int = 0
    ) -> tuple[int, int, int, int, int, NDArray[np.float32]] | None:
        # frame_id, exposure_start_ns, decided_ns, rules, flags, keypoints (individuals * bodyparts * 3)
        ...
    def newest_frame(self, camera: int = 0) -> tuple[int, int, NDArray[np.uint8]] | None: ...
    def command(
        self,
        output: int,
        action: _Action,
        duration_ms: float = 0.0,
        period_ms: float = 0.0,
        count: int = 0,
        value: float = 0.0,
        to: float = 0.0,
    ) -> tuple[bool, bool, bool, int]: ...  # changed, refused, failed, stamp_ns
    @property
    def loop_grant(self) -> _ThreadGrant: ...
    @property
    def memory_grant(self) -> _MemoryGrant: ...
    @property
    def loop_timing(self) -> _LoopTiming: ...

class _GrabCost(TypedDict):
    queued_ns: NDArray[np.int64]  # of a frame that waits: from the driver's call until the loop has it
    live_ns: NDArray[np.int64]  # of threads that wait: from the frame whole in memory until the loop has it
    failed: int  # frames that did not arrive whole

def measure_grab_cost(camera: Camera, ring: Ring, *, frames: int) -> _GrabCost: ...
def take_times(ring: Ring, *, frames: int) -> NDArray[np.int64]:
    """When a loop that is awake has each frame of a ring, ns; ten seconds without one end it early."""
