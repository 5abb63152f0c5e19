"""The mask of `--protect`: a file that says which part of a photo stays as it is."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from twobirds.errors import InputError, missing_extra

if TYPE_CHECKING:
    import numpy as np

    from twobirds.apps.photo_files import PhotoFile


@dataclass(frozen=True, eq=False)
class Mask:
    """The option `--protect`, opened."""

    path: Path
    protected: "np.ndarray"
    """`[H, W]` bool."""

    @classmethod
    def read(cls, path: Path) -> "Mask":
        """Read the file.

        Raises:
            InputError: If that is not possible, or the mask is not clear.
        """
        try:
            from twobirds.photos.protection import read_mask
        except ModuleNotFoundError as error:
            raise missing_extra("photos need", "photos", error) from error
        try:
            return cls(path, read_mask(path.read_bytes()))
        except OSError as error:
            raise InputError(f"--protect {path}: cannot be read: {error.strerror}") from error
        except InputError as error:
            raise InputError(f"--protect {path}: {error}") from error

    def protect(self, file: "PhotoFile") -> "PhotoFile":
        """A photo with what is protected of it.

        Raises:
            InputError: If the mask does not fit the photo.
        """
        try:
            return replace(file, photo=file.photo.protect(self.protected))
        except InputError as error:
            raise InputError(f"--protect {self.path}: {error}") from error

    def require_size(self, height: int, width: int) -> None:
        """Refuse pictures of another size.

        Raises:
            InputError: If the mask is not of this size.
        """
        from twobirds.photos.protection import require_mask

        try:
            require_mask(self.protected, height, width)
        except InputError as error:
            raise InputError(f"--protect {self.path}: {error}") from error

    def note(self, file: "PhotoFile") -> str:
        """How much of a photo is protected, in words."""
        share = float(self.protected.mean())
        return f"{file.path}: {share:.1%} of the photo stays as it is, where {self.path} is white"
