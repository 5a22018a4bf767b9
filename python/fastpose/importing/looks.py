"""What sources look like from outside: names and first bytes of files."""

from __future__ import annotations

from pathlib import Path

__all__ = ["dlc3_export", "dlc3_project", "train_folders"]

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
