"""Trained networks on disk and on the Hub, and how they are found."""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from twobirds.checkpoint import (
    CHECKPOINT_FILE,
    CONFIG_FILE,
    WEIGHTS_FILE,
    load_model,
    load_run,
    save_model,
)
from twobirds.config import RunConfig, to_dict
from twobirds.errors import InputError
from twobirds.models.assembly import are_state_dicts, networks_with
from twobirds.models.hub import HUB_PREFIX, download, upload
from twobirds.models.onnx_model import is_onnx_model
from twobirds.models.onnx_networks import load_onnx
from twobirds.models.saved_card import SavedCard, renewed_card
from twobirds.models.stored import BANK, hash_weights, stored, stored_tensors
from twobirds.models.trained import Trained
from twobirds.recipes.registry import parse_run
from twobirds.recipes.upgrade import FORMAT, require_format, require_todays_layers

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_AVERAGE = "_ema"


def shipped_models() -> list[str]:
    """Names of the models that come with the package."""
    folder = resources.files("twobirds") / "pretrained"
    folders = folder.iterdir() if folder.is_dir() else ()
    return sorted(p.name for p in folders if (p / WEIGHTS_FILE).is_file())


def load_trained(source: str | Path) -> Trained:
    """Load a model from a shipped name, a run or model folder, a checkpoint file, or the Hub.

    Raises:
        InputError: If there is none, or its files are damaged.
    """
    if str(source).startswith(HUB_PREFIX):
        return _from_model_folder(download(str(source).removeprefix(HUB_PREFIX)))
    path = Path(source)
    if path.is_file():
        return _from_run(path)
    if is_onnx_model(path):
        return load_onnx(path)
    if (path / CHECKPOINT_FILE).is_file() and not (path / WEIGHTS_FILE).is_file():
        return _from_run(path / CHECKPOINT_FILE)
    if (saved := saved_folder(source)) is not None:
        with resources.as_file(saved) as folder:
            return _from_model_folder(folder)
    raise InputError(
        f"no model {str(source)!r}: it is neither a run or model folder, nor one of the shipped "
        f"models ({', '.join(shipped_models()) or 'none'}), nor hf://owner/name"
    )


def saved_folder(source: str | Path) -> "Traversable | None":
    """The folder of a saved or shipped model, named as for `load_trained`; None of all else."""
    path = Path(source)
    if path.is_file() or is_onnx_model(path):
        return None
    if (path / WEIGHTS_FILE).is_file():
        return path
    if (path / CHECKPOINT_FILE).is_file() or str(source) not in shipped_models():
        return None
    return resources.files("twobirds") / "pretrained" / str(source)


def save_trained(
    trained: Trained,
    folder: Path,
    *,
    half: bool = False,
    report: Mapping[str, Any] | None = None,
    notes: str | None = None,
    source: str | None = None,
    discriminators: Mapping[str, Tensor] | None = None,
) -> None:
    """Save a model as safetensors, config.json and a model card.

    A model that was saved before keeps licence, notes and figures of its card; it warns where
    these cannot be kept.

    Args:
        trained: The model.
        folder: Where to; replaced if it holds a model already.
        half: Store floating-point weights as float16; the buffers of batch norm stay float32.
        report: Output of `evaluate` for the card; of the weights stored here, rounded or not.
        notes: Markdown for the card: data, licence, history, known failures; None keeps those of
            a model that was saved before.
        source: What others load the model by; default the folder's name.
        discriminators: From `find_discriminators`, for runs that start from this model.

    Raises:
        InputError: If the folder holds anything but a model, or the report is about other weights.
    """
    require_weights(trained)
    is_rounded = half and not trained.is_half
    if report is not None:
        is_rounded = check_report(report, trained, half=half)
    config = {"format": FORMAT, "run": to_dict(trained.config)}
    if trained.pack_sha256 is not None:
        config["pack_sha256"] = trained.pack_sha256
    card = renewed_card(
        trained,
        folder.name,
        report,
        source=source or folder.name,
        notes=notes,
        weights_sha256=hash_weights(trained, half=trained.is_half),
        is_rounded=is_rounded,
    )
    extra = discriminators and {key: stored(w, half=half) for key, w in discriminators.items()}
    save_model(folder, stored_tensors(trained, half=half), config, card, discriminators=extra)


def check_report(
    report: Mapping[str, Any], trained: Trained, *, half: bool, name: str = "the report"
) -> bool:
    """Make sure that a report is about the weights that saving would store, but for rounding.

    Args:
        report: Output of `evaluate`.
        trained: The model to be saved.
        half: Whether its weights will be stored as float16.
        name: What to call the report in an error.

    Returns:
        Whether they will be rounded to float16, and were measured before that.

    Raises:
        InputError: If it is not a report, or about other weights.
    """
    try:
        measured = report["model"]["weights_sha256"]
    except (KeyError, TypeError) as error:
        raise InputError(f"{name}: is not a report of twobirds evaluate") from error
    is_loaded = measured == trained.weights_sha256 and trained.is_half == half
    if is_loaded or measured == hash_weights(trained, half=half):
        return False
    is_full = measured == trained.weights_sha256 and not trained.is_half
    if half and (is_full or measured == hash_weights(trained, half=False)):
        return True
    raise InputError(f"{name}: was measured on other weights: evaluate this model again")


def push_trained(
    trained: Trained,
    repository: str,
    *,
    half: bool,
    private: bool,
    report: Mapping[str, Any] | None = None,
    notes: str | None = None,
) -> None:
    """Upload a model to the Hugging Face Hub as `owner/name`.

    Args:
        trained: The model.
        repository: `owner/name`.
        half: Store floating-point weights as float16.
        private: Whether a new repository is for its owner only.
        report: Output of `evaluate` for the card; of these weights, rounded or not.
        notes: Markdown for the card; None keeps those of a model that was saved before.

    Raises:
        InputError: If the Hub refuses or cannot be reached, or the report is about other weights.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / repository.rsplit("/", maxsplit=1)[-1]
        source = f"{HUB_PREFIX}{repository}"
        save_trained(trained, folder, half=half, report=report, notes=notes, source=source)
        upload(folder, repository, private=private)


def _from_model_folder(folder: Path) -> Trained:
    tensors, content = load_model(folder)
    where = str(folder / CONFIG_FILE)
    require_format(content.get("format"), where)
    config = parse_run(content.get("run"), f"{where}: run")
    bank = tensors.pop(BANK, None)
    trained = _assemble(folder, config, tensors, bank)
    return replace(
        trained,
        weights_sha256=content["weights_sha256"],
        is_half=any(tensor.dtype == torch.float16 for tensor in tensors.values()),
        pack_sha256=_hash_or_none(content.get("pack_sha256"), where),
        card=SavedCard.of(folder, content["weights_sha256"]),
    )


def require_weights(trained: Trained) -> None:
    """Refuse ONNX files, which have no weights to train or store.

    Raises:
        InputError: If the model is one.
    """
    if not trained.networks.is_differentiable:
        raise InputError(
            "a model in ONNX files has no weights to save or to train: take the model that it was "
            "exported from"
        )


def _from_run(path: Path) -> Trained:
    config, state = load_run(path)
    networks = state.get("networks")
    if not are_state_dicts(networks):
        raise InputError(f"{path}: has no networks")
    # A run that is still going on, or was stopped: say what its weights have seen, not the plan.
    iteration = state.get("iteration")
    if not isinstance(iteration, int) or iteration < 1:
        raise InputError(f"{path}: does not say how long it was trained")
    images_seen = iteration * config.train.batch_size
    if images_seen < config.train.images:
        config = config.with_images(images_seen)
    trained = _assemble(path, config, _averages(networks), state.get(BANK))
    return replace(
        trained,
        weights_sha256=hash_weights(trained, half=False),
        pack_sha256=_hash_or_none(state.get("pack_sha256"), str(path)),
    )


def rehashed(trained: Trained) -> Trained:
    """A model of which tensors were set in place, with the hash of what it is now."""
    return replace(trained, weights_sha256=hash_weights(trained, half=trained.is_half))


def _hash_or_none(value: Any, where: str) -> str | None:
    """The hash of the training pack, which files from before it was noted do not have."""
    if not isinstance(value, str | None):
        raise InputError(f"{where}: pack_sha256 must be text")
    return value


def _averages(networks: Mapping[str, Any]) -> dict[str, Any]:
    """All weights of a run by dotted names, those of a moving average instead of its network's."""
    kept = {name.removesuffix(_AVERAGE): name for name in networks}
    kept |= {name.removesuffix(_AVERAGE): name for name in networks if name.endswith(_AVERAGE)}
    return {
        f"{part}.{key}": value
        for part, name in kept.items()
        for key, value in (networks[name] or {}).items()
    }


def _assemble(where: Path, config: RunConfig, weights: Mapping[str, Any], bank: Any) -> Trained:
    """Build the networks and fill them."""
    prefix = "generator."
    generator = [name.removeprefix(prefix) for name in weights if name.startswith(prefix)]
    require_todays_layers(config.recipe.name, generator, str(where))
    networks = networks_with(weights, config, where)
    if not isinstance(bank, Tensor) or bank.ndim != 2 or len(bank) == 0:
        raise InputError(f"{where}: has no bank of attribute rows")
    if bank.shape[1] != config.data.num_attributes or bank.dtype != torch.uint8:
        raise InputError(f"{where}: its bank of attribute rows does not fit the attributes")
    return Trained(networks, config, bank, weights_sha256="")
