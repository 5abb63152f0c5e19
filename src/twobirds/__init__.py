"""One model of faces that recognizes, generates, reconstructs and edits."""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from twobirds.errors import DivergenceError, InputError

if TYPE_CHECKING:
    from twobirds.api import FaceModel, Limits

# On an Apple GPU operators that Metal lacks run on the CPU, and torch says which; it looks at this
# when it is imported.
os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")

__all__ = ["DivergenceError", "FaceModel", "InputError", "Limits"]
__version__ = "0.2.0"

_LAZY = {"FaceModel": "twobirds.api", "Limits": "twobirds.api"}
"""Public names whose modules need PyTorch: imported when used, for that takes seconds."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value  # found without this function from now on
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
