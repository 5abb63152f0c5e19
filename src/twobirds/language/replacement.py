"""One thing for another, and things taken away by words around them.

`swap the hat for glasses`, `more blond than brown`, `take the glasses off`, `the beard is gone`.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from twobirds.language.adjectives import noun_at
from twobirds.language.lexicon import ADJECTIVES, NOUNS, PHRASES
from twobirds.language.negation import ARTICLES, SCOPE_ENDS, Scopes
from twobirds.language.tokens import CLAUSE_ENDS
from twobirds.language.verbs import verb_of

_REACH = 8  # words between the two parts of a construction, at most
_WITH = {
    "replace": ("with", "by"), "swap": ("for", "with"), "exchange": ("for", "with"),
    "trade": ("for", "with"), "switch": ("for", "to"), "change": ("to", "into", "for"),
    "turn": ("to", "into"), "from": ("to", "into"), "more": ("than",), "substitute": ("for",),
}  # fmt: skip
"""First words of replacements, and the words between the two things."""
_CHANGES = frozenset("turn dye make change color colour paint bleach".split())
_REMOVES_SECOND = frozenset(("more", "substitute"))
_PARTICLES = frozenset(("off", "away", "out"))
_PARTICLE_VERBS = frozenset("take get wipe wash leave shave".split())
_GONE = frozenset("gone removed erased deleted missing absent off shaved".split())
_IS_GONE = tuple(
    words.split()
    for words in (
        "no more, no longer, not anymore, must go, should go, has to go, have to go, need to go, "
        "needs to go, has got to go, have got to go"
    ).split(", ")
)
"""Words that together say the same."""
_BEFORE = CLAUSE_ENDS | SCOPE_ENDS
"""Words before what is gone."""
_AFTER = _BEFORE | {"and", "from", "now", "please", "so", "while"}
"""Words after `gone`; others make it something else: he removed *his* glasses."""
_COPULAS = frozenset(("be", "go", "have", "get"))


class Span(NamedTuple):
    """Words that are taken away, by words around them."""

    start: int
    end: int
    """The place after the last."""
    operators: tuple[int, ...]
    """Places of the words that say so."""
    replaced: bool
    """Whether something else takes the place; only then may the same attribute be asked for."""


def removed_spans(words: Sequence[str], scopes: Scopes) -> Iterator[Span]:
    """Find what a text replaces or takes away.

    Args:
        words: Of the text, lower case.
        scopes: Its operators; a construction that one of them negates takes nothing away.
    """
    for place in range(len(words)):
        for span in (
            _replacement(words, place),
            _resultative(words, place),
            _phrasal(words, place),
            _removed_before(words, place),
        ):
            if span is not None and scopes.governing(min(span.operators)) is None:
                yield span


def _clause(words: Sequence[str], place: int) -> range:
    """Places after a word up to the end of its clause, a few at most."""
    end = place + 1
    while end < len(words) and end - place <= _REACH and words[end] not in CLAUSE_ENDS:
        end += 1
    return range(place + 1, end)


def _replacement(words: Sequence[str], place: int) -> Span | None:
    first = verb_of(words[place]) or words[place]
    clause = _clause(words, place)
    between = next((i for i in clause if words[i] in _WITH.get(first, ())), None)
    if between is None:
        return None
    if first == "more" and not _is_attribute(words, between + 1):
        return None  # more handsome than his brother
    if first in _REMOVES_SECOND:
        return Span(between + 1, _end_of_standard(words, between), (place, between), True)
    return Span(place + 1, between, (place, between), True)


def _is_attribute(words: Sequence[str], place: int) -> bool:
    """Whether something of a face, which is no person, begins at a place."""
    named = [word for word in words[place : place + 2] if word not in ARTICLES]
    return bool(named) and (named[0] in PHRASES or named[0] in ADJECTIVES)


def _resultative(words: Sequence[str], place: int) -> Span | None:
    """Turn the gray hair black: the adjectives before the noun are what was."""
    if verb_of(words[place]) not in _CHANGES:
        return None
    for i in _clause(words, place):
        noun = noun_at(words, i)
        if noun is not None:
            is_result = words[i + 1 : i + 2] and words[i + 1] in NOUNS[noun]
            return Span(place + 1, i, (place,), True) if is_result and i > place + 1 else None
    return None


def _end_of_standard(words: Sequence[str], place: int) -> int:
    """Where the thing ends that stands after `than` or `for`."""
    clause = _clause(words, place)
    ends = (i for i in clause if words[i] in SCOPE_ENDS or words[i] in ("and", "or"))
    return next(ends, clause.stop)


def _phrasal(words: Sequence[str], place: int) -> Span | None:
    """Take the glasses off."""
    if verb_of(words[place]) not in _PARTICLE_VERBS or place + 1 >= len(words):
        return None
    for i in _clause(words, place):
        if words[i] in SCOPE_ENDS:
            return None
        if words[i] in _PARTICLES:
            return Span(place + 1, i, (place, i), False) if i > place + 1 else None
    return None


def _removed_before(words: Sequence[str], place: int) -> Span | None:
    """The beard is gone; with her glasses off."""
    after = place + 1 + (words[place + 1 : place + 2] in (["off"], ["away"]))
    if words[place] in _GONE:
        operators = tuple(range(place, after))
    else:
        several = [len(gone) for gone in _IS_GONE if list(words[place : place + len(gone)]) == gone]
        if not several:
            return None
        after = place + several[0]
        operators = tuple(range(place, after))
    if after < len(words) and words[after] not in _AFTER:
        return None
    start = place
    while start > 0 and words[start - 1] not in _BEFORE and not _begins_clause(words, start):
        start -= 1
    if list(words[max(0, start - 2) : start]) == ["everything", "but"]:
        return None  # it is what stays
    nouns = [i for i in range(start, place) if verb_of(words[i]) not in _COPULAS]
    if not nouns:
        return None
    return Span(start, nouns[-1] + 1, operators, False)


def _begins_clause(words: Sequence[str], place: int) -> bool:
    """Whether a verb follows `and`: put a hat on and *take* the glasses off."""
    return words[place - 1] == "and" and verb_of(words[place]) is not None


def standards(words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Find what something is compared with: older than *his brother*, as black as *coal*.

    Args:
        words: Of a text, lower case.

    Yields:
        Where it begins and ends; it says nothing of the face.
    """
    for place, word in enumerate(words):
        if word == "unlike" or (word == "than" and words[place - 1 : place] != ["rather"]):
            yield place + 1, _end_of_standard(words, place)
        if word == "as" and place >= 2 and words[place - 2] == "as":
            yield place + 1, _end_of_standard(words, place)
