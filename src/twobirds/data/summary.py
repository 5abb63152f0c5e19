"""What packing decided, for `pack.json` and in words."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from twobirds.data.problems import shorten
from twobirds.data.selection import Selection


def describe_sources(selection: Selection, kept: Sequence[int]) -> list[dict[str, Any]]:
    """What each source gave to a pack, and how its columns were understood.

    Args:
        selection: The sources, in the order of the pack.
        kept: Rows of all of them, one after the other, that were packed.

    Returns:
        For each source plain data: `kind`, `name`, `images` (how many were packed), `left_out` (how
        many by each option), `image`, `person` and `split` (what says them), `attributes` (how no
        and yes are written, by attribute), `dropped` (why other columns are no attributes), and
        `people` (whose numbers they have).
    """
    ends = np.cumsum([0, *(len(source) for source in selection.sources)])
    counts, _ = np.histogram(kept, bins=ends - 0.5)
    return [
        {
            "kind": source.kind,
            "name": source.label,
            "images": int(count),
            "left_out": left_out,
            "image": source.decisions.image,
            "person": source.decisions.person,
            "split": source.decisions.split,
            "attributes": {
                name: [coding.no, coding.yes] for name, coding in source.decisions.codings.items()
            },
            "dropped": source.decisions.dropped,
            "people": "CelebA's numbers" if source.has_celeba_people else "numbers of its own",
        }
        for source, left_out, count in zip(
            selection.sources, selection.left_out, counts, strict=True
        )
    ]


def summarize(header: dict[str, Any]) -> Iterator[str]:
    """Say in lines what `pack.json` says of the making of a pack."""
    count, size = header["count"], header["size"]
    splits = header["splits"]
    images = ", ".join(f"{splits[name]['images']:,} {name}" for name in splits)
    yield f"packed {count:,} faces of {size}x{size} pixels ({images})"
    for source in header["sources"]:
        yield from _summarize_source(source)
    if len(header["sources"]) > 1:
        yield f"people: {_shared_people(header['sources'])}"
    yield f"split: {header['split_rule']} ({header['split_note']})"
    for name, split in splits.items():
        unknown = split["images_of_unknown_people"]
        of_unknown = f", {unknown:,} of unknown people" if unknown else ""
        yield f"  {name}: {split['images']:,} images, {split['people']:,} people{of_unknown}"
    if header["divided_people"]:
        yield f"  {header['divided_people']:,} people are in more than one split"
    if repeats := header["repeats"]["images"]:
        first, again = (shorten(name) for name, _ in header["repeats"]["example"])
        yield f"repeats: {repeats:,}, such as {again}, which has the pixels of {first}"
    if not header["landmarks"]:
        yield "landmarks: none known; --landmarks says where eyes, nose and mouth are"
    if header["crop"] == "mixed":
        yield "crops: mixed, so faces may lie at different places"
    if header["enlarged"]:
        yield f"enlarged: {header['enlarged']:,} images have fewer than {size}x{size} pixels"


def _summarize_source(source: dict[str, Any]) -> Iterator[str]:
    yield (
        f"{source['name']}: {source['images']:,} images; image: {source['image']}; person: "
        f"{source['person'] or 'unknown'}; split: {source['split'] or 'none'}"
    )
    if not source["person"] and source["dropped"]:
        yield "  if one of the columns says who is shown, name it with --person-column"
    codings: dict[tuple[str, str], list[str]] = {}
    for name, (no, yes) in source["attributes"].items():
        codings.setdefault((no, yes), []).append(name)
    for (no, yes), names in codings.items():
        listed = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        yield f"  attributes ({no} is no, {yes} is yes): {listed}"
    for name, reason in source["dropped"].items():
        yield f"  no attribute: {name}: {reason}"
    for option, count in source["left_out"].items():
        yield f"  left out by {option}: {count:,}"


def _shared_people(sources: Sequence[dict[str, Any]]) -> str:
    """Whose people can be the same."""
    celeba = [source["name"] for source in sources if source["people"] == "CelebA's numbers"]
    others = [source["name"] for source in sources if source["name"] not in celeba]
    parts = []
    if len(celeba) > 1:
        parts.append(f"{' and '.join(celeba)} have CelebA's numbers: the same is the same person")
    if others:
        parts.append(f"those of {' and '.join(others)} are taken for people of their own")
    return "; ".join(parts)
