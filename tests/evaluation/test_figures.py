import numpy as np
import pytest

from twobirds.evaluation.figures import grid

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
    titled = grid(FACES, 3, column_titles=("one", "two", "three"))
    assert titled.width == plain.width
    head = titled.height - plain.height
    assert head >= 12
    assert (np.asarray(titled)[:head] < 128).any()
    assert np.array_equal(np.asarray(titled)[head + 4 :], np.asarray(plain)[4:])
    wrapped = grid(FACES, 3, column_titles=("a", "Wearing_Hat", "c"))
    assert wrapped.height == plain.height + 2 * head


def test_cells_can_be_enlarged() -> None:
    assert grid(FACES, 5, cell_pixels=64).size == (4 + 5 * 68, 4 + 68)


def test_long_titles_do_not_run_over() -> None:
    picture = np.asarray(grid(FACES[:1], 1, column_titles=("Extraordinarily_long " * 3,)))
    assert picture.shape[1] == 4 + 36
    assert (picture[:, -3:] == 255).all()


def test_titles_must_fit() -> None:
    with pytest.raises(ValueError, match="3 columns take 3 texts, not 1"):
        grid(FACES, 3, column_titles=["a"])
    with pytest.raises(ValueError, match="2 rows take 2 texts, not 3"):
        grid(FACES, 3, row_titles=["a", "b", "c"])
    with pytest.raises(ValueError, match="5 images take 5 texts, not 1"):
        grid(FACES, 3, labels=["a"])


def test_row_titles_and_labels_take_room_of_their_own() -> None:
    plain = grid(FACES, 3)
    rows = grid(FACES, 3, row_titles=("a", "b"))
    assert rows.size == (plain.width + 32, plain.height)
    assert np.array_equal(np.asarray(rows)[:, 32 + 4 :], np.asarray(plain)[:, 4:])
    labelled = grid(FACES, 3, labels=[f"{i}.5" for i in range(5)])
    line = (labelled.height - plain.height) // 2
    assert line > 8
    cell = np.asarray(labelled)[4 : 4 + 32, 4 : 4 + 32]
    assert np.array_equal(cell, FACES[0])
    assert (np.asarray(labelled)[36 : 36 + line, 4:36] < 255).any()
    wrapped = grid(FACES, 3, labels=["Mouth Open", "", "", "", ""])
    assert wrapped.height - plain.height == 2 * 2 * line
    assert (np.asarray(wrapped)[36 + line : 36 + 2 * line, 4:36] < 255).any()
