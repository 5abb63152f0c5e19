"""Start or resume a run of the iterative GAN in a folder."""

import dataclasses
import math
from pathlib import Path

import torch

from twobirds.checkpoint import CHECKPOINT_FILE, load_run
from twobirds.config import RunConfig
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.runtime import Runtime, keyed_generator
from twobirds.training.iterative import IterativeGAN
from twobirds.training.loop import Leg, train
from twobirds.training.stage2 import FeatureNetwork

NUM_BANK_ROWS = 1024
_BANK = 31  # purpose of the random draw


def train_run(
    config: RunConfig,
    pack: Pack,
    run: Path,
    runtime: Runtime,
    *,
    resume: bool = False,
    max_seconds: float = math.inf,
    shows_progress: bool = False,
    feature_network: FeatureNetwork | None = None,
) -> bool:
    """Train a model in both stages, or go on where an earlier leg stopped.

    Args:
        config: The recipe; attributes and landmarks are taken from the pack.
        pack: The faces, at the model's size.
        run: Folder of the run: `config.json`, `checkpoint.pt`, `metrics.jsonl`, `samples/`.
        runtime: Device and processes.
        resume: Go on from the folder's checkpoint, if there is one.
        max_seconds: Wall-clock seconds after which this leg saves and stops.
        shows_progress: Whether to print.
        feature_network: For `loss.feature_source` "network" (P12).

    Returns:
        Whether all images of the run have been shown.

    Raises:
        InputError: If the folder holds a run and `resume` is off, or the run's data or recipe
            are others.
        DivergenceError: If training leaves the finite numbers.
    """
    config = fit_to_pack(config, pack)
    checkpoint = run / CHECKPOINT_FILE
    resumed = None
    if checkpoint.exists():
        if not resume:
            raise InputError(f"{run} already holds a run: add --resume to go on with it")
        earlier, resumed = load_run(checkpoint)
        _require_same_run(checkpoint, earlier, config, str(resumed.get("pack_sha256")), pack)
    objective = IterativeGAN(config, runtime, feature_network)
    extra = {"pack_sha256": pack.sha256, "attribute_bank": attribute_bank(pack, config.train.seed)}
    leg = Leg(run, max_seconds=max_seconds, shows_progress=shows_progress, extra=extra)
    return train(config, objective, pack, runtime, leg, resumed=resumed)


def fit_to_pack(config: RunConfig, pack: Pack) -> RunConfig:
    """Fill attributes and landmarks from the pack.

    Raises:
        InputError: If the sizes differ, or the configuration names other attributes.
    """
    model = config.model
    if model.size != pack.size:
        raise InputError(
            f"{pack.path} has images of {pack.size} pixels, but the model is for {model.size}: "
            f"pack with --size {model.size}, or train with --size {pack.size}"
        )
    if model.attributes and model.attributes != pack.attribute_names:
        raise InputError(f"{pack.path} has other attributes than the configuration names")
    model = dataclasses.replace(model, attributes=pack.attribute_names, landmarks=pack.landmarks)
    return dataclasses.replace(config, model=model)


def attribute_bank(pack: Pack, seed: int) -> torch.Tensor:
    """Attribute rows `[R, K]` uint8 of random training faces, kept with the model (ADR 13).

    Generation completes what a user leaves open with a row that really occurs.
    """
    rows = torch.from_numpy(pack.rows("train"))
    order = torch.randperm(len(rows), generator=keyed_generator(seed, _BANK))
    return torch.from_numpy(pack.attributes)[rows[order[:NUM_BANK_ROWS]]]


def _require_same_run(
    checkpoint: Path, earlier: RunConfig, config: RunConfig, pack_sha256: str, pack: Pack
) -> None:
    """Check that a run goes on with its own recipe and data; only its length may change."""
    if pack_sha256 != pack.sha256:
        raise InputError(f"{checkpoint}: was trained on another pack than {pack.path}")
    for part in ("model", "loss", "train"):
        old, new = getattr(earlier, part), getattr(config, part)
        for field in dataclasses.fields(old):
            values = getattr(old, field.name), getattr(new, field.name)
            if field.name not in _MAY_CHANGE and values[0] != values[1]:
                raise InputError(
                    f"{checkpoint}: was trained with {part}.{field.name} = {values[0]}, not "
                    f"{values[1]}: resume with the same options, or start a new run"
                )


_MAY_CHANGE = frozenset({"images", "stage1_share", "checkpoint_every_seconds"})
