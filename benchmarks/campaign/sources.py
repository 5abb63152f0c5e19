"""Lists, Parquet files and zips that `twobirds pack` is given."""

import csv
import io
import random
import stat
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from PIL import Image

from campaign.damage import damaged
from campaign.observe import Action, WrongResultError
from twobirds.data.engine import Engine
from twobirds.data.pack import open_pack
from twobirds.data.packing import pack_source

Files = dict[str, bytes]
"""Contents by relative path."""

_NUM_FACES = 8
_CELLS = (
    "", " ", "0", "1", "-1", "2", "yes", "no", "TRUE", "nan", "NA", "inf", "1e400", "0x1", "½",
    "١", "\ufeff1", "a" * 5_000, "\0", "\x1b[31m", '"', "'", "=1+1", "../../x.png", "0.png",
    "/etc/passwd", "C:\\0.png", "ä.png", "a\u0308.png", "\u202egnp.0", "-0", "1,0", "1;0", "1\t0",
)  # fmt: skip
_HEADERS = ("image", "file", "path", "Smiling", "Male", "person", "identity", "split", "", "=", "1")


def csv_list(rng: random.Random, folder: Path) -> Action:
    """Images beside a CSV, of which cells, header or bytes are at fault."""
    files = _faces(rng)
    rows = [["image", "Smiling", "Male", "person", "split"]]
    rows += [[n, _bit(rng), _bit(rng), str(i // 2), rng.choice(("train", "test"))]
             for i, n in enumerate(files)]  # fmt: skip
    _spoil(rows, rng)
    text = io.StringIO()
    delimiter, end = rng.choice(",,,;\t"), rng.choice(("\n", "\r\n", "\r"))
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(rows)
    encoding = rng.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1"))
    content = text.getvalue().encode(encoding, errors="replace")
    files["faces.csv"] = damaged(content, rng) if rng.random() < 0.4 else content
    return _pack_folder(files, folder, rng)


def celeba_lists(rng: random.Random, folder: Path) -> Action:
    """A source in CelebA's layout, of which one list is at fault."""
    files = {f"img_align_celeba/{name}": data for name, data in _faces(rng).items()}
    names = [name.rpartition("/")[2] for name in files]
    count = rng.choice((len(names), len(names), -1, 10**30))
    lists = {
        "list_attr_celeba": [[str(count)], ["Smiling", "Male"]]
        + [[n, rng.choice(("1", "-1")), rng.choice(("1", "-1"))] for n in names],
        "identity_CelebA": [[n, str(i // 2)] for i, n in enumerate(names)],
        "list_eval_partition": [[n, str(rng.randrange(3))] for n in names],
    }
    at_fault = rng.choice(list(lists))
    _spoil(lists[at_fault], rng)
    for name, rows in lists.items():
        content = "\n".join(" ".join(row) for row in rows).encode(errors="replace")
        is_damaged = name == at_fault and rng.random() < 0.5
        files[f"{name}.txt"] = damaged(content, rng) if is_damaged else content
    return _pack_folder(files, folder, rng)


def parquet_file(rng: random.Random, folder: Path) -> Action:
    """A Parquet file with odd columns, or a damaged one."""
    faces = _faces(rng)
    images = [{"bytes": data, "path": name} for name, data in faces.items()]
    columns: dict[str, object] = {"image": images, "Smiling": [rng.randrange(2) for _ in faces]}
    for _ in range(rng.randrange(4)):
        columns[rng.choice((*_HEADERS, "mask", "depth"))] = _odd_column(len(faces), rng)
    buffer = io.BytesIO()
    table = pa.table({name: pa.array(values) for name, values in columns.items()})
    pa.parquet.write_table(table, buffer, compression=rng.choice(("snappy", "zstd", "none")))
    content = buffer.getvalue()
    is_damaged = rng.random() < 0.6
    name = rng.choice(("train-0.parquet", "faces.parquet"))
    return _pack_folder({name: damaged(content, rng) if is_damaged else content}, folder, rng)


def zip_file(rng: random.Random, folder: Path) -> Action:
    """A zip with paths that lead out, names twice, links, lies about sizes, or damage."""
    files = _faces(rng)
    rows = ["image,Smiling", *(f"{name},{_bit(rng)}" for name in files)]
    buffer = io.BytesIO()
    with (
        warnings.catch_warnings(),
        zipfile.ZipFile(buffer, "w", rng.choice((0, 8, 12, 14))) as archive,
    ):
        warnings.simplefilter("ignore")  # of names that come twice
        for name, data in files.items():
            archive.writestr(_odd_path(name, rng), data)
        archive.writestr("faces.csv", "\n".join(rows))
        _add_odd_member(archive, rng)
    content = buffer.getvalue()
    if rng.random() < 0.5:
        content = damaged(content, rng)
    path = folder / "faces.zip"
    path.write_bytes(content)
    return _pack(path, rng)


def _add_odd_member(archive: zipfile.ZipFile, rng: random.Random) -> None:
    """Add what a malicious archive may hold."""
    info = zipfile.ZipInfo(rng.choice(("../../escaped.png", "/escaped.png", "0.png", "x" * 3_000)))
    match rng.randrange(6):
        case 0:
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, "/etc/passwd")
        case 1:
            archive.writestr("bomb.png", b"\0" * 20_000_000, compress_type=8)
        case 2:
            archive.writestr(info, b"")
        case 3:
            for number in range(2_000):
                archive.writestr(f"n/{number}.png", b"")


def _odd_path(name: str, rng: random.Random) -> str:
    if rng.random() < 0.8:
        return name
    return rng.choice(("../", "../../../../../tmp/", "/", "a\\..\\..\\", "./", "a//", "a\0")) + name


def _faces(rng: random.Random) -> Files:
    """A few small pictures; some are damaged."""
    files = {}
    for number in range(_NUM_FACES):
        side = rng.choice((8, 16, 40))
        values = np.random.default_rng(rng.getrandbits(32)).integers(0, 256, (side, side, 3))
        buffer = io.BytesIO()
        Image.fromarray(values.astype(np.uint8)).save(buffer, format="PNG")
        data = buffer.getvalue()
        files[f"{number}.png"] = damaged(data, rng) if rng.random() < 0.03 else data
    return files


def _bit(rng: random.Random) -> str:
    return str(rng.randrange(2))


def _spoil(rows: list[list[str]], rng: random.Random) -> None:
    """Put wrong cells, rows and headers into a table."""
    for _ in range(rng.choice((0, 1, 2, 10))):
        row = rng.choice(rows)
        match rng.randrange(6):
            case 0 | 1:
                row[rng.randrange(len(row))] = rng.choice(_CELLS)
            case 2:
                rows[0][rng.randrange(len(rows[0]))] = rng.choice(_HEADERS)
            case 3:
                row.append(rng.choice(_CELLS))
            case 4:
                rows.append(list(row))
            case _ if len(row) > 1:
                row.pop()


def _odd_column(count: int, rng: random.Random) -> list[object]:
    """Cells of a type at random."""
    make: Callable[[], object] = rng.choice((
        lambda: rng.choice((None, 0, 1)),
        lambda: rng.choice((None, "yes", "no")),
        lambda: rng.random() * 10 ** rng.randrange(-300, 300),
        lambda: rng.randbytes(20),
        lambda: {"bytes": rng.randbytes(20), "path": "../x.png"},
        lambda: [1, 2, 3],
        lambda: rng.getrandbits(63),
        lambda: None,
        lambda: "\0" * 3,
    ))  # fmt: skip
    return [make() for _ in range(count)]


def _pack_folder(files: Files, folder: Path, rng: random.Random) -> Action:
    """Write the files, and pack them."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return _pack(folder, rng)


def _pack(source: Path, rng: random.Random) -> Action:
    skip_bad = rng.random() < 0.5

    def act() -> str:
        pack_source(source, "pack", size=16, skip_bad=skip_bad, engine=Engine(workers=1))
        pack = open_pack("pack", verify=True)
        if not 1 <= len(pack) <= _NUM_FACES:
            raise WrongResultError(f"{len(pack)} faces of {_NUM_FACES}")
        return "done"

    return act


SOURCES = {
    "csv": csv_list,
    "celeba lists": celeba_lists,
    "parquet": parquet_file,
    "zip": zip_file,
}
