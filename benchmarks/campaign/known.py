"""Sources of which the right pack is known: each picture shows its row by its colour."""

import io
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from campaign.observe import Action, WrongResultError
from twobirds.data.engine import Engine
from twobirds.data.pack import Pack, open_pack
from twobirds.data.packing import pack_source
from twobirds.errors import InputError

NUM_ROWS = 24
UNKNOWN = -1
_STEPS, _STEP = 6, 45  # levels of red and of green, and how far apart they are
_DECOY = 200  # of blue, where pictures of rows have 100


@dataclass
class Truth:
    """What the rows of a source say, however they are spelled."""

    attributes: dict[str, list[bool]]
    """A value for each row, by the attribute's name."""
    people: list[int] | None
    """Who is shown, `UNKNOWN` where it is not said; None without such a column."""
    splits: list[int] | None
    """0 train, 1 valid, 2 test; None without such a column."""
    bad_rows: set[int] = field(default_factory=set)
    """Rows that may be left out with `--skip-bad` only."""
    refusal: str = ""
    """Why the whole source must be refused; empty if it must not."""
    is_ambiguous: bool = False
    """Whether a refusal, or some rows less, are right, too."""
    needs_skip_bad: bool = False
    """Whether there are rows at fault beside those that the truth counts."""


def make_truth(rng: random.Random) -> Truth:
    """A few attributes of which each has both values often, and perhaps people and splits."""
    names = rng.sample(("Smiling", "Male", "Hat", "Big Nose", "Größe", "5_o_Clock"), 3)
    people = None
    if rng.random() < 0.6:
        people = [rng.randrange(7) for _ in range(NUM_ROWS)]
        for row in rng.sample(range(NUM_ROWS), rng.choice((0, 1, 5))):
            people[row] = UNKNOWN
    splits = None
    if rng.random() < 0.5:
        splits = [rng.choice((0, 0, 0, 1, 2)) for _ in range(NUM_ROWS)]
        splits[:3] = [0, 1, 2]
        if people is not None and rng.random() < 0.5:  # a split that keeps people apart
            splits = [0 if p == UNKNOWN else (0, 0, 0, 0, 0, 1, 2)[p] for p in people]
    return Truth({name: _bits(rng) for name in names}, people, splits)


def _bits(rng: random.Random) -> list[bool]:
    bits = [row % 3 == 0 for row in range(NUM_ROWS // 2)] + [
        rng.random() < 0.5 for _ in range(NUM_ROWS - NUM_ROWS // 2)
    ]
    rng.shuffle(bits)
    return bits


def picture_of(row: int, rng: random.Random, *, is_decoy: bool = False) -> bytes:
    """A PNG of one colour, which is the row's."""
    color = (row % _STEPS * _STEP, row // _STEPS * _STEP, _DECOY if is_decoy else _DECOY // 2)
    buffer = io.BytesIO()
    side = rng.choice((8, 16, 21))
    Image.new("RGB", (side, side), color).save(buffer, format="PNG")
    return buffer.getvalue()


def pack_and_compare(source: Path, truth: Truth, rng: random.Random) -> Action:
    """Pack a source; the pack must say what the truth says, or the source be refused rightly."""
    skip_bad = rng.random() < 0.5

    def act() -> str:
        is_at_fault = truth.bad_rows or truth.needs_skip_bad
        must_refuse = truth.refusal or (is_at_fault and not skip_bad and "rows at fault")
        try:
            pack_source(source, "pack", size=16, skip_bad=skip_bad, engine=Engine(workers=1))
        except InputError as error:
            if must_refuse or truth.is_ambiguous:
                raise
            raise WrongResultError(f"a sound source was refused: {str(error)[:300]}") from error
        if must_refuse:
            raise WrongResultError(f"a pack was made of {must_refuse}")
        _compare(open_pack("pack", verify=True), truth)
        return "done"

    return act


def _compare(pack: Pack, truth: Truth) -> None:
    """Compare a pack with what is known.

    Raises:
        WrongResultError: If a picture, label, person or split is another's.
    """
    rows = [_row_shown(image) for image in pack.images]
    expected = [row for row in range(NUM_ROWS) if row not in truth.bad_rows]
    is_part = truth.is_ambiguous and len(set(rows)) == len(rows) and set(rows) <= set(expected)
    if sorted(rows) != expected and not is_part:
        raise WrongResultError(f"pictures of rows {sorted(rows)}, not {expected}")
    if set(pack.attribute_names) != set(truth.attributes):
        raise WrongResultError(f"attributes {pack.attribute_names}, not {list(truth.attributes)}")
    for place, name in enumerate(pack.attribute_names):
        for row, value in zip(rows, pack.attributes[:, place].tolist(), strict=True):
            if value != truth.attributes[name][row]:
                raise WrongResultError(f"{name} of row {row} is {value}")
    people = [UNKNOWN if truth.people is None else truth.people[row] for row in rows]
    _compare_people(pack.identity.tolist(), people)
    _compare_splits(pack.split.tolist(), people, truth, rows)


def _row_shown(image: np.ndarray) -> int:
    """The row whose colour a packed image `[S, S, 3]` uint8 has everywhere."""
    red, green, blue = np.median(image.reshape(-1, 3), axis=0).astype(int).tolist()
    column, line = round(red / _STEP), round(green / _STEP)
    exact = np.array([column * _STEP, line * _STEP, _DECOY // 2])
    if np.abs(image.astype(int) - exact).max() > 1:
        raise WrongResultError(f"a picture of colour {(red, green, blue)}, which no row has")
    return int(column + line * _STEPS)


def _compare_people(found: Sequence[int], people: Sequence[int]) -> None:
    """Two rows must show one person if, and only if, the truth says so."""
    pairs = set(zip(found, people, strict=True))
    if any((one < 0) != (other < 0) for one, other in pairs):
        raise WrongResultError("a known person is unknown, or the reverse")
    if len({one for one, _ in pairs}) < len(pairs) or len({two for _, two in pairs}) < len(pairs):
        raise WrongResultError("two people became one, or one became two")


def _compare_splits(
    found: Sequence[int], people: Sequence[int], truth: Truth, rows: Sequence[int]
) -> None:
    """Nobody is in two splits; the source's own split is kept where it keeps people apart."""
    pairs = {(p, split) for p, split in zip(people, found, strict=True) if p != UNKNOWN}
    if len(pairs) > len({person for person, _ in pairs}):
        raise WrongResultError("one person is in two splits")
    if truth.splits is None:
        return
    wanted = [truth.splits[row] for row in rows]
    known = {(p, split) for p, split in zip(people, wanted, strict=True) if p != UNKNOWN}
    is_apart = len(known) == len({person for person, _ in known})
    if is_apart and {0, 2} <= set(wanted) and list(found) != wanted:
        raise WrongResultError("the source's own split was changed")
