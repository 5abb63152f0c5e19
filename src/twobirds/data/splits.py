"""Which images train, validate and test (P16)."""

from typing import Literal

import numpy as np

from twobirds.errors import InputError

SplitRule = Literal["identity", "official", "random"]

SPLITS: dict[str, int] = {"train": 0, "valid": 1, "test": 2}
"""Codes of the splits, as CelebA's partition file has them."""
SPLIT_WORDS: dict[str, int] = {
    **{word: code for name, code in SPLITS.items() for word in (name, str(code))},
    **dict.fromkeys(("val", "validation", "dev"), SPLITS["valid"]),
}
"""What columns and files may call the splits."""
HELD_OUT_SHARE = 0.1
"""Part of the images that the split by identity gives to valid, and again to test."""
PAPER_TRAIN_IMAGES, PAPER_IMAGES = 185_000, 200_000
"""The paper trains on 185,000 of CelebA's "over 200,000" images (Sec. 5.1)."""


def choose_rule(
    requested: SplitRule | None, *, identity: np.ndarray, partition: np.ndarray | None
) -> SplitRule:
    """Settle the rule: by identity where all are known, else official, else random.

    A partition without training or without test images is used on request only.

    Args:
        requested: What was asked for, or None.
        identity: `[N]` int64 labels of people, -1 where unknown.
        partition: `[N]` uint8 codes of `SPLITS`, or None without a partition file.

    Raises:
        InputError: If the request cannot be met.
    """
    num_unknown = int((identity < 0).sum())
    if requested == "identity" and num_unknown:
        raise InputError(
            f"cannot split by identity: {num_unknown} of {len(identity)} images have none; "
            "add an identity file or column, or use --split random"
        )
    if requested == "official" and partition is None:
        raise InputError(
            "cannot use the official split: there is no list_eval_partition file or split column; "
            "add one, or use --split identity or --split random"
        )
    if requested is not None:
        return requested
    if not num_unknown and len(np.unique(identity)) > 1:
        return "identity"
    return "official" if partition is not None and _is_useful(partition) else "random"


def assign_splits(
    rule: SplitRule, seed: int, *, identity: np.ndarray, partition: np.ndarray | None
) -> tuple[np.ndarray, str]:
    """Give every image a split.

    Args:
        rule: As `choose_rule` returned it.
        seed: Of the random choices.
        identity: `[N]` int64.
        partition: `[N]` uint8, or None.

    Returns:
        `[N]` uint8 codes of `SPLITS`, and a sentence on where they come from.

    Raises:
        InputError: If everybody is the same person.
    """
    if rule == "official":
        assert partition is not None
        return partition.copy(), "the source's own partition"
    unused = ""
    if partition is not None and not _is_useful(partition):
        unused = "; the source's own partition lacks train or test, so it is not used"
    if rule == "random":
        note = "185,000 of 200,000 images train, rest test"
        return _split_at_random(len(identity), seed), note + unused
    if partition is not None and not unused and _is_disjoint(identity, partition):
        return partition.copy(), "the source's own partition, which is by identity"
    note = "people sampled at random: 80/10/10 % of the images"
    return _split_people(identity, seed), note + unused


def _is_useful(partition: np.ndarray) -> bool:
    """Whether there is something to train on, and something to test on."""
    return bool((partition == SPLITS["train"]).any() and (partition == SPLITS["test"]).any())


def _is_disjoint(identity: np.ndarray, partition: np.ndarray) -> bool:
    """Whether nobody is in two splits."""
    pairs = np.unique(np.stack([identity, partition.astype(np.int64)], axis=1), axis=0)  # [P, 2]
    return len(pairs) == len(np.unique(identity))


def _split_people(identity: np.ndarray, seed: int) -> np.ndarray:
    """Assign whole people: test until it has its share of the images, then valid, then train."""
    people, person_of_image, num_images = np.unique(
        identity, return_inverse=True, return_counts=True
    )
    if len(people) < 2:
        raise InputError("cannot split by identity: all images are of one person")
    order = np.random.default_rng(seed).permutation(len(people))
    images_so_far = np.cumsum(num_images[order])
    share = HELD_OUT_SHARE * len(identity)
    # Each held-out split ends with the person who fills it; somebody must be left to train on.
    end_of_test = min(int(np.searchsorted(images_so_far, share)) + 1, len(people) - 1)
    share_with_valid = images_so_far[end_of_test - 1] + share
    end_of_valid = int(np.searchsorted(images_so_far, share_with_valid)) + 1
    end_of_valid = min(end_of_valid, len(people) - 1)
    split_of_person = np.full(len(people), SPLITS["train"], np.uint8)
    split_of_person[order[:end_of_valid]] = SPLITS["valid"]
    split_of_person[order[:end_of_test]] = SPLITS["test"]
    return split_of_person[person_of_image.reshape(-1)]


def _split_at_random(num_images: int, seed: int) -> np.ndarray:
    """The paper's split: 185,000 train, the rest test; the same share of a smaller set."""
    share = PAPER_TRAIN_IMAGES / max(PAPER_IMAGES, num_images)
    split = np.full(num_images, SPLITS["test"], np.uint8)
    order = np.random.default_rng(seed).permutation(num_images)
    split[order[: round(share * num_images)]] = SPLITS["train"]
    return split
