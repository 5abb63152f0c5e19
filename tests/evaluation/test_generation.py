from pathlib import Path

import numpy as np
import pytest

from twobirds.data.pack import Pack
from twobirds.evaluation.generation import generate_images, score_generation
from twobirds.evaluation.judge import load_judge


def test_more_faces_go_on_from_fewer(oracle, drawn_pack: Pack) -> None:
    asked = drawn_pack.attributes[:70]
    some, all_of_them = (generate_images(oracle, asked[:n], seed=3) for n in (66, 70))
    assert np.array_equal(some, all_of_them[:66])
    assert not np.array_equal(some, generate_images(oracle, asked[:66], seed=4))


def test_progress_ends_at_the_number_of_faces(oracle, drawn_pack: Pack) -> None:
    told: list[tuple[str, int, int]] = []
    asked = drawn_pack.attributes[:70]
    generate_images(oracle, asked, seed=3, progress=lambda *what: told.append(what))
    assert told == [("generating", 64, 70), ("generating", 70, 70)]


def test_the_split_itself_is_at_distance_zero(drawn_pack: Pack, judge_path: Path) -> None:
    judge, images = load_judge(judge_path), drawn_pack.images[:100]
    _, features = judge.predict(images)
    logits, _ = judge.predict(images)
    scores = score_generation(
        (logits, features), logits > 0, features, features[:50], feature_name=judge.feature_name
    )
    assert scores["frechet_distance"] == pytest.approx(0, abs=1e-3)
    assert scores["real_floor"] > 0.01
    assert scores["attribute_accuracy"] == 1.0
    assert scores["diversity"] == pytest.approx(1.0)
    assert scores["features"] == judge.feature_name
    assert (scores["num_fakes"], scores["num_real"], scores["num_floor"]) == (100, 100, 50)


def test_one_face_over_and_over_has_no_diversity(drawn_pack: Pack, judge_path: Path) -> None:
    judge = load_judge(judge_path)
    fakes = np.repeat(drawn_pack.images[:1], 20, axis=0)
    _, features = judge.predict(drawn_pack.images[:60])
    asked = drawn_pack.attributes[:20]
    scores = score_generation(judge.predict(fakes), asked, features, None, feature_name="judge")
    assert scores["diversity"] == pytest.approx(0, abs=1e-3)
    assert "real_floor" not in scores
    assert scores["frechet_distance"] > scores["halves_floor"]
