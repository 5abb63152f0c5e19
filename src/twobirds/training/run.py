"""Start, resume or fork a run in a folder."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

from twobirds.checkpoint import CHECKPOINT_FILE, load_run, save_state
from twobirds.config import ModernConfig, RunConfig, to_dict
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.models.files import find_weights
from twobirds.randomness import RandomPurpose, keyed_generator
from twobirds.runtime import Runtime
from twobirds.training.iterative import IterativeGAN
from twobirds.training.lock import only_leg
from twobirds.training.loop import Leg, train
from twobirds.training.modern import ModernGAN
from twobirds.training.objective import Objective
from twobirds.training.stage2 import FeatureNetwork

NUM_BANK_ROWS = 1024
_STAND_INS = {"guide": "recognizer"}
"""Networks of training that a saved model has none of, and what stands in for them."""
_OF_THE_PACK = frozenset({"person_head"})
"""Networks that know the people of one pack."""
_FEATURE_NETWORK = "feature_network_sha256"  # entry of the checkpoint

ObjectiveBuilder = Callable[[RunConfig, Runtime], Objective]
"""Makes what a configuration says is to be trained."""


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
    feature_network_sha256: str | None = None,
    start_from: str | Path | None = None,
) -> bool:
    """Train a model in both stages, or go on where an earlier leg stopped.

    Args:
        config: The recipe; attributes and landmarks are taken from the pack.
        pack: The faces, at the model's size.
        run: Folder of the run: `config.json`, `checkpoint.pt`, `metrics.jsonl`, `samples/`.
        runtime: Device and processes.
        resume: Go on from the folder's checkpoint, if there is one. The number of images may be
            another than before; stage 1 keeps its length, whatever `stage1_share` says now.
        max_seconds: Wall-clock seconds after which this leg saves and stops.
        shows_progress: Whether to print.
        feature_network: For `loss.feature_source` "network" (P12).
        feature_network_sha256: Identity of its weights; once given, the run goes on with no other.
        start_from: A trained model whose weights a new run begins with (see `begin_with`).

    Returns:
        Whether all images of the run have been shown.

    Raises:
        InputError: If the folder holds a run and `resume` is off, if the run's data, recipe or
            feature network are others, or if another process is training in the folder.
        DivergenceError: If training leaves the finite numbers.
    """
    build: ObjectiveBuilder = ModernGAN
    if config.modern is None:
        build = partial(IterativeGAN, feature_network=feature_network)
    elif feature_network is not None:
        raise InputError("preset modern compares features of its own guide: no other network")
    identities = {}
    if feature_network_sha256 is not None:
        identities[_FEATURE_NETWORK] = feature_network_sha256
    return train_objective(
        config,
        pack,
        run,
        runtime,
        build,
        resume=resume,
        max_seconds=max_seconds,
        shows_progress=shows_progress,
        identities=identities,
        start_from=start_from,
    )


def train_objective(
    config: RunConfig,
    pack: Pack,
    run: Path,
    runtime: Runtime,
    build: ObjectiveBuilder,
    *,
    resume: bool = False,
    max_seconds: float = math.inf,
    shows_progress: bool = False,
    identities: Mapping[str, str] | None = None,
    start_from: str | Path | None = None,
) -> bool:
    """Train whatever `build` makes, the paper's model or a baseline, in a folder.

    Args:
        config: The recipe; attributes and landmarks are taken from the pack.
        pack: The faces, at the model's size.
        run: Folder of the run.
        runtime: Device and processes.
        build: Makes the objective of the configuration, with attributes and landmarks filled.
        resume: As for `train_run`.
        max_seconds: Wall-clock seconds after which this leg saves and stops.
        shows_progress: Whether to print.
        identities: Hashes of what else the objective learns from, for the checkpoint.
        start_from: As for `train_run`.

    Returns:
        Whether all images of the run have been shown.

    Raises:
        InputError: As for `train_run`.
        DivergenceError: If training leaves the finite numbers.
    """
    config = fit_to_pack(config, pack)
    identities = {"pack_sha256": pack.sha256, **(identities or {})}
    checkpoint = run / CHECKPOINT_FILE
    with only_leg(run, runtime):  # from before the checkpoint is read: no other leg replaces it
        resumed = None
        if checkpoint.exists():
            if not resume:
                raise InputError(f"{run} already holds a run: add --resume to go on with it")
            earlier, resumed = load_run(checkpoint)
            config = _keep_stage1(config, earlier)
            _require_same_inputs(checkpoint, resumed, identities, pack)
            _require_same_recipe(checkpoint, earlier, config)
        objective = build(config, runtime)
        if resumed is None and start_from is not None:
            begin_with(objective, config, start_from)
        elif resumed is None:
            objective.begin(pack)
        extra = {**identities, "attribute_bank": attribute_bank(pack, config.train.seed)}
        leg = Leg(run, max_seconds=max_seconds, shows_progress=shows_progress, extra=extra)
        return train(config, objective, pack, runtime, leg, resumed=resumed)


def begin_with(objective: Objective, config: RunConfig, source: str | Path) -> None:
    """Give the networks of a new run the weights of a trained model.

    A moving average begins as its network, the guide of preset modern as the recognizer where the
    model has none, and what the model has no weights of (of a saved model: the discriminator of
    preset modern) or what knows the people of its pack keeps its random ones.

    Args:
        objective: What is to be trained.
        config: Its run, with attributes filled.
        source: A run or model; its networks and attributes must be the run's.

    Raises:
        InputError: If there is no such model, or it has other networks or attributes.
    """
    earlier, weights = find_weights(source)
    if earlier.model.attributes != config.model.attributes:
        raise InputError(f"{source}: knows other attributes than the pack has, or in another order")
    for name, network in objective.networks.items():
        base = name.removesuffix("_ema")
        if base in _OF_THE_PACK:
            continue
        end = name[len(base) :]
        candidates = [name, base, f"{base}_ema"]
        if other := _STAND_INS.get(base):
            candidates += [f"{other}{end}", other, f"{other}_ema"]
        found = next((weights[c] for c in candidates if c in weights), None)
        if found is None:
            continue
        try:
            network.load_state_dict(found)
        except RuntimeError as error:
            raise InputError(f"{source}: has another {base} than the run to train") from error


def fork_run(source: Path, run: Path, config: RunConfig) -> None:
    """Begin a run where another stands, with other losses or another length from there on.

    Four losses compared from one stage 1 differ in nothing else (Sec. 5.3.2).

    Args:
        source: Folder of the run to start from; it stays as it is.
        run: Folder to make.
        config: The new recipe. Its networks are the source's; attributes and landmarks are taken
            from there. `stage1_share` counts from the first image of the source.

    Raises:
        InputError: If the source holds no run, `run` holds one, or the networks differ.
    """
    earlier, state = load_run(source / CHECKPOINT_FILE)
    checkpoint = run / CHECKPOINT_FILE
    if checkpoint.exists():
        raise InputError(f"{run} already holds a run")
    model = dataclasses.replace(
        config.model, attributes=earlier.model.attributes, landmarks=earlier.model.landmarks
    )
    modern = config.modern
    if modern is not None and earlier.modern is not None:
        modern = dataclasses.replace(modern, num_people=earlier.modern.num_people)
    config = dataclasses.replace(config, model=model, modern=modern)
    if config.model != earlier.model or _shapes(modern) != _shapes(earlier.modern):
        raise InputError(f"{source}: has other networks than the run to make of it")
    # The window of losses that is under way ends here: a new stage has other names in it.
    state |= {"config": to_dict(config), "window": {}, "window_counts": {}, "window_iterations": 0}
    save_state(checkpoint, state)


def _shapes(modern: ModernConfig | None) -> tuple[bool, ...]:
    """Which networks and parts of them preset modern has."""
    if modern is None:
        return ()
    return modern.has_skips, modern.has_mask, modern.tells_people, modern.has_eigenfaces


def fit_to_pack(config: RunConfig, pack: Pack) -> RunConfig:
    """Fill attributes, landmarks and the number of people from the pack.

    Raises:
        InputError: If the sizes differ, or the configuration names other attributes.
    """
    model = config.model
    if model.size != pack.size:
        raise InputError(
            f"{pack.path} has images of {pack.size} pixels, but the model is for {model.size}: "
            f"pack with --size {model.size}, or train with --size {pack.size} (to resume, give the "
            "options that the run was begun with)"
        )
    if model.attributes and model.attributes != pack.attribute_names:
        raise InputError(f"{pack.path} has other attributes than the configuration names")
    model = dataclasses.replace(model, attributes=pack.attribute_names, landmarks=pack.landmarks)
    config = dataclasses.replace(config, model=model)
    if config.modern is None:
        return config
    num_people = int(pack.people().max(initial=-1)) + 1
    return dataclasses.replace(
        config, modern=dataclasses.replace(config.modern, num_people=num_people)
    )


def attribute_bank(pack: Pack, seed: int) -> torch.Tensor:
    """Attribute rows `[R, K]` uint8 of random training faces, kept with the model (ADR 13).

    Generation completes what a user leaves open with a row that really occurs.
    """
    rows = torch.from_numpy(pack.rows("train"))
    order = torch.randperm(len(rows), generator=keyed_generator(seed, RandomPurpose.ATTRIBUTE_BANK))
    return torch.from_numpy(pack.attributes)[rows[order[:NUM_BANK_ROWS]]]


def _require_same_inputs(
    checkpoint: Path, resumed: Mapping[str, Any], identities: Mapping[str, str], pack: Pack
) -> None:
    """Check that a run goes on with its own data and feature network."""
    if resumed.get("pack_sha256") != pack.sha256:
        raise InputError(f"{checkpoint}: was trained on another pack than {pack.path}")
    earlier, given = (values.get(_FEATURE_NETWORK) for values in (resumed, identities))
    if earlier is not None and earlier != given:
        raise InputError(
            f"{checkpoint}: was trained with the feature network of weights {earlier}, not "
            f"{given or 'one of unknown weights'}: resume with the same feature network"
        )


def _require_same_recipe(checkpoint: Path, earlier: RunConfig, config: RunConfig) -> None:
    """Check that a run goes on with its own recipe; only its length may change."""
    for part in ("model", "loss", "train", "cycle", "modern"):
        old, new = getattr(earlier, part), getattr(config, part)
        if old is None or new is None:
            if old is not new:
                raise InputError(f"{checkpoint}: was trained with another kind of recipe")
            continue
        for field in dataclasses.fields(old):
            values = getattr(old, field.name), getattr(new, field.name)
            if field.name not in _MAY_CHANGE and values[0] != values[1]:
                raise InputError(
                    f"{checkpoint}: was trained with {part}.{field.name} = {values[0]}, not "
                    f"{values[1]}: resume with the same options, or start a new run"
                )


_MAY_CHANGE = frozenset({"images", "stage1_share", "checkpoint_every_seconds"})


def _keep_stage1(config: RunConfig, earlier: RunConfig) -> RunConfig:
    """Let stage 2 begin where it was to begin before the length of the run was changed."""
    share = earlier.train.with_images(config.train.images).stage1_share
    return dataclasses.replace(config, train=dataclasses.replace(config.train, stage1_share=share))
