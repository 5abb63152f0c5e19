import numpy as np
import pytest

from twobirds.data.attributes import EXCLUSIVE
from twobirds.data.drawn import DRAWN_ATTRIBUTES, PHOTOS_PER_PERSON, sample_faces
from twobirds.data.drawn.rates import PERSONAL
from twobirds.errors import InputError


def _column(name: str) -> int:
    return DRAWN_ATTRIBUTES.index(name)


def _share(attributes: np.ndarray, name: str, given: str, value: int) -> float:
    """How often `name` holds among the faces whose attribute `given` has this value."""
    chosen = attributes[attributes[:, _column(given)] == value]
    return float(chosen[:, _column(name)].mean())


def test_a_face_depends_on_nothing_but_seed_and_number() -> None:
    together = sample_faces(7, range(40))
    alone = sample_faces(7, [33, 2])
    for field in ("identity", "attributes", "traits", "nuisances"):
        assert np.array_equal(getattr(together, field)[[33, 2]], getattr(alone, field))


def test_photos_of_a_person_share_traits_and_lasting_attributes() -> None:
    faces = sample_faces(1, range(3 * PHOTOS_PER_PERSON))
    assert faces.identity.tolist() == [0] * 8 + [1] * 8 + [2] * 8
    lasting = [_column(name) for name in PERSONAL]
    for person in range(3):
        photos = faces.take(np.flatnonzero(faces.identity == person))
        assert (photos.traits == photos.traits[0]).all()
        assert (photos.attributes[:, lasting] == photos.attributes[0, lasting]).all()
        assert len(np.unique(photos.nuisances[:, 0])) == PHOTOS_PER_PERSON
    assert len(np.unique(faces.traits[:, 0])) == 3


def test_another_seed_is_another_collection() -> None:
    assert (sample_faces(0, range(8)).traits != sample_faces(1, range(8)).traits).all()


@pytest.mark.parametrize("independent", [False, True])
def test_every_attribute_is_common_and_none_contradicts_another(independent: bool) -> None:
    faces = sample_faces(3, range(8_000), independent=independent)
    means = faces.attributes.mean(axis=0)
    assert means.min() >= 0.08, dict(zip(DRAWN_ATTRIBUTES, means, strict=True))
    assert means.max() <= 0.80
    for group in EXCLUSIVE:
        columns = [_column(name) for name in group]
        assert faces.attributes[:, columns].sum(axis=1).max() <= 1, group


def test_attributes_go_together_as_in_life() -> None:
    attributes = sample_faces(3, range(0, 24_000, 8)).attributes
    assert _share(attributes, "No_Beard", "Male", 0) == 1.0
    assert _share(attributes, "No_Beard", "Male", 1) < 0.5
    assert _share(attributes, "Wearing_Lipstick", "Male", 1) == 0.0
    assert _share(attributes, "Gray_Hair", "Young", 0) > 0.25


def test_independent_attributes_do_not_go_together() -> None:
    attributes = sample_faces(3, range(0, 24_000, 8), independent=True).attributes
    for name in ("No_Beard", "Wearing_Lipstick", "Smiling"):
        women, men = (_share(attributes, name, "Male", value) for value in (0, 1))
        assert abs(women - men) < 0.06  # three standard deviations


def test_counterfactual_keeps_person_and_photo() -> None:
    faces = sample_faces(0, range(4))
    attributes = 1 - faces.attributes.astype(np.float32)
    other = faces.with_attributes(attributes)
    assert other.traits is faces.traits
    assert other.nuisances is faces.nuisances
    assert np.array_equal(other.attributes, attributes)
    assert faces.on("Male").tolist() == (1 - other.on("Male")).tolist()


def test_wrong_input_is_named() -> None:
    faces = sample_faces(0, range(2))
    with pytest.raises(InputError, match="seed must lie in"):
        sample_faces(-1, [0])
    with pytest.raises(InputError, match="indices of drawn faces"):
        sample_faces(0, [3, -1])
    with pytest.raises(InputError, match=r"must have shape \(2, 39\), not \(2, 40\)"):
        faces.with_attributes(np.zeros((2, 40)))
    with pytest.raises(InputError, match="must be 0 or 1"):
        faces.with_attributes(np.full((2, 39), 0.5))


def test_no_faces_at_all() -> None:
    assert len(sample_faces(0, [])) == 0
