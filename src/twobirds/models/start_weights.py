"""The weights that a new run starts from: of a run, or of a saved model."""

from importlib import resources
from pathlib import Path

from torch import Tensor

from twobirds.checkpoint import CHECKPOINT_FILE, load_discriminators, load_run
from twobirds.config import RunConfig
from twobirds.errors import InputError
from twobirds.models.files import load_trained, require_weights, saved_folder
from twobirds.models.trained import Trained


def find_weights(source: str | Path) -> tuple[RunConfig, dict[str, dict[str, Tensor]]]:
    """All weights of a model by network, to start another run from.

    Args:
        source: As for `load_trained`. A run has those of every network; a model those of inference,
            and of discriminators if it was saved with them.

    Returns:
        The run that trained them; state dicts by name of the network.

    Raises:
        InputError: If there is no such model, or its files are damaged.
    """
    trained = load_trained(source)
    require_weights(trained)
    weights: dict[str, dict[str, Tensor]] = {
        name: dict(network.state_dict()) for name, network in trained.networks.named_children()
    }
    path = Path(source) / CHECKPOINT_FILE if Path(source).is_dir() else Path(source)
    if path.is_file():
        weights |= load_run(path)[1]["networks"]
    for key, value in saved_discriminators(source).items():
        network, _, name = key.partition(".")
        weights.setdefault(network, {})[name] = value
    return trained.config, weights


def find_discriminators(run: Path, trained: Trained) -> dict[str, Tensor]:
    """The discriminators of a run that its saved model lacks, as `network.weight`.

    Args:
        run: Folder of a run, or its checkpoint.
        trained: The model of that run.

    Raises:
        InputError: If there is no such run, or it has none.
    """
    path = run / CHECKPOINT_FILE if run.is_dir() else run
    if not path.is_file():
        raise InputError(f"{run}: is no run, and only a run has discriminators to store")
    config, state = load_run(path)
    inference = {name for name, _ in trained.networks.named_children()}
    found = {
        f"{network}.{name}": value
        for network, weights in state["networks"].items()
        if "discriminator" in network and network not in inference
        for name, value in weights.items()
    }
    if not found:
        name = config.recipe.name
        raise InputError(f"{run}: recipe {name} has no discriminators beside the model's networks")
    return found


def saved_discriminators(source: str | Path) -> dict[str, Tensor]:
    """The discriminators that a model was saved with, as `network.weight` in float32.

    Args:
        source: As for `load_trained`.

    Returns:
        Empty of runs, and of models that were saved without.

    Raises:
        InputError: If the file is absent or damaged.
    """
    saved = saved_folder(source)
    if saved is None:
        return {}
    with resources.as_file(saved) as folder:
        return {name: value.float() for name, value in load_discriminators(folder).items()}
