"""Makes a shipped package from trained weights: `python -m tools.train.release simulated --weights FILE`."""

from __future__ import annotations

import argparse
import json
import string
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from . import evaluate, openfield, simulated
from .network import PoseNet, multiply_adds, parameter_count
from .package import Description, write_package

DESCRIPTIONS = {
    "simulated": Description(
        name="simulated_mouse",
        bodyparts=simulated.BODYPARTS,
        skeleton=simulated.SKELETON,
        training_size=(640, 480),
        source={
            "tool": "tools.train.simulated",
            "data": "frames of the simulated camera (shapes mouse, rat and vole)",
            "licence": "BSD-3-Clause",
        },
    ),
    "openfield": Description(
        name="openfield",
        bodyparts=openfield.BODYPARTS,
        skeleton=openfield.SKELETON,
        training_size=(640, 480),
        source={
            "tool": "tools.train.openfield",
            "data": "openfield-Pranav-2018-10-30 of the DeepLabCut repository (LGPL-3.0), not included",
            "licence": "BSD-3-Clause (weights)",
        },
    ),
}
REFERENCE_SEEDS = (0, 3, 6, 9)  # unseen in training


def reference_frames() -> NDArray[np.uint8]:
    """A few frames (N, 480, 640) of the simulated camera with the dark mouse on a light floor."""
    from fastpose import _core

    return np.stack([_core.Simulation(shape="mouse", seed=s).render(500)[0] for s in REFERENCE_SEEDS])


def load_network(name: str, weights: Path) -> PoseNet:
    """The network of a package with the weights that its training saved."""
    network = PoseNet(len(DESCRIPTIONS[name].bodyparts))
    network.load_state_dict(torch.load(weights, weights_only=True))
    return network.eval()


def note(name: str, network: PoseNet, folder: Path, facts: dict[str, Any]) -> str:
    """The text of NOTE.md: the template beside this file, filled in."""
    template = (Path(__file__).parent / f"note_{name}.md").read_text()
    size_kb = (folder / "model.onnx").stat().st_size / 1000
    return string.Template(template).substitute(
        parameters=f"{parameter_count(network):,}",
        gmac=f"{multiply_adds(network) / 1e9:.2f}",
        size_kb=f"{size_kb:,.0f}",
        **facts,
    )


def simulated_facts(onnx: Path, weights: Path) -> dict[str, Any]:
    """Numbers for the note of the demo package."""
    training = json.loads((weights.parent / "training.json").read_text())
    numbers = evaluate.on_simulated(onnx)
    rows = {"all": numbers["all"], **numbers["by_shape"]}
    return {**training, "table": table(rows)}


def openfield_facts(onnx: Path, weights: Path) -> dict[str, Any]:
    """Numbers for the note of the openfield package: every split whose result lies beside the weights."""
    runs = [json.loads(path.read_text()) for path in sorted(weights.parent.glob("*.json"))]
    rows = {run["split"]: run["test"] for run in runs if run["test"]}
    chosen = json.loads(weights.with_suffix(".json").read_text())
    random = [row["mean_px"] for name, row in rows.items() if name.startswith("random")]
    video = evaluate.on_video(onnx)
    return {
        "table": table(rows),
        "random_mean": f"{np.mean(random):.2f}",
        "random_count": len(random),
        "steps": chosen["steps"],
        "minutes": chosen["minutes"],
        "cpu_minutes": chosen["cpu_minutes"],
        **{f"video_{key}": value for key, value in video.items()},
    }


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Rows of errors as a Markdown table."""
    lines = ["| | mean px | median px | p95 px | max px |", "|---|---|---|---|---|"]
    for name, row in rows.items():
        lines.append(
            f"| {name} | {row['mean_px']} | {row['median_px']} | {row['p95_px']} | {row['max_px']} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=sorted(DESCRIPTIONS))
    parser.add_argument("--weights", type=Path, required=True, help="network.pt or all.pt of the training")
    options = parser.parse_args()
    folder = evaluate.PACKAGES[options.what]
    network = load_network(options.what, options.weights)
    write_package(folder, network, DESCRIPTIONS[options.what], reference_frames())
    collect = simulated_facts if options.what == "simulated" else openfield_facts
    facts = collect(folder / "model.onnx", options.weights)
    (folder / "NOTE.md").write_text(note(options.what, network, folder, facts))


if __name__ == "__main__":
    main()
