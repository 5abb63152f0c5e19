"""Models on the Hub."""

import re
import shutil
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest

from looking_at_models import states
from making_runs import differences, report_on
from twobirds.api import FaceModel
from twobirds.apps.cli import main
from twobirds.errors import InputError
from twobirds.models.files import (
    load_trained,
    push_trained,
)
from twobirds.models.trained import Trained


@pytest.fixture
def trained(tiny_run: Path) -> Trained:
    return load_trained(tiny_run)


class LocalHub:
    """The parts of the Hub's client that are used, over a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.created: list[tuple[str, bool]] = []

    def create_repo(self, repository: str, *, private: bool, exist_ok: bool) -> None:
        assert exist_ok
        self.created.append((repository, private))

    def upload_folder(self, *, repo_id: str, folder_path: Path) -> None:
        shutil.copytree(folder_path, self.root / repo_id)

    def snapshot_download(self, repository: str, *, allow_patterns: list[str]) -> str:
        if not (self.root / repository).exists():
            raise FileNotFoundError("no such repository")
        assert allow_patterns == ["model.safetensors", "config.json", "README.md"]
        return str(self.root / repository)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalHub:
    hub = LocalHub(tmp_path / "hub")
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: hub)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub.snapshot_download)
    return hub


def test_to_the_hub_and_back(trained: Trained, hub: LocalHub) -> None:
    push_trained(trained, "someone/faces", half=False, private=True)
    assert hub.created == [("someone/faces", True)]
    assert sorted(p.name for p in (hub.root / "someone/faces").iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
    ]
    assert "# faces\n" in (hub.root / "someone/faces/README.md").read_text()
    assert differences(states(load_trained("hf://someone/faces")), states(trained)) == []


def test_a_face_model_on_the_hub_has_a_card_that_loads_it(
    tiny_model: FaceModel, hub: LocalHub
) -> None:
    report = report_on(tiny_model.weights_sha256)
    tiny_model.push_to_hub("someone/faces", private=False, report=report)
    assert hub.created == [("someone/faces", False)]
    card = (hub.root / "someone/faces/README.md").read_text()
    assert "| Hamming loss | 0.1235 |" in card
    (source,) = re.findall(r'FaceModel\.load\("(.*)"\)', card)
    again = FaceModel.load(source, device="cpu")
    assert again.weights_sha256 == tiny_model.weights_sha256
    with pytest.raises(InputError, match="was measured on other weights"):
        tiny_model.push_to_hub("someone/half", half=True, report=report_on("0" * 64))
    assert len(hub.created) == 1


def test_a_model_keeps_its_card_on_every_way(
    tiny_model: FaceModel, hub: LocalHub, tmp_path: Path
) -> None:
    notes = "---\nlicense: cc-by-nc-4.0\n---\n## Data\nFaces of a friend.\n"
    report = report_on(tiny_model.weights_sha256)
    tiny_model.push_to_hub("someone/faces", report=report, notes=notes)

    def card(folder: Path) -> list[str]:
        kept = ("license: cc-by-nc-4.0", "## Data\nFaces of a friend.", "| Hamming loss | 0.1235 |")
        text = (folder / "README.md").read_text()
        return [part for part in kept if part in text]

    everything = card(hub.root / "someone/faces")
    assert len(everything) == 3
    FaceModel.load("hf://someone/faces").save(tmp_path / "copy")
    assert card(tmp_path / "copy") == everything
    FaceModel.load(tmp_path / "copy").push_to_hub("else/other", half=True)
    assert card(hub.root / "else/other") == everything
    assert "before the weights were rounded" in (hub.root / "else/other/README.md").read_text()
    assert main(["export", "hf://else/other", str(tmp_path / "exported")]) == 0
    assert card(tmp_path / "exported") == everything
    again = FaceModel.load(tmp_path / "exported")
    next(again.networks.parameters()).mul_(2)
    again.save(tmp_path / "changed")
    assert card(tmp_path / "changed") == everything[:2]  # the figures were those of other weights
    again.save(tmp_path / "changed", notes="Mine.\n")
    assert card(tmp_path / "changed") == []


def test_an_absent_repository_is_named(hub: LocalHub) -> None:
    with pytest.raises(InputError, match="hf://someone/else: cannot be downloaded: no such repo"):
        load_trained("hf://someone/else")


def test_a_repository_with_something_else_is_named(hub: LocalHub) -> None:
    (hub.root / "someone/notes").mkdir(parents=True)
    with pytest.raises(InputError, match=r"config\.json: cannot be read"):
        load_trained("hf://someone/notes")


def test_a_refusing_hub_is_named(
    trained: Trained, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    class ConnectError(Exception):
        """Stands for the HTTP library's errors, which have no common base."""

    def refuse(*_: Any, **__: Any) -> None:
        raise ConnectError("Connection refused")

    monkeypatch.setattr(hub, "upload_folder", refuse)
    with pytest.raises(InputError, match="hf://someone/faces: cannot be uploaded: Connection"):
        push_trained(trained, "someone/faces", half=True, private=False)
    assert hub.created == [("someone/faces", False)]
