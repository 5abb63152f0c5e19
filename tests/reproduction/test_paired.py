"""Means and intervals over people, and what they decide."""

import numpy as np
import pytest

from twobirds.reproduction.paired import Estimate, decide, estimate, person_means


def test_people_count_alike_however_many_faces_they_have() -> None:
    values, people = np.array([1.0, 1.0, 1.0, 5.0]), np.array([7, 7, 7, 9])
    assert person_means(values, people).tolist() == [1.0, 5.0]
    found = estimate(values, people, seed=0)
    assert (found.mean, found.num_faces, found.num_people) == (3.0, 4, 2)


def test_unknown_people_are_people_of_their_own() -> None:
    means = person_means(np.array([1.0, 2.0, 3.0]), np.array([-1, -1, 4]))
    assert sorted(means.tolist()) == [1.0, 2.0, 3.0]


def test_faces_of_one_person_do_not_narrow_the_interval() -> None:
    rng = np.random.default_rng(0)
    per_person = rng.normal(size=20)
    values = np.repeat(per_person, 10)
    of_people = estimate(values, np.repeat(np.arange(20), 10), seed=0)
    of_faces = estimate(values, np.full(200, -1), seed=0)
    width = [e.interval[1] - e.interval[0] for e in (of_people, of_faces)]
    assert width[0] > 2 * width[1]
    assert of_people.mean == pytest.approx(of_faces.mean)


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [((0.1, 0.2), "holds"), ((-0.2, -0.1), "does not hold"), ((-0.1, 0.1), "not decided")],
)
def test_an_interval_decides(interval: tuple[float, float], verdict: str) -> None:
    assert decide(Estimate(0.0, interval, 100, 20)) == verdict
    assert decide(Estimate(0.0, interval, 100, 19)) == "not decided"  # of too few people
