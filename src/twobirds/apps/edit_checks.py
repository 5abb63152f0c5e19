"""Options of the command that edits which do not go together."""

from collections import Counter
from typing import TYPE_CHECKING

from twobirds.apps.edit_video import VIDEO_EXTENSIONS
from twobirds.errors import InputError

if TYPE_CHECKING:
    from twobirds.apps.edit_command import Edit

_MAX_DISTANCE = 4  # squared distance of unit vectors that point away from each other


def check_edit(command: "Edit") -> None:
    """Refuse options that do not go together, before a model is loaded.

    Raises:
        InputError: If there are any.
    """
    _check_numbers(command)
    if (command.max_identity_distance is None) != (command.embedder is None):
        raise InputError(
            "--max-identity-distance needs --embedder to measure it by, and the reverse"
        )
    if not (command.max_identity_distance or 0) <= _MAX_DISTANCE:
        raise InputError(
            f"--max-identity-distance {command.max_identity_distance:g} sets no limit: faces are "
            f"{_MAX_DISTANCE} apart at most, and strangers about 2"
        )
    if command.until is None and command.embedder is not None:
        raise InputError("--max-identity-distance and --embedder go with --until")
    if command.until is not None and command.strength != 1.0:
        raise InputError("--until finds the strength: leave out --strength")
    if command.embedder is not None and not command.embedder.is_file():
        raise InputError(f"--embedder {command.embedder} is not a file")
    if command.protect is not None:
        _check_protection(command)
    if command.layers is not None:
        stems = Counter(path.stem for path in command.images)
        twice = [stem for stem, count in stems.items() if count > 1]
        if twice:
            raise InputError(
                f"--layers would write {twice[0]}.1.flow.png for several images: give them one "
                "at a time"
            )


def _check_numbers(command: "Edit") -> None:
    """Refuse numbers out of their range."""
    if command.until is not None and not 0 <= command.until <= 1:
        raise InputError(f"--until must lie between 0 and 1, not {command.until:g}")
    if command.refine < 0:
        raise InputError(f"--refine must not be negative, not {command.refine}")
    if isinstance(command.face, int) and command.face < 1:
        raise InputError(f"--face counts from 1, not {command.face}")
    if command.strength != 1.0:
        from twobirds.api.rows import require_strength  # PyTorch

        require_strength(command.strength)


def _check_protection(command: "Edit") -> None:
    """Refuse options that do not go with --protect."""
    if command.aligned:
        raise InputError("--protect is for photos: leave out --aligned")
    if any(path.is_dir() or path.suffix.lower() in VIDEO_EXTENSIONS for path in command.images):
        return
    if len(command.images) > 1:
        raise InputError(
            f"--protect is the mask of one photo, and {len(command.images)} are given: edit them "
            "one at a time"
        )
    if command.out is not None and command.out.suffix and not command.out.is_dir():
        from twobirds.photos.encode import require_png

        require_png(command.out.suffix)
