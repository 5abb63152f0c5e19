"""From a witness's words to attributes (P5; Sec. 1, 5.3.5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from twobirds.data.attributes import Degree, overruled_names
from twobirds.language.lexicon import PRONOUNS, Effects
from twobirds.language.parser import Parser, Saying
from twobirds.language.photo_words import kept_spans, person_places, words_for_faces
from twobirds.language.unknown import unknown_phrases

STAYS = "stays as it is"
"""What words are taken to say of what is to be kept."""
NOTHING_TO_CHANGE = (
    "nothing in it says what to change of a face; try words such as blond hair, no glasses, less "
    "makeup, smiling"
)
"""Why a description of which nothing was understood is no edit."""


@dataclass
class Understanding:
    """What was made of a description."""

    attributes: dict[str, float] = field(default_factory=dict)
    """Values in [0, 1] by name."""
    understood: list[tuple[str, str]] = field(default_factory=list)
    """Words, and what they were taken to say, in the order of the text."""
    ignored: list[str] = field(default_factory=list)
    """Words and phrases that say something which was not understood."""
    unavailable: list[str] = field(default_factory=list)
    """Attributes that were asked for and that the model does not know."""

    def overruled_by(self, values: Mapping[str, float]) -> list[str]:
        """Words that other values overrule, each with what it was taken to say.

        Args:
            values: In [0, 1] by attribute.
        """
        names = overruled_names(self.attributes, values)
        meanings = {_meaning(name, self.attributes[name]) for name in names}
        return [f"{words}: {said}" for words, said in self.understood if said in meanings]


def understand(text: str, names: Sequence[str]) -> Understanding:
    """Parse a description of a face.

    What stands later overrules what stood before; what is replaced never overrules. Pronouns count
    only where nothing else tells whether it is a man or a woman.

    Args:
        text: English words.
        names: The attributes that the model knows.

    Returns:
        The attributes with their values, and what was understood and what not.
    """
    parser, sayings = _parsed(text)
    pronoun = _first_pronoun(parser.words)
    if not pronoun and not any(_tells_sex(saying) for saying in sayings):
        doubtful = [saying for saying in sayings if _denies_sex_or_age(saying)]
        parser.forget(doubtful)
        sayings = [saying for saying in sayings if saying not in doubtful]
    sayings = [_with_age_denied(s) if _denies_sex_or_age(s) else s for s in sayings]
    spoken = [(parser.phrase(saying), saying.effects) for saying in sayings]
    if not any("Male" in effects for _, effects in spoken):
        spoken += pronoun
    return _result(parser, spoken, names)


def understand_edit(text: str, names: Sequence[str]) -> Understanding:
    """Parse what is to change of a face that is there: "make him blond, with less makeup".

    Whoever is in the photo is not asked for: pronouns and words such as `the old man` or `this
    girl` change nothing, unlike "make him *a woman*". What is to be kept or not to be touched stays
    as it is. Values between 0 and 1 are a `Degree`.

    Args:
        text: English words.
        names: The attributes that the model knows.

    Returns:
        The changes, and what was understood and what not.
    """
    parser, sayings = _parsed(text)
    words, spans = parser.words, kept_spans(parser.words)
    for span in spans:
        parser.used[span.start] = True
    kept = {place for span in spans for place in span}
    people = {i for saying in sayings for i in person_places(words, saying.end - 1)}
    sayings = [saying for saying in sayings if saying.start not in people]
    sayings = [_with_age_denied(s) if _denies_sex_or_age(s) else s for s in sayings]
    asked = [saying for saying in sayings if saying.start not in kept]
    result = _result(parser, [(parser.phrase(saying), saying.effects) for saying in asked], names)
    stays = [parser.phrase(saying) for saying in sayings if saying.start in kept]
    result.understood += [(phrase, STAYS) for phrase in stays]
    named = {word for phrase in result.ignored for word in phrase.split()}
    result.ignored += [word for word in words_for_faces(words) if word not in named]
    for name, value in result.attributes.items():
        result.attributes[name] = Degree(value) if 0 < value < 1 else value
    return result


def _parsed(text: str) -> tuple[Parser, list[Saying]]:
    """A text with what its words say, in their order."""
    parser = Parser(text)
    parser.parse()
    sayings = sorted(parser.sayings, key=lambda saying: saying.start)
    return parser, [_without_replaced(saying, sayings) for saying in sayings]


def _result(
    parser: Parser, spoken: Sequence[tuple[str, Effects]], names: Sequence[str]
) -> Understanding:
    """Words with their effects as attributes of a model; what stands later overrules."""
    result = Understanding(ignored=unknown_phrases(parser.words, parser.used))
    for words, effects in spoken:
        for name, value in effects.items():
            if name not in names:
                result.unavailable.append(name)
                continue
            result.attributes[name] = value
            result.understood.append((words, _meaning(name, value)))
    return result


def _meaning(name: str, value: float) -> str:
    """What words are taken to say of an attribute."""
    return f"{name} {value:g}"


def _without_replaced(saying: Saying, sayings: Sequence[Saying]) -> Saying:
    """A saying without what the words in its place ask for: a cap instead of a hat."""
    if not saying.is_replaced:
        return saying
    asked = {name for other in sayings if not other.is_replaced for name in other.effects}
    kept = {name: value for name, value in saying.effects.items() if name not in asked}
    return replace(saying, effects=kept)


def _denies_sex_or_age(saying: Saying) -> bool:
    """Whether someone is said to be no boy, which a man and a girl are not either."""
    return saying.is_negated and {"Male", "Young"} <= saying.effects.keys()


def _tells_sex(saying: Saying) -> bool:
    return "Male" in saying.effects and not _denies_sex_or_age(saying)


def _with_age_denied(saying: Saying) -> Saying:
    """Of a woman who is no girl, the girl denies the age only."""
    return replace(saying, effects={"Young": saying.effects["Young"]})


def _first_pronoun(words: Sequence[str]) -> list[tuple[str, Effects]]:
    """What the first pronoun says of the sex."""
    found = [word for word in words if word.split("'")[0] in PRONOUNS]
    return [(found[0], PRONOUNS[found[0].split("'")[0]])] if found else []
