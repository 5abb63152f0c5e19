import pytest

from twobirds.data.names import AmbiguousNameError, NameIndex


@pytest.mark.parametrize(
    ("paths", "name", "found"),
    [
        (["depth/a.png", "images/a.jpg"], "a.jpg", "images/a.jpg"),  # the exact name, anywhere
        (["a.png", "images/a.jpg"], "a.jpg", "images/a.jpg"),
        (["a.jpg", "images/a.jpg"], "a.jpg", "a.jpg"),  # beside the list
        (["images/p0/0.png", "images/p1/0.png"], "p0/0.png", "images/p0/0.png"),
        (["images/p0/0.png", "images/p1/0.png"], "p1\\0.jpg", "images/p1/0.png"),
        (["x/a.b.png", "x/a.png"], "a.b", "x/a.b.png"),  # the whole name before its ending goes
        (["x/a.b.png", "x/a.png"], "a.jpg", "x/a.png"),
        (["dr.png"], "dr.smith", None),  # .smith is no ending of an image
        (["x/A.JPG"], "a.jpg", "x/A.JPG"),
        (["x/a.jpg", "x/A.jpg"], "A.jpg", "x/A.jpg"),
        (["x/a.jfif"], "a.jpg", "x/a.jfif"),
        (["x/a.jpg"], "./x/a.jpg", "x/a.jpg"),
        (["x/Zoe\u0308.png"], "Zo\u00eb.png", "x/Zoe\u0308.png"),  # decomposed, as macOS stores it
        (["x/Zo\u00eb.png"], "Zoe\u0308.png", "x/Zo\u00eb.png"),
        (["b/10.png"], "0.png", None),
        (["a.png"], "", None),
        (["a.png"], "../a.png", None),
    ],
)
def test_what_a_name_means(paths: list[str], name: str, found: str | None) -> None:
    assert NameIndex(paths).find(name) == found


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("/data/a.png", "a.png"),
        ("/data/x/b.jpg", "x/b.png"),
        ("/data/./x/../x/b.png", "x/b.png"),
        ("/mnt/faces/a.png", "a.png"),  # the same folder by another way
        ("/data/b.png", None),  # an absolute path says in which folder
        ("/data/../etc/a.png", None),
        ("/other/a.png", None),
        ("/data", None),
        ("C:\\data\\a.png", None),
        ("C:a.png", None),
    ],
)
def test_absolute_paths_are_found_below_the_folder_alone(name: str, found: str | None) -> None:
    index = NameIndex(["a.png", "x/b.png"], roots=("/data", "/mnt/faces/"))
    assert index.find(name) == found


@pytest.mark.parametrize(
    ("paths", "name"),
    [
        (["depth/a.png", "images/a.png"], "a.png"),
        (["depth/a.png", "images/a.jpg"], "a"),
        (["depth/a.png", "images/a.jpg"], "a.webp"),
        (["x/a.JPG", "x/A.jpg"], "a.jpg"),
    ],
)
def test_a_name_that_fits_two_paths_names_both(paths: list[str], name: str) -> None:
    with pytest.raises(AmbiguousNameError) as caught:
        NameIndex(paths).find(name)
    assert set(caught.value.paths) == set(paths)


def test_preferred_folders_come_in_their_order() -> None:
    paths = ["thumbs/1.jpg", "Img/img_align_celeba/1.jpg", "Img/img_celeba/1.jpg"]
    index = NameIndex(paths, beside="Anno", preferred=("img_align_celeba", "img_celeba"))
    assert index.find("1.jpg") == "Img/img_align_celeba/1.jpg"
