import numpy as np
import pytest

from twobirds.data.splits import (
    assign_splits,
    choose_rule,
    count_by_split,
    count_divided_people,
)
from twobirds.errors import InputError

UNKNOWN = np.full(6, -1)
PEOPLE = np.array([7, 7, 8, 8, 9, 9])
BY_IDENTITY = np.array([0, 0, 1, 1, 2, 2], np.uint8)
ACROSS = np.array([0, 1, 2, 0, 1, 2], np.uint8)


@pytest.mark.parametrize(
    ("identity", "partition", "rule"),
    [
        (PEOPLE, None, "identity"),
        (PEOPLE, ACROSS, "identity"),
        (UNKNOWN, ACROSS, "official"),
        (UNKNOWN, None, "random"),
        (UNKNOWN, np.zeros(6, np.uint8), "random"),  # says train of everything: no partition
        (np.array([7, 7, 7, 7, 7, -1]), None, "identity"),  # else 7 would be in several splits
        (np.full(6, 7), None, "random"),  # one person cannot be divided
    ],
)
def test_default_rule(identity: np.ndarray, partition: np.ndarray | None, rule: str) -> None:
    assert choose_rule(None, identity=identity, partition=partition) == rule


def test_requests_that_cannot_be_met_say_so() -> None:
    with pytest.raises(
        InputError, match=r"no person is known on any of 6 images; add an identity file"
    ):
        choose_rule("identity", identity=UNKNOWN, partition=None)
    with pytest.raises(InputError, match="no list_eval_partition"):
        choose_rule("official", identity=PEOPLE, partition=None)
    with pytest.raises(InputError, match="one person"):
        assign_splits("identity", 0, identity=np.full(6, 7), partition=None)
    assert choose_rule("random", identity=PEOPLE, partition=ACROSS) == "random"


def test_official_keeps_the_partition() -> None:
    split, _ = assign_splits("official", 0, identity=PEOPLE, partition=ACROSS)
    np.testing.assert_array_equal(split, ACROSS)


def test_identity_keeps_a_partition_that_is_by_identity_already() -> None:
    split, note = assign_splits("identity", 0, identity=PEOPLE, partition=BY_IDENTITY)
    np.testing.assert_array_equal(split, BY_IDENTITY)
    assert "own partition" in note
    split, note = assign_splits("identity", 0, identity=PEOPLE, partition=ACROSS)
    assert not np.array_equal(split, ACROSS)
    assert "80/10/10" in note


@pytest.mark.parametrize("seed", range(5))
def test_people_are_never_divided_and_shares_are_met(seed: int) -> None:
    identity = np.random.default_rng(9).integers(0, 400, 4000)
    split, _ = assign_splits("identity", seed, identity=identity, partition=None)
    for person in np.unique(identity):
        assert len(np.unique(split[identity == person])) == 1
    shares = np.bincount(split, minlength=3) / len(split)
    np.testing.assert_allclose(shares, [0.8, 0.1, 0.1], atol=0.006)


def test_splits_repeat_with_their_seed_and_change_with_another() -> None:
    identity = np.arange(100) // 2
    for rule in ("identity", "random"):
        first, again, other = (
            assign_splits(rule, seed, identity=identity, partition=None)[0] for seed in (3, 3, 4)
        )
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other)


def test_three_people_fill_three_splits_and_two_still_train_and_test() -> None:
    split, _ = assign_splits("identity", 0, identity=PEOPLE, partition=None)
    assert sorted(set(split)) == [0, 1, 2]
    split, _ = assign_splits("identity", 0, identity=np.array([1, 1, 2, 2]), partition=None)
    assert sorted(set(split)) == [0, 2]


@pytest.mark.parametrize(
    ("count", "sizes", "words"),
    [
        (202_599, [185_000, 0, 17_599], "185,000 of 202,599 images train, the rest test"),
        (200_000, [185_000, 0, 15_000], "185,000 of 200,000"),
        (60, [48, 6, 6], "about 80/10/10 %"),  # the paper's share would leave none to validate
        (3, [1, 1, 1], "about 80/10/10 %"),
        (2, [1, 0, 1], "too few"),
        (1, [1, 0, 0], "too few"),
    ],
)
def test_random_is_the_papers_for_as_many_and_sensible_for_fewer(
    count: int, sizes: list[int], words: str
) -> None:
    split, note = assign_splits("random", 0, identity=np.full(count, -1), partition=None)
    assert np.bincount(split, minlength=3).tolist() == sizes
    assert words in note


def test_unknown_people_are_spread_and_known_ones_stay_apart() -> None:
    identity = np.arange(400) // 4
    identity[::3] = -1
    assert choose_rule(None, identity=identity, partition=None) == "identity"
    split, note = assign_splits("identity", 0, identity=identity, partition=None)
    assert "each of 134 images of unknown people is taken for another person" in note
    assert count_divided_people(identity, split) == 0
    assert set(split[identity < 0].tolist()) == {0, 1, 2}
    counts = count_by_split(identity, split)
    assert sum(part["images_of_unknown_people"] for part in counts.values()) == 134
    assert sum(part["people"] for part in counts.values()) == 100


def test_unknown_people_do_not_make_a_partition_one_that_divides_people() -> None:
    identity, partition = np.array([7, 7, -1, -1, 8]), np.array([0, 0, 0, 2, 2], np.uint8)
    split, note = assign_splits("identity", 0, identity=identity, partition=partition)
    np.testing.assert_array_equal(split, partition)
    assert "own partition" in note


def test_people_in_several_splits_are_counted_once() -> None:
    split = np.array([0, 1, 2, 0, 0, 1], np.uint8)
    assert count_divided_people(np.array([7, 7, 7, 8, 8, -1]), split) == 1
    assert count_divided_people(np.array([7, 7, 8, 8, 9, 9]), split) == 3
    assert count_divided_people(np.full(6, -1), split) == 0


def test_somebody_with_most_of_the_images_trains() -> None:
    identity = np.array([0] * 80 + list(range(1, 21)))
    for seed in range(20):
        split, _ = assign_splits("identity", seed, identity=identity, partition=None)
        assert set(split[identity == 0].tolist()) == {0}
        assert np.bincount(split, minlength=3).tolist() == [80, 10, 10]


def test_a_partition_that_cannot_be_used_is_not_passed_over_in_silence() -> None:
    identity = np.arange(40) // 4
    for rule in ("identity", "random"):
        _, note = assign_splits(rule, 0, identity=identity, partition=np.zeros(40, np.uint8))
        assert note.endswith("the source's own partition lacks train or test, so it is not used")
        _, note = assign_splits(rule, 0, identity=identity, partition=None)
        assert "partition" not in note
