import numpy as np
import pytest

from twobirds.evaluation.reconstruction import Baselines, psnr_db, ssim


def test_psnr_by_hand() -> None:
    sources = np.full((2, 16, 16, 3), 100, np.uint8)
    images = sources.copy()
    images[0] += 10
    images[1, :8] += 20
    expected = [20 * np.log10(255 / 10), 10 * np.log10(255**2 / 200)]
    assert psnr_db(images, sources) == pytest.approx(expected, abs=1e-3)


def test_equal_images_count_as_a_hundred_decibels() -> None:
    images = np.zeros((1, 16, 16, 3), np.uint8)
    assert psnr_db(images, images).tolist() == [100.0]


def test_ssim_of_equal_and_of_unrelated_images() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    assert ssim(images, images) == pytest.approx(np.ones(3), abs=1e-6)
    assert (np.abs(ssim(images, images[::-1])[[0, 2]]) < 0.1).all()


def test_batches_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    images, sources = rng.integers(0, 256, (2, 70, 16, 16, 3), dtype=np.uint8)
    one_by_one = [psnr_db(images[i : i + 1], sources[i : i + 1])[0] for i in (0, 64, 69)]
    assert psnr_db(images, sources)[[0, 64, 69]] == pytest.approx(one_by_one, rel=1e-6)


def test_baselines_reconstruct_what_lies_in_their_span() -> None:
    rng = np.random.default_rng(0)
    directions = rng.normal(0, 10, (2, 8 * 8 * 3))
    images = (128 + rng.normal(size=(20, 2)) @ directions).clip(0, 255)
    images = images.reshape(20, 8, 8, 3).round().astype(np.uint8)
    scores = Baselines(images[:15], num_components=2).psnr_db(images[15:])
    assert set(scores) == {"mean_face", "pca_2"}
    assert scores["pca_2"] > 45 > scores["mean_face"]


def test_the_mean_face_is_the_mean() -> None:
    images = np.stack([np.full((4, 4, 3), v, np.uint8) for v in (10, 20, 60)])
    scores = Baselines(images).psnr_db(np.full((1, 4, 4, 3), 40, np.uint8))
    assert scores["mean_face"] == pytest.approx(20 * np.log10(255 / 10), abs=1e-3)
    assert scores["pca_1"] == 100.0  # grey levels lie on one line
