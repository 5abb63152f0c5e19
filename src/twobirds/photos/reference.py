"""Attribute values taken from the face of another photo."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twobirds.data.attributes import unknown_attribute
from twobirds.errors import InputError
from twobirds.photos.session import OpenPhoto

UNSURE = (0.25, 0.75)
"""Probabilities between which the recognizer does not say whether an attribute is there: of its
decisions on CelebA's validation faces 64 % are right there and 96 % elsewhere
(benchmarks/results/certainty.json)."""


@dataclass(frozen=True)
class Taken:
    """What a reference face has."""

    probabilities: Mapping[str, float]
    """By attribute, in [0, 1]."""

    @property
    def values(self) -> dict[str, float]:
        """0 (absent) or 1 (present) by attribute: targets of an edit."""
        return {name: float(p > 0.5) for name, p in self.probabilities.items()}

    @property
    def unsure(self) -> dict[str, float]:
        """The probabilities that say neither."""
        low, high = UNSURE
        return {name: p for name, p in self.probabilities.items() if low < p < high}


def require_together(*, has_photo: bool, has_names: bool, has_face: bool) -> None:
    """Refuse a part of what says what to take without the others.

    Args:
        has_photo: Whether there is a photo to take from.
        has_names: Whether attributes to take are named.
        has_face: Whether it is said which of its faces is meant.

    Raises:
        InputError: If something is missing.
    """
    if has_photo and not has_names:
        raise InputError("like needs take: the attributes to take from that photo")
    if not has_photo and (has_names or has_face):
        raise InputError("take and like_face go with like, the photo to take from")


def require_names(names: Sequence[str], known: Sequence[str]) -> None:
    """Refuse names of attributes to take.

    Args:
        names: What is to be taken.
        known: The attributes of the model.

    Raises:
        InputError: If there are none, one comes twice, or the model does not know one.
    """
    if isinstance(names, str):
        raise InputError(f"take must be a list of names, such as [{names!r}]")
    if not names:
        raise InputError("nothing to take: name attributes of the reference")
    for number, name in enumerate(names):
        if name not in known:
            raise InputError(unknown_attribute(name, known))
        if name in names[:number]:
            raise InputError(f"{name} is to be taken twice")


def face_of(photo: OpenPhoto, face: int | None) -> int:
    """Index of the face that is the reference.

    Args:
        photo: The photo.
        face: Counted from the left, from 1; None means the only one.

    Raises:
        InputError: If there is none, or not this one, or several without a choice, or the face is
            too small or turned away.
    """
    if not photo.num_faces:
        raise InputError("no face is found")
    if face is None and photo.num_faces > 1:
        raise InputError(
            f"has {photo.num_faces} faces: say which one is meant, counted from the left"
        )
    (index,) = photo.indices(1 if face is None else face)
    if photo.found:
        from twobirds.photos.found import require_usable  # OpenCV: aligned faces do without it

        require_usable([photo.found[index]], [index + 1])
    return index


def take(photo: OpenPhoto, names: Sequence[str], face: int | None = None) -> Taken:
    """What the recognizer predicts of a reference face.

    Args:
        photo: The photo.
        names: The attributes to take.
        face: Which of its faces; see `face_of`.

    Raises:
        InputError: If an attribute is unknown or comes twice, or there is not exactly one face
            that is meant and large and frontal enough.
    """
    require_names(names, photo.model.attributes)
    row = photo.attributes[face_of(photo, face)].tolist()
    by_name = dict(zip(photo.model.attributes, row, strict=True))
    return Taken({name: by_name[name] for name in names})


def take_surely(photo: OpenPhoto, names: Sequence[str], face: int | None = None) -> Taken:
    """`take`, if the recognizer is sure of every attribute.

    Raises:
        InputError: As `take`, or if a probability lies between those of `UNSURE`.
    """
    taken = take(photo, names, face)
    if taken.unsure:
        listed = ", ".join(f"{name} ({p:.2f})" for name, p in taken.unsure.items())
        raise InputError(
            f"the recognizer is not sure of {listed}: set the value yourself, or do not take it"
        )
    return taken


def merged(changes: Mapping[str, float], taken: Taken) -> dict[str, float]:
    """What is asked for together with what was taken.

    Raises:
        InputError: If an attribute is in both.
    """
    both = [name for name in taken.values if name in changes]
    if both:
        raise InputError(
            f"{both[0]} is set to {changes[both[0]]:g} and to be taken from the reference: leave "
            "out one of them"
        )
    return {**changes, **taken.values}
