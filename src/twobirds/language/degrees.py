"""Degrees before and after a word: slightly, hardly any, a little less, a hint of."""

from collections.abc import Sequence

from twobirds.language.lexicon import UNCOUNTABLE, Effects

SLIGHT, LESS, HARDLY = 0.6, 0.4, 0.25
"""How far a degree moves an attribute from its opposite (0) to what the word says (1)."""
_SLIGHT_PHRASES = """slightly, slight, somewhat, faintly, faint, fairly, kinda, bit, a bit,
tiny bit, little bit, a little, kind of, sort of, hint of, touch of, trace of, dash of,
suggestion of, tad, partly, partially, moderately, mildly, half"""
_LESS_PHRASES = "a bit less, a little less, slightly less, somewhat less, a tad less"
_HARDLY_PHRASES = """hardly, barely, scarcely, rarely, seldom, minimal, less, fewer, lesser,
reduced"""
_DEGREES = {
    tuple(phrase.split()): degree
    for phrases, degree in (
        (_SLIGHT_PHRASES, SLIGHT), (_LESS_PHRASES, LESS), (_HARDLY_PHRASES, HARDLY),
    )
    for phrase in phrases.split(",")
}  # fmt: skip
QUANTIFIERS = frozenset(
    {("less",), ("fewer",), *((word, "any") for word in "hardly barely scarcely".split())}
)
"""Degrees that govern a list: less makeup and lipstick."""
_LONGEST = max(map(len, _DEGREES))
_BETWEEN = frozenset("any ever of a an more much".split())
"""Words between a degree and what it weakens: hardly any beard, a bit of a double chin."""
DEGREE_WORDS = frozenset(phrase[0] for phrase in _DEGREES if len(phrase) == 1) | {"little", "few"}
"""Words that say how much of something else."""


def degree_before(words: Sequence[str], place: int) -> tuple[int, float] | None:
    """The degree of the word at a place by those before it.

    Args:
        words: Of a text, lower case.
        place: Where the word stands.

    Returns:
        Where the degree begins, and how much of the word's meaning remains, in (0, 1).
    """
    end = place
    while end > 0 and place - end < 3:
        found = _degree_ending(words, end)
        if found is not None:
            return found
        if words[end - 1] == "little" and words[place] in UNCOUNTABLE:
            return end - 1, HARDLY  # little hair, unlike a little hair
        if words[end - 1] not in _BETWEEN:
            return None
        end -= 1
    return _degree_ending(words, end)


def degree_after(
    words: Sequence[str], place: int, ends: frozenset[str]
) -> tuple[int, float] | None:
    """The degree by the words after a verb or adjective: smiling a bit, smiles less.

    Args:
        words: Of a text, lower case.
        place: The place after the verb or adjective.
        ends: Words that may follow the degree.

    Returns:
        Where the degree ends, and how much of the word's meaning remains, in (0, 1).
    """
    for length in range(_LONGEST, 0, -1):
        end = place + length
        degree = _DEGREES.get(tuple(words[place:end]))
        is_last = end == len(words) or (end < len(words) and words[end] in ends)
        if degree is not None and is_last:
            return end, degree
    return None


def weakened(effects: Effects, degree: float) -> Effects:
    """Effects of a word of which only some remains; 0 turns each into its opposite.

    Args:
        effects: Values in [0, 1] by attribute.
        degree: From 0, the opposite, to 1, as they are.
    """
    return {name: round(1 - value + (2 * value - 1) * degree, 2) for name, value in effects.items()}


def _degree_ending(words: Sequence[str], end: int) -> tuple[int, float] | None:
    for length in range(min(_LONGEST, end), 0, -1):
        degree = _DEGREES.get(tuple(words[end - length : end]))
        if degree is not None:
            return end - length, degree
    return None
