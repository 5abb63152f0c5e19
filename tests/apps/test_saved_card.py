"""What an export of a saved model keeps of it."""

import json
from importlib import resources
from pathlib import Path

import pytest
import torch

from twobirds import FaceModel
from twobirds.apps.cli import main
from twobirds.checkpoint import load_model


def test_a_copy_of_a_model_keeps_its_card_and_discriminators(tmp_path: Path) -> None:
    copy, shipped = tmp_path / "copy", resources.files("twobirds") / "pretrained/celeba128"
    assert main(["export", "celeba128", str(copy), "--half"]) == 0
    renamed = (shipped / "README.md").read_text().replace("# celeba128\n", "# copy\n")
    renamed = renamed.replace('"celeba128"', '"copy"').replace("name: celeba128", "name: copy")
    assert (copy / "README.md").read_text() == renamed
    name = "discriminators.safetensors"
    assert (copy / name).read_bytes() == (shipped / name).read_bytes()
    copied, weights = (load_model(Path(str(folder)))[0] for folder in (copy, shipped))
    assert all(torch.equal(copied[name], value) for name, value in weights.items())


@pytest.mark.filterwarnings("always::twobirds.errors.InputWarning")
def test_a_copy_can_get_other_notes_and_figures(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    notes, report = tmp_path / "notes.md", tmp_path / "report.json"
    notes.write_text("---\nlicense: mit\n---\n## Data\nMine, with `code`:\n```\nx\n```\n")
    measured = {
        "model": {"weights_sha256": FaceModel.load(world / "run").weights_sha256},
        "data": {"count": 9, "split": "test"},
        "recognition": {"hamming_loss": 0.125},
    }
    report.write_text(json.dumps(measured))
    words = ["export", str(world / "run"), str(first), f"--notes={notes}", f"--report={report}"]
    assert main(words) == 0
    assert main(["export", str(first), str(second), "--half"]) == 0
    card = (second / "README.md").read_text()
    assert card.startswith("---\n")
    assert "license: mit\n" in card
    assert "```\n\n## Data\nMine, with `code`:\n```\nx\n```\n\n## Figures\n" in card
    assert "of the test split, before the weights were rounded to float16.\n" in card
    assert "| Hamming loss | 0.125 |" in card
    notes.write_text("Others'.\n")
    assert main(["export", str(first), str(second), f"--notes={notes}"]) == 0
    card = (second / "README.md").read_text()
    assert "Others'." in card
    assert "Mine" not in card
    assert "license" not in card
    assert "| Hamming loss | 0.125 |" in card
    (first / "README.md").write_text(card.replace("---\n", "---\nlicense: [mit\n", 1))
    assert main(["export", str(first), str(second)]) == 0
    told = capsys.readouterr().err
    assert "card is not kept, for the front matter between lines --- is not valid" in told
    assert told.rstrip().endswith(": give licence and notes anew")
    notes.write_text("---\nlicense: [mit\n---\n")
    assert main(["export", str(first), str(second), f"--notes={notes}"]) == 2
    assert f"--notes {notes}: the front matter" in capsys.readouterr().err
    (first / "README.md").write_text("# By hand\n")
    assert main(["export", str(first), str(second)]) == 0
    told = capsys.readouterr().err
    assert "card is not kept, for it is of another form than TwoBirds writes: give" in told
    assert "Not evaluated" in (second / "README.md").read_text()
    (first / "README.md").unlink()
    assert main(["export", str(first), str(second)]) == 0
    assert "the model's card is not kept, for none can be read" in capsys.readouterr().err
