"""Recipe `modern`: who learns from what, the parts of a batch, resuming, what comes of a run."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from making_runs import (
    CPU,
    differences,
    logged,
    modern_recipe,
    run_state,
    trained_run,
    write_pack,
)
from twobirds import FaceModel
from twobirds.checkpoint import CHECKPOINT_FILE, load_run
from twobirds.config import RunConfig
from twobirds.data.drawn import render_folder
from twobirds.data.engine import Engine
from twobirds.data.faces import from_pixels
from twobirds.data.loader import Loader
from twobirds.data.pack import Pack
from twobirds.data.packing import pack_source
from twobirds.errors import InputError
from twobirds.randomness import RandomPurpose
from twobirds.recipes.modern.objective import ModernGAN
from twobirds.recipes.modern.plan import Parts, Step
from twobirds.runtime import Runtime
from twobirds.training.run import fit_to_pack, fork_run, train_run, warm_start

LEARNS = {
    "classifiers": {"recognizer", "robust_classifier"},
    "discriminator": {"discriminator"},
    "generator": {"generator", "encoder"},
}


def objective(pack: Pack, config: RunConfig) -> tuple[ModernGAN, Loader]:
    config = fit_to_pack(config, pack)
    return ModernGAN(config, CPU), Loader.of_run(config.train, pack, CPU)


def parts_of(gan: ModernGAN) -> Parts:
    """How a batch of 8 is divided in stage 2."""
    recipe = gan.recipe
    return Parts.of(8, (recipe.edited_share, recipe.copied_share, recipe.coded_share))


def has_gradients(network: nn.Module) -> bool:
    return any(p.grad is not None and bool(p.grad.any()) for p in network.parameters())


def test_the_parts_of_a_batch() -> None:
    parts = Parts.of(48, (0.5, 0.125, 0.125))
    assert parts == (slice(0, 24), slice(24, 30), slice(30, 36), slice(36, 48))
    assert (parts.sources, parts.reconstructed) == (slice(0, 36), slice(24, 36))
    assert parts.from_features == slice(0, 30)
    assert Parts.of(48, (0, 0, 0)).generated == slice(0, 48)


@pytest.mark.parametrize("iteration", [0, 3])
@pytest.mark.parametrize("faces_per_person", [1, 4])
def test_each_step_has_gradients_of_its_own_networks_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, iteration: int, faces_per_person: int
) -> None:
    pack = write_pack(tmp_path / "people", faces_per_person=faces_per_person)
    gan, loader = objective(pack, modern_recipe())
    step, seen = gan.players.step, {}

    def watch(name: str, images_seen: int) -> None:
        seen[name] = {n for n, network in gan.networks.items() if has_gradients(network)}
        step(name, images_seen)

    monkeypatch.setattr(gan.players, "step", watch)
    gan.update(loader.batch(iteration), loader, iteration)
    assert list(seen) == list(LEARNS)
    heads = {"person_head"} if faces_per_person > 1 else set()
    assert seen == LEARNS | {"classifiers": LEARNS["classifiers"] | heads}


def test_metrics_of_both_stages(tiny_pack: Pack) -> None:
    gan, loader = objective(tiny_pack, modern_recipe())
    learned = {"label_learned", "label_robust"}
    of_fakes = {
        "label_real",
        "d_adversarial",
        "gradient_penalty",
        "g_adversarial",
        "label_fake",
        "latent",
    }
    common = learned | of_fakes
    assert set(gan.update(loader.batch(0), loader, 0)) == common
    second = gan.update(loader.batch(3), loader, 3)
    added = {"label_edited", "prior", "consistency", "perceptual", "pixel", "edit_pixel"}
    assert set(second) == common | added
    assert all(torch.isfinite(value) and not value.requires_grad for value in second.values())


def test_where_people_are_known_edits_and_reconstructions_shall_be_them(tmp_path: Path) -> None:
    pack = write_pack(tmp_path / "people", faces_per_person=4)
    gan, loader = objective(pack, modern_recipe())
    assert gan.config.data.num_people == 5  # of six, one is held out
    head = gan.players.person_head
    assert head is not None
    before = {name: value.clone() for name, value in head.state_dict().items()}
    metrics = gan.update(loader.batch(3), loader, 3)
    assert 0 < metrics["identity_edited"] < 2
    assert 0 < metrics["identity_reconstructed"] < 2
    changed = {n.strip(".").split(".")[0] for n in differences(before, dict(head.state_dict()))}
    assert changed == {"norm", "embed", "people"}
    assert not any(p.requires_grad for p in gan.networks["person_head_ema"].parameters())


def test_identity_costs_nothing_where_nobody_asks(tmp_path: Path) -> None:
    pack = write_pack(tmp_path / "people", faces_per_person=4)
    gan, loader = objective(pack, modern_recipe(edit_identity_weight=0.0, identity_weight=0.0))
    assert "person_head" not in gan.networks
    assert "identity_edited" not in gan.update(loader.batch(3), loader, 3)


def test_a_model_of_some_people_begins_one_of_others(tmp_path: Path) -> None:
    source = write_pack(tmp_path / "source", faces_per_person=4)
    run = trained_run(tmp_path / "run", source, modern_recipe())
    others = write_pack(tmp_path / "others", faces_per_person=2)
    again = trained_run(
        tmp_path / "again", others, modern_recipe(), start_from=run, max_seconds=0.0
    )
    old, new = (run_state(folder)["networks"]["person_head"] for folder in (run, again))
    assert len(old["people.weight"]) != len(new["people.weight"])


def test_a_fork_keeps_its_people_and_networks(tmp_path: Path) -> None:
    pack = write_pack(tmp_path / "people", faces_per_person=4)
    run = trained_run(tmp_path / "run", pack, modern_recipe(), max_seconds=0.0)
    changed = modern_recipe(edit_pixel_weight=9.0)
    fork_run(run, tmp_path / "fork", changed)
    trained_run(tmp_path / "fork", pack, changed, resume=True)
    with pytest.raises(InputError, match="has other networks"):
        fork_run(run, tmp_path / "other", modern_recipe(has_mask=False))


def test_a_run_with_people_resumes_bit_equal_and_is_a_model(tmp_path: Path) -> None:
    pack = write_pack(tmp_path / "people", faces_per_person=4)
    whole = trained_run(tmp_path / "whole", pack, modern_recipe())
    part = tmp_path / "part"
    for _ in range(5):
        trained_run(part, pack, modern_recipe(), resume=True, max_seconds=0.0)
    assert differences(run_state(part), run_state(whole)) == []
    assert "person_head" in load_run(whole / CHECKPOINT_FILE)[1]["networks"]
    assert "person_head" not in FaceModel.load(whole, device="cpu").networks.state_dict()


def test_d_and_encoder_see_all_fakes_of_one_pass_of_g(tiny_pack: Pack) -> None:
    gan, loader = objective(tiny_pack, modern_recipe())
    calls: list[int] = []
    gan.players.generator.register_forward_pre_hook(lambda _, inputs: calls.append(len(inputs[0])))
    gan.update(loader.batch(3), loader, 3)
    assert calls == [8]


def test_a_part_can_be_switched_off(tiny_pack: Pack) -> None:
    settings = {
        "has_skips": False,
        "game": "non_saturating",
        "gradient_penalty_weight": 0.0,
        "augment": False,
    }
    gan, loader = objective(tiny_pack, modern_recipe(**settings))
    metrics = gan.update(loader.batch(3), loader, 3)
    assert "gradient_penalty" not in metrics
    assert metrics["d_adversarial"] > 1  # two log 2 where D cannot tell, not one
    assert not gan.players.generator.skips


@pytest.mark.parametrize(
    "shares",
    [(0.0, 0.0, 0.25), (0.5, 0.0, 0.0), (0.5, 0.25, 0.25), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0)],
)
def test_a_part_without_faces_costs_nothing(
    tiny_pack: Pack, shares: tuple[float, float, float]
) -> None:
    names = ("edited_share", "copied_share", "coded_share")
    settings = dict(zip(names, shares, strict=True))
    gan, loader = objective(tiny_pack, modern_recipe(**settings))
    metrics = gan.update(loader.batch(3), loader, 3)
    assert all(torch.isfinite(value) for value in metrics.values())
    assert ("label_edited" in metrics) == ("edit_pixel" in metrics) == (shares[0] > 0)
    assert ("pixel" in metrics) == (sum(shares[1:]) > 0)
    assert ("label_fake" in metrics) == (sum(shares) < 1)


def test_a_generated_face_and_its_rival_have_the_same_labels(
    tiny_pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    gan, loader = objective(tiny_pack, modern_recipe())
    scored: list[Tensor] = []
    score = gan.players.score
    monkeypatch.setattr(
        gan.players, "score", lambda images, a: (scored.append(a), score(images, a))[1]
    )
    batch = loader.batch(3)
    gan.update(batch, loader, 3)
    generated = parts_of(gan).generated
    assert generated.stop > generated.start
    for attributes in scored[:2]:  # real, then fake
        assert torch.equal(attributes[generated], batch.attributes[generated])


def test_in_turn_ds_gradient_is_measured_at_every_face(
    tiny_pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    gan, loader = objective(tiny_pack, modern_recipe(batch_size=16))
    seen: list[Tensor] = []

    def note(scores: Tensor, images: Tensor) -> Tensor:
        seen.append(images.detach())
        return scores.sum() * 0

    monkeypatch.setattr("twobirds.recipes.modern.objective.gradient_penalty", note)
    images = loader.batch(0).images
    for number in range(8):
        step = Step(loader.batch(0), loader, number)
        gan._gradient_penalty(step, images, loader.batch(0).attributes)
    assert [len(some) for some in seen] == [2] * 8
    assert torch.equal(torch.stack(seen).transpose(0, 1).flatten(0, 1), images)


def test_edits_and_their_sources_are_seen_through_the_same_noise(tiny_pack: Pack) -> None:
    """Where nothing was edited, the noise-robust classifier predicts the same of both."""
    gan, loader = objective(tiny_pack, modern_recipe(classifier_noise=0.5, classifier_cutout=0.5))
    step = Step(loader.batch(3), loader, 3)
    parts = parts_of(gan)
    with torch.no_grad():
        probabilities, _ = gan._classify_sources(step, parts)
        seen = gan._classifier_view(
            step.batch.images, step.generator(RandomPurpose.CLASSIFIER_VIEW)
        )
        logits, _ = gan.players.classify(gan.players.average_classifier, seen[parts.edited])
        clear, _ = gan.players.classify(
            gan.players.average_classifier, step.batch.images[parts.edited]
        )
    torch.testing.assert_close(
        probabilities[parts.edited], torch.sigmoid(logits), rtol=1e-4, atol=1e-5
    )
    assert not torch.allclose(probabilities[parts.edited], torch.sigmoid(clear), atol=1e-5)


def test_the_recognizer_never_sees_fakes(tiny_pack: Pack) -> None:
    """Its weights after an iteration do not depend on G."""
    weights = []
    for width in (0.0, 1.0):
        gan, loader = objective(tiny_pack, modern_recipe())
        with torch.no_grad():
            for parameter in gan.players.generator.parameters():
                parameter.mul_(width)
        gan.update(loader.batch(3), loader, 3)
        weights.append({k: v.clone() for k, v in gan.players.recognizer.state_dict().items()})
    assert differences(*weights) == []


def test_the_recognizer_stops_learning_before_it_overfits(tiny_pack: Pack) -> None:
    gan, loader = objective(tiny_pack, modern_recipe(recognizer_images=16))
    states = []
    for iteration in range(4):
        metrics = gan.update(loader.batch(iteration), loader, iteration)
        assert metrics["label_real"] > 0
        states.append({k: v.clone() for k, v in gan.players.recognizer.state_dict().items()})
    assert differences(states[0], states[1]) != []
    assert differences(states[1], states[3]) == []


def test_what_was_learned_in_a_part_of_a_window_is_logged_as_it_was(
    tmp_path: Path, tiny_pack: Pack
) -> None:
    train = {"images": 16, "log_every_images": 16, "stage1_share": 0.0}
    config = modern_recipe(recognizer_images=8, **train)
    gan, loader = objective(tiny_pack, config)
    first = gan.update(loader.batch(0), loader, 0)
    line = logged(trained_run(tmp_path / "run", tiny_pack, config))[-1]
    assert line["label_learned"] == pytest.approx(first["label_learned"].item(), rel=1e-4)


def test_latents_are_initialized_as_principal_components(tmp_path: Path) -> None:
    """A new run's first latents reconstruct faces it has not been trained on."""
    render_folder(tmp_path / "faces", count=200, size=32, seed=3, workers=1)
    pack = pack_source(tmp_path / "faces", tmp_path / "pack", size=32, engine=Engine(workers=1))
    errors = {}
    for has_pca in (False, True):
        gan, loader = objective(pack, modern_recipe(has_pca=has_pca))
        gan.initialize(pack)
        batch = loader.batch(0)
        with torch.no_grad():
            latents, _ = gan.players.encode(batch.images)
            reconstructed = gan.players.generate(latents, batch.attributes, None)
        errors[has_pca] = float((reconstructed - batch.images).square().mean())
        averages = gan.players.average_encoder.state_dict()
        assert differences(dict(gan.players.encoder.state_dict()), dict(averages)) == []
    assert errors[True] < 0.5 * errors[False]


def test_a_run_with_pca_resumes_bit_equal_and_starts_others(tmp_path: Path) -> None:
    pack = write_pack(tmp_path / "pack", faces_per_person=4)
    recipe = modern_recipe(has_pca=True)
    whole = trained_run(tmp_path / "whole", pack, recipe)
    part = tmp_path / "part"
    for _ in range(5):
        trained_run(part, pack, recipe, resume=True, max_seconds=0.0)
    assert differences(run_state(part), run_state(whole)) == []
    gan, _ = objective(pack, recipe)
    warm_start(gan, fit_to_pack(recipe, pack), whole)
    learned = dict(run_state(whole)["networks"]["encoder"])
    assert differences(dict(gan.players.encoder.state_dict()), learned) == []
    with pytest.raises(InputError, match="has another generator"):
        trained_run(tmp_path / "other", pack, modern_recipe(), start_from=whole)


def test_a_resumed_run_is_bit_equal(tmp_path: Path, tiny_pack: Pack) -> None:
    whole = trained_run(tmp_path / "whole", tiny_pack, modern_recipe())
    part = tmp_path / "part"
    for _ in range(5):
        trained_run(part, tiny_pack, modern_recipe(), resume=True, max_seconds=0.0)
    assert differences(run_state(part), run_state(whole)) == []


def test_it_trains_in_bfloat16(tmp_path: Path, tiny_pack: Pack) -> None:
    run = tmp_path / "run"
    assert train_run(modern_recipe(), tiny_pack, run, Runtime(CPU.device, precision="bfloat16"))
    weights = run_state(run)["networks"]["generator"]
    assert {value.dtype for value in weights.values()} == {torch.float32}
    whole = run_state(trained_run(tmp_path / "whole", tiny_pack, modern_recipe()))["networks"]
    assert differences(weights, whole["generator"]) != []  # it was not float32 after all


def test_a_trained_run_is_a_model(tmp_path: Path, tiny_pack: Pack) -> None:
    run = trained_run(tmp_path / "run", tiny_pack, modern_recipe())
    model = FaceModel.load(run, device="cpu")
    faces = from_pixels(torch.from_numpy(tiny_pack.images[:3].copy()))
    assert model.recognize(faces).shape == (3, 7)
    for images in (
        model.generate(3, {"Bald": 1}),
        model.reconstruct(faces),
        model.edit(faces, {"Bald": 1}),
    ):
        assert images.shape == (3, 3, 32, 32)
        assert images.abs().max() <= 1
    model.save(tmp_path / "model")
    again = FaceModel.load(tmp_path / "model", device="cpu")
    assert torch.equal(again.edit(faces, {"Smiling": 1}), model.edit(faces, {"Smiling": 1}))
    assert {n.split(".")[0] for n in model.networks.state_dict()} == {
        "generator",
        "encoder",
        "recognizer",
    }


def test_edits_start_from_the_source(tmp_path: Path, tiny_pack: Pack) -> None:
    """Where the mask keeps everything, an edit is the source; from the latents alone it is not."""
    run = trained_run(tmp_path / "run", tiny_pack, modern_recipe())
    model = FaceModel.load(run, device="cpu")
    with torch.no_grad():
        mask = model.networks.get_submodule("generator.mask")
        assert isinstance(mask.bias, Tensor)
        mask.bias.fill_(100)
    faces = from_pixels(torch.from_numpy(tiny_pack.images[:3].copy()))
    edited, reconstructed = model.edit(faces, {"Bald": 1}), model.reconstruct(faces)
    assert (edited - faces).abs().max() <= 0.05 * 2  # a twentieth is generated all the same
    assert (reconstructed - faces).abs().mean() > 0.1


def test_no_faces_are_no_error(tmp_path: Path, tiny_pack: Pack) -> None:
    model = FaceModel.load(trained_run(tmp_path / "run", tiny_pack, modern_recipe()), device="cpu")
    none = torch.empty(0, 3, 32, 32)
    assert len(model.generate(0)) == len(model.reconstruct(none)) == len(model.edit(none, {})) == 0


def test_it_takes_no_other_network_for_its_features(tmp_path: Path, tiny_pack: Pack) -> None:
    with pytest.raises(InputError, match="features of its own classifier"):
        train_run(modern_recipe(), tiny_pack, tmp_path / "r", CPU, feature_network=lambda x: [x])
    assert not (tmp_path / "r").exists()
