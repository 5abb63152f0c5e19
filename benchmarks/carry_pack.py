"""Carries a pack to a machine that takes little: a few files of compressed faces, and back.

Usage: `python benchmarks/carry_pack.py write PACK PIECES --sources FOLDER ...`, and there
`python benchmarks/carry_pack.py unpack PIECES PACK`. The train split goes, rare faces first, and a
few valid faces for grids of samples. A face whose source file has the pack's very pixels goes as
that file, without loss; any other as a new WebP.
"""

import hashlib
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro
from PIL import Image

from carried_faces import decode, unpack, write_piece
from twobirds.atomic import new_folder
from twobirds.data.pack import Pack, load_header, open_pack
from twobirds.errors import InputError

MIB = 1 << 20
_RESERVE = 0.02  # of a piece, for names and labels
_BYTES_PER_FACE = 40  # of names and labels, about


@dataclass(frozen=True)
class Write:
    """Write the train split and a few valid faces as pieces."""

    pack: tyro.conf.Positional[Path]
    """The pack."""
    out: tyro.conf.Positional[Path]
    """Folder to make, of faces-1-of-N.zip and so on."""
    sources: tuple[Path, ...] = ()
    """Folders in which the files lie that the pack was made from."""
    piece_mib: tuple[float, ...] = (60.0, 60.0, 60.0)
    """Largest size of each piece; what does not fit into all of them is left out."""
    quality: int = 75
    """Of WebP, for faces that no source file has."""
    num_valid: int = 64
    """Faces of the valid split."""

    def run(self) -> int:
        """Write the pieces; returns the exit code."""
        pack, files = open_pack(self.pack), _index_files(self.sources)
        rows = ranked_rows(pack, self.num_valid)
        carry, kept = _Carry(self, pack), 0
        for row in rows:
            if not carry.add(int(row), files.get(pack.names[row])):
                break
            kept += 1
        carry.write()
        print(carry.summary(rows[:kept], rows[kept:]))
        return 0


@dataclass(frozen=True)
class Unpack:
    """Make a pack of all pieces."""

    pieces: tyro.conf.Positional[Path]
    """Folder in which they lie."""
    out: tyro.conf.Positional[Path]
    """The pack to make."""

    def run(self) -> int:
        """Make the pack; returns the exit code."""
        pack = unpack(self.pieces, self.out)
        print(f"{self.out}: {len(pack):,} faces of {pack.size} px, pack {pack.sha256[:12]}")
        return 0


def ranked_rows(pack: Pack, num_valid: int) -> np.ndarray:
    """Rows of a pack in the order in which they are carried, `[M]` int64.

    Valid faces come first, spread over their split, then the train split: a face comes before
    those whose rarest value of an attribute is commoner.
    """
    valid, train = pack.rows("valid"), pack.rows("train")
    valid = valid[:: max(1, len(valid) // max(1, num_valid))][:num_valid]
    frequency = pack.attributes[train].mean(0)  # [K]
    own = np.where(pack.attributes[train] > 0, frequency, 1 - frequency)  # [N, K]
    return np.concatenate([valid, train[np.argsort(own.min(1), kind="stable")]])


def _index_files(folders: Sequence[Path]) -> dict[str, Path]:
    """Files below the folders by name.

    Raises:
        InputError: If a folder is absent.
    """
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"{folder} is no folder")
    return {path.name: path for folder in folders for path in folder.rglob("*") if path.is_file()}


@dataclass
class _Piece:
    """What lies in one file."""

    max_bytes: float
    rows: list[int] = field(default_factory=list)
    faces: list[bytes] = field(default_factory=list)
    num_bytes: int = 0


class _Carry:
    """Fills the pieces one after the other."""

    def __init__(self, settings: Write, pack: Pack) -> None:
        self.settings, self.pack = settings, pack
        self.pieces = [_Piece(mib * MIB * (1 - _RESERVE)) for mib in settings.piece_mib]
        self.number, self.num_lossless = 0, 0
        self.errors: list[float] = []  # mean squares of those with loss

    def add(self, row: int, file: Path | None) -> bool:
        """Add a face; returns whether it had a place."""
        pixels = self.pack.images[row]
        data = _same_file(file, pixels)
        is_lossless = data is not None
        if data is None:
            data = _encode(pixels, self.settings.quality)
        size = len(data) + _BYTES_PER_FACE
        while self.pieces[self.number].num_bytes + size > self.pieces[self.number].max_bytes:
            if self.number == len(self.pieces) - 1:
                return False
            self.number += 1
        piece = self.pieces[self.number]
        piece.rows.append(row)
        piece.faces.append(data)
        piece.num_bytes += size
        self.num_lossless += is_lossless
        if not is_lossless:
            self.errors.append(float(np.square(decode(data) - pixels.astype(np.float64)).mean()))
        return True

    def write(self) -> None:
        """Write the pieces that have faces."""
        filled = [piece for piece in self.pieces if piece.rows]
        rows = [piece.rows for piece in filled]
        carry = hashlib.sha256(f"{self.pack.sha256} {rows}".encode()).hexdigest()
        with new_folder(self.settings.out) as temporary:
            for number, piece in enumerate(filled, 1):
                header = self._header(piece) | {
                    "carry": carry,
                    "piece": number,
                    "pieces": len(filled),
                }
                path = temporary / f"faces-{number}-of-{len(filled)}.zip"
                write_piece(path, header, piece.faces, self.pack, piece.rows)

    def _header(self, piece: _Piece) -> dict[str, Any]:
        header = load_header(self.pack.path)
        return {
            **{key: header[key] for key in ("size", "attributes", "landmarks", "drawn")},
            "names": [self.pack.names[row] for row in piece.rows],
        }

    def summary(self, kept: np.ndarray, left_out: np.ndarray) -> str:
        """What was carried, in lines."""
        files = sorted(self.settings.out.iterdir())
        sizes = ", ".join(f"{file.name} {file.stat().st_size / MIB:.1f} MiB" for file in files)
        num_bytes = sum(len(face) for piece in self.pieces for face in piece.faces)
        lines = [
            f"{len(kept):,} faces, {num_bytes / max(1, len(kept)):,.0f} bytes each, "
            f"{self.num_lossless:,} without loss; {len(left_out):,} left out",
            sizes,
        ]
        if self.errors:
            decibels = 10 * np.log10(255**2 / np.maximum(self.errors, 1e-9))
            lines.append(f"the others: {decibels.mean():.2f} dB on average")
        if len(left_out):
            counts = self.pack.attributes[kept].sum(0)
            shares = counts / np.maximum(1, counts + self.pack.attributes[left_out].sum(0))
            rarest = np.argsort(counts)[:5]
            names = self.pack.attribute_names
            text = ", ".join(f"{names[k]} {shares[k]:.0%} of {counts[k]:,}" for k in rarest)
            lines.append(f"rarest attributes kept: {text}")
        return "\n".join(lines)


def _same_file(file: Path | None, pixels: np.ndarray) -> bytes | None:
    """The content of a file that has the very pixels `[H, W, 3]`, else None."""
    if file is None:
        return None
    data = file.read_bytes()
    decoded = decode(data)
    return data if decoded.shape == pixels.shape and np.array_equal(decoded, pixels) else None


def _encode(pixels: np.ndarray, quality: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="WEBP", quality=quality, method=4)
    return file.getvalue()


Command = (
    Annotated[Write, tyro.conf.subcommand("write")]
    | Annotated[Unpack, tyro.conf.subcommand("unpack")]
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    command: Write | Unpack = tyro.cli(Command, args=arguments)
    try:
        return command.run()
    except InputError as error:
        print(f"carry_pack: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
