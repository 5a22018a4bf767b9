"""Preprocess equals its oracle for every pixel format and instruction set, and OpenCV to within rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fastpose import _core, errors
from oracle import preprocess as oracle

FORMATS = (
    *("mono8", "rgb8", "bgr8", "bayer_rg8", "bayer_gr8", "bayer_gb8", "bayer_bg8"),
    *("yuyv", "nv12", "mono10", "mono12"),
)
WHITE = {"mono10": 1023, "mono12": 4095}
ISAS = ("scalar", "avx2", "avx512")[: ("scalar", "avx2", "avx512").index(_core.best_isa()) + 1]
TOLERANCE = 0.02  # grey levels
LEVELS = {"scale": (1.0, 1.0, 1.0), "offset": (0.0, 0.0, 0.0)}  # the tensor in grey levels
IMAGENET = {"scale": (0.0171, 0.0175, 0.0174), "offset": (-2.118, -2.036, -1.804)}


# pixel format, frame size, roi, output size, colour
Case = tuple[str, tuple[int, int], tuple[int, int, int, int], tuple[int, int], str]


def frame_shape(pixel_format: str, width: int, height: int) -> tuple[int, ...]:
    if pixel_format == "nv12":
        return (height * 3 // 2, width)
    samples = {"rgb8": (3,), "bgr8": (3,), "yuyv": (2,)}.get(pixel_format, ())
    return (height, width, *samples)


def random_frame(pixel_format: str, width: int, height: int, padding: int = 0, seed: int = 0) -> NDArray[Any]:
    """A frame whose rows have `padding` more pixels in memory, and whose memory ends with its last pixel."""
    shape = frame_shape(pixel_format, width, height)
    white = WHITE.get(pixel_format, 255)
    memory = np.random.default_rng(seed).integers(
        0, white + 1, (shape[0], width + padding, *shape[2:]), dtype=np.uint16 if white > 255 else np.uint8
    )
    row_samples = width * int(np.prod(shape[2:]))
    flat = memory.reshape(-1)[: memory[:-1].size + row_samples].copy()
    strides = (memory.strides[0], *memory.strides[1:])
    return np.lib.stride_tricks.as_strided(flat, shape, strides)


def check(
    frame: NDArray[np.uint8],
    pixel_format: str,
    size: tuple[int, int],
    output: tuple[int, int],
    roi: tuple[int, int, int, int] | None = None,
    colour: str = "rgb",
    isa: str = "auto",
    spec: dict[str, Any] = LEVELS,
) -> None:
    actual = _core.preprocess(
        frame,
        pixel_format=pixel_format,
        frame_size=size,
        output_size=output,
        roi=roi,
        colour=colour,
        isa=isa,
        **spec,
    )
    expected = oracle.preprocess(frame, pixel_format, output, roi or (0, 0, *size), colour, **spec)
    assert actual.dtype == np.float32
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE * max(spec["scale"]) + 1e-6)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("colour", ["grey", "rgb"])
@pytest.mark.parametrize("pixel_format", FORMATS)
@pytest.mark.parametrize(
    ("size", "output", "roi"),
    [
        ((128, 96), (32, 24), None),  # whole factor down
        ((128, 96), (53, 37), None),
        ((128, 96), (128, 96), None),  # no resize
        ((46, 34), (97, 101), None),  # up
        ((128, 96), (40, 30), (7, 5, 81, 63)),  # odd roi
        ((128, 96), (57, 33), (71, 63, 57, 33)),  # no resize, in the last corner
        ((128, 96), (300, 7), (0, 0, 128, 96)),  # up in x, down in y
        ((640, 96), (5, 4), None),  # far down
        ((4, 4), (9, 9), (3, 3, 1, 1)),
    ],
)
def test_equals_oracle(
    pixel_format: str,
    colour: str,
    isa: str,
    size: tuple[int, int],
    output: tuple[int, int],
    roi: tuple[int, int, int, int] | None,
) -> None:
    check(random_frame(pixel_format, *size), pixel_format, size, output, roi, colour, isa)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("pixel_format", FORMATS)
def test_rows_with_padding(pixel_format: str, isa: str) -> None:
    frame = random_frame(pixel_format, 64, 48, padding=6)
    assert frame.strides[0] > 64 * frame[0, 0].size
    check(frame, pixel_format, (64, 48), (31, 23), (3, 1, 60, 47), "rgb", isa)
    check(frame, pixel_format, (64, 48), (64, 48), None, "rgb", isa)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("pixel_format", ["mono8", "bgr8", "bayer_rg8", "mono12"])
def test_odd_frame_sizes(pixel_format: str, isa: str) -> None:
    check(random_frame(pixel_format, 61, 43), pixel_format, (61, 43), (29, 31), None, "rgb", isa)
    check(random_frame(pixel_format, 61, 43), pixel_format, (61, 43), (61, 43), None, "grey", isa)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("pixel_format", FORMATS)
def test_normalisation_per_channel(pixel_format: str, isa: str) -> None:
    frame = random_frame(pixel_format, 64, 48)
    for colour in ("grey", "rgb"):
        for output in ((24, 20), (64, 48)):
            check(frame, pixel_format, (64, 48), output, None, colour, isa, IMAGENET)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    pixel_format = draw(st.sampled_from(FORMATS))
    width, height = draw(st.integers(1, 70)) * 2, draw(st.integers(1, 20)) * 2
    if pixel_format in ("mono8", "rgb8", "bgr8", "mono10"):
        width, height = width - 1, height - 1
    x, y = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    roi = (x, y, draw(st.integers(1, width - x)), draw(st.integers(1, height - y)))
    any_output = (draw(st.integers(1, 80)), draw(st.integers(1, 24)))
    output, colour = draw(st.sampled_from([any_output, roi[2:]])), draw(st.sampled_from(["grey", "rgb"]))
    return pixel_format, (width, height), roi, output, colour


@settings(max_examples=150, deadline=None)
@given(case=cases(), seed=st.integers(0, 2**32 - 1), isa=st.sampled_from(ISAS))
def test_any_size_and_roi(case: Case, seed: int, isa: str) -> None:
    pixel_format, size, roi, output, colour = case
    check(random_frame(pixel_format, *size, seed=seed), pixel_format, size, output, roi, colour, isa)


def test_largest_error_per_instruction_set() -> None:
    """The claim of TOLERANCE on the values that stretch the fixed-point arithmetic most: full swings."""
    for pixel_format in ("mono8", "bgr8", "bayer_gr8", "yuyv", "mono12"):
        frame = (random_frame(pixel_format, 256, 64) >> 7) * np.uint8(255)
        for isa in ISAS:
            check(frame, pixel_format, (256, 64), (101, 37), None, "rgb", isa)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("output", [(320, 256), (640, 512), (1000, 700), (96, 80)])
def test_resize_equals_opencv(isa: str, output: tuple[int, int]) -> None:
    cv2 = pytest.importorskip("cv2")
    frame = random_frame("bgr8", 640, 512)
    expected = cv2.resize(frame, output, interpolation=cv2.INTER_LINEAR)[..., ::-1].transpose(2, 0, 1)
    kwargs: dict[str, Any] = {"frame_size": (640, 512), "output_size": output, "isa": isa, **LEVELS}
    actual = _core.preprocess(frame, pixel_format="bgr8", colour="rgb", **kwargs)[0]
    # OpenCV rounds to whole grey levels, and its weights to 11 bits.
    assert np.abs(actual - expected).max() < 1.0


@pytest.mark.parametrize(
    ("pixel_format", "code"),
    [
        ("bayer_rg8", "COLOR_BayerBG2RGB"),  # OpenCV names a pattern by its second row
        ("bayer_gr8", "COLOR_BayerGB2RGB"),
        ("bayer_gb8", "COLOR_BayerGR2RGB"),
        ("bayer_bg8", "COLOR_BayerRG2RGB"),
        ("yuyv", "COLOR_YUV2RGB_YUY2"),
        ("nv12", "COLOR_YUV2RGB_NV12"),
    ],
)
def test_colour_equals_opencv(pixel_format: str, code: str) -> None:
    cv2 = pytest.importorskip("cv2")
    # Below 16 OpenCV clamps luma before it adds chroma.
    frame = np.maximum(random_frame(pixel_format, 64, 48), 16)
    expected = cv2.cvtColor(frame, getattr(cv2, code)).astype(float)
    actual = _core.preprocess(
        frame, pixel_format=pixel_format, frame_size=(64, 48), output_size=(64, 48), colour="rgb", **LEVELS
    )[0].transpose(1, 2, 0)
    inside = slice(1, -1)  # OpenCV repeats the demosaiced frame at its border
    assert np.abs(actual - expected)[inside, inside].max() < 1.6  # OpenCV rounds; its YUV factors are coarser


def test_tensor_to_sensor_maps_pixel_centres() -> None:
    roi, output = (100, 40, 400, 300), (160, 100)
    preprocessor = _core.Preprocessor("mono8", (640, 480), output, roi=roi)
    np.testing.assert_allclose(preprocessor.tensor_to_sensor, oracle.tensor_to_sensor(roi, output), rtol=1e-6)
    # A ramp along x says where a tensor pixel came from.
    ramp = np.tile(np.arange(200, dtype=np.uint8), (8, 1))
    shrunk = _core.Preprocessor("mono8", (200, 8), (60, 8), roi=(20, 0, 120, 8), **LEVELS)
    scale_x, _, offset_x, _ = shrunk.tensor_to_sensor
    expected = np.arange(60) * scale_x + offset_x
    np.testing.assert_allclose(shrunk.run(ramp)[0, 0, 0], expected, atol=TOLERANCE)


def test_object_is_reused_into_the_callers_memory() -> None:
    preprocessor = _core.Preprocessor("bgr8", (64, 48), (32, 24), colour="rgb")
    out = np.full(preprocessor.output_shape, np.nan, np.float32)
    for seed in range(3):
        frame = random_frame("bgr8", 64, 48, seed=seed)
        assert preprocessor.run(frame, out) is out or np.shares_memory(preprocessor.run(frame, out), out)
        np.testing.assert_array_equal(out, preprocessor.run(frame))
    assert (preprocessor.time_ns(frame, 3) > 0).all()


@pytest.mark.parametrize("pixel_format", FORMATS)
def test_nothing_stays_from_the_frame_before(pixel_format: str) -> None:
    roi = (0, 10, 64, 2)  # two rows, so that the first rows of a frame are also the last that were converted
    preprocessor = _core.Preprocessor(pixel_format, (64, 48), (32, 5), roi=roi, colour="rgb", **LEVELS)
    for seed in range(2):
        frame = random_frame(pixel_format, 64, 48, seed=seed)
        expected = oracle.preprocess(frame, pixel_format, (32, 5), roi, "rgb", **LEVELS)
        np.testing.assert_allclose(preprocessor.run(frame), expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("roi", [(-1, 0, 8, 8), (0, 0, 65, 8), (60, 0, 5, 8), (0, 41, 8, 8), (0, 0, 0, 8)])
def test_roi_outside_the_frame(roi: tuple[int, int, int, int]) -> None:
    with pytest.raises(errors.ConfigError, match=r"roi is .*width: .*inside the frame of 64x48"):
        _core.Preprocessor("mono8", (64, 48), (8, 8), roi=roi)


@pytest.mark.parametrize(
    ("pixel_format", "size", "output", "message"),
    [
        ("mono8", (0, 48), (8, 8), "frame size is 0x48"),
        ("mono8", (64, 48), (8, 0), "output size is 8x0"),
        ("yuyv", (63, 48), (8, 8), "even width"),
        ("nv12", (64, 47), (8, 8), "even width and height"),
        ("bayer_rg8", (1, 48), (8, 8), "at least 2x2"),
        ("mono16", (64, 48), (8, 8), "pixel_format is 'mono16'; allowed: mono8, rgb8"),
    ],
)
def test_impossible_specs(
    pixel_format: str, size: tuple[int, int], output: tuple[int, int], message: str
) -> None:
    with pytest.raises(errors.ConfigError, match=message):
        _core.Preprocessor(pixel_format, size, output)


def test_impossible_frames() -> None:
    preprocessor = _core.Preprocessor("mono8", (64, 48), (8, 8))
    with pytest.raises(errors.ConfigError, match=r"shape \(48, 63\); allowed: \(48, 64\)"):
        preprocessor.run(np.zeros((48, 63), np.uint8))
    wide = _core.Preprocessor("mono12", (64, 48), (8, 8))
    with pytest.raises(errors.ConfigError, match="dtype uint8; allowed: uint16"):
        wide.run(np.zeros((48, 64), np.uint8))
    with pytest.raises(errors.ConfigError, match="dtype float64; allowed: uint8"):
        preprocessor.run(np.zeros((48, 64)))
    with pytest.raises(errors.ConfigError, match="side by side"):
        preprocessor.run(np.zeros((48, 128), np.uint8)[:, ::2])
    with pytest.raises(errors.ConfigError, match="out has shape"):
        preprocessor.run(np.zeros((48, 64), np.uint8), np.zeros((8, 8), np.float32))


def test_unknown_choices() -> None:
    with pytest.raises(errors.ConfigError, match="isa is 'sse9'; allowed: auto, scalar"):
        _core.Preprocessor("mono8", (64, 48), (8, 8), isa="sse9")
    with pytest.raises(errors.ConfigError, match="colour is 'red'; allowed: grey, rgb"):
        _core.Preprocessor("mono8", (64, 48), (8, 8), colour="red")


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("pixel_format", FORMATS)
@pytest.mark.parametrize(
    ("image", "output"), [((94, 62), (128, 64)), ((60, 40), (64, 64)), ((94, 62), (187, 123))]
)
def test_reflects_beyond_the_image(
    pixel_format: str, isa: str, image: tuple[int, int], output: tuple[int, int]
) -> None:
    size = (94, 62)
    frame = random_frame(pixel_format, *size)
    spec: Any = {"pixel_format": pixel_format, "frame_size": size, "colour": "rgb", **IMAGENET}
    inner = _core.preprocess(frame, output_size=image, isa=isa, **spec)
    actual = _core.preprocess(frame, output_size=output, image_size=image, isa=isa, **spec)
    np.testing.assert_array_equal(actual, oracle.mirror(inner, output))


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("pixel_format", FORMATS)
@pytest.mark.parametrize("output", [(37, 29), (64, 32)], ids=["own pixels", "resized"])
def test_a_roi_that_moves_equals_one_that_was_planned(
    pixel_format: str, isa: str, output: tuple[int, int]
) -> None:
    size, area = (94, 62), (37, 29)
    frame = random_frame(pixel_format, *size, padding=2)
    spec: Any = {"pixel_format": pixel_format, "frame_size": size, "output_size": output, "isa": isa}
    moving = _core.Preprocessor(roi=(0, 0, *area), colour="rgb", **spec)
    for x, y in ((57, 33), (0, 0), (1, 1), (20, 31), (57, 0), (33, 33)):
        assert moving.move_roi(x, y) == (x, y)
        planned = _core.Preprocessor(roi=(x, y, *area), colour="rgb", **spec)
        np.testing.assert_array_equal(moving.run(frame), planned.run(frame))
        assert moving.tensor_to_sensor == planned.tensor_to_sensor


def test_a_roi_stays_in_the_frame() -> None:
    moving = _core.Preprocessor("mono8", (94, 62), (32, 32), roi=(0, 0, 32, 32))
    assert moving.move_roi(-5, 100) == (0, 30)
    assert moving.move_roi(90, -1) == (62, 0)


def test_impossible_images() -> None:
    for image in ((96, 32), (32, 33), (16, 32)):
        with pytest.raises(errors.ConfigError, match="image size is"):
            _core.Preprocessor("mono8", (94, 62), (32, 32), image_size=image)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("pixel_format", FORMATS)
@pytest.mark.parametrize("colour", ["grey", "rgb"])
@pytest.mark.parametrize(
    ("element", "layout", "dtype"),
    [("f32", "nhwc", np.float32), ("u8", "nchw", np.uint8), ("u8", "nhwc", np.uint8)],
)
def test_other_elements_and_layouts(
    element: str, layout: str, dtype: type, colour: str, pixel_format: str, isa: str
) -> None:
    frame = random_frame(pixel_format, 96, 64)
    spec = {"scale": (1.2, 0.9, 1.0), "offset": (-20.0, 7.0, 0.0)}  # beyond 0..255 on either side
    for output in ((41, 23), (96, 64), (150, 70)):
        actual = _core.preprocess(
            frame,
            pixel_format=pixel_format,  # type: ignore[arg-type]
            frame_size=(96, 64),
            output_size=output,
            colour=colour,  # type: ignore[arg-type]
            element=element,  # type: ignore[arg-type]
            layout=layout,  # type: ignore[arg-type]
            isa=isa,  # type: ignore[arg-type]
            **spec,
        )
        real = oracle.preprocess(frame, pixel_format, output, (0, 0, 96, 64), colour, **spec)
        expected = oracle.in_format(real, element, layout)
        assert actual.dtype == dtype
        assert actual.shape == expected.shape
        # A byte may be the other neighbour where the real number lies half way between both.
        half_way = np.abs(oracle.in_format(real, "f32", layout) % 1 - 0.5) < 2 * TOLERANCE
        allowed = TOLERANCE * 1.2 + (half_way if element == "u8" else 0)
        assert np.all(np.abs(actual - expected) <= allowed)


def test_the_output_must_be_what_the_format_says() -> None:
    stage = _core.Preprocessor("mono8", (32, 24), (16, 12), element="u8", layout="nhwc")
    frame = random_frame("mono8", 32, 24)
    assert stage.output_shape == (1, 12, 16, 1)
    out = np.empty(stage.output_shape, np.uint8)
    assert stage.run(frame, out) is out
    with pytest.raises(errors.ConfigError, match="uint8"):
        stage.run(frame, np.empty(stage.output_shape, np.float32))
    with pytest.raises(errors.ConfigError, match="element is 'f16'"):
        _core.Preprocessor("mono8", (32, 24), (16, 12), element="f16")  # type: ignore[arg-type]
