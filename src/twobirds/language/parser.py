"""Finds what each word of a text says of a face."""

from collections.abc import Iterable
from dataclasses import dataclass

from twobirds.language.adjectives import adjectives_after, adjectives_before, noun_at
from twobirds.language.ages import find_ages
from twobirds.language.degrees import HARDLY, LESS, degree_after, degree_before, weakened
from twobirds.language.lexicon import (
    ADJECTIVES,
    ATTACHMENTS,
    HAIRSTYLES,
    NEGATED_NOUNS,
    NOUNS,
    PERSON_ADJECTIVES,
    PHRASES,
    PREDICATES,
    SYNONYMS,
    Effects,
)
from twobirds.language.negation import SCOPE_ENDS, Kind, Operator, Scopes
from twobirds.language.people import person_effects
from twobirds.language.replacement import removed_spans, standards
from twobirds.language.tokens import BREAKS, clause_around, tokenize

_MAX_PHRASE = max(len(phrase.split()) for phrase in PHRASES)
_WHOLES = ("face", "hair", "smile", "picture")
"""Nouns of which adjectives say what they would of the person."""
_ENDS_OF_DEGREE = BREAKS | SCOPE_ENDS | {",", "and", "or"}


@dataclass(frozen=True)
class Saying:
    """What some words say."""

    start: int
    """Place of the first word."""
    end: int
    """The place after the last."""
    effects: Effects
    is_replaced: bool = False
    """Whether this is what something else takes the place of."""
    is_negated: bool = False


class Parser:
    """A text with what its words say.

    Attributes:
        words: Of the text, lower case.
        used: Which of them said something, or changed what others say.
        sayings: What they say, in no order.
    """

    def __init__(self, text: str) -> None:
        self.words, self._forms = tokenize(text)
        self.used = [False] * len(self.words)
        self.sayings: list[Saying] = []
        self._scopes = Scopes(self.words)
        self._removed = list(removed_spans(self.words, self._scopes))
        operators = [range(o.start, o.end) for o in self._scopes.operators]
        self._passed = frozenset(i for places in operators for i in places)
        self._blocked = self._find_blocked()

    def parse(self) -> None:
        """Ages first, then phrases, then adjectives of nouns, the longest first."""
        for start, end, young in find_ages(self.words):
            self._note(Saying(start, end, {"Young": young}))
        for length in range(_MAX_PHRASE, 1, -1):
            self._parse_phrases(length)
        self._parse_adjectives()
        self._parse_phrases(1)
        self._parse_contrasts()
        self._parse_person_adjectives()
        self._parse_bare_nouns()

    def phrase(self, saying: Saying) -> str:
        """The words of a saying."""
        return " ".join(self.words[saying.start : saying.end])

    def forget(self, sayings: Iterable[Saying]) -> None:
        """Count the words of sayings as not understood."""
        for saying in sayings:
            self.used[saying.start : saying.end] = [False] * (saying.end - saying.start)

    def _find_blocked(self) -> set[int]:
        """Places whose words say nothing of the face: comparisons, a nose ring."""
        blocked = {i for start, end in standards(self.words) for i in range(start, end)}
        for place in range(1, len(self.words)):
            before = self._forms[place - 1]
            is_part = noun_at(self._forms, place - 1) is not None
            is_other = before in PHRASES and self.words[place] not in PHRASES
            if self.words[place] in ATTACHMENTS and (is_part or is_other):
                blocked |= {place - 1, place}
        replaced = {i for span in self._removed for i in range(span.start, span.end)}
        return blocked - replaced

    def _parse_phrases(self, length: int) -> None:
        for start in range(len(self._forms) - length + 1):
            places = range(start, start + length)
            if any(self.used[i] or i in self._blocked for i in places):
                continue
            phrase = " ".join(self._forms[start : start + length])
            if phrase == "pretty" and self._is_adjective(start + length):
                self.used[start] = True  # pretty straight hair
                continue
            effects = PHRASES.get(phrase) or (person_effects(phrase) if length == 1 else None)
            if effects is not None and not self._is_of_other_part(start + length - 1):
                self._say(start, start + length, effects, is_noun=True)

    def _is_of_other_part(self, place: int) -> bool:
        """Whether an adjective belongs to a part of the face after it: pale lips."""
        if place + 1 == len(self._forms) or self._forms[place] not in ADJECTIVES:
            return False
        noun = noun_at(self._forms, place + 1)
        return noun not in (None, *_WHOLES) and self._forms[place] not in NOUNS[noun or ""]

    def _is_adjective(self, place: int) -> bool:
        word = "".join(self._forms[place : place + 1])
        return any(word in adjectives for adjectives in NOUNS.values())

    def _parse_adjectives(self) -> None:
        """Adjectives before their noun, also joined to it by a hyphen, or after it and a copula."""
        for place in range(len(self._forms)):
            if self.used[place] or place in self._blocked:
                continue
            noun = noun_at(self._forms, place)
            head, _, tail = self._forms[place].partition("-")
            if noun is None and tail in SYNONYMS and head in NOUNS[SYNONYMS[tail]]:
                self._say(place, place + 1, NOUNS[SYNONYMS[tail]][head])
            elif noun is not None:
                found = [
                    *adjectives_before(self._forms, place, noun, self._passed),
                    *adjectives_after(self._forms, place, noun),
                ]
                free = [i for i in found if not self.used[i] and i not in self._blocked]
                for i in free:
                    self._say(i, i + 1, NOUNS[noun][self._forms[i]])
                if free:
                    self.used[place] = self._forms[place] not in HAIRSTYLES

    def _parse_contrasts(self) -> None:
        """Colours of hair beside one that needs no noun: more blond than brown."""
        hair = NOUNS["hair"]
        contrasts = {i for span in self._removed for i in span.operators} | self._passed
        for place, form in enumerate(self._forms):
            if form not in hair or self.used[place]:
                continue
            clause = clause_around(self.words, place)
            has_noun = place + 1 in clause and noun_at(self._forms, place + 1) is not None
            is_told = any(self.used[i] and self._forms[i] in hair.keys() & PHRASES for i in clause)
            if is_told and not has_noun and contrasts & set(clause):
                self._say(place, place + 1, hair[form])

    def _parse_person_adjectives(self) -> None:
        """A thin man; make her thinner: before a word for a person, or at the end of a clause."""
        for place, form in enumerate(self._forms):
            if form not in PERSON_ADJECTIVES or self.used[place] or place in self._blocked:
                continue
            follows = "".join(self.words[place + 1 : place + 2])
            before = range(clause_around(self.words, place).start, place)
            is_last = not follows or follows in _ENDS_OF_DEGREE
            has_part = any(noun_at(self._forms, i) is not None for i in before)
            if person_effects(follows) is not None or (is_last and not has_part):
                self._say(place, place + 1, PERSON_ADJECTIVES[form])

    def _parse_bare_nouns(self) -> None:
        """No hair: nothing but the negation says something of the noun."""
        for place in range(len(self._forms)):
            effects = NEGATED_NOUNS.get(noun_at(self._forms, place) or "")
            if effects is None or self.used[place] or place in self._blocked:
                continue
            degree = degree_before(self.words, place)
            remains, is_replaced = self._remains(place, place + 1, is_noun=True)
            if remains is None and degree is not None and degree[1] < 0.5:
                remains = degree[1]
            if remains is not None and remains < 0.5 and not is_replaced:
                self._note(Saying(place, place + 1, weakened(effects, 1 - remains)))

    def _say(self, start: int, end: int, effects: Effects, is_noun: bool = False) -> None:
        """Note what words say, as much of it as negation and degree leave."""
        degree = 1.0 if "Male" in effects else self._degree(start, end)
        remains, is_replaced = self._remains(start, end, is_noun)
        if remains is None:
            remains = degree
        self._note(Saying(start, end, weakened(effects, remains), is_replaced, remains < 0.5))

    def _note(self, saying: Saying) -> None:
        for i in range(saying.start, saying.end):
            self.used[i] = True
        if saying.effects:
            self.sayings.append(saying)

    def _remains(self, start: int, end: int, is_noun: bool) -> tuple[float | None, bool]:
        """How much of a meaning a negation leaves, None without one; and whether it is replaced."""
        for span in self._removed:
            if span.start <= start and end <= span.end:
                self._use(span.operators)
                return 0.0, span.replaced
        if self.words[end : end + 2] in ([":", "no"], [":", "none"]):
            return 0.0, False  # hat: no
        governed = self._scopes.governing(start, is_noun)
        if governed is None or self._keeps_person(start, governed):
            return None, False
        self._use(range(governed.start, governed.end))
        if governed.kind in (Kind.LITTLE, Kind.REDUCE):
            degree = self._degree(governed.end, governed.end)  # less, or a little less
            return min(degree, LESS) if degree < 1 else HARDLY, False
        return 0.0, governed.is_replaced

    def _keeps_person(self, place: int, operator: Operator) -> bool:
        """Whether an operator denies something else of a person: not an old lady, a former nun."""
        if person_effects(self._forms[place]) is None:
            return False
        between = self._forms[operator.end : place]
        return operator.kind is Kind.FORMER or (bool(between) and between[-1] in PREDICATES)

    def _degree(self, start: int, end: int) -> float:
        """How much of a meaning the degree around words leaves."""
        before = degree_before(self.words, start)
        if before is not None:
            self._use(range(before[0], start))
            return before[1]
        after = degree_after(self.words, end, _ENDS_OF_DEGREE)
        if after is not None:
            self._use(range(end, after[0]))
            return after[1]
        return 1.0

    def _use(self, places: range | tuple[int, ...]) -> None:
        for i in places:
            self.used[i] = True
