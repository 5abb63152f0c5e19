"""Benchmarks of all but training run, and count what they say they count."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F


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
