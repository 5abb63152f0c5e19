import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making_sources import (
    celeba_files,
    image_bytes,
    mutate,
    names,
    write_folder,
    write_zip,
)
from PIL import Image

from twobirds.data import decoding
from twobirds.data.attributes import CELEBA_ATTRIBUTES
from twobirds.data.engine import Engine
from twobirds.data.images import face_from_bytes
from twobirds.data.pack import open_pack
from twobirds.data.packing import pack_source
from twobirds.data.splits import SplitRule
from twobirds.data.summary import summarize
from twobirds.data.templates import LANDMARKS
from twobirds.errors import InputError


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if ".partial" in path.name]


def header_of(pack: Path) -> dict[str, Any]:
    header = json.loads((pack / "pack.json").read_text())
    assert isinstance(header, dict)
    return header


def test_pixels_are_those_of_the_files_in_order(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "faces", celeba_files())
    calls: list[tuple[int, int]] = []
    pack = pack_source(
        source, tmp_path / "new/pack", size=8, progress=lambda *done: calls.append(done)
    )
    expected = np.stack([face_from_bytes(image_bytes(i), 8)[0] for i in range(12)])
    np.testing.assert_array_equal(pack.images, expected)
    assert calls == [(i, 12) for i in range(1, 13)]
    header = header_of(pack.path)
    assert header["source"] == {"kind": "celeba", "name": "faces"}
    assert (header["crop"], header["skipped"], header["split_rule"]) == ("none", 0, "identity")
    assert "own partition" in str(header["split_note"])
    assert str(tmp_path) not in (pack.path / "pack.json").read_text()
    assert leftovers(tmp_path / "new") == []


def test_processes_give_the_same_as_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_folder(tmp_path / "faces", celeba_files(count=12))
    alone = pack_source(source, tmp_path / "alone", size=16, engine=Engine(workers=1))
    monkeypatch.setattr(decoding, "_FEW", 0)
    monkeypatch.setattr(decoding, "_CHUNK", 2)
    (source / "img_align_celeba" / names()[6]).write_bytes(b"damaged")
    together = pack_source(
        source, tmp_path / "together", size=16, engine=Engine(workers=2), skip_bad=True
    )
    np.testing.assert_array_equal(np.delete(alone.images, 6, axis=0), together.images)


def test_zip_folder_and_csv_give_equal_packs(tmp_path: Path) -> None:
    files = celeba_files(size=(178, 218))
    folder = pack_source(write_folder(tmp_path / "faces", files), tmp_path / "a", size=32)
    assert header_of(folder.path)["crop"] == "center_178"
    zipped = pack_source(write_zip(tmp_path / "b.zip", files, "in/"), tmp_path / "b", size=32)
    lists = files["list_attr_celeba.txt"].decode().splitlines()
    files["list_attr_celeba.csv"] = "\n".join(
        ",".join(row.split()) for row in ["image_id " + lists[1], *lists[2:]]
    ).encode()
    del files["list_attr_celeba.txt"]
    csv = pack_source(write_folder(tmp_path / "csv", files), tmp_path / "c", size=32)
    assert folder.sha256 == zipped.sha256 == csv.sha256
    for name in ("images.npy", "attributes.npy", "split.npy", "identity.npy"):
        contents = {(tmp_path / pack / name).read_bytes() for pack in "abc"}
        assert len(contents) == 1


def faulty_files() -> dict[str, bytes]:
    """CelebA's layout with every kind of fault in it."""
    files = celeba_files()
    rows = files["list_attr_celeba.txt"].decode().split("\n")
    rows[3] += "1 1"  # 000002: wrong number of columns
    rows[4] = rows[4].replace("1", "maybe", 1)  # 000003: unknown value
    rows[13] = rows[12]  # 000012 is gone, 000011 a duplicate
    files["list_attr_celeba.txt"] = "\n".join(rows).replace("12\n", "13\n", 1).encode()
    del files["img_align_celeba/000004.png"]
    files["img_align_celeba/000005.png"] = b""
    files["img_align_celeba/000006.png"] = image_bytes(5)[:300]
    files["img_align_celeba/000007.png"] = b"no image"
    return files


def test_one_report_names_every_fault_and_skipping_goes_on(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "faces", faulty_files())
    with pytest.raises(InputError) as caught:
        pack_source(source, tmp_path / "pack", size=16)
    listing = "list_attr_celeba.txt"
    lines = str(caught.value).split("\n")
    assert lines[0] == "faces has 8 bad entries."
    assert lines[1:12] == [
        "wrong count (1):",
        f"  {listing}:1: says 13 images, but has 12 rows",
        "wrong number of columns (1):",
        f"  {listing}:4: 5 columns instead of 4",
        "unknown value (1):",
        f"  {listing}:5: '-maybe' for '000003.png' in column Bald is neither -1 nor 1",
        "duplicate (1):",
        f"  {listing}:14: '000011.png' is at {listing}:13 already",
        "missing (1):",
        f"  {listing}:6: no image '000004.png'",
        "empty file (1):",
    ]
    assert lines[12].endswith(f"{listing}:7: 'img_align_celeba/000005.png' has zero bytes")
    assert lines[13] == "undecodable image (2):"
    assert f"{listing}:8: '000006.png': cannot be decoded" in lines[14]
    assert f"{listing}:9: '000007.png': not a JPEG, PNG, WebP or BMP image" in lines[15]
    assert lines[16:] == ["Fix these first: there are more of them than of sound rows."]
    assert not (tmp_path / "pack").exists()
    assert leftovers(tmp_path) == []

    pack = pack_source(source, tmp_path / "pack", size=16, skip_bad=True)
    assert pack.names == tuple(names()[i] for i in (0, 7, 8, 9, 10))
    np.testing.assert_array_equal(pack.images[1], face_from_bytes(image_bytes(7), 16)[0])
    assert header_of(pack.path)["skipped"] == 8
    open_pack(pack.path, verify=True)


def test_long_reports_count_the_rest(tmp_path: Path) -> None:
    files = celeba_files(12)
    rows = "".join(f"x{i}.png 1 1 -1\n" for i in range(30))
    files["list_attr_celeba.txt"] = f"30\nA B C\n{rows}".encode()
    del files["identity_CelebA.txt"], files["list_eval_partition.txt"]
    with pytest.raises(
        InputError, match=r"missing \(30\):\n(  .*\n){20}  and 10 more\nFix these first"
    ):
        pack_source(write_folder(tmp_path / "faces", files), tmp_path / "pack", size=16)
    with pytest.raises(InputError, match="faces has no usable image"):
        pack_source(tmp_path / "faces", tmp_path / "pack", size=16, skip_bad=True)


def test_images_without_a_face_worth_of_pixels_are_faults_and_small_ones_are_counted(
    tmp_path: Path,
) -> None:
    files = celeba_files(size=(16, 20))
    files["img_align_celeba/000001.png"] = image_bytes(0, (1, 1))
    files["img_align_celeba/000002.png"] = image_bytes(0, (300, 7))
    source = write_folder(tmp_path / "faces", files)
    with pytest.raises(InputError, match=r"too small \(2\):\n.*'000001.png' has 1x1 pixels"):
        pack_source(source, tmp_path / "pack", size=32)
    pack = pack_source(source, tmp_path / "pack", size=32, skip_bad=True)
    header = header_of(pack.path)
    assert (header["count"], header["enlarged"]) == (10, 10)
    assert "enlarged: 10 images have fewer than 32x32 pixels" in list(summarize(header))
    pack = pack_source(source, tmp_path / "small", size=16, skip_bad=True)
    assert header_of(pack.path)["enlarged"] == 0


def test_what_was_decided_is_written_down_and_said(tmp_path: Path) -> None:
    rows = "".join(
        f"{name},{i % 2},{'yes' if i % 3 else 'no'},note {i},{i // 4 if i else '?'},{10 + i}\n"
        for i, name in enumerate(names(24))
    )
    files = {"faces.csv": f"image,Hat,Smile,caption,person,age\n{rows}".encode()}
    files |= {name: image_bytes(i) for i, name in enumerate(names(24))}
    pack = pack_source(write_folder(tmp_path / "faces", files), tmp_path / "pack", size=16)
    header = header_of(pack.path)
    [source] = header["sources"]
    assert (source["image"], source["person"], source["split"]) == (
        "column image",
        "column person",
        None,
    )
    assert source["attributes"] == {"Hat": ["0", "1"], "Smile": ["no", "yes"]}
    assert list(source["dropped"]) == ["caption", "age"]
    assert source["dropped"]["age"].startswith("it has 24 values ('10', '11', '12', …)")
    lines = list(summarize(header))
    assert (
        lines[1] == "faces.csv: 24 images; image: column image; person: column person; split: none"
    )
    assert "  attributes (no is no, yes is yes): Smile" in lines
    assert any(line.startswith("  no attribute: caption: it has 24 values") for line in lines)
    split = header["splits"]
    assert sum(part["images"] for part in split.values()) == 24
    assert sum(part["people"] for part in split.values()) == 6
    assert sum(part["images_of_unknown_people"] for part in split.values()) == 1
    for part, counts in split.items():
        assert counts["images"] == len(pack.rows(part))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 4}, "size must be 8 to 1024"),
        ({"split": "fair"}, "no split 'fair': choose one of identity, official, random"),
        ({"landmarks": "tight"}, "no landmarks 'tight': choose one of celeba, celeba-tight"),
        ({"landmarks": ((0.5, 0.5),)}, r"five \(x, y\) fractions"),
        ({"engine": Engine(workers=0)}, "workers must be at least 1, not 0"),
        ({"engine": Engine(workers=-3)}, "workers must be at least 1, not -3"),
    ],
)
def test_options_are_checked_first(tmp_path: Path, options: dict, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(InputError, match=message):
        pack_source(tmp_path / "nothing", tmp_path / "pack", **{"size": 16, **options})


@pytest.mark.parametrize("rule", ["identity", "official"])
def test_a_split_that_cannot_be_had_is_refused(tmp_path: Path, rule: SplitRule) -> None:
    files = celeba_files()
    del files["identity_CelebA.txt"], files["list_eval_partition.txt"]
    source = write_folder(tmp_path / "faces", files)
    with pytest.raises(InputError, match=f"split by {rule}|the {rule} split"):
        pack_source(source, tmp_path / "pack", size=16, split=rule)
    pack = pack_source(source, tmp_path / "pack", size=16, seed=3)
    assert header_of(pack.path)["split_rule"] == "random"
    assert header_of(pack.path)["split_seed"] == 3
    assert [len(pack.rows(part)) for part in ("train", "valid", "test")] == [10, 1, 1]


def test_mixed_sizes_are_recorded(tmp_path: Path) -> None:
    files = celeba_files() | {"img_align_celeba/000001.png": image_bytes(0, (20, 10))}
    pack = pack_source(write_folder(tmp_path / "faces", files), tmp_path / "pack", size=16)
    assert header_of(pack.path)["crop"] == "mixed"


@pytest.mark.parametrize(
    "name",
    ["list_attr_celeba.txt", "identity_CelebA.txt", "list_eval_partition.txt", "labels.csv"],
)
def test_damaged_lists_never_raise_anything_else(tmp_path: Path, name: str) -> None:
    generator = np.random.default_rng(len(name))
    files = {path: data for path, data in celeba_files(6, (8, 8)).items() if "0" not in path}
    images = {path: data for path, data in celeba_files(6, (8, 8)).items() if "0" in path}
    if name == "labels.csv":
        rows = "".join(f"{image},1,0,Ann,train\n" for image in names(6))
        files = {name: f"image,A,B,identity,split\n{rows}".encode()}
    folder = write_folder(tmp_path / "faces", files | images)
    outcomes = []
    for i in range(60):
        (folder / name).write_bytes(mutate(files[name], generator))
        try:
            pack_source(folder, tmp_path / f"pack{i}", size=8, skip_bad=bool(i % 2))
        except InputError as error:
            outcomes.append(str(error))
    assert len(outcomes) > 10
    assert leftovers(tmp_path) == []


def test_damaged_archives_never_raise_anything_else(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    data = write_zip(tmp_path / "a.zip", celeba_files(4, (8, 8))).read_bytes()
    refused = 0
    for i in range(100):
        (tmp_path / "a.zip").write_bytes(mutate(data, generator))
        try:
            pack_source(tmp_path / "a.zip", tmp_path / f"pack{i}", size=8, skip_bad=bool(i % 2))
        except InputError:
            refused += 1
    assert refused > 30
    assert leftovers(tmp_path) == []


def test_real_faces_in_celebas_own_size(shared: Path, tmp_path: Path) -> None:
    pack = pack_source(shared / "data/celeba_178x218", tmp_path / "pack", size=64)
    assert len(pack) == 200
    assert pack.attribute_names == CELEBA_ATTRIBUTES
    assert pack.landmarks == LANDMARKS["celeba"]
    header = header_of(pack.path)
    assert header["crop"] == "center_178"
    with Image.open(shared / "data/celeba_178x218/img_align_celeba" / pack.names[7]) as image:
        crop = image.crop((0, 20, 178, 198)).resize((64, 64), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(pack.images[7], np.asarray(crop))
    for person in set(pack.identity.tolist()):
        assert len(set(pack.split[pack.identity == person].tolist())) == 1


def test_real_unaligned_faces(shared: Path, tmp_path: Path) -> None:
    pack = pack_source(shared / "data/celeba_unaligned", tmp_path / "pack", size=32)
    assert pack.images.shape == (150, 32, 32, 3)
    assert pack.landmarks is None
