import numpy as np

from twobirds.data.attributes import (
    CELEBA_ATTRIBUTES,
    EXCLUSIVE,
    GROUPS,
    excluded_by,
    exclusion_matrix,
    overruled,
    overruled_names,
    resolve_conflicts,
)


def test_there_are_forty_names_in_celebas_order() -> None:
    assert len(set(CELEBA_ATTRIBUTES)) == 40
    assert CELEBA_ATTRIBUTES[0] == "5_o_Clock_Shadow"
    assert CELEBA_ATTRIBUTES[20] == "Male"
    assert CELEBA_ATTRIBUTES[-1] == "Young"
    # CelebA's order is that of the names, digits first.
    assert list(CELEBA_ATTRIBUTES) == sorted(CELEBA_ATTRIBUTES)


def test_names_are_those_of_real_lists(shared) -> None:
    header = (shared / "data/celeba128/list_attr_celeba.txt").read_text().splitlines()[1]
    assert tuple(header.split()) == CELEBA_ATTRIBUTES


def test_each_attribute_is_in_one_group() -> None:
    assert sorted(name for group in GROUPS.values() for name in group) == sorted(CELEBA_ATTRIBUTES)


def test_exclusion_knows_only_real_names_and_is_mutual() -> None:
    assert frozenset().union(*EXCLUSIVE) <= set(CELEBA_ATTRIBUTES)
    for name in CELEBA_ATTRIBUTES:
        assert name not in excluded_by(name)
        assert all(name in excluded_by(other) for other in excluded_by(name))
    assert excluded_by("No_Beard") == {"5_o_Clock_Shadow", "Goatee", "Mustache"}
    assert excluded_by("Smiling") == frozenset()


def test_switching_on_switches_contradictions_off() -> None:
    names = ["Blond_Hair", "Black_Hair", "Bald", "Male"]
    faces = np.array([[1, 1, 1, 1], [0, 1, 1, 1]], np.float32)
    resolved = resolve_conflicts(faces, names, changed=["Blond_Hair"])
    np.testing.assert_array_equal(resolved, [[1, 0, 0, 1], [0, 1, 1, 1]])
    np.testing.assert_array_equal(faces[0], [1, 1, 1, 1])


def test_what_was_asked_for_is_kept_even_against_itself() -> None:
    names = ["Blond_Hair", "Black_Hair"]
    resolved = resolve_conflicts(np.array([[1.0, 1.0]]), names, changed=names)
    np.testing.assert_array_equal(resolved, [[1, 1]])


def test_later_values_overrule_and_exclude_earlier_ones() -> None:
    values = {"Blond_Hair": 1.0, "Bangs": 1.0, "Male": 1.0}
    assert overruled(values, {"Black_Hair": 1.0, "Male": 0.0}) == {
        "Bangs": 1.0,
        "Black_Hair": 1.0,
        "Male": 0.0,
    }
    assert overruled(values, {"Black_Hair": 0.5}) == {**values, "Black_Hair": 0.5}


def test_what_is_overruled_has_another_value_or_is_excluded() -> None:
    values = {"Bald": 1.0, "Blond_Hair": 0.0, "Male": 1.0}
    assert overruled_names(values, {"Black_Hair": 1.0}) == ["Bald"]
    assert overruled_names({"Bald": 1.0}, {"Black_Hair": 1.0, "Bald": 1.0}) == []
    assert overruled_names(values, {"Male": 0.0, "Blond_Hair": 0.0}) == ["Male"]
    assert overruled_names({"Heavy_Makeup": 0.25}, {"Heavy_Makeup": 0.0}) == ["Heavy_Makeup"]


def test_the_exclusion_matrix_says_what_excluded_by_says() -> None:
    names = ("Bald", "Bangs", "Smiling", "Black_Hair")
    expected = [[0, 1, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]]
    assert exclusion_matrix(names).astype(int).tolist() == expected
