"""The command line: one function for each command of ``fastpose``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from fastpose.errors import ConfigError, DeviceError, FastposeError
from fastpose.parity_table import print_imported, print_parity

if TYPE_CHECKING:
    from fastpose.finding import Finding
    from fastpose.verify import Report

__all__ = ["app", "main", "run"]

EXIT_PROBLEM = 2
_STYLES = {"ok": "green", "warning": "yellow"}
_WIDE = 10_000  # columns where nobody looks: one line a row
app = typer.Typer(
    name="fastpose",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

ConfigFile = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="The config file of the experiment (YAML).")
]
SessionFolder = Annotated[Path, typer.Argument(metavar="SESSION", help="A session folder.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def _print_version(*, wanted: bool) -> None:
    if wanted:
        import fastpose

        print(f"fastpose {fastpose.__version__}")
        raise typer.Exit


@app.callback()
def common(
    *,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=lambda yes: _print_version(wanted=yes))
    ] = False,
) -> None:
    """Watches animals and acts while they behave."""


def main() -> None:
    """Entry point of the command ``fastpose``."""
    app(prog_name="fastpose")


@app.command()
def run(
    config: ConfigFile,
    *,
    quiet: Annotated[bool, typer.Option("--quiet", help="No live status.")] = False,
    debug: Debug = False,
) -> None:
    """Run an experiment."""
    from fastpose.check import check as check_config
    from fastpose.check import raise_problems
    from fastpose.config import load_config
    from fastpose.status import Status
    from fastpose.summary import print_summary

    with _errors_in_one_line(debug=debug):
        experiment = load_config(config)
        raise_problems(check_config(experiment, probe_outputs=False))
        runner = _compiled("fastpose.runner")
        with Status(quiet=quiet) as status:
            summary = runner.run(experiment, status=status)
        print_summary(summary, _output())


@app.command()
def stop(
    pid: Annotated[
        int | None, typer.Argument(metavar="PID", help="Of one session; default: all that run here.")
    ] = None,
    *,
    debug: Debug = False,
) -> None:
    """Emergency stop: outputs safe at once; the sessions end and keep their data."""
    with _errors_in_one_line(debug=debug):
        stopped = _compiled("fastpose.stop_command").stop_sessions(pid)
        for session in stopped:
            print(session.text) if session.safe else _say(session.text)
        if not stopped:
            _say("no session of that process runs here" if pid else "no session runs here")
        if not stopped or not all(session.safe for session in stopped):
            raise typer.Exit(EXIT_PROBLEM)


@app.command()
def check(config: ConfigFile, *, debug: Debug = False) -> None:
    """Say everything that can be wrong, before the animal is in the box."""
    from fastpose.check import check as check_config
    from fastpose.config import load_config

    with _errors_in_one_line(debug=debug):
        findings = check_config(load_config(config))
        problems = [finding for finding in findings if finding.level == "problem"]
        _print_findings([finding for finding in findings if finding.level != "problem"])
        for finding in problems:
            _say(f"{config}: {finding}")
        if problems:
            raise typer.Exit(EXIT_PROBLEM)
        print(f"{config}: ready to run")


@app.command()
def new(
    file: Annotated[Path, typer.Argument(metavar="[FILE]", help="The config to write.")] = Path(
        "experiment.yaml"
    ),
    *,
    defaults: Annotated[bool, typer.Option("--defaults", help="Ask nothing.")] = False,
    debug: Debug = False,
) -> None:
    """Ask a few questions and write a commented config."""
    from fastpose.new_config import Answers, write_config

    with _errors_in_one_line(debug=debug):
        answers = Answers() if defaults else import_module("fastpose.new_command").ask()
        write_config(file, answers)
        print(f"{file}: written; next: fastpose check {file}")


@app.command()
def draw(
    config: ConfigFile,
    *,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="SVG", help="Default: CONFIG.svg where you are.")
    ] = None,
    debug: Debug = False,
) -> None:
    """Draw the states of a protocol."""
    from fastpose.config import load_config

    with _errors_in_one_line(debug=debug):
        drawing = out or Path(f"{config.stem}.svg")
        import_module("fastpose.draw_command").draw(load_config(config), drawing)
        print(drawing)


@app.command()
def schema() -> None:
    """Print the JSON schema of the config, for editors."""
    from fastpose.config import Config

    print(json.dumps(Config.model_json_schema(), indent=2))


@app.command()
def cameras(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    debug: Debug = False,
) -> None:
    """List the cameras that are there, and what each driver needs."""
    with _errors_in_one_line(debug=debug):
        module = import_module("fastpose.cameras_command")
        states = module.look_for_cameras()
        if as_json:
            print(module.as_json(states))
        else:
            module.print_cameras(states, _output())


@app.command()
def preview(
    camera: Annotated[
        str,
        typer.Argument(
            metavar="CAMERA", help="A config, DRIVER:SERIAL as `fastpose cameras` shows it, or an address."
        ),
    ],
    *,
    name: Annotated[
        str | None, typer.Option("--camera", help="Which camera of the config; default: the only one.")
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="PNG", help="The still image.")] = None,
    every: Annotated[
        float | None, typer.Option(min=0.1, metavar="S", help="Write the still image every S seconds.")
    ] = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="End by itself; default: Ctrl-C.")] = None,
    debug: Debug = False,
) -> None:
    """Look at a camera: rate, losses, brightness, focus, and a still image; nothing is recorded."""
    with _errors_in_one_line(debug=debug):
        module = _compiled("fastpose.preview.command")
        picture = module.preview(camera, name, module.Options(out, every, seconds), _output())
        print(f"{picture}: a frame to look at" if picture else "no picture was written: no frame came")


@app.command(name="import")
def import_(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="A trained model of another tool.")],
    folder: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="The model package to write.")
    ],
    *,
    name: Annotated[str | None, typer.Option(help="Name of the package.")] = None,
    snapshot: Annotated[str | None, typer.Option(help="Snapshot of a DeepLabCut project.")] = None,
    shuffle: Annotated[int | None, typer.Option(help="Shuffle of a DeepLabCut project.")] = None,
    frames: Annotated[Path | None, typer.Option(help="Video or images to compare both tools on.")] = None,
    individuals: Annotated[
        int | None, typer.Option(min=1, max=256, help="Animals at most, of a SLEAP model of several.")
    ] = None,
    debug: Debug = False,
) -> None:
    """Make a model package of a model that another tool trained, and compare both."""
    with _errors_in_one_line(debug=debug):
        importing = _compiled("fastpose.importing")
        options = importing.Options(name, snapshot, shuffle, frames, individuals)
        found, imported = importing.import_model(source, folder, options)
        print_imported(found.description, imported.found, imported.notes, _output())
        report = _compiled("fastpose.verify").verify(folder)
        _say_parity(report)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A model package.")],
    *,
    device: Annotated[str | None, typer.Option(help="Default: every device at hand.")] = None,
    precision: Annotated[
        list[str] | None, typer.Option(help="May be given more than once; default: every one.")
    ] = None,
    budget_px: Annotated[
        tuple[float, float], typer.Option(min=0, help="Mean and largest distance allowed at fp32.")
    ] = (0.5, 2.0),
    debug: Debug = False,
) -> None:
    """Compare a model package with the tool it came from, on its reference frames."""
    with _errors_in_one_line(debug=debug):
        module = _compiled("fastpose.verify")
        budget = module.Budget(*budget_px)
        report = module.verify(folder, device=device, precisions=precision or None, budget=budget)
        _say_parity(report)


@app.command()
def optimize(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A model package.")],
    *,
    precision: Annotated[str, typer.Option(help="int8, or bf16; for GPUs also fp16.")] = "int8",
    device: Annotated[str, typer.Option(help="What it is for: cpu or cuda; fp16: cuda.")] = "cpu",
    frames: Annotated[
        Path | None, typer.Option(help="Video or images of what the network will see; 100 and more.")
    ] = None,
    budget_px: Annotated[
        float | None,
        typer.Option(
            min=0, help="Mean distance from float32 that is allowed, px; default: int8 0.5, else 0.2."
        ),
    ] = None,
    profile: Annotated[bool, typer.Option("--profile", help="Show where the time goes, by layer.")] = False,
    debug: Debug = False,
) -> None:
    """Make a package's network faster on a CPU or a GPU, within a budget of pixels."""
    with _errors_in_one_line(debug=debug):
        if device not in ("cpu", "cuda"):
            raise ConfigError(f"--device is {device!r}; allowed: cpu, cuda")
        on_gpu = device == "cuda" or precision == "fp16"
        allowed = ("fp16", "bf16", "int8") if on_gpu else ("bf16", "int8")
        if precision not in allowed:
            raise ConfigError(f"--precision is {precision!r}; allowed: {', '.join(allowed)}")
        command = _compiled("fastpose.optimizing.command")
        allowed_px = (0.5 if precision == "int8" else 0.2) if budget_px is None else budget_px
        if on_gpu:
            command.run_for_gpu(folder, precision, frames, allowed_px, _output())
            return
        options = command.Options(precision, frames, allowed_px, say=print)
        command.run(folder, options, _output(), profile=profile)
        print(f"{folder}: written; to measure the forms on this machine: fastpose tune {folder}")


@app.command()
def tune(
    folder: Annotated[
        str | None, typer.Argument(metavar="[DIR]", help="A model package; default: that of --config.")
    ] = None,
    *,
    input_size: Annotated[
        list[str] | None,
        typer.Option(metavar="WxH", help="Input of the network, px; may be given more than once."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Config of an experiment: its frames and roi say the sizes.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="For each form of the network and size.")] = 4.0,
    debug: Debug = False,
) -> None:
    """Measure which form of a network is fastest on this machine, and with which threads."""
    with _errors_in_one_line(debug=debug):
        module = _compiled("fastpose.tune_command")
        tuning = module.tune_package(folder, input_sizes=input_size or [], config=config, seconds=seconds)
        module.print_tuning(tuning, _output())


@app.command()
def calibrate(
    picture: Annotated[Path, typer.Argument(help="A frame of the camera with a chessboard on the floor.")],
    *,
    corners: Annotated[str, typer.Option(metavar="CxR", help="Inner corners of the board.")] = "9x6",
    square_mm: Annotated[float, typer.Option(help="Width of a square.")],
    output: Annotated[Path, typer.Option("--output", "-o")] = Path("calibration.yaml"),
    debug: Debug = False,
) -> None:
    """Make a calibration from px to mm; in the config: calibration: {file: calibration.yaml}."""
    with _errors_in_one_line(debug=debug):
        command = import_module("fastpose.calibrate_command")
        found = command.calibrate(picture, command.Board.parse(corners, square_mm))
        command.write_calibration(found, picture, output)
        print(
            f"{output}: {found.corners} corners, rms {found.rms_mm:.3f} mm, largest "
            f"{found.largest_mm:.3f} mm, {found.px_per_mm:.3f} px per mm at the board"
        )


def _say_parity(report: Report) -> None:
    print_parity(report, _output())
    if report.problem:
        _say(f"{report.folder}: {report.problem}: it does not arm unless model.accept_parity is true")
        raise typer.Exit(EXIT_PROBLEM)
    print(f"{report.folder}: within its budget")


@app.command()
def recover(session: SessionFolder, *, debug: Debug = False) -> None:
    """Make a session's result files from its log, after a crash or a power cut."""
    with _errors_in_one_line(debug=debug):
        _require_session(session)
        result = import_module("fastpose.session.recover").recover(session)
        print("\n".join(result.lines()))


@app.command(name="check-sync")
def check_sync(
    session: SessionFolder,
    *,
    ttl: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Edge times of the line of exposures: npy, csv, txt.")
    ] = None,
    camera: Annotated[str | None, typer.Option(help="Check only this camera.")] = None,
    debug: Debug = False,
) -> None:
    """Compare frame ids, camera counters, TTL edges and video; name the first difference."""
    with _errors_in_one_line(debug=debug):
        _require_session(session)
        module = import_module("fastpose.session.check_sync")
        cameras = module.check_sync(session, ttl=ttl, camera=camera)
        for each in cameras:
            print(each) if each.difference is None else _say(str(each))
        if module.any_difference(cameras):
            raise typer.Exit(EXIT_PROBLEM)


bench = typer.Typer(no_args_is_help=True, help="Measurements on this machine and on a rig.")
app.add_typer(bench, name="bench")


@bench.command()
def loopback(
    config: Annotated[
        Path | None, typer.Argument(metavar="[CONFIG]", help="An experiment whose output is measured.")
    ] = None,
    *,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="A board on a pseudo-terminal; needs no hardware.")
    ] = False,
    port: Annotated[str | None, typer.Option(help="Serial port of the board that stamps both edges.")] = None,
    exposure_pin: Annotated[int, typer.Option(min=0, help="Its input that sees ExposureActive.")] = 2,
    output_pin: Annotated[int, typer.Option(min=0, help="Its input that sees the output.")] = 3,
    output: Annotated[
        str | None, typer.Option(help="Which output of the config; default: the first.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="Length of the session.")] = 30.0,
    count: Annotated[int, typer.Option(min=10, help="Reactions, with --simulate.")] = 500,
    tolerance_us: Annotated[
        float, typer.Option(min=0, help="Within which board, or camera, and software agree.")
    ] = 500.0,
    led: Annotated[
        str | None,
        typer.Option(metavar="OUTPUT", help="Without a board: the output that drives an LED in view."),
    ] = None,
    led_roi: Annotated[
        str | None,
        typer.Option(metavar="X,Y,W,H", help="Where the LED is, px; default: it is looked for."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    debug: Debug = False,
) -> None:
    """Measure exposure to output by a microcontroller or an LED in view, and compare with our own stamps."""
    from fastpose.config import load_config

    with _errors_in_one_line(debug=debug):
        module = _compiled("fastpose.loopback.command")
        experiment = load_config(config) if config is not None else None
        request = module.Request(
            experiment,
            simulate,
            port,
            (exposure_pin, output_pin),
            output,
            seconds,
            count,
            led,
            module.roi_from(led_roi),
        )
        found = module.run(request)
        if as_json:
            print(json.dumps(found.as_json(tolerance_us), indent=2))
        else:
            module.print_loopback(found, tolerance_us, _output())
        if not found.agrees(tolerance_us):
            raise typer.Exit(EXIT_PROBLEM)


@app.command(name="compile")
def compile_(
    source: Annotated[Path, typer.Argument(metavar="FILE.pyx", help="A protocol in Cython.")],
    *,
    debug: Debug = False,
) -> None:
    """Compile a protocol in Cython, beside its source."""
    with _errors_in_one_line(debug=debug):
        target = _compiled("fastpose.compiling").compile_protocol(source)
        print(f"{target}: compiled; in the config: protocol: {{type: cython, path: {source.name}}}")


@app.command()
def replay(
    session: SessionFolder,
    *,
    config: Annotated[
        Path | None, typer.Option(metavar="CONFIG", help="Another config to try; default: the session's.")
    ] = None,
    source: Annotated[
        str, typer.Option("--from", help="poses: as recorded; video: through the network again.")
    ] = "poses",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    debug: Debug = False,
) -> None:
    """Run a session's poses through rules and protocol again; say what differs."""
    with _errors_in_one_line(debug=debug):
        _require_session(session)
        command = _compiled("fastpose.replay.command")
        result = command.run(session, config, source)
        if as_json:
            print(command.as_json(result))
        else:
            command.print_replay(result, _output())
        if result.same_config and result.source == "poses" and not result.identical:
            raise typer.Exit(EXIT_PROBLEM)


@app.command()
def export(
    session: SessionFolder,
    *,
    to: Annotated[str | None, typer.Option(help="Files of other tools: nwb, slp, alf or dlc.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="File or folder to write; default: in the session folder."),
    ] = None,
    labelled_video: Annotated[
        bool, typer.Option("--labelled-video", help="Draw the keypoints into a copy of the video.")
    ] = False,
    camera: Annotated[str | None, typer.Option(help="Only this camera.")] = None,
    filtered: Annotated[
        bool, typer.Option("--filtered", help="What the rules saw, instead of what the network said.")
    ] = False,
    min_likelihood: Annotated[float, typer.Option(min=0, max=1, help="Do not draw keypoints below.")] = 0.6,
    debug: Debug = False,
) -> None:
    """Make files of other tools, or a labelled video, from a session."""
    with _errors_in_one_line(debug=debug):
        if to is None and not labelled_video:
            raise ConfigError(
                "export: nothing asked for; allowed: --to nwb, slp, alf or dlc, --labelled-video"
            )
        if out is not None and to is None:
            raise ConfigError(f"--out {out}: belongs to --to; the labelled video lies in the session folder")
        _require_session(session)
        if to is not None:
            module = import_module("fastpose.session.export")
            path, notes = module.export(session, to, out, camera=camera, filtered=filtered)
            print("\n".join([str(path), *notes]))
        if labelled_video:
            labelled = import_module("fastpose.session.labelled")
            options = {"camera": camera, "min_likelihood": min_likelihood, "filtered": filtered}
            with _progress_bar("frames") as progress:
                path = labelled.write_labelled_video(session, **options, progress=progress)
            print(path)


@app.command()
def analyze(
    videos: Annotated[list[Path], typer.Argument(metavar="VIDEO...", help="Video files.")],
    *,
    model: Annotated[str, typer.Option("--model", help="Model package, or builtin:NAME.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder for the files; default: beside each video.")
    ] = None,
    labelled_video: Annotated[
        bool, typer.Option("--labelled-video", help="Draw the keypoints into a copy of each video.")
    ] = False,
    device: Annotated[str, typer.Option(help="What runs the network: cpu, cuda:0.")] = "cpu",
    precision: Annotated[str, typer.Option(help="auto, fp32, fp16, bf16 or int8.")] = "auto",
    min_likelihood: Annotated[float, typer.Option(min=0, max=1, help="Do not draw keypoints below.")] = 0.6,
    decoder: Annotated[
        str,
        typer.Option(help="With device cuda: auto (NVDEC where it gives the same frames), nvdec, software."),
    ] = "auto",
    debug: Debug = False,
) -> None:
    """Find the poses in whole videos; writes DeepLabCut's h5 and csv."""
    with _errors_in_one_line(debug=debug):
        _compiled("fastpose.analyze_command").analyze_videos(
            videos,
            model,
            out,
            device=device,
            precision=precision,
            labelled_video=labelled_video,
            min_likelihood=min_likelihood,
            decoder=decoder,
        )


@contextmanager
def _errors_in_one_line(*, debug: bool) -> Iterator[None]:
    try:
        yield
    except FastposeError as error:
        if debug:
            raise
        for line in error.lines:
            _say(line)
        raise typer.Exit(EXIT_PROBLEM) from None


@contextmanager
def _progress_bar(unit: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, where that is a terminal; yields what is told how many are done, and of how many."""
    columns = ("[progress.description]{task.description}", BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    shown = Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal
    )
    with shown as bar:
        task = bar.add_task(unit, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _say(line: str) -> None:
    print(f"fastpose: {line}", file=sys.stderr)


def _output() -> Console:
    """Return stdout, wrapped to the terminal's width if it is one."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)


def _compiled(module: str) -> ModuleType:
    try:
        return import_module(module)
    except ImportError as error:
        raise DeviceError(f"the engine cannot be loaded ({error}); build it with: pip install .") from error


def _require_session(folder: Path) -> None:
    if not folder.is_dir():
        raise ConfigError(f"session '{folder}': no such folder; allowed: a folder that a run made")


def _print_findings(findings: list[Finding]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        table.add_row(Text(finding.level, style=_STYLES[finding.level]), finding.path, Text(finding.text))
    _output().print(table)


if __name__ == "__main__":
    main()
