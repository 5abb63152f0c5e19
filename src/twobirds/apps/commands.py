"""The commands by name; what one needs is imported when it is asked for.

Help that lists the commands, and a word that names none, cost no import of any of them.
"""

import dataclasses
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Annotated, Any

import tyro


@dataclass(frozen=True)
class Entry:
    """Where a command is, and what it does."""

    module: str
    """Of `twobirds.apps`."""
    name: str
    """Its class there: the options, and `run`."""
    summary: str
    """The first paragraph of the class's docstring."""

    def load(self) -> Any:
        """Import the class."""
        return getattr(importlib.import_module(f"twobirds.apps.{self.module}"), self.name)


COMMANDS: Mapping[str, Entry] = {
    "draw": Entry(
        "data_commands",
        "Draw",
        "Render drawn faces in CelebA's layout: labels, and the true answer to any edit.",
    ),
    "pack": Entry(
        "data_commands",
        "Pack",
        "Check, crop, resize and split faces into a pack, for training and evaluation.",
    ),
    "check": Entry(
        "check_command",
        "Check",
        "Verify that packs, models and runs are as they were written: every file against its hash.",
    ),
    "train": Entry("train_command", "Train", "Train a model in both stages; also under torchrun."),
    "evaluate": Entry(
        "evaluate_command",
        "Evaluate",
        "Measure a model on a split of a pack: figures as JSON, and a page beside it.",
    ),
    "recognize": Entry(
        "face_commands",
        "Recognize",
        "Print the probability of each attribute of the faces in photos.",
    ),
    "reconstruct": Entry(
        "face_commands",
        "Reconstruct",
        "Reconstruct the faces of photos from their own latents and attributes alone.",
    ),
    "edit": Entry(
        "edit_command",
        "Edit",
        "Change attributes of the faces in photos, as NAME.edited.EXTENSION, or of a whole folder.",
    ),
    "generate": Entry(
        "generate_command", "Generate", "Generate faces from noise and attributes, as a grid."
    ),
    "export": Entry(
        "export_command",
        "Export",
        "Save a trained run as a model to share: weights as safetensors, config.json, model card.",
    ),
    "reproduce": Entry(
        "reproduce_command",
        "Reproduce",
        "Run every experiment of the paper: train ours and the baselines, measure, write one "
        "report.",
    ),
    "app": Entry(
        "app_command",
        "App",
        "Serve the web page, on this machine alone unless --host says otherwise.",
    ),
}
"""All commands, in the order of the help."""


def outline() -> Any:
    """A type that tyro lists the commands of: each by name and summary, without options."""
    classes = []
    for name, entry in COMMANDS.items():
        empty = dataclasses.make_dataclass(entry.name, [])
        empty.__doc__ = entry.summary
        classes.append(Annotated[empty, tyro.conf.subcommand(name)])
    return reduce(or_, classes)
