from pathlib import Path

import numpy as np
import pytest
from making_sources import image_bytes, write_folder, write_zip

from twobirds.data.listing import split_csv
from twobirds.data.roles import ColumnChoice
from twobirds.data.sources import open_source
from twobirds.errors import InputError

CSV = """image,Kind,Has Hat
a.png,1,0
b.png,0,1
c.png,1,1
"""


def folder_with(tmp_path: Path, text: str, encoding: str = "utf-8", at: str = "") -> Path:
    images = {f"{at}{letter}.png": image_bytes(i) for i, letter in enumerate("abc")}
    return write_folder(tmp_path, images | {"labels.csv": text.encode(encoding)})


def test_any_attribute_names_and_both_ways_to_write_values(tmp_path: Path) -> None:
    source = open_source(folder_with(tmp_path, CSV))
    assert (source.kind, source.label) == ("table", "labels.csv")
    assert source.attribute_names == ("Kind", "Has Hat")
    assert source.names == ["a.png", "b.png", "c.png"]
    np.testing.assert_array_equal(source.attributes, [[1, 0], [0, 1], [1, 1]])
    assert source.identity.tolist() == [-1, -1, -1]
    assert source.partition is None
    assert list(source.contents()) == [image_bytes(i) for i in range(3)]
    for text in (
        CSV.replace(",0", ",-1"),
        CSV.replace(",", ";"),
        CSV.replace(",", "\t").replace("\n", "\r\n"),
        "\ufeff" + CSV.replace(",1", ",true").replace(",0", ", False"),
        CSV.replace("image,Kind", '"file_name","Kind"'),
    ):
        again = open_source(folder_with(tmp_path, text))
        assert again.problems == []
        assert again.attribute_names == source.attribute_names
        np.testing.assert_array_equal(again.attributes, source.attributes)


def test_identity_and_split_are_no_attributes_wherever_they_stand(tmp_path: Path) -> None:
    text = "Split,Kind,image,identity\ntrain,1,a.png,Ann\nval,0,b.png,\nTEST,1,c.png,Ann\n"
    source = open_source(folder_with(tmp_path, text))
    assert source.attribute_names == ("Kind",)
    assert source.identity.tolist() == [0, -1, 0]
    assert source.partition is not None
    assert source.partition.tolist() == [0, 1, 2]
    numbered = text.replace("Ann", "31")
    assert open_source(folder_with(tmp_path, numbered)).identity.tolist() == [31, -1, 31]


def test_given_itself_in_a_zip_or_with_a_folder_of_images(tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "flat", CSV)
    (folder / "second.csv").write_text(CSV)
    assert open_source(folder / "labels.csv").names == ["a.png", "b.png", "c.png"]
    with pytest.raises(InputError, match=r"several CSV files, give one: labels.csv, second.csv"):
        open_source(folder)
    nested = folder_with(tmp_path / "nested", CSV, at="photos/")
    assert len(list(open_source(nested).contents())) == 3
    explicit = CSV.replace("\na", "\nphotos/a").replace("\nb", "\n./photos/b")
    explicit = explicit.replace("\nc.png", "\nphotos\\c.webp")
    assert open_source(folder_with(tmp_path / "nested", explicit, at="photos/")).problems == []
    files = {"labels.csv": CSV.encode()}
    files |= {f"p/{letter}.png": image_bytes(i) for i, letter in enumerate("abc")}
    source = open_source(write_zip(tmp_path / "a.zip", files, prefix="mine/"))
    assert list(source.contents()) == [image_bytes(i) for i in range(3)]


def test_files_outside_the_folder_are_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(image_bytes(9))
    absolute = f"{tmp_path}/secret.png"
    text = CSV.replace("a.png", "../secret.png").replace("b.png", absolute)
    source = open_source(folder_with(tmp_path / "inner", text))
    assert [p.kind for p in source.problems] == ["missing", "missing"]
    assert source.names == ["c.png"]


def test_every_fault_is_found_at_its_line(tmp_path: Path) -> None:
    text = (
        "image,Kind,split\na.png,1,train\nb.png,yes,train\na.png,1,test\nc.png,1\n"
        "d.png,0,test\nc.png,0,never\n,1,train\na.webp,1,test\nb.png,-1,train\n"
    )
    source = open_source(folder_with(tmp_path, text))
    found = {f"{p.kind} {p.where}: {p.what}" for p in source.problems}
    assert found == {
        "unknown value labels.csv:3: 'yes' for 'b.png' in column Kind is neither 0 nor 1",
        "duplicate labels.csv:4: 'a.png' is at labels.csv:2 already",
        "wrong number of columns labels.csv:5: 2 columns instead of 3",
        "missing labels.csv:6: no image 'd.png'",
        "unknown value labels.csv:7: split 'never' is none of train, valid, test",
        "unknown value labels.csv:8: unreadable name ''",
        "duplicate labels.csv:9: 'a.webp' is the image of labels.csv:2 already",
        "duplicate labels.csv:10: 'b.png' is at labels.csv:3 already",
    }
    assert source.names == ["a.png"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "labels.csv is empty"),
        (",,,\n", "labels.csv:1 has no names in its header"),
        ('""\n', "labels.csv:1 has no names in its header"),
        ("photo,Kind\na.png,1\n", "labels.csv:1 has no column for the images' names.*'photo'"),
        ("image\na.png\n", "names no attributes"),
        ("image,Ki\tnd\na.png,1\n", "unreadable attribute name"),
        ("image,Kind,Kind\na.png,1,1\n", "names column 'Kind' twice"),
        ("image,Big Nose,big_nose\na.png,1,1\n", "'Big Nose' and 'big_nose', which could be"),
        ('image,Kind\na.png,"' + "1" * 200_000, "not CSV text"),
    ],
)
def test_a_damaged_table_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_source(folder_with(tmp_path, text))


def test_a_table_in_utf16_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"labels\.csv is text in UTF-16: save it as UTF-8"):
        open_source(folder_with(tmp_path, CSV, "utf-16"))


def test_names_that_are_no_utf8_are_reported_with_their_line(tmp_path: Path) -> None:
    source = open_source(folder_with(tmp_path, CSV.replace("b.png", "bä.png"), "latin-1"))
    assert [p.where for p in source.problems] == ["labels.csv:3"]


def test_one_name_in_two_folders(tmp_path: Path) -> None:
    text = CSV.replace(".png", ".jpg")
    files = {f"images/{letter}.jpg": image_bytes(i) for i, letter in enumerate("abc")}
    files |= {f"depth/{letter}.png": image_bytes(9) for letter in "abcdef"}
    folder = write_folder(tmp_path / "exact", files | {"labels.csv": text.encode()})
    assert list(open_source(folder).contents()) == [image_bytes(i) for i in range(3)]
    text = text.replace(".jpg", "")
    folder = write_folder(tmp_path / "either", files | {"labels.csv": text.encode()})
    first = open_source(folder).problems[0]
    assert first.kind == "ambiguous"
    assert first.what == "'a' may be 'depth/a.png' or 'images/a.jpg': add its folder"


def test_names_with_folders_are_found_below_others(tmp_path: Path) -> None:
    text = "image,Kind\n" + "".join(f"p{i // 2}/{i % 2}.png,{i % 2}\n" for i in range(6))
    files = {f"images/p{i // 2}/{i % 2}.png": image_bytes(i) for i in range(6)}
    source = open_source(write_folder(tmp_path, files | {"labels.csv": text.encode()}))
    assert source.problems == []
    assert list(source.contents()) == [image_bytes(i) for i in range(6)]


def test_archives_from_other_systems(tmp_path: Path) -> None:
    text = "image,Kind\nfotos\\zo\u00eb.jpg,1\nfotos/b.jpg,0\n"
    names = ("mine\\fotos\\zoe\u0308.jfif", "mine\\fotos\\b.JPG")
    files = {"mine\\labels.csv": text.encode()}
    files |= {name: image_bytes(i) for i, name in enumerate(names)}
    source = open_source(write_zip(tmp_path / "a.zip", files))
    assert source.problems == []
    assert list(source.contents()) == [image_bytes(0), image_bytes(1)]


def test_a_path_twice_in_an_archive_is_refused(tmp_path: Path) -> None:
    files = {"labels.csv": CSV.encode(), "a.png": image_bytes(0), "b.png": image_bytes(1)}
    files |= {"x/a.png": image_bytes(2), "x\\a.png": image_bytes(3)}
    with pytest.raises(InputError, match=r"a.zip holds 'x/a.png' twice"):
        open_source(write_zip(tmp_path / "a.zip", files))


def test_absolute_paths_in_the_folder_and_outside(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, CSV.replace("b.png", f"{tmp_path}/b.png"))
    assert list(open_source(folder / "labels.csv").contents()) == [image_bytes(i) for i in range(3)]
    (tmp_path.parent / "c.png").write_bytes(image_bytes(2))
    folder = folder_with(tmp_path, CSV.replace("c.png", f"{tmp_path.parent}/c.png"))
    [problem] = open_source(folder).problems
    assert problem.what.endswith("and absolute paths count in the source's folder only")


def test_an_accent_written_in_two_ways_is_one(tmp_path: Path) -> None:
    text = "image,Kind,person\na.png,1,José\nb.png,0,Jose\u0301\nc.png,1,Jose\n"
    assert open_source(folder_with(tmp_path, text)).identity.tolist() == [0, 0, 1]
    twice = "image,Gr\u00f6\u00dfe,Gro\u0308\u00dfe\na.png,1,0\nb.png,0,1\nc.png,1,1\n"
    with pytest.raises(InputError, match="names column 'Größe' twice"):
        open_source(folder_with(tmp_path, twice))


def test_attributes_left_out_by_the_user(tmp_path: Path) -> None:
    text = CSV.replace("Kind", "Größe").replace("c.png,1", "c.png,?")
    folder = folder_with(tmp_path, text)
    assert len(open_source(folder).problems) == 1
    source = open_source(folder, ColumnChoice(drop=("Gro\u0308ße",)))
    assert (source.attribute_names, source.problems) == (("Has Hat",), [])
    assert source.decisions.dropped == {"Größe": "left out by --drop-column"}


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ('image;"Hat, worn, or a cap, or both";Male', "a.png;1;0"),
        ("image\tHat, worn, or both\tMale", "a.png\t1\t0"),
        ('image,"Hat; worn; or both",Male', '"a.png","1","0"'),
    ],
)
def test_separators_within_names_separate_nothing(header: str, row: str) -> None:
    (_, names), (_, cells) = split_csv([header, row], "labels.csv")
    assert len(names) == 3
    assert cells == ["a.png", "1", "0"]
