"""Words of a text, and the forms by which they are looked up."""

import re
from collections.abc import Container, Sequence
from typing import NamedTuple

from twobirds.language.ages import is_number
from twobirds.language.lexicon import ADJECTIVES, PHRASES
from twobirds.language.people import person_effects

BREAKS = frozenset(".;!?()")
"""Punctuation between sentences."""
CLAUSE_ENDS = BREAKS | {","}
"""Punctuation between clauses."""
_CLAUSE_REACH = 30  # words on either side, at most
_TOKEN = re.compile(r"\d+|[^\W\d_]+(?:[-'][^\W\d_]+)*|[.,;:!?/&()]")


class Tokens(NamedTuple):
    """A text, part by part: words, numbers and punctuation."""

    words: list[str]
    """Lower case."""
    forms: list[str]
    """The same with comparatives and superlatives as their adjectives: `older` as `old`."""


def tokenize(text: str) -> Tokens:
    """Split a text into words.

    Contractions of `not` become two words, `hatless` becomes `no hat`, and compounds are parted
    where only their second part is known.
    """
    plain = text.lower().replace("\u2019", "'").replace("y/o", "yo")
    plain = re.sub(r"\b(\d+)s\b", r"\1 s", plain)
    plain = re.sub(r"\b(\w+)[- ]?something\b", _decade, plain)
    plain = re.sub(r"\b(\w+)'s\b", r"\1 s", plain)
    plain = re.sub(r"\b(early|mid|late)-(?=[a-z0-9])", r"\1 ", plain)
    plain = re.sub(r"\bcan't\b", "can not", plain)
    plain = re.sub(r"\b(\w+)n't\b", r"\1 not", plain)
    plain = re.sub(r"\bmake[- ]up\b", "makeup", plain)
    plain = re.sub(r"\bmore or less\b", "somewhat", plain)
    plain = re.sub(r"\b(?:older|younger|more|less) than (?=(\w+))", _bound, plain)
    plain = re.sub(r"\b(\w+)-looking\b", lambda m: m[0] if m[0] in PHRASES else m[1], plain)
    plain = re.sub(r"\b(\w+)less\b", lambda m: f"no {m[1]}," if m[1] in PHRASES else m[0], plain)
    plain = re.sub(r"\b(\w+)-(\w+)\b", lambda m: _parted(m[0], m[1], m[2]), plain)
    plain = re.sub(r"(\d+|\b[a-z]+)-years?-old", r"\1 years old", plain)
    plain = re.sub(r"\b(\w+(?:-\w+)?) years (?=older|younger)", _difference, plain)
    words = _TOKEN.findall(plain)
    return Tokens(words, [_form(word) for word in words])


def clause_around(words: Sequence[str], place: int) -> range:
    """Places of the words around one, between punctuation.

    Args:
        words: Of a text, lower case.
        place: Where the word stands.
    """
    start, end = place, place
    while start > max(0, place - _CLAUSE_REACH) and words[start - 1] not in CLAUSE_ENDS:
        start -= 1
    while end < min(len(words), place + _CLAUSE_REACH) and words[end] not in CLAUSE_ENDS:
        end += 1
    return range(start, end)


def _decade(match: re.Match[str]) -> str:
    """Thirty-something as the thirties."""
    return f"{match[1]} s" if is_number(match[1]) else match[0]


def _bound(match: re.Match[str]) -> str:
    """Older than 50 as about 50; older than before stays."""
    return "about " if is_number(match[1]) else match[0]


def _difference(match: re.Match[str]) -> str:
    """Ten years younger as years younger."""
    return "years " if is_number(match[1]) else match[0]


def _parted(compound: str, head: str, tail: str) -> str:
    """Gray-bearded as two words, where only the second is known."""
    known = compound in PHRASES or person_effects(compound) is not None
    return f"{head} {tail}" if not known and tail in PHRASES else compound


def _form(word: str) -> str:
    """The adjective of a comparative or superlative, other words as they are."""
    return adjective_of(word, ADJECTIVES) or word


def adjective_of(word: str, adjectives: Container[str]) -> str | None:
    """The adjective whose comparative or superlative a word is.

    Args:
        word: Such as `paler`, `chubbiest` or `bigger`.
        adjectives: Those that may be found.
    """
    if word in adjectives or word in PHRASES:
        return None
    for ending in ("er", "est"):
        stem = word.removesuffix(ending)
        if len(stem) < 3 or stem == word:
            continue
        y_for_i = stem[:-1] + "y" if stem.endswith("i") else ""
        undoubled = stem[:-1] if stem[-1] == stem[-2] else ""
        for base in (stem, stem + "e", y_for_i, undoubled):
            if base and base in adjectives:
                return base
    return None
