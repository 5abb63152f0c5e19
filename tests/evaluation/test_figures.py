import numpy as np
import pytest

from twobirds.evaluation.figures import Figure, grid

FACES = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.full((5, 32, 32, 3), 50, np.uint8)


def test_a_plain_grid_holds_every_image() -> None:
    picture = np.asarray(grid(FACES, 3))
    for index, face in enumerate(FACES):
        row, column = divmod(index, 3)
        top, left = 4 + 36 * row, 4 + 36 * column
        assert np.array_equal(picture[top : top + 32, left : left + 32], face)
    assert (picture[4 + 36 :, 4 + 2 * 36 :] == 255).all()  # no sixth image


def test_words_take_room_and_are_written() -> None:
    plain = grid(FACES, 3)
    titled = grid(
        FACES,
        3,
        column_titles=("one", "two", "three"),
        row_titles=("Wearing_Hat", "b"),
        labels=["+ a\nx b"] * 5,
    )
    assert titled.width > plain.width + 20
    assert titled.height > plain.height + 40
    corner = np.asarray(titled)[:12, : titled.width - 3 * 36]
    assert (corner == 255).all()
    assert (np.asarray(titled)[:12] < 128).any()


def test_cells_can_be_enlarged() -> None:
    assert grid(FACES, 5, cell_pixels=64).size == (4 + 5 * 68, 4 + 68)


def test_long_titles_do_not_run_over() -> None:
    picture = np.asarray(grid(FACES[:1], 1, column_titles=("Extraordinarily_long " * 3,)))
    assert picture.shape[1] == 4 + 36
    assert (picture[:, -3:] == 255).all()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"labels": ["a"]}, "5 labels, not 1"),
        ({"column_titles": ["a"]}, "3 column titles, not 1"),
        ({"row_titles": ["a"]}, "2 row titles, not 1"),
    ],
)
def test_words_must_fit(words: dict[str, list[str]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        grid(FACES, 3, **words)


def test_a_figure_is_drawn_as_its_grid() -> None:
    figure = Figure("key", "Title", "Caption.", FACES, 5, row_titles=("row",))
    assert figure.to_image() == grid(FACES, 5, row_titles=("row",))
