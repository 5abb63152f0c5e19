"""A new run that begins with the weights of a trained model."""

from pathlib import Path

import pytest

from making_runs import (
    ATTRIBUTES,
    CPU,
    differences,
    modern_recipe,
    recipe,
    run_state,
    trained_run,
    write_pack,
)
from twobirds import FaceModel
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.recipes.modern.objective import ModernGAN
from twobirds.training.run import fit_to_pack, warm_start

STILL = {"learning_rate": 1e-30, "images": 4}


def test_a_run_gives_all_its_networks(tmp_path: Path, tiny_pack: Pack, tiny_run: Path) -> None:
    run = trained_run(tmp_path / "run", tiny_pack, recipe(**STILL), start_from=tiny_run)
    first, second = (run_state(r)["networks"] for r in (tiny_run, run))
    for name in ("generator", "discriminator"):
        weights = {k: v for k, v in first[name].items() if "running" not in k}
        assert differences({k: second[name][k] for k in weights}, weights) == []
    assert run_state(run)["iteration"] == 1  # its own clock


def test_a_saved_model_gives_what_it_has(tmp_path: Path, tiny_pack: Pack) -> None:
    source = trained_run(tmp_path / "source", tiny_pack, modern_recipe())
    FaceModel.load(source, device="cpu").save(tmp_path / "model")
    config = fit_to_pack(modern_recipe(seed=5), tiny_pack)
    fresh, warm = ModernGAN(config, CPU), ModernGAN(config, CPU)
    warm_start(warm, config, tmp_path / "model", tiny_pack)
    saved = run_state(source)["networks"]
    for part in ("generator", "encoder", "recognizer", "editor"):
        for name in (part, f"{part}_ema"):
            average = dict(saved[f"{part}_ema"])
            assert differences(dict(warm.networks[name].state_dict()), average) == []
    for name in ("edit_discriminator", "face_discriminator"):
        weights = [dict(g.networks[name].state_dict()) for g in (warm, fresh)]
        assert differences(*weights) == []
    own, theirs = dict(warm.networks["prototypes"].state_dict()), dict(saved["prototypes"])
    assert differences(own, theirs) == []
    for name in ("scale", "shift", "precision"):  # the others are means of the source's edits
        assert (warm.players.feature_means.get_buffer(name) == saved["feature_means"][name]).all()
    assert warm.players.feature_means.shift.any()


def test_resuming_does_not_begin_again(tmp_path: Path, tiny_pack: Pack, tiny_run: Path) -> None:
    run = tmp_path / "run"
    trained_run(run, tiny_pack, recipe(), max_seconds=0.0)
    trained_run(run, tiny_pack, recipe(), resume=True, start_from=tiny_run)
    assert differences(run_state(run), run_state(tiny_run)) == []


def test_what_does_not_fit_is_named(tmp_path: Path, tiny_pack: Pack, tiny_run: Path) -> None:
    first, *rest = ATTRIBUTES
    for number, (names, told) in enumerate(
        {
            (first, "Freckled"): f"the pack lacks {', '.join(rest)}; the model does not know "
            "Freckled; pack faces .* --drop-column",
            (*rest, first): f"attribute 1 of the model is {first}, of the pack {rest[0]}; pack",
        }.items()
    ):
        others = write_pack(tmp_path / f"pack{number}", attributes=names)
        with pytest.raises(InputError, match=f"{told}.* or leave out --start-from"):
            trained_run(tmp_path / "a", others, recipe(), start_from=tiny_run)
    wider = recipe(num_shared=8)
    with pytest.raises(InputError, match="has another discriminator than the run to train"):
        trained_run(tmp_path / "b", tiny_pack, wider, start_from=tiny_run)
    with pytest.raises(InputError, match="was trained with recipe paper, not modern"):
        trained_run(tmp_path / "b", tiny_pack, modern_recipe(), start_from=tiny_run)
    with pytest.raises(InputError, match="no model 'nowhere'"):
        trained_run(tmp_path / "c", tiny_pack, recipe(), start_from="nowhere")
    assert not any((tmp_path / name).exists() for name in "abc")
