from pathlib import Path

import numpy as np
import pytest
from making_sources import (
    ATTRIBUTES,
    SIGNS,
    attribute_csv,
    attribute_text,
    celeba_files,
    image_bytes,
    names,
    problems_by_kind,
    write_folder,
    write_zip,
)

from twobirds.data.files import Folder
from twobirds.data.listing import MAX_NAME
from twobirds.data.roles import ColumnChoice
from twobirds.data.source import Source
from twobirds.data.sources import open_source
from twobirds.errors import InputError


def same(a: Source, b: Source) -> bool:
    assert a.partition is not None
    assert b.partition is not None
    return (
        (a.names, a.attribute_names, list(a.contents()))
        == (b.names, b.attribute_names, list(b.contents()))
        and np.array_equal(a.attributes, b.attributes)
        and np.array_equal(a.identity, b.identity)
        and np.array_equal(a.partition, b.partition)
    )


def test_a_sound_folder_is_loaded_as_written(tmp_path: Path) -> None:
    source = open_source(write_folder(tmp_path / "faces", celeba_files()))
    assert (source.kind, source.label, source.problems) == ("celeba", "faces", [])
    assert source.attribute_names == ATTRIBUTES
    assert source.names == names()
    np.testing.assert_array_equal(source.attributes, SIGNS == 1)
    assert source.attributes.dtype == np.uint8
    assert source.identity.tolist() == [100, 100, 100, 101, 101, 101, 102, 102, 102, 103, 103, 103]
    assert source.partition is not None
    assert source.partition.tolist() == [0] * 6 + [1] * 3 + [2] * 3
    assert list(source.contents()) == [image_bytes(i) for i in range(12)]
    assert source.wheres[0] == "list_attr_celeba.txt:3"


def kaggle(files: dict[str, bytes]) -> dict[str, bytes]:
    """The layout of the copy on Kaggle: CSV lists with headers, a doubled image folder."""
    changed = {f"img_align_celeba/{k}": v for k, v in files.items() if k.endswith(".png")}
    changed["list_attr_celeba.csv"] = attribute_csv().encode()
    for stem, header in (("identity_CelebA", "identity"), ("list_eval_partition", "partition")):
        rows = files[f"{stem}.txt"].decode().replace(" ", ",")
        changed[f"{stem}.csv"] = f"image_id,{header}\n{rows}".encode()
    changed["list_bbox_celeba.csv"] = b"image_id,x\n"
    return changed


def test_line_ends_marks_csv_and_zip_make_no_difference(tmp_path: Path) -> None:
    files = celeba_files()
    plain = open_source(write_folder(tmp_path / "plain", files))
    crlf = files | {
        name: b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n")
        for name, content in files.items()
        if name.endswith(".txt")
    }
    assert same(plain, open_source(write_folder(tmp_path / "crlf", crlf)))
    assert same(plain, open_source(write_folder(tmp_path / "kaggle", kaggle(files))))
    assert same(plain, open_source(write_zip(tmp_path / "a.zip", files)))
    assert same(plain, open_source(write_zip(tmp_path / "b.zip", files, prefix="celeba/")))
    assert same(plain, open_source(write_zip(tmp_path / "c.zip", kaggle(files), prefix="archive/")))
    assert same(plain, open_source(tmp_path / "plain" / "list_attr_celeba.txt"))


def test_official_download_layout(tmp_path: Path) -> None:
    """Lists in Anno and Eval, images still zipped in Img."""
    files = celeba_files()
    plain = open_source(write_folder(tmp_path / "plain", files))
    images = {name: content for name, content in files.items() if name.endswith(".png")}
    write_folder(
        tmp_path / "official",
        {
            "Anno/list_attr_celeba.txt": files["list_attr_celeba.txt"],
            "Anno/identity_CelebA.txt": files["identity_CelebA.txt"],
            "Eval/list_eval_partition.txt": files["list_eval_partition.txt"],
        },
    )
    (tmp_path / "official/Img").mkdir()
    write_zip(tmp_path / "official/Img/img_align_celeba.zip", images)
    assert same(plain, open_source(tmp_path / "official"))


def test_images_may_lie_beside_the_list_and_have_another_extension(tmp_path: Path) -> None:
    files = celeba_files()
    plain = open_source(write_folder(tmp_path / "plain", files))
    beside = {name.rpartition("/")[2]: content for name, content in files.items()}
    assert same(plain, open_source(write_folder(tmp_path / "beside", beside)))
    for stem in ("list_attr_celeba", "identity_CelebA", "list_eval_partition"):
        beside[f"{stem}.txt"] = beside[f"{stem}.txt"].replace(b".png", b".jpg")
    source = open_source(write_folder(tmp_path / "renamed", beside))
    assert source.names == names(kind="jpg")
    assert list(source.contents()) == list(plain.contents())


def test_linked_folders_are_followed_and_circles_end(tmp_path: Path) -> None:
    files = celeba_files()
    plain = open_source(write_folder(tmp_path / "plain", files))
    linked = tmp_path / "linked"
    write_folder(linked, {name: data for name, data in files.items() if name.endswith(".txt")})
    (linked / "img_align_celeba").symlink_to(tmp_path / "plain/img_align_celeba")
    (linked / "again").symlink_to(linked)
    (linked / "up").symlink_to("..")
    assert same(plain, open_source(linked))
    names = Folder(linked).names
    assert "up/linked/list_attr_celeba.txt" not in names
    assert len([name for name in names if name.endswith("000001.png")]) == 1


def test_a_folder_keeps_its_own_name_beside_a_link_to_it(tmp_path: Path) -> None:
    write_folder(tmp_path, {"b/c/x.png": b"1"})
    (tmp_path / "a").symlink_to(tmp_path / "b/c")
    assert Folder(tmp_path).names == ["b/c/x.png"]


def test_the_aligned_folder_is_preferred_to_a_fuller_one(tmp_path: Path) -> None:
    files = celeba_files()
    files |= {f"img_celeba/{name}": b"other" for name in names(20)}
    source = open_source(write_folder(tmp_path, files))
    assert next(source.contents()) == image_bytes(0)


def test_partition_and_identity_are_optional(tmp_path: Path) -> None:
    files = celeba_files()
    del files["identity_CelebA.txt"], files["list_eval_partition.txt"]
    source = open_source(write_folder(tmp_path, files))
    assert source.partition is None
    assert source.identity.tolist() == [-1] * 12
    assert source.problems == []


def test_lists_may_be_longer_than_the_images_taken(tmp_path: Path) -> None:
    """An extract often comes with the identity list of all."""
    files = celeba_files()
    files["identity_CelebA.txt"] += b"999999.png 5\n"
    files["img_align_celeba/unlisted.png"] = image_bytes(5)
    assert open_source(write_folder(tmp_path, files)).problems == []


def test_every_fault_of_the_lists_is_found_at_its_line(tmp_path: Path) -> None:
    files = celeba_files()
    lines = files["list_attr_celeba.txt"].decode().split("\n")
    lines[3] += " 1"  # 000002, line 4
    lines[4] = lines[4].replace("1", "7", 5).replace("7", "1", 1)  # 000003, line 5
    lines[6] = lines[5]  # line 7 repeats 000004
    lines[8] = "000007.png  0  1 -1"
    lines[9] = "\ufffd.png -1 1 -1"
    files["list_attr_celeba.txt"] = "\n".join(lines[:-2]).encode()
    del files["img_align_celeba/000009.png"]
    files["img_align_celeba/000010.png"] = b""
    files["identity_CelebA.txt"] = files["identity_CelebA.txt"].replace(b"000011.png 103\n", b"")
    partition = files["list_eval_partition.txt"].decode()
    partition = partition.replace("000001.png 0", "000001.png 3") + "000006.png 1\n\n1 2 3\n"
    files["list_eval_partition.txt"] = partition.encode()
    source = open_source(write_folder(tmp_path, files))
    found = problems_by_kind(source)
    assert found["wrong count"] == ["list_attr_celeba.txt:1: says 12 images, but has 11 rows"]
    assert found["wrong number of columns"] == [
        "list_attr_celeba.txt:4: 5 columns instead of 4",
        "list_eval_partition.txt:15: 3 columns instead of 2",
    ]
    assert found["duplicate"] == [
        "list_attr_celeba.txt:7: '000004.png' is at list_attr_celeba.txt:6 already",
        "list_eval_partition.txt:13: '000006.png' is there already",
    ]
    assert found["missing"] == [
        "list_attr_celeba.txt:11: no image '000009.png'",
        "list_attr_celeba.txt:13: '000011.png' is not in identity_CelebA.txt",
        "list_attr_celeba.txt:3: '000001.png' is not in list_eval_partition.txt",
    ]
    unknown = "\n".join(found["unknown value"])
    assert "list_attr_celeba.txt:5: '-7' for '000003.png' in column" in unknown
    assert (
        "list_attr_celeba.txt:9: '0' for '000007.png' in column Bald is neither -1 nor 1" in unknown
    )
    assert "list_attr_celeba.txt:10: unreadable name" in unknown
    assert "list_eval_partition.txt:1: '3' for '000001.png'" in unknown
    assert source.names == ["000004.png", "000006.png", "000010.png"]
    assert [p.kind for p in source.contents() if not isinstance(p, bytes)] == ["empty file"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("Bald Male\na.png 1 1\n", "list_attr_celeba.txt:1 must be the number of images"),
        ("2\n", "names no attributes"),
        ("2\na.png 1 -1\n", "values where the attribute names should be"),
        ("2\nBald Bald\n", "names attribute 'Bald' twice"),
        ("2\nBald Ma\0le\n", "unreadable attribute name"),
        (f"2\nBald {'M' * (MAX_NAME + 1)}\n", "unreadable attribute name"),
    ],
)
def test_a_damaged_header_is_named(tmp_path: Path, text: str, message: str) -> None:
    files = celeba_files() | {"list_attr_celeba.txt": text.encode()}
    with pytest.raises(InputError, match=message):
        open_source(write_folder(tmp_path, files))


@pytest.mark.parametrize("bad", ["male", "a=b"])
def test_a_column_that_cannot_serve_can_be_left_out(tmp_path: Path, bad: str) -> None:
    text = attribute_text().replace("Smiling", bad)
    files = celeba_files() | {"list_attr_celeba.txt": text.encode()}
    folder = write_folder(tmp_path, files)
    with pytest.raises(InputError, match=r"the same: leave one out|rename attribute"):
        open_source(folder)
    source = open_source(folder, ColumnChoice(drop=(bad,)))
    assert source.attribute_names == ("Bald", "Male")
    np.testing.assert_array_equal(source.attributes, SIGNS[:, :2] == 1)
    with pytest.raises(InputError, match=f"{bad}: left out by --drop-column.* names no attributes"):
        open_source(folder, ColumnChoice(drop=("Bald", "Male", bad)))


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        open_source(tmp_path / "nothing")
    with pytest.raises(InputError, match=r"no list of images in it: give a folder or zip.*Parquet"):
        open_source(tmp_path)
    (tmp_path / "notes.md").write_text("hello")
    with pytest.raises(InputError, match="not a known source"):
        open_source(tmp_path / "notes.md")
    (tmp_path / "broken.zip").write_bytes(b"PK hello")
    with pytest.raises(InputError, match="not a readable zip"):
        open_source(tmp_path / "broken.zip")


def test_count_of_attribute_text_is_checked_both_ways(tmp_path: Path) -> None:
    text = attribute_text().replace("12\n", "13\n", 1)
    files = celeba_files() | {"list_attr_celeba.txt": text.encode()}
    source = open_source(write_folder(tmp_path, files))
    assert problems_by_kind(source) == {
        "wrong count": ["list_attr_celeba.txt:1: says 13 images, but has 12 rows"]
    }


def test_people_in_folders_and_unknown_people(tmp_path: Path) -> None:
    rows = [f"p{i // 2}/{i % 2}.png" for i in range(8)]
    people = ("?", "3", "4.0", "-1")
    files = {f"img_align_celeba/{row}": image_bytes(i) for i, row in enumerate(rows)}
    lists = {
        "list_attr_celeba.txt": "8\nA B\n"
        + "".join(f"{row} {i % 2 * 2 - 1} {i % 2}\n" for i, row in enumerate(rows)),
        "identity_CelebA.txt": "".join(f"{r} {people[i // 2]}\n" for i, r in enumerate(rows)),
    }
    files |= {name: text.encode() for name, text in lists.items()}
    source = open_source(write_folder(tmp_path, files))
    assert source.problems == []
    assert list(source.contents()) == [image_bytes(i) for i in range(8)]
    assert source.identity.tolist() == [-1, -1, 3, 3, 4, 4, -1, -1]
    np.testing.assert_array_equal(source.attributes, [[i % 2] * 2 for i in range(8)])
    with pytest.raises(InputError, match=r"CelebA's lists: --image-column and --person-column"):
        open_source(tmp_path, ColumnChoice(person="A"))


def test_real_lists(shared: Path) -> None:
    for name, count in (("celeba_178x218", 200), ("celeba_unaligned", 150)):
        source = open_source(shared / "data" / name)
        assert source.problems == []
        assert len(source.names) == count
        assert len(source.attribute_names) == 40
        assert (source.identity > 0).all()
