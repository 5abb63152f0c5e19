"""Zip files: sizes, damage and locks of their members."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from making_sources import (
    celeba_files,
    image_bytes,
    write_folder,
    write_zip,
)

from twobirds.data import files as files_module
from twobirds.data.files import Archive
from twobirds.data.problems import Problem
from twobirds.data.sources import open_source
from twobirds.errors import InputError


def test_files_and_members_beyond_the_limit_are_problems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = celeba_files()
    contents["img_align_celeba/000005.png"] = bytes(60_000)  # a few bytes in a zip
    monkeypatch.setattr(files_module, "MAX_FILE_BYTES", 50_000)
    for source in (write_folder(tmp_path, contents), write_zip(tmp_path / "a.zip", contents)):
        found = [p for p in open_source(source).contents() if isinstance(p, Problem)]
        assert [(p.where, p.what) for p in found] == [
            ("list_attr_celeba.txt:7", "'img_align_celeba/000005.png': larger than 512 MiB")
        ]


def test_damaged_and_locked_zip_members_are_problems(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in celeba_files().items():
            archive.writestr(name, content)
    data = bytearray(buffer.getvalue())
    at = data.index(image_bytes(4)) + 30
    data[at] ^= 255  # its checksum fails
    entry = data.rindex(b"img_align_celeba/000007.png") - 46
    data[entry + 8] |= 1  # claims to be encrypted
    (tmp_path / "a.zip").write_bytes(data)
    contents = list(open_source(tmp_path / "a.zip").contents())
    bad = {i: c.what for i, c in enumerate(contents) if not isinstance(c, bytes)}
    assert sorted(bad) == [4, 6]
    assert "000005.png': cannot be unpacked" in bad[4]
    assert "encrypted" in bad[6]


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged_members_of_every_method_are_problems(tmp_path: Path, method: int) -> None:
    path, content = tmp_path / "faces.zip", np.random.default_rng(0).bytes(5_000)
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.png", content)
    whole = path.read_bytes()
    for place in range(60, len(whole) - 200, 97):
        changed = bytearray(whole)
        changed[place] ^= 0xFF
        path.write_bytes(changed)
        with pytest.raises(InputError, match="cannot be unpacked"):
            Archive(path).read("a.png")
