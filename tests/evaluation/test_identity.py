from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twobirds.data.pack import Pack, open_pack
from twobirds.data.packing import pack_source
from twobirds.errors import InputError
from twobirds.evaluation.embedder import Embedder, PackEmbeddings
from twobirds.evaluation.identity import (
    Calibration,
    calibrate,
    calibrate_distances,
    identity_scores,
    squared_distances,
)


def coloured_people(pack: Pack, noise: float) -> Pack:
    """Swap a pack's faces for plain colours: one for each person, plus noise."""
    rng = np.random.default_rng(0)
    colours = rng.uniform(0, 255, (pack.identity.max() + 1, 3))[pack.identity]
    colours = colours + rng.normal(0, noise, colours.shape)
    images = np.broadcast_to(colours[:, None, None], pack.images.shape).clip(0, 255)
    return replace(pack, images=images.astype(np.uint8))


def test_threshold_lets_one_stranger_in_a_thousand_pass() -> None:
    different = np.linspace(1, 3, 2_000)
    calibration = calibrate_distances(np.array([0.1, 0.5, 2.5]), different, num_faces=9)
    assert (different < calibration.threshold).sum() == 2
    assert calibration.tar == pytest.approx(2 / 3)
    assert calibration.median_same == 0.5
    assert calibration.median_different == pytest.approx(2.0)
    assert calibration.auc == pytest.approx((1 + 1 + np.mean(different > 2.5)) / 3)
    assert (calibration.num_faces, calibration.num_same, calibration.num_different) == (9, 3, 2_000)


def test_a_rate_is_not_claimed_of_too_few_strangers() -> None:
    same, different = np.array([0.1]), np.linspace(1, 3, 999)
    with pytest.raises(InputError, match=r"only 999 pairs of different people, but .* takes 1,000"):
        calibrate_distances(same, different, num_faces=9)
    least = calibrate_distances(same, np.linspace(1, 3, 1_000), num_faces=9)
    assert (np.linspace(1, 3, 1_000) < least.threshold).sum() == 1


def test_calibration_tells_coloured_people_apart(drawn_pack: Pack, colour_embedder: Path) -> None:
    embedder = Embedder(colour_embedder)

    def embeddings(noise: float) -> PackEmbeddings:
        return PackEmbeddings(embedder, coloured_people(drawn_pack, noise), 16)

    clear = calibrate(embeddings(1.0), seed=0, max_faces=200)
    blurred = calibrate(embeddings(60.0), seed=0, max_faces=200)
    assert clear.auc > 0.99
    assert clear.auc > blurred.auc > 0.5
    assert clear.num_faces == 200
    assert clear.num_same == 25 * 8 * 7 // 2  # all pairs of 25 people with eight photos
    assert clear.num_different == 200 * 199 // 2 - clear.num_same


def test_calibration_needs_people_with_several_photos(
    drawn_pack: Pack, colour_embedder: Path
) -> None:
    embedder = Embedder(colour_embedder)
    strangers = replace(drawn_pack, identity=np.arange(len(drawn_pack)))
    unknown = replace(drawn_pack, identity=np.full(len(drawn_pack), -1))
    for pack in (strangers, unknown):
        with pytest.raises(InputError, match="fewer than two people"):
            calibrate(PackEmbeddings(embedder, pack, 16), seed=0, max_faces=200)


def test_scores_by_hand() -> None:
    calibration = Calibration(0.99, 1.2, 0.9, 0.7, 2.0, 4, 2, 3)
    scores = identity_scores(np.array([0.1, 0.5, 1.3, 1.2]), calibration)
    assert scores == {"median_distance": 0.85, "same_person_rate": 0.5, "support": 4}


def test_squared_distances_by_hand() -> None:
    first, second = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[-1.0, 0.0], [1.0, 0.0]])
    assert squared_distances(first, second).tolist() == [4.0, 2.0]


def test_mobilefacenet_knows_real_people(shared: Path, tmp_path: Path) -> None:
    """The published figures are AUC 0.988 and medians 0.75 and 2.00 at full resolution."""
    source = shared / "data" / "celeba_178x218"
    embedder = Embedder(shared / "models" / "mobilefacenet.onnx")
    assert (embedder.height, embedder.width) == (112, 96)
    pack_source(source, tmp_path / "pack", size=128)
    pack = open_pack(tmp_path / "pack")
    embeddings = embedder.embed(np.asarray(pack.images[:32]), pack.landmarks)
    first, second = np.triu_indices(32, k=1)
    strangers = pack.identity[first] != pack.identity[second]
    distances = squared_distances(embeddings[first], embeddings[second])
    assert np.median(distances[strangers]) == pytest.approx(2.0, abs=0.15)
    mirrored = embedder.embed(np.asarray(pack.images[:32, :, ::-1]), pack.landmarks)
    assert np.median(squared_distances(embeddings, mirrored)) < 0.4
