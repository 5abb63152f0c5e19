"""Carries a training run from one machine to another in pieces of a few MiB.

Usage: `python benchmarks/carry_run.py write RUN PIECES`, and there `python benchmarks/carry_run.py
restore PIECES RUN`; then `twobirds train ... --resume` goes on. Weights and their averages are
rounded to float16 (by 0.05 % at most), Adam's moments to bfloat16. The pieces of the weights
suffice: without moments Adam finds its step sizes anew.
"""

import hashlib
import io
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import tyro
from torch import Tensor

from twobirds.atomic import new_folder, write_atomically
from twobirds.checkpoint import CHECKPOINT_FILE
from twobirds.errors import InputError
from twobirds.states import load_state, save_state
from twobirds.training.logging import METRICS_FILE
from twobirds.training.warm_start import AVERAGE_SUFFIX

MIB = 1 << 20
WEIGHTS, MOMENTS = "weights", "moments"
"""How the names of the pieces begin."""
_DIGITS = 16  # of the hash in these names
_LOG, _OF = "metrics_log", "of_weights"  # entries of what is carried
_MEAN, _SQUARE = "exp_avg", "exp_avg_sq"  # Adam's moments


@dataclass(frozen=True)
class Write:
    """Write a run's checkpoint and log as pieces."""

    run_folder: tyro.conf.Positional[Path]
    """The run."""
    out: tyro.conf.Positional[Path]
    """Folder to make, of weights-1-of-N.HASH, moments-1-of-N.HASH and so on."""
    piece_mib: float = 12.5
    """Largest size of a piece."""

    def run(self) -> int:
        """Write the pieces; returns the exit code."""
        if not self.piece_mib > 0:
            raise InputError(f"--piece-mib must be positive, not {self.piece_mib}")
        state = load_state(self.run_folder / CHECKPOINT_FILE)
        log = self.run_folder / METRICS_FILE
        state[_LOG] = log.read_text(encoding="utf-8") if log.exists() else ""
        weights = _dump(shrink(state))
        moments = _dump({_OF: _digest(weights), "optimizers": shrink_moments(state["optimizers"])})
        with new_folder(self.out) as temporary:
            for name, content in ((WEIGHTS, weights), (MOMENTS, moments)):
                count = split(content, temporary / name, round(self.piece_mib * MIB))
                print(f"{name}: {len(content) / MIB:.1f} MiB in {count} pieces")
        return 0


@dataclass(frozen=True)
class Restore:
    """Make a run of its pieces."""

    pieces: tyro.conf.Positional[Path]
    """Folder with all pieces of the weights, and all of the moments or none."""
    run_folder: tyro.conf.Positional[Path]
    """The run to make; one that lies there already is not touched."""

    def run(self) -> int:
        """Make the run; returns the exit code."""
        checkpoint = self.run_folder / CHECKPOINT_FILE
        if checkpoint.exists():
            raise InputError(f"{self.run_folder} already holds a run: choose another folder")
        content = join(self.pieces / WEIGHTS)
        if content is None:
            raise InputError(f"{self.pieces}: has no pieces of weights (weights-1-of-N.HASH ...)")
        state = _load(content, self.pieces)
        if (found := join(self.pieces / MOMENTS)) is not None:
            moments = _load(found, self.pieces)
            if moments[_OF] != _digest(content):
                raise InputError(f"{self.pieces}: the moments are of other weights: remove them")
            state["optimizers"] = moments["optimizers"]
        state, log = enlarge(state), state[_LOG].encode()
        write_atomically(self.run_folder / METRICS_FILE, lambda file: file.write(log))
        save_state(checkpoint, {key: value for key, value in state.items() if key != _LOG})
        how = "with" if found is not None else "without"
        print(f"{self.run_folder}: iteration {state['iteration']:,}, {how} Adam's moments")
        return 0


def shrink(state: Mapping[str, Any]) -> dict[str, Any]:
    """A checkpoint's content, weights as float16 and without Adam's moments.

    An average of a weight that never learns is the weight, and stored once.
    """
    networks: dict[str, dict[str, Tensor]] = {}
    for name, weights in sorted(state["networks"].items(), key=lambda pair: _is_average(pair[0])):
        trained = state["networks"].get(name.removesuffix(AVERAGE_SUFFIX), {})
        networks[name] = {}
        for key, value in weights.items():
            if _is_average(name) and key in trained and torch.equal(value, trained[key]):
                networks[name][key] = networks[name.removesuffix(AVERAGE_SUFFIX)][key]
            else:
                networks[name][key] = _rounded(value, torch.float16)
    ordered = {name: networks[name] for name in state["networks"]}
    bare = {name: {**o, "state": {}} for name, o in state["optimizers"].items()}
    return {**state, "networks": ordered, "optimizers": bare}


def shrink_moments(optimizers: Mapping[str, Any]) -> dict[str, Any]:
    """The optimizers' states, moments as bfloat16, which has float32's range.

    With a first beta of 0 Adam's first moment is the last gradient, which no step looks at again:
    it is left out.
    """
    shrunk = {}
    for name, optimizer in optimizers.items():
        unused = {n for g in optimizer["param_groups"] if g["betas"][0] == 0 for n in g["params"]}
        states = {
            number: {
                key: value if key == "step" else _rounded(value, torch.bfloat16)
                for key, value in values.items()
                if not (key == _MEAN and number in unused)
            }
            for number, values in optimizer["state"].items()
        }
        shrunk[name] = {**optimizer, "state": states}
    return shrunk


def enlarge(state: Mapping[str, Any]) -> dict[str, Any]:
    """A checkpoint's content as training expects it."""
    networks = {
        name: {key: _full(value) for key, value in weights.items()}
        for name, weights in state["networks"].items()
    }
    optimizers = {}
    for name, optimizer in state["optimizers"].items():
        states = {
            number: {key: _full(value) for key, value in values.items()}
            for number, values in optimizer["state"].items()
        }
        for values in states.values():
            values.setdefault(_MEAN, torch.zeros_like(values[_SQUARE]))
        optimizers[name] = {**optimizer, "state": states}
    return {**state, "networks": networks, "optimizers": optimizers}


def _is_average(name: str) -> bool:
    return name.endswith(AVERAGE_SUFFIX)


def _rounded(value: Tensor, dtype: torch.dtype) -> Tensor:
    """A float32 tensor in 16 bits, or as it is where a number would overflow."""
    if value.dtype != torch.float32:
        return value
    rounded = value.to(dtype)
    return rounded if bool(torch.isfinite(rounded).all()) else value


def _full(value: Tensor) -> Tensor:
    return value.float() if value.dtype in (torch.float16, torch.bfloat16) else value


def _dump(state: Mapping[str, Any]) -> bytes:
    content = io.BytesIO()
    torch.save(dict(state), content)
    return content.getvalue()


def _load(content: bytes, folder: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = torch.load(io.BytesIO(content), weights_only=True)
    except Exception as error:  # torch raises many kinds on damaged files
        raise InputError(f"{folder}: the pieces hold no run: {error}") from error
    return state


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGITS]


def split(content: bytes, stem: Path, piece_bytes: int) -> int:
    """Write bytes as files STEM-1-of-N.HASH and so on; the hash is that of the whole.

    Returns:
        The number of pieces.
    """
    starts, digest = range(0, len(content), piece_bytes), _digest(content)
    for number, start in enumerate(starts, 1):
        path = stem.with_name(f"{stem.name}-{number}-of-{len(starts)}.{digest}")
        path.write_bytes(content[start : start + piece_bytes])
    return len(starts)


def join(stem: Path) -> bytes | None:
    """The bytes that `split` wrote; None if there are no such pieces.

    Raises:
        InputError: If a piece is missing, damaged, or of another whole.
    """
    folder, pattern = stem.parent, re.compile(rf"{stem.name}-(\d+)-of-(\d+)\.([0-9a-f]+)")
    files = folder.iterdir() if folder.is_dir() else ()
    found = {match: path for path in files if (match := pattern.fullmatch(path.name))}
    if not found:
        return None
    kinds = {match.group(2, 3) for match in found}
    if len(kinds) > 1:
        raise InputError(f"{folder}: has {stem.name} of different runs: leave those of one there")
    count, digest = kinds.pop()
    by_number = {int(match.group(1)): path for match, path in found.items()}
    missing = [str(n) for n in range(1, int(count) + 1) if n not in by_number]
    if missing:
        raise InputError(f"{folder}: piece {', '.join(missing)} of {stem.name} is missing")
    content = b"".join(by_number[n].read_bytes() for n in sorted(by_number))
    if _digest(content) != digest:
        raise InputError(f"{folder}: a piece of {stem.name} is damaged: carry them again")
    return content


Command = (
    Annotated[Write, tyro.conf.subcommand("write")]
    | Annotated[Restore, tyro.conf.subcommand("restore")]
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    command: Write | Restore = tyro.cli(Command, args=arguments)
    try:
        return command.run()
    except InputError as error:
        print(f"carry_run: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
