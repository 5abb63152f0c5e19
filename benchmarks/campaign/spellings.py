"""What may be odd about a table; each of these notes in the truth what follows."""

import random
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from campaign.known import NUM_ROWS, UNKNOWN, Truth, picture_of

UNKNOWN_CELLS = ("", "nan", "NaN", "NA", "None", "null", "unknown", "?", "N/A", " ")
"""Ways to write that a value is not known."""
_PERSON = ("person", "identity", "subject_id")
ROOT = "/ROOT"
"""Stands for the source's folder in a list, until that is known."""


@dataclass
class Table:
    """A table before it is written."""

    pictures: dict[str, bytes]
    """Contents by path."""
    names: list[str]
    """What the list calls the picture of each row."""
    columns: list[tuple[str, list[str]]]
    """Header and cells of the others."""
    bare: list[str]
    """Paths of the rows' pictures."""
    repeated: list[int] = field(default_factory=list)
    """Rows that are listed again, after all others."""


Change = Callable[[Table, Truth, random.Random], None]


def _respell(change: Callable[[str], str], table: Table, _: Truth, rng: random.Random) -> None:
    """Some names in another spelling."""
    table.names = [
        change(name) if rng.random() < 0.7 and not name.startswith(ROOT) else name
        for name in table.names
    ]


def _mix_codings(table: Table, truth: Truth, rng: random.Random) -> None:
    """A column of which half says -1/1 and half 0/1."""
    place, name = rng.choice([(i, n) for i, (n, _) in enumerate(table.columns)
                              if n in truth.attributes])  # fmt: skip
    values = truth.attributes[name]
    no = [row for row in range(NUM_ROWS) if not values[row]]
    cells = ["1"] * NUM_ROWS
    for number, row in enumerate(no):
        cells[row] = ("0", "-1")[number % 2]
    table.columns[place] = (name, cells + ["1"] * (len(table.names) - NUM_ROWS))
    truth.refusal = "a column with -1 and 0 for no"


def _forget_labels(table: Table, truth: Truth, rng: random.Random) -> None:
    """A few labels that are not known."""
    place = rng.choice([i for i, (n, _) in enumerate(table.columns) if n in truth.attributes])
    for row in rng.sample(range(NUM_ROWS), rng.choice((1, 3))):
        table.columns[place][1][row] = rng.choice(UNKNOWN_CELLS)
        truth.bad_rows.add(row)


def _add_columns(table: Table, _: Truth, rng: random.Random) -> None:
    """Columns that are no attributes."""
    count = len(table.names)
    table.columns += [
        (rng.choice(("", "Unnamed: 0")), [str(row) for row in range(count)]),
        ("score", [f"{rng.random():.4f}" for _ in range(count)]),
        ("source", ["web"] * count),
        ("when", [f"2024-01-{row % 28 + 1:02}" for row in range(count)]),
    ]


def _repeat_column(table: Table, truth: Truth, rng: random.Random) -> None:
    """An attribute's column twice, of which the second says the opposite."""
    name, cells = rng.choice([c for c in table.columns if c[0] in truth.attributes])
    table.columns.append((rng.choice((name, f"{name} ")), list(reversed(cells))))
    truth.refusal = "a column that comes twice"


def _add_decoys(table: Table, truth: Truth, rng: random.Random) -> None:
    """Other pictures with the same names in another folder, or with another ending."""
    named_in_full = table.names[0] in table.bare
    if rng.random() < 0.5:
        for row, path in enumerate(table.bare):
            name = path.rpartition("/")[2]
            table.pictures[f"depth/{name}"] = picture_of(row, rng, is_decoy=True)
        if "/" in table.bare[0] and not named_in_full:
            truth.refusal = "names that fit two pictures"
    else:
        for row, path in enumerate(table.bare):
            decoy = path.removesuffix(".png") + ".bmp"
            table.pictures[decoy] = picture_of(row, rng, is_decoy=True)
    truth.is_ambiguous = True  # unless every name is spelled as its file
    table.pictures[".hidden.png"] = b"no picture"
    table.pictures["__MACOSX/._face0.png"] = b"no picture"


def _name_twice(table: Table, truth: Truth, rng: random.Random) -> None:
    """A picture listed again in another spelling; the first row alone may count."""
    row = rng.randrange(NUM_ROWS)
    table.names.append(rng.choice(("./", ".//")) + table.names[row])
    table.columns = [(n, [*cells, cells[row]]) for n, cells in table.columns]
    table.repeated.append(row)
    truth.needs_skip_bad = True


def _mix_forms(table: Table, truth: Truth, rng: random.Random) -> None:
    """Names of people and of columns, composed in some rows and decomposed in others."""
    forms: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
    columns = []
    for name, cells in table.columns:
        mixed = [unicodedata.normalize(rng.choice(forms), cell) for cell in cells]
        title = unicodedata.normalize(rng.choice(forms), name)
        columns.append((title, cells if name in truth.attributes else mixed))
    table.columns = columns


def _name_in_full(table: Table, truth: Truth, rng: random.Random) -> None:
    """Absolute paths in some rows."""
    bases = {path.rpartition("/")[2]: path for path in table.bare}
    table.names = [
        f"{ROOT}/{bases[base]}" if (base := name.rpartition("/")[2]) in bases else name
        for name in table.names
    ]


def _one_person(table: Table, truth: Truth, rng: random.Random) -> None:
    """Everybody unknown but one person."""
    if truth.people is None:
        return
    truth.people = [0 if p < 3 and p != UNKNOWN else UNKNOWN for p in truth.people]
    place = next(i for i, (name, _) in enumerate(table.columns) if name.lower() in _PERSON)
    cells = ["" if p == UNKNOWN else "Ann" for p in truth.people]
    again = [cells[row] for row in table.repeated]
    table.columns[place] = (table.columns[place][0], cells + again)


def _delimiters_in_names(table: Table, truth: Truth, rng: random.Random) -> None:
    """Attributes whose names hold what some dialects delimit cells with."""
    name = rng.choice(list(truth.attributes))
    new = name + rng.choice((", broad, wide, open", "; or not", " (1/2)"))
    truth.attributes = {new if n == name else n: v for n, v in truth.attributes.items()}
    table.columns = [
        (new + n[len(n.rstrip()) :] if _composed(n) == name else n, cells)
        for n, cells in table.columns
    ]


def _composed(name: str) -> str:
    """A column's name without what makes no other column of it."""
    return unicodedata.normalize("NFC", name).strip()


CHANGES: tuple[Change, ...] = (
    _mix_forms,
    _name_in_full,
    _one_person,
    _delimiters_in_names,
    partial(_respell, lambda name: f"./{name}"),
    partial(_respell, lambda name: name.replace("/", "\\")),
    partial(_respell, lambda name: unicodedata.normalize("NFD", name)),
    partial(_respell, lambda name: name.replace(".png", ".PNG")),
    partial(_respell, lambda name: name.replace(".png", ".jpg")),
    partial(_respell, lambda name: name.removesuffix(".png")),
    _mix_codings,
    _forget_labels,
    _add_columns,
    _repeat_column,
    _add_decoys,
    _name_twice,
)
