"""Options that several commands share, and what is done with their values.

PyTorch is imported inside functions only, here as in all of `apps`: help must come at once.
"""

import math
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from twobirds.errors import InputError

if TYPE_CHECKING:
    from twobirds.api import FaceModel

DEFAULT_MODELS = ("celeba128", "celeba64-paper", "drawn64")
"""Shipped models that serve where none is named; the first one present does."""

Device = Annotated[
    Literal["auto", "cpu", "cuda", "mps"],
    tyro.conf.arg(help="Where to compute; auto takes CUDA, else an Apple GPU (mps), else the CPU."),
]
TrainingPrecision = Annotated[
    Literal["auto", "float32", "bfloat16"],
    tyro.conf.arg(
        help="Format of the passes in training; auto is bfloat16 on a GPU, float32 on a CPU. "
        "bfloat16 is faster on CPUs with AVX512-BF16 or AMX."
    ),
]
ModelName = Annotated[
    str | None,
    tyro.conf.arg(
        metavar="MODEL",
        help="A shipped model's name, a run or model folder, a checkpoint, or hf://owner/name.",
        help_behavior_hint=f"(default: {DEFAULT_MODELS[0]})",
    ),
]
ImagePaths = Annotated[
    tuple[Path, ...],
    tyro.conf.Positional,
    tyro.conf.arg(
        metavar="IMAGE...",
        help="Photos: JPEG, PNG, WebP, BMP, or HEIC with the package pillow-heif.",
        help_behavior_hint="(required)",
    ),
]
ImagesOrFolder = Annotated[
    tuple[Path, ...],
    tyro.conf.Positional,
    tyro.conf.arg(
        metavar="IMAGE...",
        help="Photos: JPEG, PNG, WebP, BMP, or HEIC with the package pillow-heif; or one folder, "
        "whose photos are all edited, those of subfolders too; or one video, with the extra video.",
        help_behavior_hint="(required)",
    ),
]
Force = Annotated[
    bool,
    tyro.conf.arg(
        help="Replace earlier results; without it only a file that --out names is replaced."
    ),
]
Assignments = Annotated[
    tuple[tuple[str, ...], ...],
    tyro.conf.UseAppendAction,
    tyro.conf.arg(metavar="NAME=VALUE..."),
]
"""The words behind every `--set`, which may be given several times."""


def optional(metavar: str, default: str, text: str | None = None) -> Any:
    """Annotation of an option that is None where it is not given, and means `default` then.

    Args:
        metavar: What stands for its value in the help.
        default: What it means where it is not given.
        text: Help of more than one line, of which tyro would keep the line breaks in a docstring.
    """
    return tyro.conf.arg(metavar=metavar, help=text, help_behavior_hint=f"(default: {default})")


def default_model() -> str:
    """Name of the model that serves where none is named.

    Raises:
        InputError: If none came with the package.
    """
    from twobirds.models.files import shipped_models

    shipped = shipped_models()
    for name in (*DEFAULT_MODELS, *shipped):
        if name in shipped:
            return name
    raise InputError("this copy of twobirds came without models: name one with --model")


def load_model(name: str | None, device: str) -> "FaceModel":
    """Load a model by name, or the default one."""
    from twobirds.api import FaceModel

    return FaceModel.load(name or default_model(), device=device)


def require_images(paths: tuple[Path, ...]) -> None:
    """Refuse a command without images, before a model is loaded.

    Raises:
        InputError: If there are none, or one is no file.
    """
    if not paths:
        raise InputError("no image was named: give one or more files")
    for path in paths:
        try:
            is_folder = stat.S_ISDIR(path.stat().st_mode)
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from error
        if is_folder:
            raise InputError(f"{path}: cannot be read: Is a directory")


def require_seed(seed: int) -> None:
    """Refuse a seed that not every generator takes.

    Raises:
        InputError: If it is negative or needs more than 63 bits.
    """
    if not 0 <= seed < 2**63:
        raise InputError(f"--seed must lie between 0 and 2^63 - 1, not {seed}")


def split_assignments(words: Iterable[Iterable[str]]) -> list[tuple[str, str]]:
    """Cut the words of all `--set` into names and values.

    Raises:
        InputError: If a word has no `=`, or a name comes twice.
    """
    pairs: dict[str, str] = {}
    for word in (word for group in words for word in group):
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            raise InputError(f"--set takes NAME=VALUE, not {word!r}")
        if name in pairs:
            raise InputError(f"--set names {name} twice")
        pairs[name] = value
    return list(pairs.items())


def attribute_changes(words: Iterable[Iterable[str]]) -> dict[str, float]:
    """Parse `--set Eyeglasses=1 Smiling=0.5` as values by attribute.

    Raises:
        InputError: If a value is no number from 0 to 1; names are left to the model.
    """
    return {name: _number(name, value) for name, value in split_assignments(words)}


def _number(name: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1:  # nor nan
        raise InputError(f"--set {name} must be a number from 0 to 1, not {value!r}")
    return number
