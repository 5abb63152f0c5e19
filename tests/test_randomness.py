"""Random numbers that are functions of keys."""

import torch

from twobirds.randomness import InitialWeights, RandomPurpose, keyed_generator


def test_keyed_generator_is_a_function_of_its_keys() -> None:
    first = torch.rand(4, generator=keyed_generator(1, 2, 3))
    torch.rand(5)  # the global generator takes no part
    assert torch.equal(first, torch.rand(4, generator=keyed_generator(1, 2, 3)))


def test_keyed_generator_tells_keys_and_their_order_apart() -> None:
    keys = [(), (0,), (0, 0), (1,), (1, 2), (2, 1), (1, 2, 0), (-1,), (2**63,), (3, 1), (2, 0)]
    seeds = {keyed_generator(*k).initial_seed() for k in keys}
    assert len(seeds) == len(keys)
    grid = {
        keyed_generator(s, i, p).initial_seed() for s in range(4) for i in range(50) for p in (1, 2)
    }
    assert len(grid) == 4 * 50 * 2


def test_keyed_generator_is_splitmix64() -> None:
    # First output of SplitMix64 from state 0, as published with the algorithm.
    assert keyed_generator(0).initial_seed() == 0xE220A8397B1DCDAF


def test_the_values_of_purposes_never_change() -> None:
    # A changed value changes what every seed means, and so what every run learns.
    assert {name: int(purpose) for name, purpose in RandomPurpose.__members__.items()} == {
        "JUDGE_ORDER": 1,
        "JUDGE_AUGMENTATION": 2,
        "BASELINE_WEIGHTS": 5,
        "BATCH_ORDER": 11,
        "FLIPS": 12,
        "FAKE_ATTRIBUTES": 13,
        "LATENTS": 21,
        "EXTRA_FAKE_ATTRIBUTES": 22,
        "SAMPLE_GRID": 23,
        "ATTRIBUTE_BANK": 31,
        "REAL_AUGMENTATION": 32,
        "FAKE_AUGMENTATION": 33,
        "CLASSIFIER_VIEW": 35,
        "RECOGNIZER_AUGMENTATION": 36,
        "CLASSIFIER_AUGMENTATION": 37,
        "MIXUP": 38,
        "GENERATION_LATENTS": 41,
        "OPEN_ATTRIBUTES": 42,
        "CANDIDATE_LATENTS": 43,
        "DOMAIN_FACES": 51,
        "IMAGE_BUFFER": 52,
        "EDIT_TASK": 61,
        "EDIT_FLIPS": 62,
        "EDIT_VIEW": 63,
        "EXAMPLE_VIEW": 64,
        "VIEW_NOISE": 65,
        "FACE_VIEW": 66,
        "FACE_NOISE": 67,
        "EVALUATION_LATENTS": 71,
    }
    assert [int(network) for network in InitialWeights] == [1, 2, 3, 4, 5, 6, 7, 8]
