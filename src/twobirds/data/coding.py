"""Which columns are attributes, and which of their values mean yes."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from twobirds.data.columns import Column, is_missing, plain_number
from twobirds.data.problems import shorten
from twobirds.errors import InputError

_WORD_PAIRS = (
    ("0", "1"), ("-1", "1"), ("false", "true"), ("no", "yes"), ("f", "t"), ("n", "y"),
    ("off", "on"), ("absent", "present"), ("without", "with"),
)  # fmt: skip
"""Values that are understood as (no, yes) even where others occur, or only one of them."""
_MIN_SHARE = 0.5
"""Part of the cells that must have one of two values for the column to be an attribute."""
_MAX_SLIPS = 0.1
"""Part of the cells above which a value that the coding does not have is no slip of the pen."""


_NEGATION = re.compile(r"(no|not|non|without|never)\b")
"""How a word begins that means no beside another: no beard, without glasses."""


@dataclass(frozen=True)
class Coding:
    """What the values of an attribute's column mean."""

    no: str
    yes: str

    def label(self) -> str:
        """As it is printed: `0/1` is no/yes."""
        return f"{self.no}/{self.yes}"


@dataclass(frozen=True)
class Coded:
    """A column that is an attribute."""

    coding: Coding
    values: np.ndarray
    """`[N]` int8: 0, 1, or -1 where the cell is neither of the coding's values."""


def encode_column(name: str, column: Column, *, where: str, required: bool = False) -> Coded | str:
    """Tell whether a column is an attribute, and turn its cells into 0 and 1.

    Args:
        name: Of the column.
        column: Its N cells.
        where: File of the column, for messages.
        required: The layout says that the column is an attribute (CelebA's list).

    Returns:
        The attribute, or in words why the column is none.

    Raises:
        InputError: If the cells can be understood in two ways.
    """
    meanings = [_meaning(value) for value in column.values]
    counts: dict[str, int] = {}
    for meaning, count in zip(meanings, column.counts().tolist(), strict=True):
        if count:
            counts[meaning] = counts.get(meaning, 0) + count
    num_missing = counts.pop("", 0)
    if not required and num_missing >= _MIN_SHARE * len(column):
        return (
            f"empty or unknown in {num_missing:,} of {len(column):,} rows, which could mean no "
            "or not known"
        )
    coding = _choose_coding(counts, required=required)
    if isinstance(coding, str):
        return coding
    _require_clear(name, counts, where)
    places = [{coding.no: 0, coding.yes: 1}.get(meaning, -1) for meaning in meanings]
    return Coded(coding, np.array(places, np.int8)[column.codes])


def _meaning(value: str) -> str:
    """A value as it is compared: lower case, `1.0` as `1`, empty where missing."""
    return "" if is_missing(value) else plain_number(value.strip()).lower()


def _choose_coding(counts: Mapping[str, int], *, required: bool) -> Coding | str:
    """The two values of an attribute, or why it is none; `counts` are those of known cells."""
    if _are_two_numbers(counts):
        return Coding(*sorted(counts, key=float))
    total = max(sum(counts.values()), 1)
    shares = {pair: sum(counts.get(word, 0) for word in pair) / total for pair in _WORD_PAIRS}
    best = max(_WORD_PAIRS, key=lambda pair: shares[pair])
    if shares[best] > _MIN_SHARE or required:
        return Coding(*best)
    if len(counts) == 2 and not shares[best]:
        return Coding(*sorted(counts, key=lambda word: (not _NEGATION.match(word), word)))
    if len(counts) == 1:
        return f"it has a single value, {shorten(next(iter(counts)))}"
    examples = ", ".join(shorten(value, 20) for value in list(counts)[:3])
    return f"it has {len(counts):,} values ({examples}, …), and an attribute has two"


def _are_two_numbers(counts: Mapping[str, int]) -> bool:
    """Whether two numbers, such as 1 and 2, occur so often that neither is a slip."""
    if len(counts) != 2 or set(counts) == {"-1", "0"}:
        return False
    try:
        are_finite = all(math.isfinite(float(value)) for value in counts)
    except ValueError:
        return False
    return are_finite and min(counts.values()) >= _MAX_SLIPS * sum(counts.values())


def _require_clear(name: str, counts: Mapping[str, int], where: str) -> None:
    """Refuse a column in which -1 and 0 both occur often: either could mean no."""
    total = sum(counts.values())
    if min(counts.get("-1", 0), counts.get("0", 0)) > max(_MAX_SLIPS * total, 2):
        raise InputError(
            f"{where}: column {shorten(name)} has -1 in {counts['-1']:,} rows and 0 in "
            f"{counts['0']:,}: either could mean no. Write the same value for no everywhere, and "
            "leave unknown cells empty"
        )
