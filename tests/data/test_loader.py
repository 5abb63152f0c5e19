"""The order of the faces: a pure function of seed and iteration, on any number of processes."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from making_runs import CPU, write_pack
from twobirds.data.loader import Batch, Loader
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.runtime import Runtime


def loader(pack: Pack, *, batch_size: int = 6, seed: int = 0, flip: bool = False) -> Loader:
    return Loader(pack, batch_size=batch_size, seed=seed, runtime=CPU, flip=flip)


def equal(first: Batch, second: Batch) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def find_row(pack: Pack, image: torch.Tensor) -> tuple[int, bool]:
    """The row of the pack that an image shows, and whether it is mirrored."""
    pixels = ((image + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).numpy()
    for row in range(len(pack)):
        for mirrored in (False, True):
            face = pack.images[row, :, ::-1] if mirrored else pack.images[row]
            if np.array_equal(pixels, face):
                return row, mirrored
    raise AssertionError("no such face in the pack")


def test_batches_are_a_function_of_seed_and_iteration(tiny_pack: Pack) -> None:
    first, again = loader(tiny_pack, flip=True), loader(tiny_pack, flip=True)
    in_order = [first.batch(i) for i in range(9)]
    assert all(equal(again.batch(i), in_order[i]) for i in (8, 0, 5, 4, 8, 1))
    assert not equal(in_order[0], in_order[1])
    assert not torch.equal(loader(tiny_pack, seed=1).batch(0).images, in_order[0].images)


def test_people_are_those_with_two_training_faces(tmp_path: Path) -> None:
    # People 0 0 0 1 1 1 2 2 of whom the last face is held out: person 2 has one left.
    pack = write_pack(tmp_path / "people", count=8, num_held_out=1, faces_per_person=3)
    assert pack.people().tolist() == [0, 0, 0, 1, 1, 1, -1, -1]


def test_who_is_unknown_is_no_person(tmp_path: Path) -> None:
    pack = write_pack(tmp_path / "people", count=6, num_held_out=0, faces_per_person=3)
    unknown = dataclasses.replace(pack, identity=np.array([-1, -1, -1, 7, 7, 4]))
    assert unknown.people().tolist() == [-1, -1, -1, 0, 0, -1]


def test_images_lie_in_their_range_and_carry_their_labels(tiny_pack: Pack) -> None:
    batch = loader(tiny_pack).batch(0)
    assert batch.images.shape == (6, 3, 32, 32)
    assert batch.images.dtype == batch.attributes.dtype == torch.float32
    assert batch.images.is_contiguous(memory_format=torch.channels_last)
    assert (batch.images.min(), batch.images.max()) == (-1, 1)
    for image, attributes in zip(batch.images, batch.attributes, strict=True):
        row, _ = find_row(tiny_pack, image)
        assert attributes.tolist() == tiny_pack.attributes[row].tolist()


def test_every_training_face_is_shown_once_an_epoch(tiny_pack: Pack) -> None:
    batches = loader(tiny_pack)  # 20 faces in batches of 6: batches run across epochs
    rows = [find_row(tiny_pack, image)[0] for i in range(10) for image in batches.batch(i).images]
    epochs = [rows[i : i + 20] for i in (0, 20, 40)]
    assert all(sorted(epoch) == list(range(20)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_a_batch_may_be_larger_than_the_data(tmp_path: Path) -> None:
    pack = write_pack(tmp_path / "small", count=3, num_held_out=0)
    images = loader(pack, batch_size=8).batch(0).images
    rows = [find_row(pack, image)[0] for image in images]
    assert sorted(rows[:3]) == sorted(rows[3:6]) == [0, 1, 2]


def test_about_half_of_the_faces_are_mirrored(tiny_pack: Pack) -> None:
    plain, flipping = loader(tiny_pack, batch_size=20), loader(tiny_pack, batch_size=20, flip=True)
    num_mirrored = 0
    for iteration in range(10):
        images, faces = flipping.batch(iteration).images, plain.batch(iteration).images
        mirrored = (images == faces.flip(3)).flatten(1).all(1)
        assert torch.equal(mirrored, ~(images == faces).flatten(1).all(1))
        num_mirrored += int(mirrored.sum())
    assert 70 < num_mirrored < 130  # of 200, +-4 standard deviations


def test_slices_of_two_processes_make_the_batch_of_one(tiny_pack: Pack) -> None:
    settings: dict[str, Any] = {"batch_size": 6, "seed": 0, "flip": True}
    whole = Loader(tiny_pack, runtime=CPU, **settings)
    parts = [Loader(tiny_pack, runtime=Runtime(CPU.device, rank, 2), **settings) for rank in (0, 1)]
    for iteration in range(5):
        slices = zip(*(part.batch(iteration) for part in parts), strict=True)
        assert equal(whole.batch(iteration), Batch(*(torch.cat(s) for s in slices)))
        rows = [part.fake_attributes(iteration, 99, edited_share=0.5) for part in parts]
        expected = whole.fake_attributes(iteration, 99, edited_share=0.5)
        assert torch.equal(torch.cat(rows), expected)


def test_fake_attributes_are_rows_of_training_faces(tiny_pack: Pack) -> None:
    batches = loader(tiny_pack, batch_size=50)
    rows = {tuple(row) for row in tiny_pack.attributes[:20].tolist()}
    fake = batches.fake_attributes(0)
    assert {tuple(row) for row in fake.int().tolist()} <= rows
    assert torch.equal(fake, batches.fake_attributes(0))
    assert not torch.equal(fake, batches.fake_attributes(1))
    assert not torch.equal(fake, batches.fake_attributes(0, 99))


def test_edited_attributes_differ_from_a_row_in_one_and_in_what_contradicts_it(
    tmp_path: Path,
) -> None:
    names = ("Black_Hair", "Blond_Hair", "Smiling", "Bald")
    pack = write_pack(tmp_path / "pack", attributes=names)
    settings: dict[str, Any] = {"batch_size": 200, "seed": 0, "runtime": CPU, "flip": False}
    loader = Loader(pack, **settings)
    rows, fake = loader.fake_attributes(0), loader.fake_attributes(0, edited_share=0.5)
    changes = fake - rows
    assert changes.any(1).float().mean() == pytest.approx(0.5, abs=0.12)
    assert set(changes.unique().tolist()) == {-1.0, 0.0, 1.0}
    assert ((changes == 1).sum(1) <= 1).all()
    is_made_blond = changes[:, 1] == 1
    assert is_made_blond.any()
    assert (fake[is_made_blond][:, [0, 3]] == 0).all()
    assert (changes[is_made_blond][:, 2] == 0).all()
    has_only_lost = (changes == -1).any(1) & ~(changes == 1).any(1)
    assert ((changes[has_only_lost] == -1).sum(1) == 1).all()


def test_a_batch_that_cannot_be_shared_out_is_refused(tiny_pack: Pack) -> None:
    runtime = Runtime(CPU.device, rank=0, world_size=2)
    with pytest.raises(InputError, match="batch_size 5 is not a multiple of the 2 processes"):
        Loader(tiny_pack, batch_size=5, seed=0, runtime=runtime, flip=True)


def test_an_empty_train_split_is_refused(tmp_path: Path) -> None:
    pack = write_pack(tmp_path / "empty", count=4, num_held_out=4)
    with pytest.raises(InputError, match="its train split is empty"):
        loader(pack)
