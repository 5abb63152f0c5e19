"""Whole commands on files that may be anything."""

import contextlib
import io
import random
import shutil
from functools import partial
from pathlib import Path

from campaign.damage import damaged
from campaign.images import any_image
from campaign.observe import Action, WrongResultError
from campaign.worker import Kind
from campaign.world import RECIPES, World
from twobirds.apps.cli import WRONG_INPUT, main
from twobirds.errors import InputError

_VERBS: dict[str, list[str]] = {
    "recognize": [],
    "reconstruct": ["--out=face.png"],
    "edit": ["--set", "Smiling=1", "Male=0", "--out=face.png"],
}
"""Commands on photos, and their options."""
_NAMES = (
    *["face"] * 4, "two\nlines", "car\rriage", "esc\x1b[2Jape", "two words", "f\udcffce", "a" * 200,
    "twobirds: error: no\ntwobirds: error: yes", "\u202egnp.ecaf", "100%s{0}[red]",
)  # fmt: skip
"""Of photos, without their endings."""
_RAW = ("\x1b", "\r", "two\nlines", "no\ntwobirds", "\udcff", "\u202e")
"""What of them would change a terminal, or make a line of its own, in a message. Results on stdout
are for programs: in them a name stays as it is."""


def command_kinds(world: World) -> dict[str, Kind]:
    """The kinds of this module."""
    return {"command": partial(any_command, world)}


def any_command(world: World, rng: random.Random, folder: Path) -> Action:
    """A command on a photo, or on a model: it succeeds, or says one sentence with code 2."""
    recipe = rng.choice(RECIPES)
    if rng.random() < 0.7:
        verb = rng.choice(list(_VERBS))
        ending, data = any_image(rng)
        path = folder / f"{rng.choice(_NAMES)}{ending}"
        path.write_bytes(data)
        words = [verb, "--aligned", str(path), f"--model={world.model(recipe)}", *_VERBS[verb]]
    else:
        model = folder / "model"
        shutil.copytree(world.model(recipe), model)
        file = rng.choice(sorted(model.iterdir()))
        file.write_bytes(damaged(file.read_bytes(), rng))
        words = rng.choice((["check", str(model)], ["export", str(model), "exported"]))
    return partial(_carry_out, [*words, *(["--device=cpu"] if words[0] in _VERBS else [])])


def _carry_out(words: list[str]) -> str:
    """Carry out a command, and check what it says.

    Raises:
        InputError: With the sentence, if it refuses.
        WrongResultError: If it says something else, or ends with another code.
    """
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = main(words)
    if raw := [text for text in _RAW if text in said.getvalue()]:
        raise WrongResultError(
            f"{words[0]} says {raw[0]!r} of a name as it is: {said.getvalue()[:200]!r}"
        )
    if code not in (0, WRONG_INPUT):
        raise WrongResultError(f"{words[0]} ended with {code}")
    if code == WRONG_INPUT:
        lines = [line for line in said.getvalue().splitlines() if "error: " in line]
        if len(lines) != 1:
            raise WrongResultError(f"{words[0]} said {said.getvalue()[:200]!r}")
        raise InputError(lines[0])
    return "done"
