"""Packs and runs survive being carried in pieces."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image

from making_runs import (
    CPU,
    differences,
    logged,
    modern_recipe,
    run_state,
    trained_run,
    write_pack,
)
from making_scripts import imported_scripts
from twobirds.data.pack import Pack, open_pack
from twobirds.training.run import train_run


@pytest.fixture(scope="module")
def scripts() -> Iterator[dict[str, ModuleType]]:
    """The scripts as modules."""
    with imported_scripts("carry_pack", "carry_run", "carried_faces") as modules:
        yield modules


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return write_pack(tmp_path_factory.mktemp("packs") / "pack", count=60, num_held_out=20)


def labels_by_name(pack: Pack) -> dict[str, tuple[int, int, tuple[int, ...]]]:
    return {
        name: (int(pack.split[i]), int(pack.identity[i]), tuple(pack.attributes[i].tolist()))
        for i, name in enumerate(pack.names)
    }


def carry(
    scripts: dict[str, ModuleType], pack: Pack, tmp_path: Path, *options: str
) -> tuple[Path, Pack]:
    """Write pieces and make a pack of them."""
    main, pieces = scripts["carry_pack"].main, tmp_path / "pieces"
    assert main(["write", str(pack.path), str(pieces), "--num-valid", "5", *options]) == 0
    assert main(["unpack", str(pieces), str(tmp_path / "unpacked")]) == 0
    return pieces, open_pack(tmp_path / "unpacked", verify=True)


def test_a_carried_pack_has_all_labels_and_a_few_valid_faces(
    scripts: dict[str, ModuleType], pack: Pack, tmp_path: Path
) -> None:
    pieces, carried = carry(scripts, pack, tmp_path, "--piece-mib", "0.016", "0.016", "1")
    files = sorted(pieces.iterdir())
    assert [file.name for file in files] == [f"faces-{n}-of-3.zip" for n in (1, 2, 3)]
    assert all(file.stat().st_size < 0.016 * 2**20 for file in files[:2])
    assert (len(carried.rows("train")), len(carried.rows("valid")), len(carried)) == (40, 5, 45)
    assert carried.attribute_names == pack.attribute_names
    assert (carried.size, carried.landmarks) == (pack.size, pack.landmarks)
    before, after = labels_by_name(pack), labels_by_name(carried)
    assert all(before[name] == label for name, label in after.items())
    by_name = {name: i for i, name in enumerate(pack.names)}
    sources = pack.images[[by_name[name] for name in carried.names]]
    assert np.abs(sources.astype(float) - carried.images).mean() < 60  # of noise, as WebP has it


def test_faces_whose_files_have_their_pixels_are_carried_without_loss(
    scripts: dict[str, ModuleType], pack: Pack, tmp_path: Path
) -> None:
    source = tmp_path / "source" / "below"
    source.mkdir(parents=True)
    for row, name in enumerate(pack.names[:30]):
        Image.fromarray(pack.images[row]).save(source / name)
    Image.new("RGB", (32, 32)).save(source / pack.names[30])  # another picture of that name
    _, carried = carry(scripts, pack, tmp_path, "--sources", str(tmp_path / "source"))
    by_name = {name: i for i, name in enumerate(carried.names)}
    same = [np.array_equal(carried.images[by_name[n]], pack.images[i]) for i, n in
            enumerate(pack.names[:40])]  # fmt: skip
    assert same == [True] * 30 + [False] * 10


def test_rare_faces_are_the_last_to_be_left_out(
    scripts: dict[str, ModuleType], tmp_path: Path
) -> None:
    pack = write_pack(tmp_path / "pack", count=60, num_held_out=20)
    labels = np.zeros_like(pack.attributes)
    labels[7, 2] = labels[33, 4] = 1
    labels[:20, 0] = 1
    object.__setattr__(pack, "attributes", labels)
    rows = scripts["carry_pack"].ranked_rows(pack, 3)
    assert pack.split[rows[:3]].tolist() == [1, 1, 1]
    assert set(rows[3:5].tolist()) == {7, 33}
    assert sorted(rows[3:].tolist()) == list(range(40))


def test_pieces_that_do_not_belong_together_are_refused(
    scripts: dict[str, ModuleType], pack: Pack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pieces, _ = carry(scripts, pack, tmp_path, "--piece-mib", "0.016", "0.016", "1")
    unpack, out = scripts["carry_pack"].main, tmp_path / "again"
    third = pieces / "faces-3-of-3.zip"
    content = third.read_bytes()
    third.unlink()
    assert unpack(["unpack", str(pieces), str(out)]) == 2
    assert "piece 3 of 3 is missing" in capsys.readouterr().err
    middle = len(content) // 2
    third.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    assert unpack(["unpack", str(pieces), str(out)]) == 2
    assert "faces-3-of-3.zip" in capsys.readouterr().err
    other = write_pack(tmp_path / "other", seed=1)
    assert unpack(["write", str(other.path), str(tmp_path / "others")]) == 0
    third.write_bytes((tmp_path / "others" / "faces-1-of-1.zip").read_bytes())
    assert unpack(["unpack", str(pieces), str(out)]) == 2
    assert "pieces of different packs" in capsys.readouterr().err
    assert not out.exists()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tiny_pack: Pack) -> Path:
    """A run of recipe `modern` that stands after the first of five iterations."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    for _ in range(3):
        trained_run(folder, tiny_pack, modern_recipe(), resume=True, max_seconds=0.0)
    return folder


def pieces_of(scripts: dict[str, ModuleType], run: Path, folder: Path) -> list[str]:
    assert scripts["carry_run"].main(["write", str(run), str(folder), "--piece-mib", "8"]) == 0
    return sorted(path.name.split(".")[0] for path in folder.iterdir())


def test_a_carried_run_goes_on(
    scripts: dict[str, ModuleType], run: Path, tiny_pack: Pack, tmp_path: Path
) -> None:
    names = pieces_of(scripts, run, tmp_path / "pieces")
    sizes = [path.stat().st_size for path in (tmp_path / "pieces").iterdir()]
    assert {name.split("-")[0] for name in names} == {"weights", "moments"}
    assert sum(sizes) < 0.52 * (run / "checkpoint.pt").stat().st_size
    assert max(sizes) <= 8 * 2**20
    restored = tmp_path / "restored"
    assert scripts["carry_run"].main(["restore", str(tmp_path / "pieces"), str(restored)]) == 0
    before, after = run_state(run), run_state(restored)
    assert logged(restored) == logged(run)
    rounded = ("networks", "optimizers")
    rest = [{k: v for k, v in state.items() if k not in rounded} for state in (after, before)]
    assert differences(*rest) == []
    for name, weights in before["networks"].items():
        for key, value in weights.items():
            torch.testing.assert_close(after["networks"][name][key], value, rtol=5e-4, atol=1e-7)
    for name, optimizer in before["optimizers"].items():
        for number, values in optimizer["state"].items():
            found = after["optimizers"][name]["state"][number]
            assert torch.equal(found["step"], values["step"])
            torch.testing.assert_close(
                found["exp_avg_sq"], values["exp_avg_sq"], rtol=4e-3, atol=1e-30
            )
    assert train_run(modern_recipe(), tiny_pack, restored, CPU, resume=True)


def test_weights_without_moments_suffice(
    scripts: dict[str, ModuleType], run: Path, tiny_pack: Pack, tmp_path: Path
) -> None:
    pieces_of(scripts, run, tmp_path / "pieces")
    for path in (tmp_path / "pieces").glob("moments-*"):
        path.unlink()
    restored = tmp_path / "restored"
    assert scripts["carry_run"].main(["restore", str(tmp_path / "pieces"), str(restored)]) == 0
    assert train_run(modern_recipe(), tiny_pack, restored, CPU, resume=True)


def test_wrong_pieces_of_a_run_are_refused(
    scripts: dict[str, ModuleType], run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, main = tmp_path / "pieces", scripts["carry_run"].main
    pieces_of(scripts, run, folder)
    first = next(folder.glob("weights-1-of-*"))
    content = first.read_bytes()
    restore = ["restore", str(folder), str(tmp_path / "restored")]
    first.unlink()
    assert main(restore) == 2
    assert "piece 1 of weights is missing" in capsys.readouterr().err
    first.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert main(restore) == 2
    assert "a piece of weights is damaged" in capsys.readouterr().err
    first.write_bytes(content)
    assert main(["restore", str(folder), str(run)]) == 2
    assert "already holds a run" in capsys.readouterr().err
    assert not (tmp_path / "restored").exists()


def test_what_is_carried_twice_is_the_same(
    scripts: dict[str, ModuleType], run: Path, tmp_path: Path
) -> None:
    """Rounding what is rounded already changes nothing: legs may follow each other."""
    restored = tmp_path / "restored"
    pieces_of(scripts, run, tmp_path / "pieces")
    assert scripts["carry_run"].main(["restore", str(tmp_path / "pieces"), str(restored)]) == 0
    again = tmp_path / "again"
    pieces_of(scripts, restored, tmp_path / "more")
    assert scripts["carry_run"].main(["restore", str(tmp_path / "more"), str(again)]) == 0
    assert differences(run_state(again), run_state(restored)) == []
