"""The part of a photo that an edit changes."""

import numpy as np

from photos.making_photos import encoded
from twobirds.photos.patch import Patch

PIXELS = np.random.default_rng(0).integers(0, 256, (37, 45, 3), np.uint8)
PATCH = Patch(5, 9, 255 - PIXELS[9:30, 5:25])


def test_a_patch_takes_the_place_of_its_part_alone() -> None:
    laid = PATCH.laid_on(PIXELS)
    assert (laid[9:30, 5:25] == PATCH.pixels).all()
    laid[9:30, 5:25] = PIXELS[9:30, 5:25]
    assert (laid == PIXELS).all()


def test_it_changes_a_photo_only_if_a_pixel_differs() -> None:
    assert PATCH.changes(PIXELS)
    assert not Patch(5, 9, PIXELS[9:30, 5:25].copy()).changes(PIXELS)
    assert not Patch(0, 0, PIXELS[:0, :0]).changes(PIXELS)
    tall = np.zeros((600, 4, 3), np.uint8)
    last = tall.copy()
    last[-1, -1, -1] = 1
    assert Patch(0, 0, last).changes(tall)


def test_the_image_that_shares_memory_gives_the_same_jpeg_file() -> None:
    one, other = PATCH.image_on(PIXELS), PATCH.laid_on(PIXELS)
    assert encoded(one, "JPEG", quality=90) == encoded(other, "JPEG", quality=90)
