"""One model of faces that recognizes, generates, reconstructs and edits."""

import os
from typing import TYPE_CHECKING

from twobirds.errors import DivergenceError, InputError
from twobirds.lazy import lazy_names

if TYPE_CHECKING:
    from twobirds.api import FaceModel, Limits

# On an Apple GPU operators that Metal lacks run on the CPU, and torch says which; it looks at this
# when it is imported.
os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")

__all__ = ["DivergenceError", "FaceModel", "InputError", "Limits"]
__version__ = "0.2.0"

_LAZY = {"FaceModel": "twobirds.api", "Limits": "twobirds.api"}
"""Public names whose modules need PyTorch: imported when used, for that takes seconds."""
__getattr__, __dir__ = lazy_names(__name__, _LAZY)
