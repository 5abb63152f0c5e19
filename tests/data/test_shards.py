"""Packs whose images are in several files."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from making_sources import celeba_files, names, write_folder

from making_runs import CPU, differences, recipe, run_state, trained_run, write_pack
from twobirds.data.engine import Engine
from twobirds.data.loader import Loader
from twobirds.data.pack import Pack, hash_file, open_pack, seal_header
from twobirds.data.packing import pack_source
from twobirds.data.shards import ShardedImages
from twobirds.errors import InputError
from twobirds.training.run import train_run

ONE = Engine(workers=1)


def sharded(pack: Pack, folder: Path, counts: list[int]) -> Pack:
    """The same pack with its images in files of so many."""
    header = json.loads((pack.path / "pack.json").read_text())
    hashes = {name: value for name, value in header["sha256"].items() if name != "images.npy"}
    folder.mkdir()
    for name in hashes:
        (folder / name).write_bytes((pack.path / name).read_bytes())
    end = 0
    for number, count in enumerate(counts):
        path = folder / f"images-{number:05d}.npy"
        np.save(path, np.asarray(pack.images[end : end + count]))
        hashes[path.name] = hash_file(path)
        end += count
    header |= {"format": 2, "shards": counts, "sha256": hashes}
    seal_header(header)
    (folder / "pack.json").write_text(json.dumps(header))
    return open_pack(folder, verify=True)


def test_shards_are_indexed_like_one_array() -> None:
    whole = np.random.default_rng(0).integers(0, 256, (10, 2, 2, 3), np.uint8)
    images = ShardedImages([whole[:4], whole[4:5], whole[5:]])
    assert (images.shape, images.nbytes, len(images)) == ((10, 2, 2, 3), whole.nbytes, 10)
    for rows in (0, 4, -1, slice(3, 7), slice(None, None, -3), [9, 0, 4, 4], np.array([], int)):
        np.testing.assert_array_equal(images[rows], whole[rows])
    np.testing.assert_array_equal(np.array(images), whole)
    np.testing.assert_array_equal(list(images), list(whole))
    for wrong in (10, -11, [0, 10], np.ones(10, bool)):
        with pytest.raises(IndexError):
            images[wrong]


def test_a_sharded_pack_has_the_faces_of_one_in_one_file(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "faces", celeba_files())
    whole = pack_source(source, tmp_path / "whole", size=16, engine=ONE)
    calls: list[tuple[int, int]] = []
    pack = pack_source(
        source,
        tmp_path / "pack",
        size=16,
        engine=Engine(workers=1, shard_faces=5),
        progress=lambda *done: calls.append(done),
    )
    files = sorted(path.name for path in pack.path.iterdir())
    assert [name for name in files if name.startswith("images")] == [
        "images-00000.npy",
        "images-00001.npy",
        "images-00002.npy",
    ]
    assert json.loads((pack.path / "pack.json").read_text())["shards"] == [5, 5, 2]
    assert calls == [(i, 12) for i in range(1, 13)]
    np.testing.assert_array_equal(pack.images, whole.images)
    for name in ("attributes", "split", "identity", "names", "landmarks"):
        np.testing.assert_array_equal(getattr(pack, name), getattr(whole, name))
    assert pack.sha256 != whole.sha256
    open_pack(pack.path, verify=True)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(pack)).images, whole.images)


def test_a_shard_whose_images_are_all_bad_is_left_out(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "faces", celeba_files())
    whole = pack_source(source, tmp_path / "whole", size=16, engine=ONE)
    bad = [1, 4, 5, 6, 7]
    for row in bad:
        (source / "img_align_celeba" / names()[row]).write_bytes(b"damaged")
    pack = pack_source(
        source, tmp_path / "pack", size=16, skip_bad=True, engine=Engine(workers=1, shard_faces=4)
    )
    assert json.loads((pack.path / "pack.json").read_text())["shards"] == [3, 4]
    np.testing.assert_array_equal(pack.images, np.delete(whole.images, bad, axis=0))
    assert len((pack.path / "skipped.txt").read_text().splitlines()) == 5


def test_a_file_without_faces_cannot_be_asked_for(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "faces", celeba_files())
    with pytest.raises(InputError, match="a file must hold at least 1 face, not 0"):
        pack_source(source, tmp_path / "pack", size=16, engine=Engine(shard_faces=0))
    assert not (tmp_path / "pack").exists()


def test_a_damaged_or_missing_shard_is_named(tmp_path: Path, tiny_pack: Pack) -> None:
    pack = sharded(tiny_pack, tmp_path / "pack", [10, 14])
    path = pack.path / "images-00001.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"images-00001\.npy is damaged: it does not match"):
        open_pack(pack.path, verify=True)
    path.unlink()
    with pytest.raises(InputError, match=r"images-00001\.npy is damaged: it is missing"):
        open_pack(pack.path)


def test_batches_do_not_depend_on_the_shards(tmp_path: Path, tiny_pack: Pack) -> None:
    pack = sharded(tiny_pack, tmp_path / "pack", [7, 1, 16])
    loaders = [Loader(p, batch_size=6, seed=3, runtime=CPU, flip=True) for p in (tiny_pack, pack)]
    for iteration in (0, 9, 4):
        for one, other in zip(*(loader.batch(iteration) for loader in loaders), strict=True):
            assert torch.equal(one, other)


def test_an_epoch_mixes_the_faces_of_all_shards_evenly(tmp_path: Path) -> None:
    pack = write_pack(tmp_path / "whole", count=600, size=8, num_held_out=0)
    pack = sharded(pack, tmp_path / "pack", [100] * 6)
    loader = Loader(pack, batch_size=60, seed=0, runtime=CPU, flip=False)
    rows = np.concatenate([loader.rows[loader._positions(i)].numpy() for i in range(10)])
    assert sorted(rows) == list(range(600))
    in_batches = rows.reshape(10, 60) // 100  # which shard each face comes from
    counts = np.array([np.bincount(batch, minlength=6) for batch in in_batches])
    # Hypergeometric: mean 10, variance 60 (1/6) (5/6) (540/599) = 7.5.
    assert counts.var() == pytest.approx(7.5, rel=0.4)


def test_training_on_shards_is_that_on_one_file_and_resumes_bit_equal(
    tmp_path: Path, tiny_pack: Pack, tiny_run: Path
) -> None:
    pack, run = sharded(tiny_pack, tmp_path / "pack", [9, 15]), tmp_path / "run"
    trained_run(run, pack, recipe(), max_seconds=0)  # one iteration of nine
    assert run_state(run)["iteration"] == 1
    trained_run(run, pack, recipe(), resume=True)
    states = run_state(run), run_state(tiny_run)
    for part in ("networks", "optimizers", "iteration"):
        assert differences(states[0][part], states[1][part]) == []


def test_a_run_does_not_go_on_with_other_shards(tmp_path: Path, tiny_pack: Pack) -> None:
    trained_run(tmp_path / "run", tiny_pack, recipe(images=16))
    other = sharded(tiny_pack, tmp_path / "pack", [9, 15])
    with pytest.raises(InputError, match="pack"):
        train_run(recipe(), other, tmp_path / "run", CPU, resume=True)
