"""Golden files of the DeepLabCut oracle and the same weights here: what tests of imported networks share."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tools.oracles.dlc_cases import CASES, SEED, SETTLING, boxes, seen_size, weights_of

from fastpose.importing.seeded import seeded_frames

MAX_PX = 0.02
MAX_LIKELIHOOD = 1e-4
GOLDEN = Path(__file__).parent / "golden" / "dlc"


def torchvision_problem() -> str:
    """Why torchvision cannot be used: it is missing, or of another build than torch."""
    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError) as error:
        return f"needs torchvision beside torch: {error}"
    return ""


@dataclass(frozen=True)
class Golden:
    """What DeepLabCut said in one case."""

    name: str
    case: dict[str, Any]
    arrays: dict[str, np.ndarray]

    @property
    def config(self) -> dict[str, Any]:
        """Its own pytorch_config."""
        return dict(json.loads(str(self.arrays["config"])))

    @property
    def frames(self) -> np.ndarray:
        """(n, H, W, 3) uint8 rgb, whole."""
        case = self.case
        frames = seeded_frames(case["count"], case["height"], case["width"], SEED)
        assert hashlib.sha256(frames.tobytes()).hexdigest() == str(self.arrays["frames_sha256"])
        return frames

    @property
    def seen(self) -> np.ndarray:
        """(passes, h, w, 3) uint8 rgb, in the order in which the network saw them."""
        if "crop" not in self.case:
            return self.frames
        return np.stack([f[y : y + h, x : x + w] for f in self.frames for x, y, w, h in boxes(self.case)])

    @property
    def poses(self) -> np.ndarray:
        """(passes, individuals, K, 3), in px of what the network saw; NaN: missing."""
        poses = self.arrays["poses"][..., :3].astype(np.float64)
        if "crop" in self.case:  # n x animals x K x 3 in the whole frame, one animal per pass
            offsets = np.array([[x, y, 0] for x, y, _, _ in boxes(self.case)])
            poses = (poses - offsets[None, :, None]).reshape(-1, 1, *poses.shape[2:])
        poses[(poses[..., 2] <= 0) | np.isnan(poses).any(-1)] = np.nan
        return poses


def golden(name: str) -> Golden:
    """Read the golden file of a case."""
    with np.load(GOLDEN / f"{name}.npz", allow_pickle=False) as file:
        return Golden(name, CASES[name], {key: file[key] for key in file.files})


def network_of(golden: Golden) -> Any:
    """Our network for DeepLabCut's config, with the oracle's weights."""
    torch = pytest.importorskip("torch", reason='needs torch: pip install "fastpose-rig[import]"')
    from fastpose.importing.networks.table import BACKBONES, HEADS
    from fastpose.importing.seeded import seed_pose_model

    class Network(torch.nn.Module):
        def __init__(self, config: dict[str, Any]) -> None:
            super().__init__()
            self.backbone = BACKBONES[config["backbone"]["type"]](config["backbone"])
            heads = {name: HEADS[head["type"]](head) for name, head in config["heads"].items()}
            self.heads = torch.nn.ModuleDict(heads)

        def forward(self, frames: Any) -> dict[str, Any]:
            features = self.backbone(frames)
            return {name: head(features) for name, head in self.heads.items()}

    torch.set_num_threads(1)
    network = Network(golden.config["model"])
    assert names(network.state_dict()) == str(golden.arrays["names"])
    settling = seeded_frames(SETTLING, *seen_size(golden.case), SEED)
    seed_pose_model(network, settling, SEED, **weights_of(golden.case))
    return network


def names(state: dict[str, Any]) -> str:
    """Digest over names and shapes, as the oracle makes it."""
    lines = sorted(f"{name} {tuple(tensor.shape)}" for name, tensor in state.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def network_input(frames: np.ndarray) -> np.ndarray:
    """(n, h, w, 3) uint8 to (n, 3, h, w) float32 with DeepLabCut's normalisation."""
    values = (frames / np.float32(255) - np.float32([0.485, 0.456, 0.406])) / np.float32(
        [0.229, 0.224, 0.225]
    )
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2), np.float32)
