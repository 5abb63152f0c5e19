"""Refinement: "more like the third, with a beard"."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from twobirds.apps.cli import main
from twobirds.apps.witness import Candidates, Refinement, refine, understand_refinement
from twobirds.data.attributes import CELEBA_ATTRIBUTES
from twobirds.errors import InputError


@pytest.mark.parametrize(
    ("text", "choice", "attributes"),
    [
        ("more like the third, with a beard", 2, {"No_Beard": 0.0}),
        ("like number 7 but without glasses", 6, {"Eyeglasses": 0.0}),
        ("the first one", 0, {}),
        ("something like the 2nd one, smiling", 1, {"Smiling": 1.0}),
        ("#4", 3, {}),
        ("face 12, bald", 11, {"Bald": 1.0}),
        ("the last, with black hair", 15, {"Black_Hair": 1.0}),
        ("someone like the tenth man, but younger, with bangs", 9, {"Bangs": 1.0}),
        ("with a big nose", None, {"Big_Nose": 1.0}),
        ("he wears a hat", None, {"Wearing_Hat": 1.0}),
        ("no 5 o'clock shadow, like the third", 2, {"5_o_Clock_Shadow": 0.0}),
        ("not like the first but like the third", 2, {}),
        ("more like 3", 2, {}),
        ("a first-class smile", None, {}),
    ],
)
def test_which_and_what(text: str, choice: int | None, attributes: dict[str, float]) -> None:
    refinement = understand_refinement(text, CELEBA_ATTRIBUTES, 16)
    assert refinement.choice == choice
    understood = refinement.understanding.attributes
    assert {name: understood.get(name) for name in attributes} == attributes


@pytest.mark.parametrize("text", ["more like the ninth", "number 0", "the 30th"])
def test_a_face_that_was_not_shown(text: str) -> None:
    with pytest.raises(InputError, match="8 faces were shown"):
        understand_refinement(text, CELEBA_ATTRIBUTES, 8)


def candidates() -> Candidates:
    latents = torch.linspace(-1, 1, 20).reshape(4, 5)
    return Candidates(latents, torch.eye(4, 3))


def test_refined_candidates_are_like_the_one_chosen() -> None:
    names = ("Bald", "Bangs", "Smiling")
    refinement = understand_refinement("the second, bald", names, 4)
    refined = refine(candidates(), refinement, names, seed=1)
    assert refined.latents.shape == (4, 5)
    assert torch.equal(refined.latents[0], candidates().latents[1])
    distance = (refined.latents[1:] - candidates().latents[1]).abs()
    assert 0 < distance.max() <= 0.35 + 1e-6
    assert refined.attributes.tolist() == [[1, 0, 0]] * 4  # Bangs went with the hair
    again = refine(candidates(), refinement, names, seed=1)
    assert torch.equal(refined.latents, again.latents)
    other = refine(candidates(), refinement, names, seed=2)
    assert not torch.equal(refined.latents, other.latents)


def test_without_a_choice_all_stay_changed() -> None:
    names = ("Bald", "Bangs", "Smiling")
    refinement = Refinement(None, understand_refinement("smiling", names, 4).understanding)
    refined = refine(candidates(), refinement, names, seed=1)
    assert torch.equal(refined.latents, candidates().latents)
    assert (refined.attributes[:, 2] == 1).all()


def test_the_command_refines(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["generate", "--describe", "a man", "--count=4", model]
    then = ["--then", "more like the second, bald"]
    assert main([*words, f"--out={tmp_path}/a.png"]) == 0
    assert main([*words, *then, f"--out={tmp_path}/b.png"]) == 0
    assert "understood: bald: Bald 1" in capsys.readouterr().err
    first, refined = (np.asarray(Image.open(tmp_path / f"{name}.png")) for name in "ab")
    assert first.shape == refined.shape
    assert (first != refined).any()
    assert main([*words, "--then", "the fifth", f"--out={tmp_path}/c.png"]) == 2
    assert "'the fifth': 4 faces were shown" in capsys.readouterr().err
    assert main([*words, "--then", "hm", f"--out={tmp_path}/c.png"]) == 2
    assert "names no face and says nothing" in capsys.readouterr().err


def test_the_command_says_what_it_understood(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["generate", model, "--count=2", f"--out={tmp_path}/grid.png"]
    assert main([*words, "--describe", "a smiling man with a scar", "--set", "Smiling=0"]) == 0
    captured = capsys.readouterr()
    assert captured.err == (
        "understood: smiling: Smiling 1; man: Male 1\nnot understood: scar\n"
        "overruled by --set: Smiling\n"
    )
    by_words = (tmp_path / "grid.png").read_bytes()
    assert main([*words, "--set", "Male=1", "Smiling=0"]) == 0
    assert (tmp_path / "grid.png").read_bytes() == by_words
    capsys.readouterr()
    assert main([*words, "--describe", "something tall"]) == 2
    assert "nothing in it says what a face looks like" in capsys.readouterr().err
