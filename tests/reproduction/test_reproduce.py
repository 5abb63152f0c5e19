"""The whole of it: every table and figure is there, and a killed one ends the same."""

import dataclasses
import json
import os
import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reproduction_budget import BUDGET

from making_runs import CPU
from onnx_files import OnnxWriter
from twobirds.apps.cli import main
from twobirds.checkpoint import CHECKPOINT_FILE, load_run
from twobirds.config import to_dict
from twobirds.data.loader import Batch, Loader
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.recipes.baselines.cgan import ConditionalGAN
from twobirds.reproduction.plan import (
    ACGAN,
    OURS,
    SETTINGS,
    TITLES,
    compared_attributes,
)
from twobirds.reproduction.reproduce import reproduce

MODELS = {"ours", "pixel", "latent", "pixel-latent", "stage1", "acgan", "cgan", "dcgan", "cnn",
          "recognizer", "resnet", "cyclegan-Bangs", "cyclegan-Eyeglasses",
          "cyclegan-Bald"}  # fmt: skip


FIGURES = {"fig4", "fig5", "fig6", "fig7", "fig8", "fig9a", "fig9b"}


def read_report(out: Path) -> dict[str, Any]:
    """The JSON report."""
    report: dict[str, Any] = json.loads((out / "report.json").read_text())
    return report


def test_every_model_was_trained(reproduction: Path) -> None:
    report = read_report(reproduction)
    assert set(report["models"]) == MODELS
    assert {time["name"] for time in report["times"]["trainings"]} == MODELS
    images = {name: facts["images"] for name, facts in report["models"].items()}
    assert {images[name] for name in (*SETTINGS, ACGAN, "cgan", "dcgan", "cnn")} == {160}


def test_every_contender_has_figures_for_all_its_rows(reproduction: Path) -> None:
    report = read_report(reproduction)
    recognition = report["recognition"]
    assert set(recognition["scores"]) == {"ours", "dcgan", "cnn", "recognizer", "resnet"}
    losses = {n: s["hamming_loss"] for n, s in recognition["scores"].items()}
    assert len(set(losses.values())) == len(losses)  # none is borrowed from another
    assert set(report["loss_settings"]) == set(SETTINGS)
    for figures in report["loss_settings"].values():
        assert {"psnr_db", "ssim", "sharpness"} <= set(figures)
    methods = {(r["attribute"], r["method"]) for r in report["transformation"]["figures"]}
    named = ("Bangs", "Eyeglasses", "Bald")
    assert methods == {(a, m) for a in named for m in ("ours", "cyclegan")}
    methods = {(r["attribute"], r["method"]) for r in report["generation"]["figures"]}
    assert methods == {(a, m) for a in named for m in ("ours", "cgan", "acgan")}
    assert set(report["generation"]["frechet_distance"]) == {"ours", "cgan", "acgan"}


def test_every_claim_has_a_verdict(reproduction: Path) -> None:
    verdicts = read_report(reproduction)["verdicts"]
    assert {v["section"] for v in verdicts} == {"5.3.1", "5.3.2", "5.3.4", "5.3.6"}
    for verdict in verdicts:
        assert verdict["verdict"] in ("holds", "does not hold", "not decided")
        assert verdict["difference"] or verdict["reason"]


def test_the_settings_differ_from_stage_2_on_only(reproduction: Path) -> None:
    """The same stage 1, seed and length; only the weights of the losses differ."""
    configs = {n: load_run(reproduction / "models" / n / CHECKPOINT_FILE)[0] for n in SETTINGS}
    ours = configs[OURS]
    for config in configs.values():
        assert (config.data, config.train) == (ours.data, ours.train)
    parts = ("perceptual", "pixel", "latent")
    weights = {
        n: tuple(to_dict(c)["recipe"][f"{part}_weight"] > 0 for part in parts)
        for n, c in configs.items()
    }
    assert weights == {
        "pixel": (False, True, False),
        "latent": (False, False, True),
        "pixel-latent": (False, True, True),
        "ours": (True, True, True),
    }
    stage1 = load_run(reproduction / "models" / "stage1" / CHECKPOINT_FILE)[0]
    share = to_dict(ours)["recipe"]["stage1_share"]
    assert stage1.train.images == round(ours.train.images * share)
    logs = [
        (reproduction / "models" / name / "metrics.jsonl").read_text().splitlines()[0]
        for name in ("stage1", *SETTINGS, ACGAN)
    ]
    assert len(set(logs)) == 1


def test_the_page_and_the_markdown_show_it_all(reproduction: Path) -> None:
    page = (reproduction / "report.html").read_text()
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert page.count("<img") == len(FIGURES)
    text = (reproduction / "report.md").read_text()
    for name in FIGURES:
        assert (reproduction / "figures" / f"{name}.png").is_file()
        assert f"(figures/{name}.png)" in text
    bare = (reproduction / "report-without-figures.md").read_text()
    assert "](figures/" not in bare
    assert bare.count("\n| ") == text.count("\n| ")
    for title in TITLES.values():
        assert title in text
    for words in ("600,030 s", "3.2256 s", "0.5314", "majority label"):  # the paper's own
        assert words in text


def test_a_stopped_one_goes_on_and_ends_the_same(
    reproduction: Path,
    reproduce_into: Callable[..., bool],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stopped by SIGINT in the midst of a training; the next call goes on with that model."""
    announced: list[str] = []
    update = ConditionalGAN.update

    def interrupt(gan: ConditionalGAN, batch: Batch, loader: Loader, iteration: int) -> Any:
        if iteration == 5:
            os.kill(os.getpid(), signal.SIGINT)
        return update(gan, batch, loader, iteration)

    with monkeypatch.context() as patch:
        patch.setattr(ConditionalGAN, "update", interrupt)
        assert not reproduce_into(tmp_path, announced.append)
    assert announced[-1].endswith(": cgan")
    assert not (tmp_path / "report.json").exists()
    state = load_run(tmp_path / "models" / "cgan" / CHECKPOINT_FILE)[1]
    assert state["iteration"] == 6
    assert reproduce_into(tmp_path)
    first, second = read_report(reproduction), read_report(tmp_path)
    for report in (first, second):
        del report["times"]
    assert first == second
    assert (reproduction / "figures/fig5.png").read_bytes() == (
        tmp_path / "figures/fig5.png"
    ).read_bytes()


def test_what_is_complete_is_left_as_it_is(
    reproduction: Path, reproduce_into: Callable[..., bool]
) -> None:
    checkpoints = sorted(reproduction.glob("models/*/checkpoint.pt"))
    before = [path.read_bytes() for path in checkpoints]
    report = read_report(reproduction)
    assert reproduce_into(reproduction)
    assert [path.read_bytes() for path in checkpoints] == before
    again = read_report(reproduction)
    for times in (report["times"], again["times"]):
        del times["rebuild_seconds"], times["generate_seconds"]
    assert again == report


def test_another_seed_does_not_mix_with_what_is_there(reproduction: Path, drawn_pack: Pack) -> None:
    with pytest.raises(
        InputError, match="with another pack, seed, budget, precision or number of jobs"
    ):
        reproduce(drawn_pack, reproduction, BUDGET, CPU, seed=1, announce=print)


def test_what_must_fail_fails_before_any_training(tmp_path: Path, drawn_pack: Pack) -> None:
    (tmp_path / "text.onnx").write_text("no network")
    no_test = dataclasses.replace(drawn_pack, split=np.zeros(len(drawn_pack), np.uint8))
    for pack, embedder, message in (
        (drawn_pack, tmp_path / "text.onnx", "is not a usable ONNX network"),
        (no_test, None, "has 0 faces in split test"),
        (dataclasses.replace(drawn_pack, size=48), None, "size must be 32, 64 or 128"),
    ):
        with pytest.raises(InputError, match=message):
            reproduce(
                pack, tmp_path / "out", BUDGET, CPU, seed=0, announce=print, embedder_path=embedder
            )
        assert not (tmp_path / "out").exists()


def test_attributes_that_nobody_or_everybody_has_are_not_compared(drawn_pack: Pack) -> None:
    attributes = drawn_pack.attributes.copy()
    attributes[:, drawn_pack.attribute_names.index("Bald")] = 0
    attributes[:, drawn_pack.attribute_names.index("Bangs")] = 1
    changed = dataclasses.replace(drawn_pack, attributes=attributes)
    assert compared_attributes(changed) == ["Eyeglasses"]


def test_wrong_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def error_of(*words: str) -> str:
        assert main(["reproduce", *words, f"--out={tmp_path}/out"]) == 2
        assert not (tmp_path / "out").exists()
        return capsys.readouterr().err.removeprefix("twobirds: error: ")

    assert error_of("--data=drawn", "--budget=huge").startswith("--budget takes small, medium")
    assert error_of("--data=drawn", "--budget=12").startswith("--budget must be at least 640")
    assert error_of("--data=absent").startswith("absent does not exist")
    assert "is not a file" in error_of("--data=drawn", f"--embedder={tmp_path}/absent.onnx")
    assert error_of("--data=drawn", "--seed=-1").startswith("--seed must lie")


@pytest.mark.slow
def test_the_small_budget_on_drawn_faces(tmp_path: Path) -> None:
    """The command of the README, whole."""
    assert main(["reproduce", "--data=drawn", "--budget=small", f"--out={tmp_path}"]) == 0
    report = read_report(tmp_path)
    assert set(report["models"]) == MODELS
    scores = report["recognition"]["scores"]
    assert scores["ours"]["hamming_loss"] < scores["ours"]["majority_hamming_loss"]


def test_a_pack_of_one_own_attribute_and_nobody_known(drawn_pack: Pack, tmp_path: Path) -> None:
    """Everything that can be had is; the rest is not decided, with a reason."""
    column = drawn_pack.attribute_names.index("Eyeglasses")
    pack = dataclasses.replace(
        drawn_pack,
        attributes=drawn_pack.attributes[:, [column]],
        attribute_names=("Eyeglasses",),
        identity=np.full(len(drawn_pack), -1),
        drawn=None,
    )
    assert reproduce(pack, tmp_path, BUDGET, CPU, seed=0, announce=print)
    report = read_report(tmp_path)
    assert report["data"]["num_people"] is None
    assert "faces of people who are not known" in (tmp_path / "report.md").read_text()
    claims = {v["claim"]: v for v in report["verdicts"]}
    assert "cannot teach it" in claims["it adds Bald where CycleGAN fails"]["reason"]
    assert claims["it adds Eyeglasses where CycleGAN fails"]["difference"]


def test_identity_is_measured_with_an_embedder(
    reproduction: Path, drawn_pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The models are those of a reproduction without one; nothing is trained again."""
    shutil.copytree(reproduction, tmp_path / "out", ignore=shutil.ignore_patterns("report*"))
    writer = OnnxWriter()
    pooled = writer.node("AveragePool", "images", kernel_shape=[28, 28], strides=[28, 28])
    embedder = writer.save(tmp_path / "pixels.onnx", [writer.node("Flatten", pooled)])
    monkeypatch.setattr("twobirds.evaluation.identity_judge.MIN_AUC", 0.0)  # it is a poor one
    assert reproduce(
        drawn_pack,
        tmp_path / "out",
        BUDGET,
        CPU,
        seed=0,
        announce=print,
        embedder_path=embedder,
    )
    report = read_report(tmp_path / "out")
    assert "identity" not in report["absent"]
    for figures in report["loss_settings"].values():
        assert 0 <= figures["identity_distance"]["mean"] <= 4
        assert 0 <= figures["same_person_rate"]["mean"] <= 1
    rows = report["transformation"]["figures"] + report["generation"]["figures"]
    assert all("identity_distance" in row for row in rows)
    text = (tmp_path / "out" / "report.md").read_text()
    assert "Below each face its identity distance" in text
