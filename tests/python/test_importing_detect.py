"""What a source is, and sources that are none."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest

from fastpose.errors import ModelError
from fastpose.importing import READERS, Options, detect, import_model

torch = pytest.importorskip("torch", reason="importing needs torch: pip install 'fastpose-rig[import]'")
pytest.importorskip("onnx", reason="importing needs onnx: pip install 'fastpose-rig[import]'")

import dlc3_files as dlc3  # noqa: E402


def refusal(source: Path, folder: Path, options: Options | None = None) -> str:
    with pytest.raises(ModelError) as info:
        import_model(source, folder / "package", options)
    assert len(info.value.lines) == 1
    assert not (folder / "package").exists()
    assert list(folder.glob(".package*")) == []
    return str(info.value)


class Hostile:
    """Runs when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (f"import pathlib; pathlib.Path({str(self.trace)!r}).touch()",)


def test_every_reader_has_a_module_to_come() -> None:
    for kind, reader in READERS.items():
        assert kind.isidentifier() and reader.description and reader.module.isidentifier()


def test_an_export(tmp_path: Path) -> None:
    source = tmp_path / "model.pt"
    source.write_bytes(b"")
    assert detect(source).kind == "dlc3_export"


def test_a_project_its_shuffle_and_its_train_folder(tmp_path: Path) -> None:
    train = dlc3.write_project(tmp_path / "project", dlc3.config("resnet_50"))
    for source in (tmp_path / "project", train.parent, train):
        assert detect(source).kind == "dlc3_project"


def test_nothing_there(tmp_path: Path) -> None:
    assert refusal(tmp_path / "x.pt", tmp_path) == f"source '{tmp_path}/x.pt': no such file or folder"


def test_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "is an empty folder; allowed: DeepLabCut 3 export (.pt), " in refusal(tmp_path / "empty", tmp_path)


def test_something_else(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    assert "is nothing that can be imported; allowed: " in refusal(tmp_path / "notes.txt", tmp_path)
    assert "is nothing that can be imported" in refusal(tmp_path, tmp_path / "out")


def test_a_pickle_with_code_is_not_executed(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    for protocol_of_torch in (True, False):
        source = tmp_path / f"hostile{protocol_of_torch}.pt"
        content = {"config": {}, "pose": Hostile(trace)}
        torch.save(content, source, _use_new_zipfile_serialization=protocol_of_torch)
        text = refusal(source, tmp_path)
        assert "nothing of it was executed" in text
        assert not trace.exists()


def test_a_plain_pickle_with_code_is_not_executed(tmp_path: Path) -> None:
    trace, source = tmp_path / "trace", tmp_path / "hostile.pt"
    source.write_bytes(pickle.dumps(Hostile(trace)))
    assert "nothing of it was executed" in refusal(source, tmp_path)
    assert not trace.exists()
    pickle.loads(source.read_bytes())  # it would have run
    assert trace.exists()


def test_a_project_with_a_hostile_snapshot(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    train = dlc3.write_project(tmp_path / "project", dlc3.config("resnet_50"))
    torch.save({"model": {}, "metadata": Hostile(trace)}, train / "snapshot-100.pt")
    assert "holds code or objects (" in refusal(tmp_path / "project", tmp_path)
    assert not trace.exists()


def test_a_config_with_code_is_not_executed(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    train = dlc3.write_project(tmp_path / "project", dlc3.config("resnet_50"))
    torch.save({"model": {}}, train / "snapshot-100.pt")
    command = f"!!python/object/apply:os.system ['touch {trace}']\n"
    (train / "pytorch_config.yaml").write_text(command)
    assert "pytorch_config.yaml' cannot be read (" in refusal(tmp_path / "project", tmp_path)
    assert not trace.exists()


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_truncated_file(tmp_path: Path, share: float) -> None:
    buffer = io.BytesIO()
    torch.save({"config": {}, "pose": {"w": torch.zeros(4000)}}, buffer)
    source = tmp_path / "cut.pt"
    source.write_bytes(buffer.getvalue()[: int(len(buffer.getvalue()) * share)])
    assert "copy or export it again" in refusal(source, tmp_path)


def test_an_archive_that_is_none_of_torch(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.pt", "w") as archive:
        archive.writestr("hello.txt", "hello")
    assert "copy or export it again" in refusal(tmp_path / "other.pt", tmp_path)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"pose": {}}, "config missing; it holds pose; allowed: config, pose and detector"),
        ({"config": {}}, "pose missing; it holds config"),
        ({"config": None, "pose": 3}, "config and pose missing"),
        ({}, "it holds nothing"),
        ([1, 2], "holds a list; allowed: "),
        ({"model": {}, "metadata": {}}, "is a snapshot, which holds no config; import its folder: "),
    ],
)
def test_missing_keys(tmp_path: Path, content: Any, text: str) -> None:
    torch.save(content, tmp_path / "m.pt")
    assert text in refusal(tmp_path / "m.pt", tmp_path)


def test_a_folder_that_is_not_free(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "thesis.txt").write_text("all of it")
    torch.save({}, tmp_path / "m.pt")
    with pytest.raises(ModelError, match="is there already; give another folder with -o"):
        import_model(tmp_path / "m.pt", tmp_path / "package")
    assert (tmp_path / "package" / "thesis.txt").read_text() == "all of it"
