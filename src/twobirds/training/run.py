"""Start, resume or fork a run in a folder."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch

from twobirds.checkpoint import CHECKPOINT_FILE, load_run
from twobirds.config import RunConfig, to_dict
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.models.networks import FeatureNetwork
from twobirds.models.start_weights import find_weights
from twobirds.randomness import RandomPurpose, keyed_generator
from twobirds.recipes.registry import recipe_of
from twobirds.runtime import Runtime
from twobirds.states import save_state
from twobirds.training.checkpoints import find_checkpoint, give_up_last, load_checkpoint
from twobirds.training.lock import only_leg
from twobirds.training.loop import Leg, train
from twobirds.training.objective import Objective

NUM_BANK_ROWS = 1024
_FEATURE_NETWORK = "feature_network_sha256"  # entry of the checkpoint
_MAY_CHANGE = frozenset({"images", "stage1_share", "checkpoint_every_seconds"})


def train_run(
    config: RunConfig,
    pack: Pack,
    run: Path,
    runtime: Runtime,
    *,
    resume: bool | Literal["previous"] = False,
    max_seconds: float = math.inf,
    shows_progress: bool = False,
    feature_network: FeatureNetwork | None = None,
    feature_network_sha256: str | None = None,
    start_from: str | Path | None = None,
) -> bool:
    """Train a run of any recipe, or go on where an earlier leg stopped.

    Args:
        config: The run; attributes, landmarks and the number of people are taken from the pack.
        pack: The faces, at the run's size.
        run: Folder of the run: `config.json`, `checkpoint.pt`, `metrics.jsonl`, `samples/`.
        runtime: Device and processes.
        resume: Go on from the folder's checkpoint, if there is one; "previous" goes on from the one
            before it, which must be there, and gives up the last. The number of images may be
            another than before; stages keep their length, whatever the configuration says now.
        max_seconds: Wall-clock seconds after which this leg saves and stops.
        shows_progress: Whether to print.
        feature_network: For a perceptual loss on given features (P12), where the recipe has one.
        feature_network_sha256: Identity of its weights; once given, the run goes on with no other.
        start_from: A trained model whose weights a new run starts from (see `warm_start`).

    Returns:
        Whether all images of the run have been shown.

    Raises:
        InputError: If the folder holds a run and `resume` is off, if the run's data, recipe or
            feature network are others, or if another process is training in the folder.
        DivergenceError: If training leaves the finite numbers.
        DeviceError: If the device fails.
    """
    config = fit_to_pack(config, pack)
    identities = {"pack_sha256": pack.sha256}
    if feature_network_sha256 is not None:
        identities[_FEATURE_NETWORK] = feature_network_sha256
    with only_leg(run, runtime):  # from before the checkpoint is loaded: no other leg replaces it
        resumed = None
        if checkpoint := find_checkpoint(run, resume):
            earlier, resumed = load_checkpoint(checkpoint)
            _require_same_inputs(checkpoint, resumed, identities, pack)
            _require_same_recipe(checkpoint, earlier, config)
            config = _with_stages_of(config, earlier)
            if resume == "previous":
                give_up_last(run, runtime)
        objective = recipe_of(config).build_objective(config, runtime, feature_network)
        if resumed is None and start_from is not None:
            warm_start(objective, config, start_from, pack)
        elif resumed is None:
            objective.initialize(pack)
        extra = {**identities, "attribute_bank": attribute_bank(pack, config.train.seed)}
        leg = Leg(run, max_seconds=max_seconds, shows_progress=shows_progress, extra=extra)
        return train(config, objective, pack, runtime, leg, resumed=resumed)


def warm_start(objective: Objective, config: RunConfig, source: str | Path, pack: Pack) -> None:
    """Give the networks of a new run the weights of a trained model.

    What the model has no weights of is initialized as in any new run: a saved model has only the
    networks of inference, and discriminators if it was saved with them; a run has all.

    Args:
        objective: What is to be trained.
        config: Its run, with attributes filled.
        source: A run or model; its recipe, networks and attributes must be the run's.
        pack: The faces that the run is to learn from.

    Raises:
        InputError: If there is no such model, or it has another recipe, networks or attributes.
    """
    earlier, weights = find_weights(source)
    _require_same_attributes(source, earlier.data.attributes, config.data.attributes)
    if earlier.recipe.name != config.recipe.name:
        raise InputError(
            f"{source}: was trained with recipe {earlier.recipe.name}, not {config.recipe.name}"
        )
    if objective.networks.keys() - weights.keys():
        objective.initialize(pack)
    try:
        objective.warm_start(weights)
    except InputError as error:
        raise InputError(f"{source}: {error}") from error


def _require_same_attributes(
    source: str | Path, known: Sequence[str], names: Sequence[str]
) -> None:
    """Check that a model's attributes are those of the pack, in the same order."""
    if list(known) == list(names):
        return
    lacking = [name for name in known if name not in names]
    further = [name for name in names if name not in known]
    parts = [f"the pack lacks {', '.join(lacking)}"] * bool(lacking)
    parts += [f"the model does not know {', '.join(further)}"] * bool(further)
    if not parts:
        at = next(i for i, name in enumerate(known) if names[i] != name)
        parts = [f"attribute {at + 1} of the model is {known[at]}, of the pack {names[at]}"]
    dropping = " (pack --drop-column leaves attributes out)" * bool(further)
    raise InputError(
        f"{source}: its attributes are not those of the pack: {'; '.join(parts)}; pack faces "
        f"labelled with the model's attributes in its order{dropping}, or leave out --start-from"
    )


def fork_run(source: Path, run: Path, config: RunConfig) -> None:
    """Start a run where another stands, with other losses or another length from there on.

    Four losses compared from one stage 1 differ in nothing else (Sec. 5.3.2).

    Args:
        source: Folder of the run to start from; it stays as it is.
        run: Folder to make.
        config: The new run. Its networks are the source's; what the data says is taken from there.
            Shares of stages count from the first image of the source.

    Raises:
        InputError: If the source holds no run, `run` holds one, or the networks differ.
    """
    earlier, state = load_run(source / CHECKPOINT_FILE)
    checkpoint = run / CHECKPOINT_FILE
    if checkpoint.exists():
        raise InputError(f"{run} already holds a run")
    if _networks(config) != _networks(earlier):
        raise InputError(f"{source}: has other networks than the run to make of it")
    config = dataclasses.replace(config, data=earlier.data)
    # The window of losses that is under way ends here: a new stage has other names in it.
    state |= {"config": to_dict(config), "window": {}, "window_counts": {}, "window_iterations": 0}
    save_state(checkpoint, state)


def _networks(config: RunConfig) -> tuple[object, ...]:
    """What decides whether the weights of one run fit another."""
    return config.recipe.name, config.data.size, *config.recipe.architecture()


def fit_to_pack(config: RunConfig, pack: Pack) -> RunConfig:
    """Fill attributes, landmarks and the number of people from the pack.

    Raises:
        InputError: If the sizes differ, or the configuration names other attributes.
    """
    data = config.data
    if data.size != pack.size:
        raise InputError(
            f"{pack.path} has images of {pack.size} pixels, but the model is for {data.size}: "
            f"pack with --size {data.size}, or train with --size {pack.size} (to resume, give the "
            "options that the run was begun with)"
        )
    if data.attributes and data.attributes != pack.attribute_names:
        raise InputError(f"{pack.path} has other attributes than the configuration names")
    data = dataclasses.replace(
        data,
        attributes=pack.attribute_names,
        landmarks=pack.landmarks,
        num_people=int(pack.people().max(initial=-1)) + 1,
    )
    return dataclasses.replace(config, data=data)


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
    """Check that a run goes on with its own settings; only its length may change."""
    names = earlier.recipe.name, config.recipe.name
    if names[0] != names[1]:
        raise InputError(f"{checkpoint}: was trained with recipe {names[0]}, not {names[1]}")
    old, new = to_dict(earlier), to_dict(config)
    for section in ("recipe", "train"):
        for name, value in old[section].items():
            if name not in _MAY_CHANGE and value != new[section][name]:
                raise InputError(
                    f"{checkpoint}: was trained with {section}.{name} = {value}, not "
                    f"{new[section][name]}: resume with the same options, or start a new run"
                )


def _with_stages_of(config: RunConfig, earlier: RunConfig) -> RunConfig:
    """Let stages end where they were to end before the length of the run was changed."""
    recipe = earlier.recipe.with_length(earlier.train.images, config.train.images)
    return dataclasses.replace(config, recipe=recipe)
