"""What the page says: attributes in plain words, what it understood, what became of an edit."""

from collections.abc import Mapping

from twobirds.language.description import STAYS, Understanding

_LABELS = {
    "5_o_Clock_Shadow": "Stubble",
    "Bags_Under_Eyes": "Bags under the eyes",
    "Gray_Hair": "Grey hair",
    "Heavy_Makeup": "Make-up",
    "Male": "Male",
    "Mouth_Slightly_Open": "Mouth open",
    "No_Beard": "No beard",
    "Wearing_Earrings": "Earrings",
    "Wearing_Hat": "Hat",
    "Wearing_Lipstick": "Lipstick",
    "Wearing_Necklace": "Necklace",
    "Wearing_Necktie": "Necktie",
}
POPULAR = (
    "Smiling",
    "Blond_Hair",
    "Black_Hair",
    "Brown_Hair",
    "Bangs",
    "Heavy_Makeup",
    "Goatee",
    "Mustache",
    "Young",
)
"""What most people try first."""
QUALITY = (
    "Each slider stands at what the model sees in the face: 0 is no, 1 is yes. Hair colour, bangs, "
    "eyebrows and pale skin work on many faces; mouths, beards, baldness and another sex mostly do "
    "not look real."
)

KEEP = (
    "Paint over what must not change: not one pixel of it will. The file you make is then a PNG, "
    "since a JPEG would change every pixel a little."
)


def in_words(name: str) -> str:
    """An attribute's name for people, such as "Blond hair"."""
    return _LABELS.get(name, name.replace("_", " ").capitalize())


def outcome(
    changes: Mapping[str, float], before: Mapping[str, float], after: Mapping[str, float]
) -> str:
    """What was changed, and whether the recognizer sees it, in a line for each attribute.

    Args:
        changes: Target in [0, 1] by attribute.
        before: Probability in [0, 1] of each of them in the photo.
        after: The same after the edit.
    """
    lines = []
    for name, target in changes.items():
        has = before[name] > 0.5  # an edit goes from there towards the other
        is_agreed = (after[name] > 0.5) != has
        verb = "more" if target > has else "less"
        verdict = "the model agrees" if is_agreed else "the model does not see that yet"
        lines.append(f"{in_words(name)}: {verb}; {verdict}")
    return "  \n".join(lines)


def understood(understanding: Understanding) -> str:
    """What was understood of a description, and what not, in a line each."""
    meanings = [
        f"{said} ({STAYS})" * (meaning == STAYS) or said
        for said, meaning in understanding.understood
    ]
    parts = (
        ("Understood", meanings),
        ("Not understood", understanding.ignored),
        ("Not known to the model", understanding.unavailable),
    )
    return "  \n".join(f"**{title}:** {'; '.join(words)}" for title, words in parts if words)
