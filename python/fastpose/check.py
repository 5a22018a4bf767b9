"""Says everything that can be wrong with an experiment before the animal is in the box."""

from __future__ import annotations

import ast
import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from fastpose.arming import parity_doubt, parity_problem
from fastpose.check_machine import (
    check_platform,
    check_priorities,
    check_recorder_memory,
    check_runtime,
    check_session_directory,
)
from fastpose.check_outputs import check_other_output
from fastpose.config import (
    Config,
    CythonProtocol,
    FirmwareOutput,
    Model,
    PoseRule,
    PythonProtocol,
    SerialOutput,
    TeensyLaserOutput,
)
from fastpose.config.cross import network_paths, outside_frame
from fastpose.config.problems import nearest, no_such
from fastpose.cpu import this_cpu
from fastpose.drivers import CameraLook, DriverAbsent, driver_of
from fastpose.errors import (
    CameraError,
    ConfigError,
    DeviceError,
    FastposeError,
    ModelError,
    OutputError,
    RecordError,
)
from fastpose.finding import Finding, ok, problem, warning
from fastpose.input_sizes import shapes_of_config
from fastpose.model_forms import Shape, plan_of, tune_hint
from fastpose.model_package import ModelPackage, read_model_package
from fastpose.policy import compiled_beside

__all__ = ["Finding", "check", "raise_problems"]

_ERRORS: dict[str, type[FastposeError]] = {
    "cameras": CameraError,
    "model": ModelError,
    "models": ModelError,
    "outputs": OutputError,
    "session": RecordError,
    "record": RecordError,
    "platform": DeviceError,
    "engine": DeviceError,
}
_SHARE = {"ffv1": 0.6, "huffyuv": 0.9, "rawvideo": 1.0, "raw": 1.0}  # of the pixels, what is recorded; rough
_SHARE_LOSSY = 0.1


def check(config: Config, *, probe_outputs: bool = True) -> list[Finding]:
    """Look at everything that a run of this config needs.

    Parameters
    ----------
    config : Config
        A checked config; see `fastpose.config.load_config`.
    probe_outputs : bool
        Open the outputs' ports. Some microcontrollers restart when their port is opened.

    Returns
    -------
    list of Finding
        Of level problem (a run would fail), warning or ok.
    """
    findings = list(check_platform())
    sources: dict[str, CameraLook] = {}
    for name in config.cameras:
        findings += _camera(config, name, sources)
    for path, model in network_paths(config):
        seen = sources.get(model.seen[0])
        findings += _network(config, path, model, seen.size if seen else None)
    for name, output in config.outputs.items():
        if isinstance(output, SerialOutput | FirmwareOutput | TeensyLaserOutput):
            findings += _serial_port(f"outputs.{name}.port", output.port, probe=probe_outputs)
        else:
            findings += check_other_output(name, output)
    findings += _protocol(config)
    findings += _encoder(config, sources)
    findings += check_session_directory(
        config, _bytes_per_s(config, sources.values()), _length_s(config, sources)
    )
    findings += check_priorities(config.engine)
    return findings


def raise_problems(findings: Iterable[Finding]) -> None:
    """Raise the error that fits the first problem, with one line for each; nothing where there is none.

    Raises
    ------
    FastposeError
        CameraError, ModelError, OutputError, RecordError, DeviceError or ConfigError.
    """
    problems = [finding for finding in findings if finding.level == "problem"]
    if problems:
        section, _, key = problems[0].path.partition(".")
        error = (
            DeviceError
            if section == "model" and key in ("device", "precision")
            else _ERRORS.get(section, ConfigError)
        )
        raise error(*map(str, problems))


def _camera(config: Config, name: str, sources: dict[str, CameraLook]) -> Iterator[Finding]:
    camera = config.cameras[name]
    at = f"cameras.{name}"
    try:
        look = sources[name] = driver_of(camera.driver).look(camera)
    except DriverAbsent as error:
        yield problem(f"{at}.driver", str(error))
        return
    except CameraError as error:
        yield problem(f"{at}.path" if camera.driver == "video" else at, str(error))
        return
    yield ok(f"{at}.{look.key}" if look.key else at, str(look))
    for found in outside_frame(config, name, sources[name].size):
        yield problem(*found)


def _network(
    config: Config, path: str, model: Model, frame_size: tuple[int, int] | None
) -> Iterator[Finding]:
    try:
        package = read_model_package(model.folder)
    except ModelError as error:
        yield from (problem(f"{path}.path", line) for line in error.lines)
    else:
        parts = ", ".join(package.bodyparts)
        yield ok(
            f"{path}.path",
            f"{package.name}: {len(package.bodyparts)} body parts ({parts}), hashes as written",
        )
        yield from _fits_package(config, path, model, package)
        yield from _parity(path, model, package)
        if model.device == "cpu":
            yield from _runs(path, model, package, frame_size)
    yield from check_runtime(path, model)


def _parity(path: str, model: Model, package: ModelPackage) -> Iterator[Finding]:
    try:
        over = parity_problem(package, model.precision if model.device == "cpu" else "fp32")
        doubt = parity_doubt(package, model.device, model.precision)
    except ModelError as error:
        yield problem(f"{path}.path", str(error))
        return
    if over:
        yield (warning if model.accept_parity else problem)(f"{path}.accept_parity", over)
    elif doubt:
        yield warning(f"{path}.path", doubt)


def _runs(
    path: str, model: Model, package: ModelPackage, frame_size: tuple[int, int] | None
) -> Iterator[Finding]:
    """Say which form of the network would run, and with which threads."""
    shapes: dict[str, Shape] = {}
    try:
        if frame_size is not None:
            shapes = shapes_of_config(package, model, frame_size)
        plans = {
            part: plan_of(package, model.precision, model.threads or 0, this_cpu(), shape)
            for part, shape in (shapes.items() if shapes else [("frame", None)])
        }
    except (ConfigError, ModelError):
        return  # said above
    texts = {part: plan.text for part, plan in plans.items()}
    alike = len(set(texts.values())) == 1
    text = next(iter(texts.values())) if alike else "; ".join(f"{p}: {t}" for p, t in texts.items())
    untuned = any(plan.threads_by == "runtime" for plan in plans.values())
    yield ok(f"{path}.precision", f"{model.precision}: {text}{'; ' + tune_hint(package) if untuned else ''}")


def _fits_package(config: Config, path: str, model: Model, package: ModelPackage) -> Iterator[Finding]:
    multiple = package.padding.multiple
    if model.input_size is not None and any(side % multiple for side in model.input_size):
        width, height = model.input_size
        yield problem(
            f"{path}.input_size",
            f"[{width}, {height}] does not suit the network; allowed: multiples of {multiple}",
        )
    for name, rule in config.rules.items():
        if config.camera_of(rule) not in model.seen:
            continue
        for key, bodyparts in rule.names_of_bodyparts().items():
            for bodypart in bodyparts:
                if bodypart not in package.bodyparts:
                    yield problem(f"rules.{name}.{key}", no_such("body part", bodypart, package.bodyparts))
        if isinstance(rule, PoseRule):
            yield from _individual(f"rules.{name}.individual", rule.individual, package)


def _individual(path: str, asked: int | str, package: ModelPackage) -> Iterator[Finding]:
    try:
        package.index_of_individual(asked)
    except ConfigError as error:
        yield problem(path, str(error))


def _serial_port(path: str, port: str, *, probe: bool) -> Iterator[Finding]:
    if sys.platform != "linux":
        yield problem(path, f"'{port}': serial outputs need Linux in this version")
        return
    reason = _why_port_fails(port, probe=probe)
    if reason is None:
        yield ok(path, f"'{port}' {'opens' if probe else 'is there'}")
        return
    ports = _ports()
    here = f"here: {', '.join(ports)}" if ports else "there is no serial port here; is the device plugged in?"
    yield problem(path, f"'{port}' cannot be opened ({reason}){nearest(port, ports)}; {here}")


def _ports() -> list[str]:
    patterns = ("serial/by-id/*", "ttyACM*", "ttyUSB*")
    return [str(port) for pattern in patterns for port in sorted(Path("/dev").glob(pattern))]


def _why_port_fails(port: str, *, probe: bool) -> str | None:
    if not Path(port).exists():
        return "no such file"
    if not os.access(port, os.R_OK | os.W_OK):
        return "permission denied, add the user to the group dialout"
    if not probe:
        return None
    try:
        descriptor = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as error:
        return error.strerror
    try:
        return None if os.isatty(descriptor) else "no serial port"
    finally:
        os.close(descriptor)


def _protocol(config: Config) -> Iterator[Finding]:
    protocol = config.protocol
    if isinstance(protocol, PythonProtocol):
        reason = _why_class_fails(protocol)
        found = (
            problem("protocol.path", reason)
            if reason
            else ok("protocol.path", f"class {protocol.class_name} is there")
        )
        yield found
    elif isinstance(protocol, CythonProtocol) and protocol.source is not None:
        yield _compiled(protocol.source)
    elif isinstance(protocol, CythonProtocol) and protocol.module and not _has_module(protocol.module):
        yield problem("protocol.module", f"no module {protocol.module!r}; build it, and put it on PYTHONPATH")


def _compiled(source: Path) -> Finding:
    try:
        return ok("protocol.path", f"compiled: {compiled_beside(source).name}")
    except ConfigError as error:
        return problem("protocol.path", str(error).removeprefix("protocol.path is "))


def _why_class_fails(protocol: PythonProtocol) -> str | None:
    """Read the user's file without running it."""
    try:
        tree = ast.parse(protocol.file.read_bytes(), str(protocol.file))
    except OSError as error:
        return f"'{protocol.file}' cannot be read ({error.strerror}); allowed: FILE.py:Class"
    except (SyntaxError, ValueError) as error:
        return f"'{protocol.file}' is not Python: {error}"
    classes = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return (
        None
        if protocol.class_name in classes
        else f"{no_such('class', protocol.class_name, classes)}, in '{protocol.file}'"
    )


def _has_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:
        return False


def _encoder(config: Config, sources: Mapping[str, CameraLook]) -> Iterator[Finding]:
    video = config.record.video
    if video is None:
        yield warning("record.video", "null: no video is recorded")
        return
    try:
        import av

        from fastpose.hosts.encoders import encoder_name
    except ImportError as error:
        yield problem("record.video", f"needs PyAV ({error}); install it with: pip install av")
        return
    try:
        codec = av.codec.Codec(encoder_name(video.codec), "w")
    except ValueError:
        codec = None
    if codec is None or codec.type != "video":
        guess = nearest(video.codec, {*av.codecs_available, "nvenc", "raw"})
        yield problem(
            "record.video.codec",
            f"no video encoder {video.codec!r}{guess}; allowed: libx264, nvenc, ffv1, raw, ...",
        )
        return
    for name, source in sources.items():
        yield _encoder_of(config, name, source)
    yield from check_recorder_memory(config, {name: source.bytes_per_s for name, source in sources.items()})


def _encoder_of(config: Config, camera: str, source: CameraLook) -> Finding:
    """Open the encoder for the frames of a camera."""
    from fastpose.hosts.encoders import try_encoder
    from fastpose.hosts.spawn import EncoderOptions

    assert config.record.video is not None
    options = EncoderOptions("", "", "", camera, **config.record.video.model_dump(), rate_hz=source.rate_hz)
    try:
        return ok("record.video", f"{camera}: {try_encoder(options, source.size, source.likely_format)}")
    except RecordError as error:
        return problem("record.video.codec", f"{camera}: {error}")


def _bytes_per_s(config: Config, sources: Iterable[CameraLook]) -> float:
    """Return roughly what the recording takes: encoded video, and the log."""
    log_bytes = 1000.0  # a frame
    video = config.record.video
    share = _SHARE.get(video.codec, _SHARE_LOSSY) if video else 0.0
    return 1.0 + sum(source.rate_hz * log_bytes + share * source.bytes_per_s for source in sources)


def _length_s(config: Config, sources: dict[str, CameraLook]) -> float | None:
    lengths = [source.length_s for source in sources.values()] + [config.session.duration_s]
    return min((length for length in lengths if length is not None), default=None)
