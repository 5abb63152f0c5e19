"""How a run fails: what happened and which checkpoint is left, in a sentence."""

import contextlib
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch

from twobirds.checkpoint import PREVIOUS_CHECKPOINT_FILE
from twobirds.errors import (
    DeviceError,
    DivergenceError,
    InputError,
    lacks_memory,
    too_little_memory,
)


def require_finite(means: Mapping[str, float], images_seen: int) -> None:
    """Check losses.

    Args:
        means: By their names.
        images_seen: How far the run is.

    Raises:
        FloatingPointError: If one is not finite.
    """
    bad = [name for name, value in means.items() if not math.isfinite(value)]
    if bad:
        raise FloatingPointError(
            f"training diverged before {images_seen:,} images: {', '.join(bad)} not finite"
        )


@contextlib.contextmanager
def explained_failures(checkpoint: Path) -> Iterator[None]:
    """Turn what can end a training into a sentence that says what is left of it.

    Args:
        checkpoint: Of the run.

    Raises:
        DivergenceError: In place of FloatingPointError.
        DeviceError: If the device failed, or has too little memory.
        InputError: In place of OSError, such as a full disk, or if this machine has too little
            memory.
    """
    try:
        yield
    except FloatingPointError as error:
        left, way = _what_is_left(checkpoint), _way_out(checkpoint)
        raise DivergenceError(f"{error}; {left}: {way}") from error
    except (torch.AcceleratorError, torch.OutOfMemoryError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DeviceError(f"the device failed: {reason}; {_what_is_left(checkpoint)}") from error
    except OSError as error:
        place, reason = error.filename or checkpoint.parent, error.strerror or str(error)
        raise InputError(f"{place}: {reason}; {_what_is_left(checkpoint)}") from error
    except Exception as error:
        if not lacks_memory(error):
            raise
        raise InputError(f"{too_little_memory(error)}; {_what_is_left(checkpoint)}") from error


def _what_is_left(checkpoint: Path) -> str:
    if checkpoint.exists():
        return f"the last good checkpoint stays in {checkpoint.parent}"
    return "no checkpoint had been saved yet"


def _way_out(checkpoint: Path) -> str:
    """What can be done about a training that left the finite numbers."""
    way = "start a new run with a lower learning rate"
    if checkpoint.exists():
        way += f" and --start-from {checkpoint.parent}"
    if checkpoint.with_name(PREVIOUS_CHECKPOINT_FILE).exists():
        way += ", or give --rollback to go on from the checkpoint before it"
    return way
