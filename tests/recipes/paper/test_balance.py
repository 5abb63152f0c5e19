"""Updates per iteration follow the imbalance of the losses (P15), by hand."""

import math

import pytest

from twobirds.recipes.paper.balance import UpdateBalance

LOG_2 = math.log(2)


@pytest.mark.parametrize(
    ("discriminator_loss", "generator_loss", "expected"),
    [
        (2 * LOG_2, LOG_2, (1, 1)),  # nobody can tell
        (2.0, 0.51, (1, 1)),  # 1.96 times is not overwhelming
        (2.0, 0.49, (2, 1)),  # D loses by more than 2
        (2.0, 0.24, (3, 1)),  # by more than 4
        (2.0, 0.10, (4, 1)),  # by more than 8
        (2.0, 0.01, (4, 1)),  # bounded
        (1.0, 0.9, (1, 1)),
        (1.0, 1.1, (1, 2)),  # G loses by more than 2
        (1.0, 2.1, (1, 3)),
        (0.0, 5.0, (1, 4)),  # D has won completely
        (5.0, 0.0, (4, 1)),  # G has
        (0.0, 0.0, (1, 1)),
    ],
)
def test_numbers_of_updates(
    discriminator_loss: float, generator_loss: float, expected: tuple[int, int]
) -> None:
    balance = UpdateBalance(ratio=2.0, max_updates=4)
    balance.adjust(discriminator_loss, generator_loss)
    assert (balance.num_discriminator, balance.num_generator) == expected


def test_one_update_at_most_switches_it_off() -> None:
    balance = UpdateBalance(ratio=2.0, max_updates=1)
    balance.adjust(100.0, 0.001)
    assert (balance.num_discriminator, balance.num_generator) == (1, 1)


def test_the_numbers_fall_back_when_the_balance_is_restored() -> None:
    balance = UpdateBalance(ratio=2.0, max_updates=3)
    assert (balance.num_discriminator, balance.num_generator) == (1, 1)
    balance.adjust(10.0, 1.0)
    assert balance.num_discriminator == 3
    balance.adjust(2 * LOG_2, LOG_2)
    assert (balance.num_discriminator, balance.num_generator) == (1, 1)


@pytest.mark.parametrize(("ratio", "expected"), [(1.5, 4), (3.0, 2), (6.0, 1)])
def test_a_larger_ratio_is_slower_to_react(ratio: float, expected: int) -> None:
    balance = UpdateBalance(ratio=ratio, max_updates=8)
    balance.adjust(8.0, 1.0)  # D loses by 4: log 4 / log 1.5 = 3.4, / log 3 = 1.3, / log 6 = 0.8
    assert balance.num_discriminator == expected
