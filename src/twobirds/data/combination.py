"""Several sources as one."""

import posixpath
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from twobirds.data.names import normalize_name
from twobirds.data.problems import Problem
from twobirds.data.source import Content, Decisions, Source
from twobirds.errors import InputError


def combine(sources: Sequence[Source]) -> Source:
    """Put the rows of sources one after the other.

    Two sources show the same person under the same number only if both number file names and people
    as CelebA does; all others' people are different ones. So are their images: names that occur in
    two sources get their source's label before them, but with CelebA's numbering they are the same
    image, which is refused.

    Args:
        sources: At least one; their labels differ.

    Raises:
        InputError: If their attributes differ, an image is in two of them, or drawn faces are among
            several.
    """
    first = sources[0]
    if len(sources) == 1:
        return first
    _require_photos(sources)
    orders = [_attribute_order(first, source) for source in sources]
    partitions = [source.partition for source in sources if source.partition is not None]
    problems = [
        Problem(p.kind, f"{source.label}/{p.where}", p.what)
        for source in sources
        for p in source.problems
    ]
    ends = np.cumsum([0, *(len(source) for source in sources)]).tolist()
    return Source(
        kind="several",
        label=" + ".join(source.label for source in sources),
        attribute_names=first.attribute_names,
        names=_unique_names(sources),
        wheres=[f"{source.label}/{where}" for source in sources for where in source.wheres],
        attributes=np.concatenate(
            [source.attributes[:, order] for source, order in zip(sources, orders, strict=True)]
        ),
        identity=_number_apart(sources),
        partition=np.concatenate(partitions) if len(partitions) == len(sources) else None,
        load=lambda rows: _load(sources, ends, rows),
        decisions=Decisions("several sources", None, None),
        problems=problems,
    )


def _require_photos(sources: Sequence[Source]) -> None:
    """Refuse drawn faces beside others: no edit of theirs could be rendered again."""
    drawn = [source.label for source in sources if source.drawn is not None]
    if drawn:
        raise InputError(
            f"{drawn[0]} holds drawn faces, which are packed alone: twobirds draw --count makes as "
            "many as you want in one folder"
        )


def _attribute_order(first: Source, other: Source) -> list[int]:
    """Places in `other` of the attributes of `first`.

    Raises:
        InputError: If one has an attribute that the other lacks.
    """
    for one, two in ((first, other), (other, first)):
        lacking = [name for name in one.attribute_names if name not in two.attribute_names]
        if lacking:
            raise InputError(
                f"{one.label} has attributes that {two.label} lacks: {', '.join(lacking[:5])}; "
                "sources must have the same to be packed together"
            )
    return [other.attribute_names.index(name) for name in first.attribute_names]


def _unique_names(sources: Sequence[Source]) -> list[str]:
    """Names of all images, with their source's label where two sources have the same.

    Raises:
        InputError: If one image of CelebA is in two sources.
    """
    source_of_number: dict[str, tuple[str, str]] = {}
    for source in (source for source in sources if source.has_celeba_people):
        for name in source.names:
            number = posixpath.splitext(posixpath.basename(name))[0]
            label, other = source_of_number.setdefault(number, (source.label, name))
            if label != source.label:
                raise InputError(
                    f"CelebA's image {number} is in {label} ({other}) and in {source.label} "
                    f"({name}): name one in a --leave-out list, such as {source.label}/{name}"
                )
    counts = Counter(normalize_name(name) for source in sources for name in source.names)
    is_shared = any(count > 1 for count in counts.values())
    return [
        f"{source.label}/{name}" if is_shared else name
        for source in sources
        for name in source.names
    ]


def _number_apart(sources: Sequence[Source]) -> np.ndarray:
    """People of all sources: CelebA's keep their numbers, all others get numbers of their own."""
    celeba = [source.identity for source in sources if source.has_celeba_people]
    free = max((int(identity.max(initial=-1)) for identity in celeba), default=-1) + 1
    numbers = []
    for source in sources:
        if source.has_celeba_people:
            numbers.append(source.identity)
            continue
        people, places = np.unique(source.identity, return_inverse=True)
        own = np.where(people < 0, -1, free + np.cumsum(people >= 0) - 1)
        free += int((people >= 0).sum())
        numbers.append(own[places.reshape(-1)])
    return np.concatenate(numbers)


def _load(sources: Sequence[Source], ends: Sequence[int], rows: Sequence[int]) -> Iterator[Content]:
    """Contents of rows, given in increasing order, from the sources that they lie in."""
    for source, (start, end) in zip(sources, pairwise(ends), strict=True):
        own = [row - start for row in rows if start <= row < end]
        for content in source.load(own):
            if isinstance(content, Problem):
                yield replace(content, where=f"{source.label}/{content.where}")
            else:
                yield content
