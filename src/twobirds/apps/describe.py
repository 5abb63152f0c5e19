"""From a witness's words to attributes (P5; Sec. 1, 5.3.5): a lexicon, negation, degrees, ages."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from twobirds.apps.ages import find_ages
from twobirds.apps.lexicon import (
    DEGREE_PHRASES,
    DEGREES,
    HAIRSTYLES,
    INTENSIFIERS,
    NEGATED_NOUNS,
    NEGATIONS,
    NOUNS,
    PHRASES,
    PRONOUNS,
    STOP_WORDS,
    SYNONYMS,
    Effects,
)

_MAX_PHRASE = max(len(phrase.split()) for phrase in PHRASES)
_ADJECTIVE_REACH = 7  # words between an adjective and its noun, at most
_TOKEN = re.compile(r"\d+|[a-z]+(?:[-'\u2019][a-z]+)*|[.,;:!?/&()]")
_JOINS = frozenset(("and", "or"))
_BREAKS = frozenset(".;!?()")
_COPULAS = frozenset("is was are were be being looks looked seems seemed look : has".split())
_ENDS_OF_NEGATION = frozenset("but with however although though yet who which that :".split())
_NEW_VERBS = frozenset("wears wore has had is was".split())


@dataclass
class Understanding:
    """What was made of a description."""

    attributes: dict[str, float] = field(default_factory=dict)
    """Values in [0, 1] by name."""
    understood: list[tuple[str, str]] = field(default_factory=list)
    """Words, and what they were taken to say, in the order of the text."""
    ignored: list[str] = field(default_factory=list)
    """Words that say something which was not understood."""
    unavailable: list[str] = field(default_factory=list)
    """Attributes that were asked for and that the model does not know."""


def understand(text: str, names: Sequence[str]) -> Understanding:
    """Read a description of a face.

    What stands later overrules what stood before; pronouns count only where nothing else tells
    whether it is a man or a woman.

    Args:
        text: English words.
        names: The attributes that the model knows.

    Returns:
        The attributes with their values, and what was understood and what not.
    """
    reader = _Reader(_tokens(text))
    reader.read()
    result = Understanding(ignored=reader.ignored())
    sayings = sorted(reader.sayings, key=lambda saying: saying.place)
    says_sex = any("Male" in saying.effects for saying in sayings)
    if not says_sex:
        sayings += reader.pronouns()
    for saying in sayings:
        for name, value in saying.effects.items():
            if name not in names:
                result.unavailable.append(name)
                continue
            result.attributes[name] = value
            result.understood.append((saying.words, f"{name} {value:g}"))
    return result


def _tokens(text: str) -> list[str]:
    """Lower-case words, numbers and punctuation; contractions of `not` become two words."""
    plain = text.lower().replace("\u2019", "'").replace("y/o", "yo")
    plain = re.sub(r"(\d+)s\b", r"\1 s", plain)
    plain = re.sub(r"(\w+)'s\b", r"\1 s", plain)
    plain = re.sub(r"\b(early|mid|late)-(?=[a-z0-9])", r"\1 ", plain)
    plain = re.sub(r"\bcan't\b", "can not", plain)
    plain = re.sub(r"\b(\w+)n't\b", r"\1 not", plain)
    plain = re.sub(r"\b(older|younger|more|less) than (?=\w+)", "about ", plain)
    plain = re.sub(r"\b(\w+)-looking\b", lambda m: m[0] if m[0] in PHRASES else m[1], plain)
    plain = re.sub(r"\b(\w+)less\b", lambda m: f"no {m[1]}," if m[1] in PHRASES else m[0], plain)
    plain = re.sub(r"\b(\w+)-(\w+)\b", lambda m: _parted(m[0], m[1], m[2]), plain)
    plain = re.sub(r"(\d+|\b[a-z]+)-years?-old", r"\1 years old", plain)
    return _TOKEN.findall(plain)


def _parted(compound: str, head: str, tail: str) -> str:
    """Gray-bearded as two words, where only the second is known."""
    return f"{head} {tail}" if compound not in PHRASES and tail in PHRASES else compound


@dataclass(frozen=True)
class _Saying:
    place: int
    words: str
    effects: Effects


class _Reader:
    """Finds what each word of a text says; `used` marks those that said something."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.used = [False] * len(tokens)
        self.sayings: list[_Saying] = []

    def read(self) -> None:
        """Ages first, then phrases, then adjectives of nouns, the longest first."""
        for start, end, young in find_ages(self.tokens):
            self._note(start, end, {"Young": young})
        for length in range(_MAX_PHRASE, 1, -1):
            self._read_phrases(length)
        self._read_adjectives()
        self._read_phrases(1)
        self._read_bare_nouns()

    def pronouns(self) -> list[_Saying]:
        """What the first pronoun says of the sex."""
        found = [t for t in self.tokens if t.split("'")[0] in PRONOUNS]
        if not found:
            return []
        return [_Saying(0, found[0], PRONOUNS[found[0].split("'")[0]])]

    def ignored(self) -> list[str]:
        """Words that were not used, and that are not those which need not be understood."""
        needless = STOP_WORDS | NEGATIONS | INTENSIFIERS | DEGREES.keys() | PRONOUNS.keys()
        words = (w for w, used in zip(self.tokens, self.used, strict=True) if not used)
        # Of blue-eyed it is the blue that is not understood.
        heads = (w.partition("-")[0] if w.partition("-")[2] in SYNONYMS else w for w in words)
        return [word for word in heads if word[0].isalpha() and word not in needless]

    def _say(self, start: int, end: int, effects: Effects) -> None:
        """Note what the words from `start` to `end` say, negated or weakened by those before."""
        value = self._degree(start)
        if self._is_negated(start):
            effects = {name: 1.0 - v for name, v in effects.items()}
        elif value is not None:
            effects = {name: value if v == 1 else v for name, v in effects.items()}
        self._note(start, end, effects)

    def _note(self, start: int, end: int, effects: Effects) -> None:
        """Note what words say; they are used then."""
        for i in range(start, end):
            self.used[i] = True
        words = " ".join(self.tokens[start:end])
        self.sayings.append(_Saying(start, words, dict(effects)))

    def _degree(self, start: int) -> float | None:
        """The value that a weakening word just before gives."""
        before = self.tokens[max(0, start - 2) : start]
        if " ".join(before) in DEGREE_PHRASES:
            self.used[start - 2] = self.used[start - 1] = True
            return 0.6
        if before[1:] == ["any"]:
            before = before[:1]  # hardly any
        return DEGREES.get(before[-1]) if before else None

    def _is_negated(self, place: int) -> bool:
        """Whether a negation before a word reaches it."""
        if self.tokens[place + 1 : place + 3] in ([":", "no"], [":", "none"]):
            return True  # hat: no
        crossed_comma = has_verb = False
        for i in range(place - 1, -1, -1):
            word = self.tokens[i]
            if word in NEGATIONS:
                return not crossed_comma or self._is_or_list(i)
            if word in _BREAKS or word in _ENDS_OF_NEGATION or (has_verb and word == "and"):
                return False
            has_verb = has_verb or word in _NEW_VERBS  # no beard and wears glasses
            crossed_comma = crossed_comma or word == ","
        return False

    def _is_or_list(self, negation: int) -> bool:
        """Whether a negation governs a list with commas: no beard, mustache or glasses."""
        for word in self.tokens[negation + 1 :]:
            if word in ("or", "nor"):
                return True
            if word in _BREAKS or word in ("and", "but", "with"):
                return False
        return False

    def _read_phrases(self, length: int) -> None:
        for start in range(len(self.tokens) - length + 1):
            end = start + length
            phrase = " ".join(self.tokens[start:end])
            if phrase == "pretty" and self._is_adjective(end):
                self.used[start] = True  # pretty straight hair
            elif phrase in PHRASES and not any(self.used[start:end]):
                self._say(start, end, PHRASES[phrase])

    def _is_adjective(self, place: int) -> bool:
        word = "".join(self.tokens[place : place + 1])
        return any(word in adjectives for adjectives in NOUNS.values())

    def _read_adjectives(self) -> None:
        """Adjectives before their noun, also joined to it by a hyphen, or after it and a copula."""
        for place in range(len(self.tokens)):
            noun = self._noun(place)
            if self.used[place]:
                continue
            head, _, tail = self.tokens[place].partition("-")
            if noun is None and tail in SYNONYMS and head in NOUNS[SYNONYMS[tail]]:
                self._say(place, place + 1, NOUNS[SYNONYMS[tail]][head])
            elif noun is not None:
                found = self._read_before(place, noun) + self._read_after(place, noun)
                self.used[place] = found > 0 and self.tokens[place] not in HAIRSTYLES

    def _noun(self, place: int) -> str | None:
        word = self.tokens[place]
        word = "hair" if word in HAIRSTYLES else SYNONYMS.get(word, word)
        return word if word in NOUNS else None

    def _read_before(self, place: int, noun: str) -> int:
        """Adjectives between a noun and what comes before it; returns how many."""
        found = 0
        for i in range(place - 1, max(-1, place - 1 - _ADJECTIVE_REACH), -1):
            word = self.tokens[i]
            if word in _BREAKS or self._noun(i) is not None or word in _COPULAS:
                break
            if word in NOUNS[noun] and not self.used[i]:
                self._say(i, i + 1, NOUNS[noun][word])
                found += 1
            elif word in STOP_WORDS - _JOINS or (word in PHRASES and word not in NOUNS[noun]):
                break  # some other thing
        return found

    def _read_after(self, place: int, noun: str) -> int:
        """Adjectives after a noun: his hair is black and curly; returns how many."""
        found, has_copula = 0, False
        after = self.tokens[place + 1 : place + 2 + _ADJECTIVE_REACH]
        for offset, word in enumerate(after, place + 1):
            if word in _BREAKS or word == "with" or self._noun(offset) is not None:
                break
            has_copula = has_copula or word in _COPULAS
            # Blond hair, white teeth: without a verb another thing begins after the comma.
            if (word == "," and not has_copula) or self._noun_ahead(offset):
                break
            if word in NOUNS[noun] and not self.used[offset]:
                self._say(offset, offset + 1, NOUNS[noun][word])
                found += 1
        return found

    def _noun_ahead(self, place: int) -> bool:
        """Whether an adjective belongs to a noun that follows it closely."""
        for i in range(place + 1, min(len(self.tokens), place + 3)):
            if self.tokens[i] in _BREAKS or self.tokens[i] in (",", "and"):
                return False
            noun = self._noun(i)
            if noun is not None:
                return self.tokens[place] in NOUNS[noun]
        return False

    def _read_bare_nouns(self) -> None:
        """No hair: nothing but the negation says something of the noun."""
        for place in range(len(self.tokens)):
            noun = self._noun(place)
            if (
                noun is not None
                and noun in NEGATED_NOUNS
                and not self.used[place]
                and self._is_negated(place)
            ):
                self.used[place] = True
                if NEGATED_NOUNS[noun]:
                    words = f"no {self.tokens[place]}"
                    self.sayings.append(_Saying(place, words, NEGATED_NOUNS[noun]))
