"""Words of a text that say something which was not understood."""

from collections.abc import Sequence

from twobirds.language.adjectives import noun_at
from twobirds.language.degrees import DEGREE_WORDS
from twobirds.language.lexicon import (
    ADJECTIVES,
    HAIRSTYLES,
    INTENSIFIERS,
    PHRASES,
    PRONOUNS,
    STOP_WORDS,
)
from twobirds.language.negation import OPERATOR_WORDS, SCOPE_ENDS
from twobirds.language.tokens import clause_around
from twobirds.language.verbs import verb_of

_NEEDLESS = STOP_WORDS | OPERATOR_WORDS | SCOPE_ENDS | INTENSIFIERS | DEGREE_WORDS | PRONOUNS.keys()
_ADJECTIVES_IN_LY = frozenset(
    """friendly lively kindly homely ghostly manly womanly sickly burly surly jolly bubbly lonely
    stately saintly motherly fatherly silly holy wily oily scaly pimply ungainly""".split()
)
_PARTICLES = frozenset(("off", "away", "out", "rid"))


def unknown_phrases(words: Sequence[str], used: Sequence[bool]) -> list[str]:
    """Phrases of which no word was understood, with the part of the face that stands in them.

    Args:
        words: Of the text, lower case.
        used: Which of them were understood.

    Returns:
        Such as `nose ring`; a part of the face alone, and verbs that ask for a change to something
        else that is understood or named, are left out.
    """
    phrases, run = [], []
    for place in range(len(words) + 1):
        is_open = place < len(words) and not used[place]
        if is_open and (_is_part(words, place) or _says_something(words, used, place)):
            run.append(place)
            continue
        if any(not _is_part(words, i) for i in run):
            phrases.append(" ".join(words[i] for i in run))
        run = []
    return phrases


def _is_part(words: Sequence[str], place: int) -> bool:
    return noun_at(words, place) is not None and words[place] not in HAIRSTYLES


def _says_something(words: Sequence[str], used: Sequence[bool], place: int) -> bool:
    word = words[place]
    if not word[0].isalnum() or word in _NEEDLESS or _is_part(words, place):
        return False
    if _is_intensifier(word) and _is_graded(words[place + 1 : place + 2]):
        return False  # noticeably less, considerably older
    if verb_of(word) is None and word not in _PARTICLES:
        return True
    return not any(
        used[i] or _is_named(words[i]) for i in clause_around(words, place) if i != place
    )


def _is_intensifier(word: str) -> bool:
    return word.endswith("ly") and word not in _ADJECTIVES_IN_LY


def _is_graded(following: Sequence[str]) -> bool:
    return any(word in DEGREE_WORDS or word in ADJECTIVES or word in PHRASES for word in following)


def _is_named(word: str) -> bool:
    return word[0].isalnum() and word not in _NEEDLESS | _PARTICLES and verb_of(word) is None
