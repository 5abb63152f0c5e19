import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from making_sources import image_bytes

from twobirds.data.problems import Problem
from twobirds.data.roles import ColumnChoice
from twobirds.data.sources import open_source
from twobirds.errors import InputError

IMAGES = [{"bytes": image_bytes(i), "path": f"{i:06d}.png"} for i in range(6)]


def write(path: Path, **columns: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path, row_group_size=2)
    return path


def hub_columns(first: int, last: int) -> dict[str, Any]:
    rows = range(first, last)
    return {
        "image": IMAGES[first:last],
        "celeb_id": [50 + i // 2 for i in rows],
        "Bald": [i == 0 for i in rows],
        "Male": [i % 2 == 0 for i in rows],
    }


def test_shards_as_the_hub_serves_them(tmp_path: Path) -> None:
    write(tmp_path / "data/train-00000-of-00002.parquet", **hub_columns(0, 2))
    write(tmp_path / "data/train-00001-of-00002.parquet", **hub_columns(2, 4))
    write(tmp_path / "data/valid-00000-of-00001.parquet", **hub_columns(4, 5))
    write(tmp_path / "data/test-00000-of-00001.parquet", **hub_columns(5, 6))
    source = open_source(tmp_path)
    assert source.kind == "parquet"
    assert source.attribute_names == ("Bald", "Male")
    order = [5, 0, 1, 2, 3, 4]  # shards are loaded in the order of their names
    assert source.names == [f"{i:06d}.png" for i in order]
    assert source.partition is not None
    assert source.partition.tolist() == [2, 0, 0, 0, 0, 1]
    assert source.identity.tolist() == [52, 50, 50, 51, 51, 52]
    np.testing.assert_array_equal(source.attributes, [[i == 0, i % 2 == 0] for i in order])
    assert list(source.contents()) == [image_bytes(i) for i in order]
    assert source.problems == []


def test_a_single_file_with_signs_a_split_column_and_things_to_pass_over(tmp_path: Path) -> None:
    path = write(
        tmp_path / "faces.parquet",
        index=[10, 11, 12],
        caption=["a", "b", "c"],
        Hat=[1, -1, 1],
        Smile=[True, False, False],
        split=["train", "validation", "test"],
        image=[image["bytes"] for image in IMAGES[:3]],
    )
    source = open_source(path)
    assert source.attribute_names == ("Hat", "Smile")
    np.testing.assert_array_equal(source.attributes, [[1, 1], [0, 0], [1, 0]])
    assert source.partition is not None
    assert source.partition.tolist() == [0, 1, 2]
    assert source.names == [f"faces.parquet:{i}" for i in (1, 2, 3)]
    assert list(source.contents()) == [image_bytes(i) for i in range(3)]


def test_the_folder_may_name_the_split_and_no_name_means_none(tmp_path: Path) -> None:
    write(tmp_path / "a/train/0000.parquet", **hub_columns(0, 3))
    write(tmp_path / "a/test/0000.parquet", **hub_columns(3, 6))
    partition = open_source(tmp_path / "a").partition
    assert partition is not None
    assert partition.tolist() == [2, 2, 2, 0, 0, 0]
    write(tmp_path / "b/0000.parquet", **hub_columns(0, 3))
    assert open_source(tmp_path / "b").partition is None


def test_every_fault_is_found_at_its_row(tmp_path: Path) -> None:
    columns = hub_columns(0, 6) | {"Hat": [1, 0, 5, 1, None, 0]}
    columns["image"] = [*IMAGES[:1], *IMAGES[:1], *IMAGES[2:5], {"bytes": None, "path": "x.png"}]
    source = open_source(write(tmp_path / "t.parquet", **columns))
    assert [(p.kind, p.where) for p in source.problems] == [
        ("duplicate", "t.parquet:2"),
        ("unknown value", "t.parquet:3"),
        ("unknown value", "t.parquet:5"),
    ]
    assert "'5' for" in source.problems[1].what
    assert "in column Hat is neither 0 nor 1" in source.problems[1].what
    contents = list(source.contents())
    assert contents[:2] == [image_bytes(0), image_bytes(3)]
    assert contents[2] == Problem("missing", "t.parquet:6", "no image is embedded")


def test_placeholder_paths_are_no_names(tmp_path: Path) -> None:
    columns = hub_columns(0, 3)
    columns["image"] = [{"bytes": image_bytes(i), "path": "image.png"} for i in range(3)]
    source = open_source(write(tmp_path / "t.parquet", **columns))
    assert source.problems == []
    assert source.names == ["t.parquet:1", "t.parquet:2", "t.parquet:3"]


def test_shards_must_fit_together_and_have_images(tmp_path: Path) -> None:
    write(tmp_path / "a/train-0.parquet", **hub_columns(0, 3))
    write(tmp_path / "a/test-0.parquet", image=IMAGES[3:], Bald=[True, False, True])
    with pytest.raises(InputError, match="has other columns than"):
        open_source(tmp_path / "a")
    with pytest.raises(InputError, match="no column of images"):
        open_source(write(tmp_path / "b.parquet", Bald=[True, False]))
    with pytest.raises(InputError, match="names no attributes"):
        open_source(write(tmp_path / "c.parquet", image=IMAGES))


def test_columns_of_any_type_are_understood_or_dropped_with_a_reason(tmp_path: Path) -> None:
    text = pa.array(["no", "yes", "no", "yes", "no", "yes"])
    columns = {
        "image": IMAGES,
        "Smiling": [True, False] * 3,
        "Glasses": text.dictionary_encode(),
        "Beard": pa.array(text, pa.large_string()),
        "Gender": [1, 2] * 3,
        "Sign": pa.array([-1, 1] * 3, pa.int8()),
        "Share": [0.0, 1.0] * 3,
        "Hat": [1, None, None, None, None, 1],
        "caption": [f"face {i}" for i in range(6)],
        "box": [[0, 1]] * 6,
        "person_id": [7.0, None, 7.0, float("nan"), 8.0, 8.0],
    }
    source = open_source(write(tmp_path / "t.parquet", **columns))
    assert source.problems == []
    assert source.attribute_names == ("Smiling", "Glasses", "Beard", "Gender", "Sign", "Share")
    np.testing.assert_array_equal(source.attributes[:, 0], [1, 0] * 3)
    np.testing.assert_array_equal(source.attributes[:, 1:], [[i % 2] * 5 for i in range(6)])
    assert source.identity.tolist() == [7, -1, 7, -1, 8, 8]
    dropped = source.decisions.dropped
    assert dropped["Hat"].startswith("empty or unknown in 4 of 6 rows")
    assert dropped["caption"].startswith("it has 6 values")
    assert dropped["box"].startswith("its type is 'list")
    assert set(dropped) == {"Hat", "caption", "box"}


def test_which_column_has_the_images_is_asked_where_several_could(tmp_path: Path) -> None:
    masks = [{"bytes": image_bytes(20 + i), "path": f"m{i}.png"} for i in range(6)]
    columns = {"mask": masks, "photo": IMAGES, "Bald": [True, False] * 3}
    path = write(tmp_path / "t.parquet", **columns)
    with pytest.raises(InputError, match=r"'mask' or 'photo' could be meant: .*--image-column"):
        open_source(path)
    source = open_source(path, ColumnChoice(image="photo"))
    assert list(source.contents()) == [image_bytes(i) for i in range(6)]
    assert source.decisions.image == "column photo"
    with pytest.raises(InputError, match=r"no column of images 'Bald' .* are mask, photo"):
        open_source(path, ColumnChoice(image="Bald"))
    columns["mask"] = [b"\x00\x01 features"] * 6  # bytes, but no images
    source = open_source(write(tmp_path / "u.parquet", **columns))
    assert source.decisions.image == "column photo"
    columns["image"] = [{"bytes": image_bytes(40 + i), "path": f"i{i}.png"} for i in range(6)]
    assert open_source(write(tmp_path / "v.parquet", **columns)).names[0] == "i0.png"


def test_damaged_files_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "train-0.parquet", **hub_columns(0, 6))
    data = path.read_bytes()
    path.write_bytes(data[:-20])
    with pytest.raises(InputError, match=r"train-0.parquet is not a readable Parquet file"):
        open_source(path)
    hurt = bytearray(data)
    path.write_bytes(data)
    chunk = pq.ParquetFile(path).metadata.row_group(1).column(0)
    assert chunk.path_in_schema == "image.bytes"
    at = chunk.dictionary_page_offset or chunk.data_page_offset
    hurt[at : at + 8] = bytes(8)  # the header of the page with the images of rows 3 and 4
    path.write_bytes(hurt)
    contents = list(open_source(path).contents())
    assert contents[:2] == [image_bytes(0), image_bytes(1)]
    assert contents[4:] == [image_bytes(4), image_bytes(5)]  # other row groups are not lost
    for content in contents[2:4]:
        assert isinstance(content, Problem)
        assert content.kind == "undecodable image"
        assert "the file is damaged" in content.what


def test_without_pyarrow_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "train-0.parquet", **hub_columns(0, 2))
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(InputError, match=r"pip install 'twobirds-faces\[parquet\]'"):
        open_source(path)


def test_columns_that_look_the_same(tmp_path: Path) -> None:
    images = IMAGES[:3]
    people = ["Jos\u00e9", "Jose\u0301", "Ann"]
    path = write(tmp_path / "a.parquet", image=images, **{" Kind": [0, 1, 1]}, person=people)
    source = open_source(path)
    assert (source.attribute_names, source.identity.tolist()) == (("Kind",), [0, 0, 1])
    columns = {"Gr\u00f6\u00dfe": [0, 1, 1], "Gro\u0308\u00dfe": [1, 0, 0]}
    with pytest.raises(InputError, match="names column 'Größe' twice"):
        open_source(write(tmp_path / "b.parquet", image=images, **columns))
    table = pa.table([pa.array(images), [0, 1, 1], [1, 0, 0]], names=["image", "Kind", "Kind"])
    pq.write_table(table, tmp_path / "c.parquet")
    with pytest.raises(InputError, match="names column 'Kind' twice"):
        open_source(tmp_path / "c.parquet")
