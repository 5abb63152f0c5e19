"""What the campaign works on: drawn faces, a pack, and a tiny run and model of each recipe."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from twobirds.apps.cli import main

_COMMON = (
    "--size=32 --device=cpu --set train.batch_size=8 train.log_every_images=16 "
    "train.sample_every_images=32 train.checkpoint_every_seconds=0 recipe.num_latents=8 "
    "recipe.ema_half_life_images=8"
).split()
_RECIPES = {
    "paper": "--width=0.0625 --set recipe.num_shared=16 recipe.num_attribute_hidden=8".split(),
    "modern": [
        "--width=0.125",
        "--set",
        "recipe.discriminator_lead_images=8",
        "recipe.ramp_images=8",
    ],
}
RECIPES = tuple(_RECIPES)


@dataclass(frozen=True)
class World:
    """Folders made once, and not changed by any case."""

    folder: Path

    @property
    def faces(self) -> Path:
        """Drawn faces in CelebA's layout."""
        return self.folder / "faces"

    @property
    def pack(self) -> Path:
        """The same, packed."""
        return self.folder / "pack"

    def run(self, recipe: str) -> Path:
        """A complete run."""
        return self.folder / "runs" / recipe

    def model(self, recipe: str) -> Path:
        """Its model."""
        return self.folder / "models" / recipe


def train_words(recipe: str, pack: Path, run: Path, *, images: int) -> list[str]:
    """The command that trains a tiny run, which saves after every iteration."""
    words = ["train", recipe, f"--data={pack}", f"--out={run}", f"--images={images}"]
    return [*words, *_COMMON, *_RECIPES[recipe]]


def make_world(folder: Path, recipes: Sequence[str] = RECIPES) -> World:
    """Make all of it with the command line, unless it is there.

    Raises:
        RuntimeError: If a command fails.
    """
    world = World(folder)
    if world.model(recipes[-1]).exists():  # what is made last
        return world
    commands = [
        ["draw", str(world.faces), "--count=96", "--size=32", "--workers=1"],
        ["pack", str(world.faces), str(world.pack), "--size=32"],
    ]
    for recipe in recipes:
        commands.append(train_words(recipe, world.pack, world.run(recipe), images=48))
        commands.append(["export", str(world.run(recipe)), str(world.model(recipe))])
    for words in commands:
        if main(words) != 0:
            raise RuntimeError(f"the campaign could not begin: {' '.join(words)}")
    return world
