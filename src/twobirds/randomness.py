"""Random numbers that need no state: every one is a pure function of its keys (ADR 12)."""

from enum import IntEnum

import torch
from torch import Tensor

_MASK_64 = (1 << 64) - 1


class RandomPurpose(IntEnum):
    """What random numbers are for: one key of `keyed_generator`, beside the seed and the iteration.

    The values are part of what a seed means: a changed value changes what every run learns.
    """

    JUDGE_ORDER = 1
    """Order of the faces that train the judge of `evaluate`."""
    JUDGE_AUGMENTATION = 2
    """How these faces are augmented."""
    BASELINE_WEIGHTS = 5
    """Initial weights of a baseline's networks."""
    BATCH_ORDER = 11
    """Permutation of the training faces in an epoch."""
    FLIPS = 12
    """Which faces of a batch are mirrored."""
    FAKE_ATTRIBUTES = 13
    """Attributes that an iteration generates faces with."""
    LATENTS = 21
    """Latents z of an iteration."""
    EXTRA_FAKE_ATTRIBUTES = 22
    """Attributes of the faces generated for extra updates of G or D."""
    SAMPLE_GRID = 23
    """Latents of the sample grid."""
    ATTRIBUTE_BANK = 31
    """Which attribute rows of the training faces are kept with a model."""
    REAL_AUGMENTATION = 32
    """How the real images that D sees are augmented."""
    FAKE_AUGMENTATION = 33
    """How the generated images that D sees are augmented."""
    CLASSIFIER_VIEW = 35
    """How generated images are perturbed before the noise-robust classifier."""
    RECOGNIZER_AUGMENTATION = 36
    """How the real faces are augmented that the recognizer learns from."""
    CLASSIFIER_AUGMENTATION = 37
    """How the real faces are augmented that the noise-robust classifier learns from."""
    MIXUP = 38
    """Which faces the recognizer sees blended, and how much."""
    GENERATION_LATENTS = 41
    """Latents of `FaceModel.generate`."""
    OPEN_ATTRIBUTES = 42
    """Rows of the attribute bank that complete the attributes a user names."""
    CANDIDATE_LATENTS = 43
    """Steps of the search for a face that matches a description."""
    DOMAIN_FACES = 51
    """Faces of each domain in an iteration of an image-to-image translation."""
    IMAGE_BUFFER = 52
    """Which earlier fakes a discriminator is shown in place of new ones."""
    EDIT_TASK = 61
    """Which attribute an iteration changes in which face."""
    EDIT_FLIPS = 62
    """Which of the faces to edit are mirrored."""
    EDIT_VIEW = 63
    """Views of the faces to edit and of their edits."""
    EXAMPLE_VIEW = 64
    """Views of the real faces that have what edits are to have."""
    VIEW_NOISE = 65
    """Noise in these views."""
    FACE_VIEW = 66
    """Views of real and generated faces."""
    FACE_NOISE = 67
    """Noise in these views."""
    EVALUATION_LATENTS = 71
    """Latents of the faces that `evaluate` generates."""


class InitialWeights(IntEnum):
    """Which network's initial weights are sampled: the key beside the seed."""

    GENERATOR = 1
    """G."""
    DISCRIMINATOR = 2
    """D, with C where C shares its trunk."""
    ENCODER = 3
    """The encoder."""
    RECOGNIZER = 4
    """The recognizer."""
    PERSON_HEAD = 5
    """The head that tells the people of the training data apart."""
    ROBUST_CLASSIFIER = 6
    """The noise-robust classifier."""
    EDITOR = 7
    """The editor."""
    FACE_DISCRIMINATOR = 8
    """D of generated faces, where another judges edits."""


def keyed_generator(*keys: int) -> torch.Generator:
    """A CPU generator that is a pure function of its keys, such as seed, iteration and purpose.

    A run that samples everything this way resumes exactly from its iteration number alone, and
    samples the same numbers on any device, `device_noise` aside. The mixing is SplitMix64's (Steele
    et al., 2014).
    """
    state = 0
    for key in keys:
        state = (state ^ (key & _MASK_64)) + 0x9E3779B97F4A7C15 & _MASK_64
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 & _MASK_64
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB & _MASK_64
        state ^= state >> 31
    return torch.Generator().manual_seed(state)


def device_noise(shape: tuple[int, ...], seed: int, device: torch.device) -> Tensor:
    """Standard normal numbers, a function of the seed and of the kind of device.

    They are sampled on the device: millions of them, in every iteration.

    Returns:
        `shape`, float32.
    """
    generator = torch.Generator(device).manual_seed(seed % 2**63)
    return torch.randn(shape, generator=generator, device=device)
