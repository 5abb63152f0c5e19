"""Which columns of a CSV are the image, the person, the split and attributes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from making_sources import image_bytes, write_folder

from twobirds.data.roles import ColumnChoice
from twobirds.data.sources import open_source
from twobirds.errors import InputError

Row = Callable[[int], str]


def rows_of(header: str, row: Row, count: int = 40) -> str:
    """A list of images, with what `row` says of each number."""
    return "".join(f"{line}\n" for line in [header, *(row(i) for i in range(count))])


def folder_of(tmp_path: Path, text: str, count: int = 40) -> Path:
    files = {f"{i:03d}.png": image_bytes(i) for i in range(count)}
    return write_folder(tmp_path, files | {"labels.csv": text.encode()})


def test_each_column_has_its_own_coding(tmp_path: Path) -> None:
    text = rows_of(
        "image,A,B,C,D",
        lambda i: f"{i:03d}.png,{i % 2},{i % 2 * 2 - 1},{i % 2 + 1},{['n', 'y'][i % 2]}",
    )
    source = open_source(folder_of(tmp_path, text))
    assert source.problems == []
    assert source.attribute_names == ("A", "B", "C", "D")
    np.testing.assert_array_equal(source.attributes, [[i % 2] * 4 for i in range(40)])


def test_columns_that_are_no_attributes_are_dropped_with_a_reason(tmp_path: Path) -> None:
    text = rows_of(",image,A,age,celeb_id,note", lambda i: f"{i},{i:03d}.png,{i % 2},{i},{i // 4},")
    source = open_source(folder_of(tmp_path, text))
    assert source.problems == []
    assert source.attribute_names == ("A",)
    assert source.identity.tolist() == [i // 4 for i in range(40)]
    assert source.decisions.person == "column celeb_id"
    assert {name: why[:12] for name, why in source.decisions.dropped.items()} == {
        "(unnamed)": "it has no na",
        "age": "it has 40 va",
        "note": "empty or unk",
    }


def test_unknown_people_are_nobody_and_known_ones_are_kept_apart(tmp_path: Path) -> None:
    spellings = ("-1", "nan", "NA", "")

    def row(i: int) -> str:
        return f"{i:03d}.png,{i % 2},{spellings[i % 8] if i % 8 < 4 else f'p{i // 8}'}"

    text = rows_of("image,A,identity", row)
    source = open_source(folder_of(tmp_path, text))
    unknown = [i % 8 < 4 for i in range(40)]
    assert (source.identity < 0).tolist() == unknown
    assert len(set(source.identity.tolist())) == 6


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        (
            "image,file,A",
            lambda i: f"{i:03d}.png,{i:03d}.png,{i % 2}",
            "'image' or 'file' .*--image-column",
        ),
        (
            "image,identity,person,A",
            lambda i: f"{i:03d}.png,1,2,{i % 2}",
            "'identity' or 'person' .*--person-col",
        ),
        (
            "image,split,partition,A",
            lambda i: f"{i:03d}.png,0,0,{i % 2}",
            "'split' or 'partition' could be",
        ),
        (
            "image,a=b",
            lambda i: f"{i:03d}.png,{i % 2}",
            "rename attribute 'a=b', for --set takes NAME=VALUE",
        ),
        (
            "image,age",
            lambda i: f"{i:03d}.png,{i}",
            r"\(age: it has 40 values .*\) names no attributes",
        ),
        (
            "image,A",
            lambda i: f"{i:03d}.png,{i % 3 - 1}",
            "column 'A' has -1 in 14 rows and 0 in 13: either",
        ),
    ],
)
def test_what_can_be_understood_in_two_ways_is_refused(
    tmp_path: Path, header: str, row: Row, message: str
) -> None:
    folder = folder_of(tmp_path, rows_of(header, row))
    with pytest.raises(InputError, match=message):
        open_source(folder)


def test_columns_can_be_named(tmp_path: Path) -> None:
    text = rows_of("id,image,who,file,A", lambda i: f"{i},{i}.jpg,{i // 4},{i:03d}.png,{i % 2}")
    folder = folder_of(tmp_path, text)
    source = open_source(folder, ColumnChoice(image="file", person="who"))
    assert source.names == [f"{i:03d}.png" for i in range(40)]
    assert source.identity.tolist() == [i // 4 for i in range(40)]
    with pytest.raises(InputError, match=r"no column 'face' \(--image-column\): it has 'id', "):
        open_source(folder, ColumnChoice(image="face"))


def test_an_identifier_beside_file_names_is_not_taken_for_them(tmp_path: Path) -> None:
    text = rows_of("image_id,file_name,A", lambda i: f"{i},{i:03d}.png,{i % 2}")
    source = open_source(folder_of(tmp_path, text))
    assert source.names == [f"{i:03d}.png" for i in range(40)]
    assert "image_id" in source.decisions.dropped


@pytest.mark.parametrize(
    "name", ["Celeb Name", "subject-id", "PERSON_NAME", " celeb_id", "identity"]
)
def test_a_column_of_people_in_other_spellings(tmp_path: Path, name: str) -> None:
    text = rows_of(f"Image Name,A,{name}", lambda i: f"{i:03d}.png,{i % 2},p{i // 4}")
    source = open_source(folder_of(tmp_path, text))
    assert source.identity.tolist() == [i // 4 for i in range(40)]
    assert source.attribute_names == ("A",)
