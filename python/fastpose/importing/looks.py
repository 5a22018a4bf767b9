"""What sources look like from outside: names and first bytes of files."""

from __future__ import annotations

from pathlib import Path

__all__ = ["bare", "dlc2_export", "dlc3_export", "dlc3_project", "lightning", "sleap", "train_folders"]

CONFIG = "pytorch_config.yaml"


def dlc3_export(path: Path) -> bool:
    """Whether it is a file that torch writes."""
    return path.is_file() and path.suffix in (".pt", ".pth")


def dlc3_project(path: Path) -> bool:
    """Whether a folder holds trained shuffles of DeepLabCut 3, or is one."""
    return path.is_dir() and bool(train_folders(path))


def train_folders(path: Path) -> list[Path]:
    """The folders with a ``pytorch_config.yaml`` of a project, a shuffle's folder or its train folder."""
    patterns = (CONFIG, f"train/{CONFIG}", f"*/train/{CONFIG}", f"dlc-models-pytorch/*/*/train/{CONFIG}")
    return sorted({found.parent for pattern in patterns for found in path.glob(pattern)})


def dlc2_export(path: Path) -> bool:
    """Whether it is a frozen TensorFlow graph, or a folder with ``pose_cfg.yaml``."""
    return path.suffix == ".pb" if path.is_file() else (path / "pose_cfg.yaml").is_file()


def sleap(path: Path) -> bool:
    """Whether it is a folder that sleap-nn exported, or the network in it."""
    return (path.suffix == ".onnx" or path.is_dir()) and (_folder(path) / "export_metadata.json").is_file()


def lightning(path: Path) -> bool:
    """Whether it is the folder of a Lightning Pose model, or one of its ONNX exports."""
    if path.is_file():
        return path.suffix == ".onnx" and path.parent.name == "exports_onnx"
    return (path / "config.yaml").is_file() and any(
        (path / name).is_dir() for name in ("exports_onnx", "tb_logs")
    )


def bare(path: Path) -> bool:
    """Whether it is an ONNX file, or a folder with one and ``model.yaml``."""
    if path.is_file():
        return path.suffix == ".onnx"
    return (path / "model.yaml").is_file() and any(path.glob("*.onnx"))


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent
