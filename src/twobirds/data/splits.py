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
    """Settle the rule: by identity where anybody is known, else official, else random.

    Where all images are of one person, there is nobody to keep apart.

    A partition without training or without test images is used on request only.

    Args:
        requested: What was asked for, or None.
        identity: `[N]` int64 labels of people, -1 where unknown.
        partition: `[N]` uint8 codes of `SPLITS`, or None without a partition file.

    Raises:
        InputError: If the request cannot be met.
    """
    num_people = _count_people(identity)
    if requested == "identity" and num_people == 0:
        raise InputError(
            f"cannot split by identity: no person is known on any of {len(identity)} images; "
            "add an identity file or column, or use --split random"
        )
    if requested == "official" and partition is None:
        raise InputError(
            "cannot use the official split: there is no list_eval_partition file or split column; "
            "add one, or use --split identity or --split random"
        )
    if requested is not None:
        return requested
    if num_people + int((identity < 0).sum()) > 1 and num_people:
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
        return _split_at_random(len(identity), seed), _random_note(len(identity)) + unused
    if partition is not None and not unused:
        if not count_divided_people(identity, partition):
            return partition.copy(), "the source's own partition, which is by identity"
        unused = "; the source's own partition divides people, so it is not used"
    note = "people sampled at random, about 80/10/10 % of the images"
    if num_unknown := int((identity < 0).sum()):
        note += f"; each of {num_unknown:,} images of unknown people is taken for another person"
    return _split_people(identity, seed), note + unused


def count_divided_people(identity: np.ndarray, split: np.ndarray) -> int:
    """How many known people are in more than one split."""
    known = identity >= 0
    pairs = np.stack([identity[known], split[known].astype(np.int64)], axis=1)  # [P, 2]
    _, num_splits = np.unique(np.unique(pairs, axis=0)[:, 0], return_counts=True)
    return int((num_splits > 1).sum())


def count_by_split(identity: np.ndarray, split: np.ndarray) -> dict[str, dict[str, int]]:
    """Images, known people and images of unknown people in each split."""
    return {
        name: {
            "images": int((split == code).sum()),
            "people": _count_people(identity[split == code]),
            "images_of_unknown_people": int((identity[split == code] < 0).sum()),
        }
        for name, code in SPLITS.items()
    }


def _count_people(identity: np.ndarray) -> int:
    """Number of known people."""
    return len(np.unique(identity[identity >= 0]))


def _is_useful(partition: np.ndarray) -> bool:
    """Whether there is something to train on, and something to test on."""
    return bool((partition == SPLITS["train"]).any() and (partition == SPLITS["test"]).any())


def _split_people(identity: np.ndarray, seed: int) -> np.ndarray:
    """Assign whole people: test until it has its share of the images, then valid, then train.

    Every image of an unknown person counts as a person. People with more images than a share are
    held out last, so that one of them does not fill a split alone.
    """
    labels = identity.astype(np.int64)
    is_unknown = labels < 0
    labels = np.where(is_unknown, labels.max() + 1 + np.cumsum(is_unknown), labels)
    people, person_of_image, num_images = np.unique(labels, return_inverse=True, return_counts=True)
    if len(people) < 2:
        raise InputError("cannot split by identity: all images are of one person")
    share = HELD_OUT_SHARE * len(identity)
    order = np.random.default_rng(seed).permutation(len(people))
    order = order[np.argsort(num_images[order] > max(share, 1), kind="stable")]
    images_so_far = np.cumsum(num_images[order])
    # Each held-out split ends with the person who fills it; somebody must be left to train on.
    end_of_test = min(int(np.searchsorted(images_so_far, share)) + 1, len(people) - 1)
    share_with_valid = images_so_far[end_of_test - 1] + share
    end_of_valid = int(np.searchsorted(images_so_far, share_with_valid)) + 1
    end_of_valid = min(end_of_valid, len(people) - 1)
    split_of_person = np.full(len(people), SPLITS["train"], np.uint8)
    split_of_person[order[:end_of_valid]] = SPLITS["valid"]
    split_of_person[order[:end_of_test]] = SPLITS["test"]
    return np.asarray(split_of_person[person_of_image.reshape(-1)])


def _split_at_random(num_images: int, seed: int) -> np.ndarray:
    """The paper's 185,000 for training of as many images as CelebA has; else 80/10/10 %."""
    num_held_out = 0 if num_images < 3 else max(1, round(HELD_OUT_SHARE * num_images))
    num_train = max(1, num_images - 2 * num_held_out) if num_held_out else 1
    if num_images >= PAPER_IMAGES:
        num_train, num_held_out = PAPER_TRAIN_IMAGES, 0
    order = np.random.default_rng(seed).permutation(num_images)
    split = np.full(num_images, SPLITS["test"], np.uint8)
    split[order[:num_train]] = SPLITS["train"]
    split[order[num_train : num_train + num_held_out]] = SPLITS["valid"]
    return split


def _random_note(num_images: int) -> str:
    """What `_split_at_random` does."""
    if num_images >= PAPER_IMAGES:
        return f"at random: {PAPER_TRAIN_IMAGES:,} of {num_images:,} images train, the rest test"
    if num_images < 3:
        return "at random: too few images to validate with"
    return "at random: about 80/10/10 % of the images"
