"""Tables of which the right pack is known, in the spellings that their users have."""

import csv
import io
import random
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from campaign.known import (
    NUM_ROWS,
    UNKNOWN,
    Truth,
    make_truth,
    pack_and_compare,
    picture_of,
)
from campaign.observe import Action
from campaign.spellings import CHANGES, ROOT, UNKNOWN_CELLS, Table

_CODINGS = (
    ("0", "1"), ("-1", "1"), ("0.0", "1.0"), ("-1.0", "1.0"), ("False", "True"), ("FALSE", "TRUE"),
    ("no", "yes"), ("No", "YES"), ("n", "y"), ("1", "2"), ("absent", "present"), ("off", "on"),
    ("no hat", "hat"), ("without", "with"),
)  # fmt: skip
_PEOPLE: tuple[Callable[[int], str], ...] = (
    str,
    lambda number: f"{number}.0",
    lambda number: f"person {number}",
    lambda number: ("José", "Ann", "Zoë", "Ben", "Åke", "Eva", "Ida")[number],
)
_SPLITS = (("train", "valid", "test"), ("Train", "Val", "TEST"), ("0", "1", "2"))


def known_csv(rng: random.Random, folder: Path) -> Action:
    """A CSV with images, as a folder or as a zip."""
    truth = make_truth(rng)
    table = _table(truth, rng)
    for change in rng.sample(CHANGES, rng.choice((0, 1, 2, 3))):
        change(table, truth, rng)
    _shuffle(table, rng)
    table.columns.insert(rng.randrange(len(table.columns)), ("image", table.names))
    in_zip = rng.random() < 0.3
    if in_zip and any(name.startswith(ROOT) for name in table.names):
        truth.needs_skip_bad = truth.is_ambiguous = True  # paths in no folder
    content = _csv(table, rng).replace(ROOT.encode(), str(folder).encode())
    if in_zip:
        path = folder / "faces.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in table.pictures.items():
                archive.writestr(name, data)
            archive.writestr("faces.csv", content)
        return pack_and_compare(path, truth, rng)
    _write(folder, table.pictures | {"faces.csv": content})
    return pack_and_compare(rng.choice((folder, folder / "faces.csv")), truth, rng)


def known_celeba(rng: random.Random, folder: Path) -> Action:
    """CelebA's three lists, in orders, line ends and endings of their own."""
    truth = make_truth(rng)
    names = [f"{row:06}.png" for row in range(NUM_ROWS)]
    files = {f"img_align_celeba/{n}": picture_of(row, rng) for row, n in enumerate(names)}
    if truth.splits is not None and rng.random() < 0.5:
        truth.splits = None
    no = rng.choice(("-1", "0"))
    header = [name.replace(" ", "_") for name in truth.attributes]
    truth.attributes = dict(zip(header, truth.attributes.values(), strict=True))
    values = truth.attributes.values()
    rows = [[n, *("1" if v[row] else no for v in values)] for row, n in enumerate(names)]
    rng.shuffle(rows)
    lists = {"list_attr_celeba": [[str(NUM_ROWS)], header, *rows]}
    if truth.people is not None:
        lists["identity_CelebA"] = [[n, str(p)] for n, p in zip(names, truth.people, strict=True)]
    if truth.splits is not None:
        pairs = zip(names, truth.splits, strict=True)
        lists["list_eval_partition"] = [[n, str(split)] for n, split in pairs]
    for name, lines in lists.items():
        if name != "list_attr_celeba":
            rng.shuffle(lines)
        ending, content = _celeba_list(name, lines, rng)
        files[f"{name}.{ending}"] = content
    _write(folder, files)
    return pack_and_compare(folder, truth, rng)


def _celeba_list(name: str, lines: list[list[str]], rng: random.Random) -> tuple[str, bytes]:
    """Ending and content of a list, as the official text or as a CSV."""
    is_csv = rng.random() < 0.4
    if is_csv and name == "list_attr_celeba":
        lines = [["image_id", *lines[1]], *lines[2:]]
    elif is_csv:
        lines = [["image_id", "identity" if "identity" in name else "partition"], *lines]
    if rng.random() < 0.4:
        lines = [[cell.replace(".png", ".jpg") for cell in line] for line in lines]
    between = ", " if is_csv else "  "
    text = rng.choice(("\n", "\r\n")).join(between.join(line) for line in lines)
    return "csv" if is_csv else "txt", (text + "\n").encode()


def known_parquet(rng: random.Random, folder: Path) -> Action:
    """Images embedded in one Parquet file or two, with labels of several types."""
    truth = make_truth(rng)
    truth.splits = None
    order = list(range(NUM_ROWS))
    rng.shuffle(order)
    is_struct = rng.random() < 0.6
    pictures: list[object] = [picture_of(row, rng) for row in order]
    if is_struct:
        pictures = [{"bytes": p, "path": rng.choice((None, f"{r}.png"))}
                    for r, p in zip(order, pictures, strict=True)]  # fmt: skip
    columns = {"image": pa.array(pictures)}
    for name, values in truth.attributes.items():
        columns[name] = _typed([values[row] for row in order], rng)
    if truth.people is not None:
        people = [None if truth.people[row] == UNKNOWN else truth.people[row] for row in order]
        columns["celeb_id"] = pa.array(people, rng.choice((pa.int64(), pa.float64())))
    columns["score"] = pa.array([rng.random() for _ in order])
    table = pa.table({n: columns[n] for n in rng.sample(list(columns), len(columns))})
    cut = rng.choice((NUM_ROWS, 9))
    for number, part in enumerate((table[:cut], table[cut:])):
        if len(part):
            pa.parquet.write_table(part, folder / f"part-{number}.parquet", row_group_size=5)
    return pack_and_compare(folder, truth, rng)


def _typed(values: list[bool], rng: random.Random) -> pa.Array:
    """Labels in a type that a column of Parquet may have."""
    kind = rng.randrange(6)
    if kind == 0:
        return pa.array(values)
    if kind == 1:
        return pa.array([int(value) for value in values], pa.int8())
    if kind == 2:
        return pa.array([1.0 if value else -1.0 for value in values])
    no, yes = rng.choice(_CODINGS)
    words = pa.array([yes if value else no for value in values])
    return words.dictionary_encode() if kind == 3 else words


def _table(truth: Truth, rng: random.Random) -> Table:
    stem = rng.choice(("face", "gesicht ä ", "José-", "a.b"))
    stem = unicodedata.normalize("NFC", stem)
    below = rng.choice(("", "images/", "data/images/"))
    bare = [f"{below}{stem}{row}.png" for row in range(NUM_ROWS)]
    pictures = {path: picture_of(row, rng) for row, path in enumerate(bare)}
    columns = []
    for name, values in truth.attributes.items():
        no, yes = rng.choice(_CODINGS)
        columns.append((name, [yes if value else no for value in values]))
    if truth.people is not None:
        spell = rng.choice(_PEOPLE)
        cells = [rng.choice(UNKNOWN_CELLS) if p == UNKNOWN else spell(p) for p in truth.people]
        columns.append((rng.choice(("person", "identity", "Subject_ID")), cells))
    if truth.splits is not None:
        words = rng.choice(_SPLITS)
        columns.append((rng.choice(("split", "Partition")), [words[s] for s in truth.splits]))
    names = bare if rng.random() < 0.5 else [path.removeprefix(below) for path in bare]
    return Table(pictures, list(names), columns, bare)


def _shuffle(table: Table, rng: random.Random) -> None:
    """Rows, columns and files in any order."""
    order = list(range(len(table.names)))
    rng.shuffle(order)
    table.names = [table.names[row] for row in order]
    table.columns = [(name, [cells[row] for row in order]) for name, cells in table.columns]
    rng.shuffle(table.columns)
    paths = list(table.pictures)
    rng.shuffle(paths)
    table.pictures = {path: table.pictures[path] for path in paths}


def _csv(table: Table, rng: random.Random) -> bytes:
    """The table as one of the dialects that programs write."""
    text = io.StringIO()
    end = rng.choice(("\n", "\r\n", "\r"))
    dialect = rng.choice(("excel", "unix"))  # of which the second quotes all cells
    writer = csv.writer(text, delimiter=rng.choice(",,;\t"), lineterminator=end, dialect=dialect)
    writer.writerow([name for name, _ in table.columns])
    writer.writerows(zip(*(cells for _, cells in table.columns), strict=True))
    content = text.getvalue() + rng.choice(("", end, end * 3))
    return content.encode(rng.choice(("utf-8", "utf-8-sig")))


def _write(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


KNOWN_TABLES = {
    "known csv": known_csv,
    "known celeba": known_celeba,
    "known parquet": known_parquet,
}
