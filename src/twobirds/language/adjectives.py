"""Parts of a face, and which adjectives of a text belong to them."""

from collections.abc import Iterator, Sequence

from twobirds.language.lexicon import HAIRSTYLES, NOUNS, PHRASES, STOP_WORDS, SYNONYMS
from twobirds.language.people import person_effects
from twobirds.language.tokens import BREAKS

_REACH = 7  # words between an adjective and its noun, at most
_JOINS = frozenset(("and", "or", "nor", "but"))
_COPULAS = frozenset("is was are were be being looks looked seems seemed look : has".split())
_GOES_ON = frozenset("not formerly previously originally once instead rather".split())
"""Words after a comma with which the adjectives of a noun go on: brown hair, formerly blond."""


def noun_at(words: Sequence[str], place: int) -> str | None:
    """The part of a face that a word means, by its name in `lexicon.NOUNS`."""
    word = "hair" if words[place] in HAIRSTYLES else SYNONYMS.get(words[place], words[place])
    return word if word in NOUNS else None


def adjectives_before(
    words: Sequence[str], place: int, noun: str, passed: frozenset[int]
) -> Iterator[int]:
    """Places of adjectives between a noun and what comes before it.

    Args:
        words: Of a text, as forms for looking up.
        place: Where the noun stands.
        noun: Its name in `lexicon.NOUNS`.
        passed: Places of words that do not end the search, such as `instead of`.
    """
    for i in range(place - 1, max(-1, place - 1 - _REACH), -1):
        word = words[i]
        if i in passed:
            continue
        if word in BREAKS or noun_at(words, i) is not None or word in _COPULAS:
            return
        if word in NOUNS[noun]:
            yield i
        elif word in STOP_WORDS - _JOINS or word in PHRASES or person_effects(word) is not None:
            return  # some other thing


def adjectives_after(words: Sequence[str], place: int, noun: str) -> Iterator[int]:
    """Places of adjectives after a noun: his hair is black and curly.

    Args:
        words: Of a text, as forms for looking up.
        place: Where the noun stands.
        noun: Its name in `lexicon.NOUNS`.
    """
    has_copula = False
    for i in range(place + 1, min(len(words), place + 2 + _REACH)):
        word = words[i]
        if word in BREAKS or word == "with" or noun_at(words, i) is not None:
            return
        has_copula = has_copula or word in _COPULAS
        goes_on = set(words[i + 1 : i + 2]) <= _GOES_ON
        # Blond hair, white teeth: without a verb another thing begins after the comma.
        if (word == "," and not has_copula and not goes_on) or _has_noun_ahead(words, i):
            return
        if word in NOUNS[noun]:
            yield i


def _has_noun_ahead(words: Sequence[str], place: int) -> bool:
    """Whether an adjective belongs to a noun that follows it closely."""
    for i in range(place + 1, min(len(words), place + 3)):
        if words[i] in BREAKS or words[i] in (",", "and"):
            return False
        noun = noun_at(words, i)
        if noun is not None:
            return words[place] in NOUNS[noun]
    return False
