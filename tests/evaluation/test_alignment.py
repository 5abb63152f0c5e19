import numpy as np
import pytest
from PIL import Image

from twobirds.data.similarity import estimate_similarity
from twobirds.data.templates import LANDMARKS
from twobirds.evaluation.alignment import align_faces, embedder_template

CELEBA_POINTS = np.array(
    [(69.4, 111.2), (107.6, 111.2), (88.0, 135.2), (71.3, 151.9), (105.2, 151.9)]
)
MOBILEFACENET_POINTS = [
    (30.29, 51.70), (65.53, 51.50), (48.03, 71.74), (33.55, 92.37), (62.73, 92.20)
]  # fmt: skip
CELEBA_TO_MOBILEFACENET = [[0.94998, 0.00868, -37.004], [-0.00868, 0.94998, -52.996]]
"""As published with the network for CelebA's 178x218 images."""


def test_template_of_a_narrow_input() -> None:
    assert embedder_template(112, 96) == pytest.approx(np.array(MOBILEFACENET_POINTS), abs=0.01)


def test_template_scales_with_the_input() -> None:
    assert embedder_template(224, 224) == pytest.approx(2 * embedder_template(112, 112))


def test_similarity_is_the_published_affine_of_celeba() -> None:
    matrix = estimate_similarity(CELEBA_POINTS, embedder_template(112, 96))
    assert matrix[:, :2] == pytest.approx(np.array(CELEBA_TO_MOBILEFACENET)[:, :2], abs=2e-4)
    assert matrix[:, 2] == pytest.approx(np.array(CELEBA_TO_MOBILEFACENET)[:, 2], abs=2e-2)


def test_similarity_recovers_a_turn_a_scale_and_a_shift() -> None:
    turn = np.array([[0.6, -0.8], [0.8, 0.6]]) * 3
    target = CELEBA_POINTS @ turn.T + [5, -7]
    matrix = estimate_similarity(CELEBA_POINTS, target)
    assert matrix == pytest.approx(np.column_stack([turn, [5, -7]]))


@pytest.mark.parametrize("side", [64, 178, 400])
def test_warp_of_a_packed_face_agrees_with_the_affine_of_the_whole_photo(side: int) -> None:
    rows, columns = np.mgrid[:218, :178]
    waves = [np.sin(columns / 9 + c) + np.cos(rows / (11 - c)) for c in range(3)]
    photo = (128 + 60 * np.stack(waves, axis=-1)).clip(0, 255).astype(np.uint8)
    inverse = np.linalg.inv(np.vstack([CELEBA_TO_MOBILEFACENET, [0, 0, 1]]))
    # Pillow maps pixel centres, at halves; the published affine maps pixel numbers.
    shift = inverse[:2, 2] + 0.5 - 0.5 * inverse[:2, :2].sum(axis=1)
    coefficients = np.column_stack([inverse[:2, :2], shift]).reshape(-1).tolist()
    transform, bicubic = Image.Transform.AFFINE, Image.Resampling.BICUBIC
    expected = Image.fromarray(photo).transform((96, 112), transform, coefficients, bicubic)

    square = Image.fromarray(photo[20:198]).resize((side, side), Image.Resampling.LANCZOS)
    aligned = align_faces(np.asarray(square)[None], LANDMARKS["celeba"], 112, 96)[0]
    difference = np.abs(aligned - np.asarray(expected, np.float64))[4:-4, 4:-4]
    assert difference.mean() < 4
    assert difference.max() < 25


def test_shrinking_does_not_alias() -> None:
    stripes = np.zeros((1, 512, 512, 3), np.uint8)
    stripes[:, :, ::2] = 255
    aligned = align_faces(stripes, LANDMARKS["celeba"], 112, 96)
    assert aligned == pytest.approx(np.full((1, 112, 96, 3), 127.5), abs=8)


def test_without_landmarks_faces_keep_their_shape() -> None:
    images = np.zeros((1, 32, 32, 3), np.uint8)
    images[:, :, 8:24] = 200  # the middle half
    narrow = align_faces(images, None, 40, 20)
    assert narrow[:, :, 2:-2] == pytest.approx(np.full((1, 40, 16, 3), 200), abs=12)
    wide = align_faces(images.transpose(0, 2, 1, 3), None, 20, 40)
    assert wide == pytest.approx(narrow.transpose(0, 2, 1, 3), abs=1e-3)


def test_without_landmarks_faces_are_only_resized() -> None:
    images = np.zeros((2, 32, 32, 3), np.uint8)
    images[:, :, 16:] = 200
    aligned = align_faces(images, None, 20, 10)
    assert aligned.shape == (2, 20, 10, 3)
    assert aligned[:, :, :3] == pytest.approx(np.zeros((2, 20, 3, 3)), abs=12)
    assert aligned[:, :, -3:] == pytest.approx(np.full((2, 20, 3, 3), 200), abs=12)
