import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making_sources import celeba_files, image_bytes, names, write_folder
from PIL import Image

from twobirds.data.attributes import CELEBA_ATTRIBUTES
from twobirds.data.pack import open_pack
from twobirds.data.packing import pack_source
from twobirds.data.roles import ColumnChoice
from twobirds.data.selection import Choice, open_selected, parse_condition
from twobirds.data.summary import summarize
from twobirds.errors import InputError, InputWarning

SIGNS = " ".join(["1", "-1"] * 20)


def celeba(folder: Path, numbers: list[int], people: list[int], split: int = 0) -> Path:
    """Images of CelebA itself, as far as its lists say."""
    files = [f"{number:06d}.png" for number in numbers]
    rows = "".join(f"{name} {SIGNS}\n" for name in files)
    lists = {
        "list_attr_celeba.txt": f"{len(files)}\n{' '.join(CELEBA_ATTRIBUTES)}\n{rows}",
        "identity_CelebA.txt": "".join(f"{n} {p}\n" for n, p in zip(files, people, strict=True)),
        "list_eval_partition.txt": "".join(f"{name} {split}\n" for name in files),
    }
    images = {f"img_align_celeba/{n:06d}.png": image_bytes(n) for n in numbers}
    return write_folder(folder, images | {name: text.encode() for name, text in lists.items()})


def table(folder: Path, text: str, first: int = 0) -> Path:
    images = {f"{letter}.png": image_bytes(i) for i, letter in enumerate("abcd", first)}
    return write_folder(folder, images | {"faces.csv": text.encode()})


def header_of(pack: Path) -> dict[str, Any]:
    header = json.loads((pack / "pack.json").read_text())
    assert isinstance(header, dict)
    return header


def test_people_of_celeba_are_the_same_in_two_sources(tmp_path: Path) -> None:
    one = celeba(tmp_path / "one", [1, 2, 3], [7, 7, 8], split=2)
    two = celeba(tmp_path / "two", [4, 5], [8, 9])
    pack = pack_source([one, two], tmp_path / "pack", size=16, split="official")
    assert pack.names == tuple(f"{i:06d}.png" for i in (1, 2, 3, 4, 5))
    assert pack.identity.tolist() == [7, 7, 8, 8, 9]
    assert pack.split.tolist() == [2, 2, 2, 0, 0]
    header = header_of(pack.path)
    assert [(s["name"], s["images"]) for s in header["sources"]] == [("one", 3), ("two", 2)]
    assert header["divided_people"] == 1  # person 8 trains and tests, which is said
    assert header["splits"]["test"] == {"images": 3, "people": 2, "images_of_unknown_people": 0}
    alone = pack_source(one, tmp_path / "alone", size=16, split="official")
    np.testing.assert_array_equal(pack.images[:3], alone.images)
    open_pack(pack.path, verify=True)


def test_people_of_other_sources_are_their_own(tmp_path: Path) -> None:
    text = "image,identity,Hat\na.png,7,1\nb.png,7,0\nc.png,,1\nd.png,8,0\n"
    one, two = table(tmp_path / "one", text), table(tmp_path / "two", text, first=4)
    pack = pack_source([one, two], tmp_path / "pack", size=16)
    assert pack.identity.tolist() == [0, 0, -1, 1, 2, 2, -1, 3]
    labels = ("faces.csv", "faces.csv (2)")
    assert pack.names == tuple(f"{label}/{x}.png" for label in labels for x in "abcd")
    for person in range(4):
        assert len(set(pack.split[pack.identity == person].tolist())) == 1


def test_own_faces_in_celebas_layout_are_not_taken_for_celebas_people(tmp_path: Path) -> None:
    sizes = {"one": (16, 16), "two": (18, 18)}
    folders = [write_folder(tmp_path / name, celeba_files(6, sizes[name])) for name in sizes]
    pack = pack_source(folders, tmp_path / "pack", size=16)
    assert len(set(pack.identity[:6].tolist()) & set(pack.identity[6:].tolist())) == 0
    assert {s["people"] for s in header_of(pack.path)["sources"]} == {"numbers of its own"}


def test_a_picture_that_comes_twice_is_counted_and_warned_of(tmp_path: Path) -> None:
    rows = "image,split,Hat,Kind\na.png,train,1,1\nb.png,train,0,0\n"
    one = table(tmp_path / "one", rows)
    within = table(tmp_path / "within", rows, first=4)
    (within / "b.png").write_bytes((within / "a.png").read_bytes())
    pack = pack_source([one, within], tmp_path / "same_split", size=16, split="official")
    header = header_of(pack.path)
    assert header["repeats"]["images"] == 1
    assert header["repeats"]["divided"] == 0
    said = (
        "repeats: 1, such as 'faces.csv (2)/b.png', which has the pixels of 'faces.csv (2)/a.png'"
    )
    assert said in summarize(header)
    across = table(tmp_path / "across", rows.replace("a.png,train", "a.png,test"), first=4)
    with Image.open(one / "b.png") as picture:
        picture.save(across / "a.png", compress_level=0)  # other bytes, the same pixels
    told = (
        r"'faces.csv/b.png' \(train\) and 'faces.csv \(2\)/a.png' \(test\) are the same picture, "
        "one of 1 in more than one split"
    )
    with pytest.warns(InputWarning, match=told):
        pack = pack_source([one, across], tmp_path / "two_splits", size=16, split="official")
    assert len(pack) == 4
    assert header_of(pack.path)["repeats"]["divided"] == 1


def test_attributes_may_stand_in_another_order_but_must_be_the_same(tmp_path: Path) -> None:
    one = table(tmp_path / "one", "image,Hat,Kind\na.png,1,0\nb.png,1,1\n")
    two = table(tmp_path / "two", "image,Kind,Hat\na.png,1,0\nb.png,1,1\n", first=4)
    pack = pack_source([one, two], tmp_path / "pack", size=16)
    assert pack.attribute_names == ("Hat", "Kind")
    assert pack.attributes.tolist() == [[1, 0], [1, 1], [0, 1], [1, 1]]
    three = table(tmp_path / "three", "image,Hat\na.png,1\nb.png,0\n")
    with pytest.raises(InputError, match=r"faces.csv has attributes that faces.csv \(2\) lacks: K"):
        pack_source([one, three], tmp_path / "other", size=16)


def test_an_image_of_celeba_in_two_sources_is_refused_and_can_be_left_out(tmp_path: Path) -> None:
    one = celeba(tmp_path / "one", [1, 2], [7, 8])
    two = celeba(tmp_path / "two", [2, 3], [8, 9])
    with pytest.raises(InputError, match=r"image 000002 is in one \(0.*\) and in two \(0"):
        pack_source([one, two], tmp_path / "pack", size=16)
    (tmp_path / "out.txt").write_text("# twice\n\ntwo/000002.png\n")
    choice = Choice(leave_out=tmp_path / "out.txt")
    pack = pack_source([one, two], tmp_path / "pack", size=16, split="random", choice=choice)
    assert pack.names == ("000001.png", "000002.png", "000003.png")
    assert [s["left_out"] for s in header_of(pack.path)["sources"]] == [
        {"--leave-out": 0},
        {"--leave-out": 1},
    ]
    (tmp_path / "out.txt").write_text("000002.jpg\n")
    with pytest.raises(InputError, match=r"out.txt:1: 000002.jpg may be one/000002.png or two/"):
        pack_source([one, two], tmp_path / "other", size=16, choice=choice)


def test_a_list_must_name_images_that_are_there(tmp_path: Path) -> None:
    source = celeba(tmp_path / "one", [1, 2], [7, 8])
    path = tmp_path / "out.txt"
    for text, message in (
        ("000001\n000009\n", "out.txt:2: no image '000009' among"),
        ("# nothing\n", "names no image"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            pack_source(source, tmp_path / "pack", size=16, choice=Choice(leave_out=path))
    choice = Choice(leave_out=tmp_path / "absent.txt")
    with pytest.raises(InputError, match=r"absent\.txt cannot be read"):
        pack_source(source, tmp_path / "pack", size=16, choice=choice)


def test_conditions_on_columns(tmp_path: Path) -> None:
    one = celeba(tmp_path / "one", [1, 2], [7, 8], split=2)
    two = celeba(tmp_path / "two", [3, 4, 5], [9, 9, 10])
    rows = "000003.webp\thq\t128\n000004.webp\tkar\t76\n000005.webp\tmat\t200\n"
    (two / "sources.tsv").write_text("file\tsource\tpx\n" + rows)
    sources = [one, two]
    for place, (only, kept) in enumerate(
        {
            ("px>=128",): [1, 2, 3, 5],
            ("px < 128",): [1, 2, 4],
            ("source=hq",): [1, 2, 3],
            ("px>=100", "source != hq"): [1, 2, 5],
            ("Male=-1", "px>=128"): [],
        }.items()
    ):
        choice = Choice(only=only)
        out = tmp_path / f"pack{place}"
        if not kept:
            with pytest.raises(InputError, match="no usable image"):
                pack_source(sources, out, size=16, choice=choice, split="official")
            continue
        pack = pack_source(sources, out, size=16, choice=choice, split="official")
        assert pack.names == tuple(f"{i:06d}.png" for i in kept)
    with pytest.raises(InputError, match=r"--only py>=128: no column py in one, two"):
        pack_source(sources, tmp_path / "x", size=16, choice=Choice(only=("py>=128",)))
    with pytest.raises(InputError, match=r"'hq' in column source is no number"):
        pack_source(sources, tmp_path / "x", size=16, choice=Choice(only=("source>1",)))
    (two / "sources.tsv").write_text("file\tsource\tpx\n000003.webp\thq\t128\n")
    with pytest.raises(InputError, match=r"two/sources.tsv says nothing about '000004.png'"):
        pack_source(sources, tmp_path / "x", size=16, choice=Choice(only=("px>1",)))


def test_a_table_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    one = celeba(tmp_path / "one", [1, 2], [7, 8])
    rows = "000001.webp\t90\n000002.webp\t50\n000001.webp\t60\n"
    (one / "sources.tsv").write_text("file\tpx\n" + rows)
    expected = r"sources.tsv: px of '000001.webp' is '90' in line 2 and '60' in line 4: leave one"
    with pytest.raises(InputError, match=expected):
        pack_source([one], tmp_path / "x", size=16, choice=Choice(only=("px>1",)))
    assert not (tmp_path / "x").exists()


def test_a_column_that_only_one_source_has_is_dropped(tmp_path: Path) -> None:
    one = table(tmp_path / "one", "image,Hat,Kind\na.png,1,1\nb.png,0,0\n")
    other = table(tmp_path / "other", "image,Kind\na.png,1\nb.png,0\n", first=4)
    choice = Choice(ColumnChoice(drop=("Hat",)))
    pack = pack_source([one, other], tmp_path / "pack", size=16, choice=choice)
    assert (pack.attribute_names, pack.attributes[:, 0].tolist()) == (("Kind",), [1, 0, 1, 0])
    with pytest.raises(InputError, match="--drop-column 'hat': no such attribute; there are 'Hat'"):
        open_selected([one], Choice(ColumnChoice(drop=("hat",))))


@pytest.mark.parametrize("text", ["px", ">=3", "px>=", ""])
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="takes a condition such as px>=128"):
        parse_condition(text)


def test_sources_that_cannot_be_put_together(tmp_path: Path) -> None:
    one = write_folder(tmp_path / "one", celeba_files(6))
    with pytest.raises(InputError, match="one is given twice"):
        pack_source([one, tmp_path / "two/../one"], tmp_path / "pack", size=16)
    with pytest.raises(InputError, match="no source was named"):
        pack_source([], tmp_path / "pack", size=16)
    drawn = {"format": 1, "seed": 4, "count": 6, "size": 32, "independent": True}
    files = celeba_files(6) | {"drawn.json": json.dumps(drawn).encode()}
    two = write_folder(tmp_path / "two", files)
    with pytest.raises(InputError, match="two holds drawn faces, which are packed alone"):
        pack_source([one, two], tmp_path / "pack", size=16)


def test_faults_say_in_which_source_they_are(tmp_path: Path) -> None:
    one, two = (write_folder(tmp_path / name, celeba_files()) for name in ("one", "two"))
    (two / "img_align_celeba" / names()[3]).write_bytes(b"damaged")
    (one / "img_align_celeba" / names()[2]).unlink()
    with pytest.raises(InputError) as caught:
        pack_source([one, two], tmp_path / "pack", size=16)
    lines = str(caught.value).split("\n")
    assert lines[0] == "one + two has 2 bad entries."
    assert lines[2] == "  one/list_attr_celeba.txt:5: no image '000003.png'"
    assert lines[4].startswith("  two/list_attr_celeba.txt:6: 'two/000004.png': not a JPEG")


def test_the_real_sets_share_people_and_no_image(shared: Path, tmp_path: Path) -> None:
    from twobirds.data.combination import combine

    (tmp_path / "out.txt").write_text("192593\n183260\n193534\n")
    folders = [shared / "data/celeba128", shared / "data/celeba128_more"]
    choice = Choice(leave_out=tmp_path / "out.txt", only=("px>=128",))
    selection = open_selected(folders, choice)
    assert selection.left_out == [{"--leave-out": 3}, {"--leave-out": 0, "--only px>=128": 8475}]
    both = combine(selection.sources)
    assert len(both) == 13_024 + 34_311
    assert both.partition is not None
    trained = set(both.identity[both.partition == 0].tolist())
    assert not trained & set(both.identity[both.partition != 0].tolist())
