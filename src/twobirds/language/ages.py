"""Ages in words and digits, as values of the attribute Young."""

from collections.abc import Iterator, Sequence

YOUNG_UNTIL, OLD_FROM = 30, 50
"""Ages in years at which Young is 1, and 0; between them it falls evenly."""
_ALONE = range(13, 100)  # years that a number by itself may be
_BEFORE_AGES = frozenset("about around aged age approximately only nearly almost roughly".split())
"""Words after which any number may be years."""
_TENS = {
    name: 10 * i
    for i, name in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_UNITS = {n: i for i, n in enumerate("one two three four five six seven eight nine".split(), 1)}
_TEENS = {
    name: i
    for i, name in enumerate(
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(),
        10,
    )
}
_DECADES = {
    "teens": 16, "twenties": 25, "thirties": 35, "forties": 45, "fifties": 55, "sixties": 65,
    "seventies": 75, "eighties": 85, "nineties": 95,
}  # fmt: skip
_YEARS = frozenset("years year yrs yr yo".split())


def find_ages(words: Sequence[str]) -> Iterator[tuple[int, int, float]]:
    """Find a number with years, a number that can be nothing but years, or a decade.

    Args:
        words: Of a text, lower case; `50s` as two.

    Yields:
        Where it begins and ends, and the value of Young in [0, 1].
    """
    place = 0
    while place < len(words):
        found = _age_at(words, place)
        if found is None:
            place += 1
            continue
        age, end = found
        young = (OLD_FROM - age) / (OLD_FROM - YOUNG_UNTIL)
        yield _start_of_range(words, place), end, round(min(1.0, max(0.0, young)), 2)
        place = end


def _start_of_range(words: Sequence[str], place: int) -> int:
    """Where a range begins that ends with the number at a place."""
    is_range = place > 1 and words[place - 1] in ("to", "and", "or") and is_number(words[place - 2])
    return place - 2 if is_range else place


def is_number(word: str) -> bool:
    """Whether a word is a number in digits or words, or a decade."""
    return word in _DECADES or _number([word], 0) is not None


def _age_at(words: Sequence[str], place: int) -> tuple[int, int] | None:
    """The age that begins at a place, and where it ends."""
    if words[place] in _DECADES:
        return _DECADES[words[place]], place + 1
    number = _number(words, place)
    if number is None:
        return None
    age, end = number
    after = list(words[end : end + 2])
    if after[:1] == ["s"]:
        return age + 5, end + 1
    if set(after[:1]) & _YEARS:
        return age, end + 1 + (after[1:] == ["old"])
    if after[:1] in (["to"], ["and"], ["or"]) and end + 1 < len(words) and _number(words, end + 1):
        return None  # between 20 and 25: the second will do
    is_age = age in _ALONE or bool(set(words[max(0, place - 1) : place]) & _BEFORE_AGES)
    return (age, end) if is_age else None


def _number(words: Sequence[str], place: int) -> tuple[int, int] | None:
    """A number in digits or words that begins at a place, and where it ends."""
    word = words[place]
    if word.isdigit():
        return (int(word), place + 1) if len(word) < 4 else None
    tens, _, unit = word.partition("-")
    if tens in _TENS and (not unit or unit in _UNITS):
        follows = "".join(words[place + 1 : place + 2])
        if not unit and follows in _UNITS:
            return _TENS[tens] + _UNITS[follows], place + 2
        return _TENS[tens] + _UNITS.get(unit, 0), place + 1
    number = {**_TEENS, **_UNITS}.get(word)
    return None if number is None else (number, place + 1)
