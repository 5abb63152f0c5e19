"""Words about the photo that is edited: who is in it, which face is meant, what is to stay."""

from collections.abc import Sequence
from itertools import pairwise

from twobirds.language.negation import ARTICLES, SCOPE_ENDS
from twobirds.language.people import person_effects
from twobirds.language.tokens import BREAKS
from twobirds.language.verbs import verb_of

_DEFINITE = frozenset("the this that these those same".split())
_INDEFINITE = frozenset("a an another some".split())
_GIVING = frozenset(("give", "let"))
_MAX_ADJECTIVES = 2  # between an article and a word for a person
_DENIALS = frozenset("not never without no dont".split())
_MAX_BETWEEN = 2  # words between a denial and its verb: do not ever change
_CHANGING = frozenset(
    """change changing touch touching alter altering modify modifying affect affecting edit
    editing""".split()
)
_KEEPING = frozenset("keep keeping leave leaving".split())
_REACH = 24  # words that are to stay, at most
_NOT_KEPT = frozenset(("out", "off"))  # leave out, keep off
_SIDES = frozenset("left right middle".split())
_SEVERAL = frozenset("both everyone everybody".split())


def person_places(words: Sequence[str], place: int) -> range:
    """Places of the words for the person in the photo, from the article: this young girl.

    Args:
        words: Of a text, lower case.
        place: Of the last word; empty if it is none for a person, or asks for one, as `a girl`.
    """
    if person_effects(words[place]) is None:
        return range(0)
    if place and verb_of(words[place - 1]) in _GIVING:
        return range(place, place + 1)  # give grandpa a hat
    before = range(max(0, place - _MAX_ADJECTIVES - 1), place)
    articles = [i for i in before if words[i] in _DEFINITE or words[i] in _INDEFINITE]
    if not articles or words[articles[-1]] in _INDEFINITE:
        return range(0)
    return range(articles[-1], place + 1)


def kept_spans(words: Sequence[str]) -> list[range]:
    """Find what is to stay: keep *the beard*, without touching *the hair*.

    Args:
        words: Of a text, lower case.

    Returns:
        Places, from that of the verb.
    """
    spans = []
    for place, word in enumerate(words):
        before = words[max(0, place - _MAX_BETWEEN - 1) : place]
        is_denied = word in _CHANGING and not _DENIALS.isdisjoint(before)
        if is_denied or (word in _KEEPING and not _NOT_KEPT & set(words[place + 1 : place + 2])):
            spans.append(range(place, _end_of_objects(words, place + 1)))
    return spans


def _end_of_objects(words: Sequence[str], place: int) -> int:
    """The place after what is to stay: at a new clause, verb, or noun without an article."""
    limit = min(len(words), place + _REACH)
    while place < limit and words[place] not in BREAKS | SCOPE_ENDS:
        following = words[place + 1 : place + 2]
        if words[place] == "," and ARTICLES.isdisjoint(following):
            break
        if words[place] == "and" and following and verb_of(following[0]) is not None:
            break
        place += 1
    return place


def words_for_faces(words: Sequence[str]) -> list[str]:
    """Words that choose among the faces of a photo, which an edit does not understand.

    Args:
        words: Of a text, lower case.
    """
    chosen = [word for word in words if word in _SEVERAL]
    for before, word in pairwise(words):
        if word in _SIDES and before in ("the", "on", "far"):
            chosen.append(word)
    return chosen
