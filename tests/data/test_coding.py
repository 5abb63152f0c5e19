import re

import pytest

from twobirds.data.coding import Coded, encode_column
from twobirds.data.columns import column_of, number_people
from twobirds.errors import InputError


def encode(*cells: str, repeat: int = 1, required: bool = False) -> Coded | str:
    return encode_column("Hat", column_of(cells * repeat), where="t.csv", required=required)


@pytest.mark.parametrize(
    ("no", "yes"),
    [
        ("0", "1"), ("-1", "1"), ("1", "2"), ("0.0", "1.0"), ("-1.0", "+1"), ("0", "255"),
        ("false", "true"), ("False", "TRUE"), ("no", "yes"), ("No", "Yes"), ("n", "y"),
        ("F", "T"), ("off", "on"), ("female", "male"), ("absent", "present"),
        ("no beard", "beard"), ("not smiling", "a smile"), ("non-smoker", "Smoker"),
    ],
)  # fmt: skip
def test_two_values_are_a_coding(no: str, yes: str) -> None:
    coded = encode(no, yes, yes, no)
    assert isinstance(coded, Coded)
    assert coded.values.tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize(("value", "number"), [("1", 1), ("0", 0), ("-1", 0), ("yes", 1)])
def test_a_known_word_alone_is_an_attribute_too(value: str, number: int) -> None:
    coded = encode(value, value)
    assert isinstance(coded, Coded)
    assert coded.values.tolist() == [number, number]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (("0", "1", "2", "3", "4"), r"5 values \('0', '1', '2', …\)"),
        (("Ann", "Ben", "Cem"), "3 values"),
        (("adult", "adult"), "single value, 'adult'"),
        (("1", "", "nan", "None"), "empty or unknown in 3 of 4 rows"),
        (("", ""), "empty or unknown in 2 of 2 rows"),
    ],
)
def test_other_columns_say_why_they_are_no_attributes(cells: tuple[str, ...], reason: str) -> None:
    found = encode(*cells)
    assert isinstance(found, str)
    assert re.search(reason, found), found


def test_a_few_strange_cells_are_faults_and_not_another_coding() -> None:
    coded = encode(*["yes"] * 20, *["no"] * 20, "maybe", "")
    assert isinstance(coded, Coded)
    assert coded.values.tolist() == [1] * 20 + [0] * 20 + [-1, -1]
    coded = encode(*["1"] * 30, "2")  # a slip, not a coding of 1 and 2
    assert isinstance(coded, Coded)
    assert coded.values.tolist() == [1] * 30 + [-1]


def test_minus_one_beside_zero_could_both_mean_no() -> None:
    with pytest.raises(InputError, match=r"'Hat' has -1 in 10 rows and 0 in 10: either"):
        encode("-1", "0", "1", repeat=10)


UNKNOWN = (
    "|-1|-1.0|-7|nan|NaN|NA|N/A|None|null|NULL|unknown|?|--|n.a.|(null)|\\N|<unknown>|Not known|"
    "missing|Anonymous|unnamed"
).split("|")


@pytest.mark.parametrize("spelling", UNKNOWN)
def test_every_spelling_of_an_unknown_person(spelling: str) -> None:
    assert number_people(column_of(["12", spelling, "3"])).tolist() == [12, -1, 3]
    assert number_people(column_of(["Ann", spelling, "Ben", "Ann"])).tolist() == [0, -1, 1, 0]


def test_whole_numbers_written_with_decimals_are_the_same_people() -> None:
    assert number_people(column_of(["12.0", "12", "", "3.0"])).tolist() == [12, 12, -1, 3]
