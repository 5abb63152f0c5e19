import hashlib
import importlib
from dataclasses import replace

import numpy as np
import pytest

from twobirds.data.attributes import resolve_conflicts
from twobirds.data.drawn import (
    DRAWN_ATTRIBUTES,
    LANDMARKS,
    Faces,
    attribute_visibility,
    counterfactuals,
    render,
    sample_faces,
)
from twobirds.errors import InputError

render_module = importlib.import_module("twobirds.data.drawn.render")


def _switched(faces: Faces, name: str, value: int) -> Faces:
    attributes = faces.attributes.copy()
    attributes[:, DRAWN_ATTRIBUTES.index(name)] = value
    return faces.with_attributes(resolve_conflicts(attributes, DRAWN_ATTRIBUTES, [name]))


@pytest.mark.parametrize(
    ("size", "count", "digest"),
    [
        (32, 96, "53f84eb190cdfc93367a768e45a973a3e1023d4bfedb0f98179dc0d56ac93c85"),
        (64, 64, "5d36628dc11dbdf356abb9f8ce42bd865079bca6cd099c6b8a1b96a41a5184b9"),
        (128, 16, "ed06d84c42b48581d0c30bef9943fdec8b00a4373493dde53a88d77fed67bed1"),
    ],
)
def test_pixels_are_pinned(size: int, count: int, digest: str) -> None:
    images = render(sample_faces(2018, range(0, 3 * count, 3), independent=True), size)
    assert images.shape == (count, size, size, 3)
    assert images.dtype == np.uint8
    assert hashlib.sha256(np.ascontiguousarray(images)).hexdigest() == digest


def test_a_face_is_rendered_the_same_alone_and_among_others() -> None:
    faces = sample_faces(4, range(40))
    images = render(faces, 64)
    for k in (0, 17, 39):
        assert np.array_equal(render(faces.take(slice(k, k + 1)), 64)[0], images[k])


def test_no_feature_leaves_its_box(monkeypatch: pytest.MonkeyPatch) -> None:
    faces = sample_faces(6, range(0, 400, 2), independent=True)
    images = render(faces, 64)
    whole = tuple((paint, (0.0, 0.0, 1.0, 1.0), when) for paint, _, when in render_module._LAYERS)
    monkeypatch.setattr(render_module, "_LAYERS", whole)
    assert np.array_equal(render(faces, 64), images)


@pytest.mark.parametrize("name", DRAWN_ATTRIBUTES)
def test_every_attribute_shows_at_64_pixels(name: str) -> None:
    faces = _switched(sample_faces(8, range(0, 160, 10)), "Blurry", 0)
    if name in ("Straight_Hair", "Wavy_Hair", "Receding_Hairline", "Bangs"):
        faces = _switched(_switched(faces, "Bald", 0), "Wearing_Hat", 0)
    with_it, without = (render(_switched(faces, name, value), 64) for value in (1, 0))
    change = np.abs(with_it.astype(int) - without).max(axis=3)  # [B, 64, 64]
    assert ((change >= 24).sum(axis=(1, 2)) >= 12).mean() >= 0.9


def test_an_edit_changes_only_its_own_region() -> None:
    faces = sample_faces(0, range(0, 80, 8))
    glasses = _switched(faces, "Eyeglasses", 1).attributes
    before = counterfactuals(0, range(0, 80, 8), _switched(faces, "Eyeglasses", 0).attributes, 64)
    after = counterfactuals(0, range(0, 80, 8), glasses, 64)
    sharp = ~faces.has("Blurry")
    rows = np.flatnonzero((before[sharp] != after[sharp]).any(axis=(0, 2, 3)))
    assert 64 * 0.30 < rows.min() < rows.max() < 64 * 0.56
    assert np.array_equal(after, render(faces.with_attributes(glasses), 64))


def test_landmarks_lie_on_the_pupils_and_the_mouth() -> None:
    faces = sample_faces(0, range(0, 240, 8))
    for name in ("Blurry", "Eyeglasses", "Smiling", "Narrow_Eyes", "Mouth_Slightly_Open"):
        faces = _switched(faces, name, 0)
    straight = replace(faces, nuisances=np.full_like(faces.nuisances, 0.5))
    images = render(straight, 128).astype(int).max(axis=3)  # [B, 128, 128]
    for x, y in LANDMARKS[:2]:
        pupil = images[:, int(y * 128), int(x * 128)]
        assert (pupil < 70).all()
    left, right = (round(LANDMARKS[k][0] * 128) for k in (3, 4))
    level = round(LANDMARKS[3][1] * 128)
    mouth = images[:, level - 3 : level + 4, left + 3 : right - 3].min(axis=1)  # [B, w]
    assert (mouth < 120).mean() > 0.95


def test_visibility_measures_the_change_of_pixels() -> None:
    names = ("Blurry", "Male", "Narrow_Eyes")
    visibility = attribute_visibility(names, 32, 3, num_faces=8)
    assert tuple(visibility) == names
    assert visibility["Male"] > visibility["Narrow_Eyes"] > 0
    faces = sample_faces(3, range(8))
    pair = [render(_switched(faces, "Male", value), 32).astype(float) for value in (0, 1)]
    assert visibility["Male"] == pytest.approx(np.abs(pair[0] - pair[1]).mean())


def test_no_faces_make_no_images() -> None:
    assert render(sample_faces(0, []), 32).shape == (0, 32, 32, 3)


def test_wrong_input_is_named() -> None:
    with pytest.raises(InputError, match="sizes 32, 64 and 128, not 48"):
        render(sample_faces(0, [0]), 48)
    with pytest.raises(InputError, match="Attractive is not a drawn attribute"):
        attribute_visibility(["Attractive"])
