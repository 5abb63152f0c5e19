"""The command that verifies the hashes of packs, models and runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from twobirds.apps.display import say
from twobirds.errors import InputError


@dataclass(frozen=True)
class Check:
    """Verify that packs, models and runs are as they were written: every file against its hash."""

    paths: Annotated[
        tuple[str, ...],
        tyro.conf.Positional,
        tyro.conf.arg(metavar="PATH...", help_behavior_hint="(required)"),
    ] = ()
    """Packs, model folders, run folders, checkpoints, or names of shipped models."""

    def run(self) -> int:
        """Check; returns the exit code."""
        if not self.paths:
            raise InputError("nothing to check was named: give a pack, a model or a run")
        for path in self.paths:
            for line in _check(path):
                say(f"{path}: {line}")
        return 0


def _check(name: str) -> list[str]:
    """What was verified of a pack, a model or a run.

    Raises:
        InputError: If it is damaged, or none of them.
    """
    from twobirds.checkpoint import (
        CHECKPOINT_FILE,
        PREVIOUS_CHECKPOINT_FILE,
        WEIGHTS_FILE,
        load_discriminators,
    )
    from twobirds.data.pack import HEADER_FILE, open_pack
    from twobirds.models.onnx_model import is_onnx_model

    path = Path(name)
    if "/" in name and not name.startswith("hf:") and not path.exists():
        raise InputError(f"{name} does not exist: give a pack, a model or a run")
    verified = []
    if is_onnx_model(path):
        verified.append(_check_onnx(path))
    if (path / HEADER_FILE).is_file():
        pack = open_pack(path, verify=True)
        verified.append(f"a pack of {len(pack):,} faces, as packed (sha256 {pack.sha256[:12]})")
    checkpoint = path / CHECKPOINT_FILE
    if checkpoint.is_file():
        verified.append(_check_model(str(checkpoint), "a run's checkpoint"))
    previous = path / PREVIOUS_CHECKPOINT_FILE
    if previous.is_file():
        verified.append(_check_model(str(previous), "the checkpoint before it"))
    if (path / WEIGHTS_FILE).is_file() or not verified:
        verified.append(_check_model(name, "a model"))
    if (path / WEIGHTS_FILE).is_file() and load_discriminators(path):
        verified.append("discriminators, as saved")
    return verified


def _check_onnx(folder: Path) -> str:
    """Verify and open every file of a model in ONNX files, and say which model it is."""
    from twobirds.models.onnx_model import OnnxModel

    model = OnnxModel.load(folder)
    model.check()
    sha256 = model.description.facts.weights_sha256
    return f"ONNX files, as exported (weights sha256 {sha256[:12]})"


def _check_model(name: str, what: str) -> str:
    """Load a model or checkpoint, which verifies its checksums, and say which it is."""
    from twobirds.models.files import load_trained

    trained = load_trained(name)
    return f"{what}, as saved (weights sha256 {trained.weights_sha256[:12]})"
