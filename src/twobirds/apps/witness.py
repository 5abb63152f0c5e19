"""A witness's way to a face: candidates, then "more like the third, with a beard"."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from twobirds.errors import InputError
from twobirds.language.description import Understanding, understand

if TYPE_CHECKING:
    from torch import Tensor

    from twobirds.api import FaceModel

_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth"
).split()
_NUMBER = r"(?P<word>" + "|".join(_ORDINALS) + r"|last)|(?P<digits>\d{1,4})(?:st|nd|rd|th)?"
_NOUN = r"(?:one|face|man|woman|person|picture|candidate)"
_LIKE = re.compile(
    rf"(?P<negation>not\s+|un)?(?:(?:(?:more|just|exactly|something|someone|a\s+bit|a\s+little)\s+)*"
    rf"(?:like|take|keep|choose|as\s+in)\s+(?:the\s+)?(?:number\s+|no\.\s*|#\s*|{_NOUN}\s+)?"
    rf"|\bthe\s+(?=(?:{'|'.join(_ORDINALS)}|last|\d+(?:st|nd|rd|th))\b)|^(?=\w+\s+{_NOUN}\b)"
    rf"|\bnumber\s+|\bface\s+(?=\d)|\bcandidate\s+(?=\d)|#\s*)(?:{_NUMBER})(?![\w'\u2019-])(?:\s+{_NOUN})?",
    re.IGNORECASE,
)
"""How a witness names a face: "like the third", "the 3rd one", "number 3", "#3"."""
_SPREAD = 0.35  # of the noise that is mixed into the latents of the face chosen


class Candidates(NamedTuple):
    """Faces that a witness is shown."""

    latents: "Tensor"
    """`[N, Z]` in [-1, 1]."""
    attributes: "Tensor"
    """`[N, K]` in [0, 1]."""


class Refinement(NamedTuple):
    """What was made of a witness's answer to candidates."""

    choice: int | None
    """Which candidate, from 0; None where none was named."""
    understanding: Understanding
    """The rest of the words."""


def first_candidates(
    model: "FaceModel",
    count: int,
    wanted: Mapping[str, float],
    seed: int,
    *,
    truncation: float = 1.0,
) -> Candidates:
    """Faces that have what was named, as `FaceModel.generate` makes them.

    Raises:
        InputError: If the truncation, an attribute or a value is unfit.
    """
    from twobirds.api.passes import sample_latents

    rows = model.complete_attributes(count, wanted, seed=seed)
    latents = sample_latents(count, model.num_latents, seed=seed, truncation=truncation)
    return Candidates(latents, rows)


def understand_refinement(text: str, names: Sequence[str], count: int) -> Refinement:
    """Understand which of `count` candidates is meant, and what is to be changed.

    Args:
        text: Such as "more like the third, with a beard".
        names: The attributes that the model knows.
        count: How many candidates were shown.

    Raises:
        InputError: If another candidate is named than there is.
    """
    mentions = list(_LIKE.finditer(text))
    meant = [mention for mention in mentions if not mention["negation"]]
    rest = _LIKE.sub(" , ", text)
    if not meant:
        return Refinement(None, understand(rest, names))
    found = meant[-1]
    word = (found["word"] or "").lower()
    if word == "last":
        number = count
    else:
        number = _ORDINALS.index(word) + 1 if word else int(found["digits"])
    if not 1 <= number <= count:
        raise InputError(f"{found[0].strip()!r}: {count} faces were shown")
    return Refinement(number - 1, understand(rest, names))


def refine(
    candidates: Candidates, refinement: Refinement, names: Sequence[str], seed: int
) -> Candidates:
    """New candidates: the one chosen, changed as was said, and others like it.

    Without a choice all candidates stay, changed.

    Args:
        candidates: Those shown.
        refinement: What was said of them.
        names: The K attributes.
        seed: Of what is varied.

    Raises:
        InputError: If nothing was said of them.
    """
    if refinement.choice is None and not refinement.understanding.attributes:
        raise InputError("this names no face and says nothing of what it is")
    import torch

    from twobirds.api.rows import with_changes
    from twobirds.randomness import RandomPurpose, keyed_generator

    latents, rows = candidates
    if refinement.choice is not None:
        noise = (
            torch.rand(
                latents.shape, generator=keyed_generator(seed, RandomPurpose.CANDIDATE_LATENTS)
            )
            * 2
            - 1
        )
        noise[0] = 0  # the first is the chosen one itself
        latents = (latents[refinement.choice] + _SPREAD * noise).clamp(-1, 1)
        rows = rows[refinement.choice].expand_as(rows)
    return Candidates(latents, with_changes(rows, refinement.understanding.attributes, names))
