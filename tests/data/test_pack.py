import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making_sources import SIGNS, celeba_files, mutate, names, write_folder

from twobirds.data.pack import open_pack, seal_header
from twobirds.data.packing import pack_source
from twobirds.errors import InputError


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pack")
    source = write_folder(folder / "source", celeba_files())
    return pack_source(source, folder / "pack", size=16).path


@pytest.fixture
def copy(sound: Path, tmp_path: Path) -> Path:
    """A pack to damage."""
    return Path(shutil.copytree(sound, tmp_path / "pack"))


def test_open_pack_has_what_was_packed(sound: Path) -> None:
    pack = open_pack(str(sound), verify=True)
    assert len(pack) == 12
    assert pack.images.shape == (12, 16, 16, 3)
    assert isinstance(pack.images, np.memmap)
    assert not pack.images.flags.writeable
    np.testing.assert_array_equal(pack.attributes, SIGNS == 1)
    assert pack.names == tuple(names())
    assert (pack.size, pack.landmarks, pack.drawn) == (16, None, None)
    assert pack.rows("train").tolist() == [0, 1, 2, 3, 4, 5]
    assert pack.rows("valid").tolist() == [6, 7, 8]
    assert pack.rows("test").tolist() == [9, 10, 11]
    assert pack.rows("test").dtype == np.int64
    with pytest.raises(InputError, match="no split 'tset': choose one of train, valid, test"):
        pack.rows("tset")


def test_what_is_no_pack_is_told_from_what_is_damaged(tmp_path: Path, copy: Path) -> None:
    with pytest.raises(InputError, match="does not exist; make one with twobirds pack"):
        open_pack(tmp_path / "nothing")
    with pytest.raises(InputError, match=r"is not a pack: it has no pack\.json"):
        open_pack(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        open_pack(copy / "pack.json")


@pytest.mark.parametrize("name", ["images.npy", "attributes.npy", "split.npy", "identity.npy"])
def test_damaged_arrays_are_named(copy: Path, name: str) -> None:
    path = copy / name
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    with pytest.raises(InputError, match=f"{name} is damaged: it is not an array"):
        open_pack(copy)
    path.write_bytes(b"")
    with pytest.raises(InputError, match=f"{name} is damaged: it is not an array"):
        open_pack(copy)
    np.save(path, np.zeros((11, 2), np.float32))
    with pytest.raises(InputError, match=rf"{name} is damaged: it is float32 \(11, 2\) instead of"):
        open_pack(copy)
    np.save(path, np.array([{}], object), allow_pickle=True)
    with pytest.raises(InputError, match=f"{name} is damaged"):
        open_pack(copy)
    with path.open("wb") as file:
        np.savez(file, a=np.zeros(2))
    with pytest.raises(InputError, match=f"{name} is damaged: it is an archive"):
        open_pack(copy)
    path.unlink()
    with pytest.raises(InputError, match=f"{name} is damaged: it is missing"):
        open_pack(copy)


def test_values_out_of_range_are_named(copy: Path) -> None:
    for name, value, message in (
        ("attributes.npy", 2, "values other than 0 and 1"),
        ("split.npy", 3, "values above 2"),
        ("identity.npy", -2, "values below -1"),
    ):
        array = np.load(copy / name)
        good = array.copy()
        array.flat[5] = value
        np.save(copy / name, array)
        with pytest.raises(InputError, match=message):
            open_pack(copy)
        np.save(copy / name, good)
    open_pack(copy, verify=True)


def test_verify_finds_one_flipped_bit(copy: Path) -> None:
    path = copy / "images.npy"
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    open_pack(copy)
    with pytest.raises(InputError, match=r"images\.npy is damaged: it does not match its hash"):
        open_pack(copy, verify=True)


def change(folder: Path, rehash: bool = True, **fields: Any) -> None:
    header = json.loads((folder / "pack.json").read_text()) | fields
    if rehash:
        seal_header(header)
    (folder / "pack.json").write_text(json.dumps(header))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"format": 3}, "of none of the formats 1 and 2"),
        ({"format": 2}, "shards must be a list of positive numbers"),
        ({"format": 2, "shards": [12, 0]}, "shards must be a list of positive numbers"),
        ({"format": 2, "shards": [5, 8]}, "its shards have 13 of 12 images"),
        ({"format": 2, "shards": [5, 7]}, r"sha256 must have images-00000\.npy, images-00001\.npy"),
        ({"count": 0}, "count must be a positive number"),
        ({"count": True}, "count must be a positive number"),
        ({"count": 13}, "12 names for 13 images"),
        ({"size": "16"}, "size must be a positive number"),
        ({"size": 32}, r"images\.npy is damaged: it is uint8 \(12, 16, 16, 3\) instead of"),
        ({"attributes": ["Bald", "Male"]}, r"attributes\.npy is damaged"),
        ({"attributes": ["Bald", "Male", "Male"]}, "an attribute is named twice"),
        ({"attributes": "abc"}, "attributes must be a list of names"),
        ({"names": list(range(12))}, "names must be a list of names"),
        ({"sha256": {}}, "sha256 must have"),
        ({"landmarks": [[0, 0]]}, "landmarks must be five"),
        ({"landmarks": [[float("nan"), 0]] * 5}, "landmarks must be five"),
        ({"drawn": [1]}, "drawn must be an object"),
    ],
)
def test_a_wrong_header_is_named(copy: Path, fields: dict[str, Any], message: str) -> None:
    change(copy, **fields)
    with pytest.raises(InputError, match=message):
        open_pack(copy)


def test_a_header_changed_by_hand_is_found(copy: Path) -> None:
    change(copy, rehash=False, attributes=["Male", "Bald", "Smiling"])
    with pytest.raises(InputError, match="changed after packing"):
        open_pack(copy)


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "[" * 100_000, '{"format": 1}', "\xff"])
def test_what_is_no_header_is_named(copy: Path, text: str) -> None:
    (copy / "pack.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=r"pack\.json is damaged"):
        open_pack(copy)


@pytest.mark.parametrize("name", ["pack.json", "images.npy", "identity.npy"])
def test_damage_anywhere_never_raises_anything_else(sound: Path, copy: Path, name: str) -> None:
    generator = np.random.default_rng(len(name))
    data = (sound / name).read_bytes()
    head = 200 if name.endswith("npy") else len(data)  # arrays: the header is what is parsed
    messages = []
    for _ in range(150):
        (copy / name).write_bytes(mutate(data[:head], generator) + data[head:])
        try:
            open_pack(copy)
        except InputError as error:
            messages.append(str(error))
    assert len(messages) > 100
    assert all("is damaged" in message for message in messages)


def test_what_cannot_be_opened_is_not_called_damaged(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(np, "load", refuse)
    with pytest.raises(InputError, match=r"images\.npy cannot be read: Too many open files$"):
        open_pack(copy)


def test_what_numpy_says_of_a_header_is_not_repeated(copy: Path) -> None:
    header = b"{'descr': x, 'fortran_order': False, 'shape': (3,), }".ljust(117) + b"\n"
    start = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little")
    (copy / "attributes.npy").write_bytes(start + header)
    with pytest.raises(InputError, match=r"attributes\.npy is damaged: it is not an array; make"):
        open_pack(copy)
