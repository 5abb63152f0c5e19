"""Upgrades what version 0.1 wrote: configurations, names of networks and names of tensors.

In that version (format 1) every run had the settings of the paper's recipe, in the sections
`model`, `loss` and `train`; `cycle` or `modern` held what only CycleGAN or recipe `modern` had.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from twobirds.errors import InputError

T = TypeVar("T")
FORMAT = 2
"""Format of checkpoints and model folders that this version writes."""
_OLD_FORMAT = 1
_OLD_SECTIONS = frozenset({"model", "loss", "cycle", "modern"})
_DATA = ("size", "attributes", "landmarks")
_TRAIN = (
    "batch_size", "images", "learning_rate", "betas", "flip", "seed", "log_every_images",
    "sample_every_images", "checkpoint_every_seconds",
)  # fmt: skip
_WEIGHTS = {
    name: f"{name}_weight" for name in ("adversarial", "label", "perceptual", "pixel", "latent")
}
_NORMS = ("perceptual_norm", "pixel_norm", "latent_norm")
_PAPER = (
    "width", "num_latents", "num_shared", "num_attribute_hidden", "discriminator_norm",
    "adversarial_form", "label_fakes", *_NORMS, "feature_source", "stage1_share", "balance_ratio",
    "max_updates", "edited_share", "ema_half_life_images",
)  # fmt: skip
_MODERN = {
    "has_eigenfaces": "has_pca",
    "gradient_penalty": "gradient_penalty_weight",
    "attribute": "edit_label_weight",
    "consistency": "consistency_weight",
    "prior": "prior_weight",
    "keep": "edit_pixel_weight",
    "guide_noise": "classifier_noise",
    "guide_cutout": "classifier_cutout",
    "identity_edited": "edit_identity_weight",
    "identity_rebuilt": "identity_weight",
    "favour": "change_preference",
}
_MODERN_OLD_DEFAULTS = {"has_eigenfaces": False, "guide_cutout": 0.0, "recognizer_mixup": 0.0}
_BASELINES = {
    "cgan": ("width", "num_latents"),
    "dcgan": ("width", "num_latents"),
    "cnn": ("width", "num_shared"),
    "recognizer": ("width",),
    "resnet": (),
}
_TENSORS = {
    "modern": (
        (r"^generator\.style\.", "generator.mapping."),
        (r"^generator\.eigenfaces\.", "generator.pca_decoder."),
        (r"^generator\.look\.", "generator.base_features."),
        (r"^generator\.spread\.", "generator.subpixels."),
        (r"\.styles\.", ".modulations."),
        (r"^encoder\.eigenfaces\.", "encoder.pca_encoder."),
    )
}
_NETWORKS = {"modern": {"guide": "robust_classifier", "guide_ema": "robust_classifier_ema"}}
_OPTIMIZERS = {"modern": {"drawing": "generator", "reading": "classifiers"}}


def require_format(found: Any, where: str) -> bool:
    """Whether a file is of the old format.

    Raises:
        InputError: If it is of neither format.
    """
    if found not in (_OLD_FORMAT, FORMAT):
        raise InputError(f"{where}: has format {found!r}, not {FORMAT}")
    return bool(found == _OLD_FORMAT)


def upgrade_config(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The configuration of a run in today's format; one that is in it already is left alone."""
    if "recipe" in values or not _OLD_SECTIONS & set(values):
        return dict(values)
    sections = {name: values.get(name) or {} for name in ("model", "loss", "train")}
    for name, section in sections.items():
        if not isinstance(section, dict):
            raise InputError(f"{where}.{name} must be an object, not {type(section).__name__}")
    old = {**sections["model"], **sections["train"], **sections["loss"]}
    modern, cycle = values.get("modern"), values.get("cycle")
    if modern is not None:
        recipe = _modern(old, modern)
    elif cycle is not None:
        renamed = {"cycle": "cycle_weight", "identity": "identity_weight"}
        recipe = {"name": "cyclegan", **_renamed(cycle, renamed)}
    elif (preset := str(values.get("preset"))) in _BASELINES:
        recipe = {"name": preset, **_picked(old, _BASELINES[preset])}
        if "num_shared" in recipe:
            recipe["num_hidden"] = recipe.pop("num_shared")
    else:
        recipe = {"name": "paper", **_picked(old, _PAPER)}
        recipe |= _renamed(_picked(old, _WEIGHTS), _WEIGHTS)
    data = _picked(old, _DATA)
    if modern is not None and "num_people" in modern:
        data["num_people"] = modern["num_people"]
    train = _picked(old, _TRAIN)
    return {"preset": values.get("preset"), "recipe": recipe, "data": data, "train": train}


def _modern(old: Mapping[str, Any], modern: Mapping[str, Any]) -> dict[str, Any]:
    own = {k: v for k, v in {**_MODERN_OLD_DEFAULTS, **modern}.items() if k != "num_people"}
    is_relativistic = own.pop("relativistic", True)
    game = "relativistic" if is_relativistic else old.get("adversarial_form", "non_saturating")
    shared = ("width", "num_latents", *_NORMS, "stage1_share", "ema_half_life_images")
    weights = _renamed(_picked(old, _WEIGHTS), _WEIGHTS)
    return {
        "name": "modern",
        "game": game,
        **_picked(old, shared),
        **weights,
        **_renamed(own, _MODERN),
    }


def upgrade_tensors(recipe: str, tensors: Mapping[str, T]) -> dict[str, T]:
    """Tensors of a model by the dotted names that the recipe's networks have today."""
    return {_tensor_name(recipe, name): value for name, value in tensors.items()}


def upgrade_state(recipe: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a run's checkpoint with today's names of networks, tensors and optimizers."""
    networks = {}
    for old, weights in (state.get("networks") or {}).items():
        name = _NETWORKS.get(recipe, {}).get(old, old)
        prefix = f"{name.removesuffix('_ema')}."
        renamed = upgrade_tensors(recipe, {prefix + key: value for key, value in weights.items()})
        networks[name] = {key.removeprefix(prefix): value for key, value in renamed.items()}
    optimizers = _renamed(state.get("optimizers") or {}, _OPTIMIZERS.get(recipe, {}))
    return {**state, "format": FORMAT, "networks": networks, "optimizers": optimizers}


def _tensor_name(recipe: str, name: str) -> str:
    for pattern, replacement in _TENSORS.get(recipe, ()):
        name = re.sub(pattern, replacement, name)
    return name


def _picked(values: Mapping[str, T], names: Any) -> dict[str, T]:
    return {name: values[name] for name in names if name in values}


def _renamed(values: Mapping[str, T], names: Mapping[str, str]) -> dict[str, T]:
    return {names.get(name, name): value for name, value in values.items()}
