import numpy as np
import pytest

from twobirds.data.splits import assign_splits, choose_rule
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
        (np.array([7, 7, 7, 7, 7, -1]), None, "random"),
        (np.full(6, 7), None, "random"),  # one person cannot be divided
    ],
)
def test_default_rule(identity: np.ndarray, partition: np.ndarray | None, rule: str) -> None:
    assert choose_rule(None, identity=identity, partition=partition) == rule


def test_requests_that_cannot_be_met_say_so() -> None:
    with pytest.raises(InputError, match=r"6 of 6 images have none.*identity file"):
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
    ("count", "train"), [(202_599, 185_000), (200_000, 185_000), (1_000, 925), (2, 2)]
)
def test_random_is_the_papers(count: int, train: int) -> None:
    split, _ = assign_splits("random", 0, identity=np.full(count, -1), partition=None)
    assert (split == 0).sum() == train
    assert (split == 2).sum() == count - train


def test_a_partition_that_cannot_be_used_is_not_passed_over_in_silence() -> None:
    identity = np.arange(40) // 4
    for rule in ("identity", "random"):
        _, note = assign_splits(rule, 0, identity=identity, partition=np.zeros(40, np.uint8))
        assert note.endswith("the source's own partition lacks train or test, so it is not used")
        _, note = assign_splits(rule, 0, identity=identity, partition=None)
        assert "partition" not in note
