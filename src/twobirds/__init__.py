"""One model of faces that recognizes, generates, rebuilds and edits."""

from twobirds.api import FaceModel
from twobirds.errors import DivergenceError, InputError

__all__ = ["DivergenceError", "FaceModel", "InputError"]
__version__ = "0.1.0"
