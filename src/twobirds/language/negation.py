"""Words that take back what they govern: not, without, less, remove, instead of, formerly."""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import NamedTuple

from twobirds.language.degrees import QUANTIFIERS
from twobirds.language.lexicon import PREDICATES
from twobirds.language.tokens import BREAKS
from twobirds.language.verbs import verb_of


class Kind(Enum):
    """How far an operator reaches."""

    NOT = auto()
    """An adverb: the clause, `not bald and old`."""
    NO = auto()
    """A determiner: nouns without an article, `no beard and glasses`."""
    WITHOUT = auto()
    """A preposition: nouns, `without a hat and a tie`."""
    LITTLE = auto()
    """As NO, and something remains: `less makeup and lipstick`."""
    REMOVE = auto()
    """A verb: its objects, `remove the hat and the glasses`."""
    REDUCE = auto()
    """As REMOVE, and something remains: `tone down the makeup and the smile`."""
    INSTEAD = auto()
    """What might be: up to a comma or `and`, `a hat instead of glasses`."""
    FORMER = auto()
    """What was: as INSTEAD, but someone's sex stays, `a former policewoman`."""
    VOID = auto()
    """No operator in spite of its words: `not only`."""


_REACH = 24  # words that an operator governs, at most
_DENIALS = (Kind.NOT, Kind.NO, Kind.WITHOUT)
_PAST = (Kind.INSTEAD, Kind.FORMER)


class Operator(NamedTuple):
    """An operator in a text."""

    start: int
    """Place of its first word."""
    end: int
    """The place after its last word."""
    kind: Kind

    @property
    def is_replaced(self) -> bool:
        """Whether something else takes the place of what it governs."""
        return self.kind in _PAST


def _patterns(table: Mapping[Kind, str]) -> dict[tuple[str, ...], Kind]:
    return {tuple(p.split()): kind for kind, text in table.items() for p in text.split(", ")}


_PATTERNS = _patterns({
    Kind.NOT: "not, never, neither, nor, cannot, wasnt, isnt, doesnt, didnt, dont, hasnt, non, "
    "no longer, stop, quit, anything but, far from",
    Kind.NO: "no, none, next to no, almost no",
    Kind.WITHOUT: "without, lack, minus, sans, free of, devoid of",
    Kind.REMOVE: "remove, delete, erase, eliminate, lose, get rid of, do away with, take off, "
    "take away, shave, shave off, shave away, wipe off, wash off, leave out, leave off, hide, "
    "give up",
    Kind.REDUCE: "reduce, lessen, soften, decrease, minimize, minimise, tone down, cut down on",
    Kind.INSTEAD: "instead of, rather than, in place of, in lieu of, as opposed to",
    Kind.FORMER: "formerly, previously, originally, once, former, use to",
    Kind.VOID: "not only, not just, not merely, not without, never without, no doubt, no wonder, "
    "once upon",
}) | dict.fromkeys(QUANTIFIERS, Kind.LITTLE)  # fmt: skip
_CASUAL = frozenset("drop skip forget hold cut omit ditch scrap".split())
"""Verbs that remove only where an article follows: drop the hat, but drop earrings."""
ARTICLES = frozenset("a an the his her their my your its this that these those".split())
"""Words that begin a noun phrase of their own."""
_LONGEST = max(map(len, _PATTERNS))
_VERB_KINDS = (Kind.REMOVE, Kind.REDUCE)
OPERATOR_WORDS = frozenset(
    word for pattern, kind in _PATTERNS.items() if kind not in _VERB_KINDS for word in pattern
) - {"of", "use"}  # fmt: skip
SCOPE_ENDS = frozenset(
    """but with however although though yet who which that : except besides apart aside only just
    he she they i you""".split()
)
"""Words at which no operator reaches on."""
_NEW_VERB_KINDS = frozenset(
    """wear have be add give put grow make keep let turn become dye curl straighten lighten darken
    sharpen""".split()
)


def find_operators(words: Sequence[str]) -> list[Operator]:
    """Find operators, the longest first where several begin at a place.

    Args:
        words: Of a text, lower case.
    """
    verbs = [verb_of(word) or word for word in words]
    found, place = [], 0
    while place < len(words):
        operator = _operator_at(verbs, place)
        if operator is None:
            place += 1
            continue
        found.append(operator)
        place = operator.end
    return found


def _operator_at(verbs: Sequence[str], place: int) -> Operator | None:
    for length in range(_LONGEST, 0, -1):
        kind = _PATTERNS.get(tuple(verbs[place : place + length]))
        end = place + length
        if kind is Kind.LITTLE and (not verbs[end:] or verbs[end] in BREAKS | {",", "and"}):
            return None  # smiling less: this is no determiner
        if kind is not None:
            return Operator(place, end, kind)
    follows = verbs[place + 1 : place + 2]
    if verbs[place] in _CASUAL and set(follows) & ARTICLES:
        return Operator(place, place + 1, Kind.REMOVE)
    return None


class Scopes:
    """Which words of a text are governed by an operator before them.

    Args:
        words: Of a text, lower case.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self.operators = find_operators(words)
        self._ending = {operator.end - 1: operator for operator in self.operators}

    def governing(self, place: int, is_noun: bool = True) -> Operator | None:
        """The nearest operator before a word that reaches it.

        Args:
            place: Where the word stands.
            is_noun: Whether it is a noun without an adjective; determiners govern nothing else
                after `and`.
        """
        if place and _is_new_verb(self.words[place]) and self.words[place - 1] in ("and", ","):
            return None  # remove the hat and straighten her hair
        found = self._nearest(place)
        if found is None or found.kind is Kind.VOID:
            return None
        between = self.words[found.end : place]
        if "," in between and not self._governs_list(found):
            return None
        if not _reaches(found.kind, between, is_noun and self.words[place] not in PREDICATES):
            return None
        if found.kind in _VERB_KINDS:  # don't remove the hat
            outer = self._nearest(found.start)
            if outer is not None and outer.kind in _DENIALS:
                return None
        return found

    def _nearest(self, place: int) -> Operator | None:
        """The last operator before a word, unless a new clause begins between them."""
        has_verb = False
        for i in range(place - 1, max(-1, place - 1 - _REACH), -1):
            if i in self._ending:
                return self._ending[i]
            word = self.words[i]
            if word == "that" and i - 1 in self._ending:
                continue  # take off that hat
            if word in BREAKS or word in SCOPE_ENDS or (has_verb and word == "and"):
                return None
            if word == "as" and "much" in self.words[max(0, i - 4) : i - 1]:
                return None  # not so much a beard as stubble
            has_verb = has_verb or _is_new_verb(word)  # no beard and wears glasses
        return None

    def _governs_list(self, operator: Operator) -> bool:
        """Whether commas divide what it governs: no beard, mustache or glasses."""
        for word in self.words[operator.end : operator.end + _REACH]:
            if word in ("or", "nor"):
                return True
            if word == "and" and operator.kind in _VERB_KINDS:
                return True
            if word in BREAKS or word in SCOPE_ENDS or word == "and" or _is_new_verb(word):
                return False
        return False


def _reaches(kind: Kind, between: Sequence[str], is_noun: bool) -> bool:
    """Whether an operator governs a word past those between them."""
    if kind in _PAST:
        return not {",", "and"} & set(between) and not any(map(_is_new_verb, between[1:]))
    if kind is Kind.NOT or "and" not in between:
        return True
    last = between[-1 - list(between)[::-1].index("and") :]
    has_article = bool(ARTICLES & set(last))
    is_own = "more" in last or (has_article and kind in (Kind.NO, Kind.LITTLE))
    return is_noun and not is_own


def _is_new_verb(word: str) -> bool:
    return verb_of(word) in _NEW_VERB_KINDS
