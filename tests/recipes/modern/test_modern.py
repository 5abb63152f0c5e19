"""Recipe `modern`: who learns from what, resuming, and what comes of a run."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from making_runs import CPU, differences, modern_recipe, run_state, trained_run
from twobirds import FaceModel
from twobirds.checkpoint import CHECKPOINT_FILE
from twobirds.config import RunConfig
from twobirds.data.loader import Loader
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.models.pca import decode_linear
from twobirds.models.start_weights import find_weights
from twobirds.recipes.modern.networks import ModernNetworks
from twobirds.recipes.modern.objective import ModernGAN
from twobirds.recipes.modern.players import Players
from twobirds.states import load_state, save_state
from twobirds.training.run import fit_to_pack

LEARNS = {
    "recognizer": {"recognizer"},
    "discriminator": {"edit_discriminator", "face_discriminator"},
    "editor": {"editor", "generator", "encoder"},
    "generator": {"generator", "encoder"},
}


def objective(pack: Pack, config: RunConfig) -> tuple[ModernGAN, Loader]:
    config = fit_to_pack(config, pack)
    gan = ModernGAN(config, CPU)
    gan.initialize(pack)
    return gan, Loader.of_run(config.train, pack, CPU)


def has_gradients(network: nn.Module) -> bool:
    return any(p.grad is not None and bool(p.grad.any()) for p in network.parameters())


@pytest.mark.parametrize("iteration", [0, 2])
def test_each_step_has_gradients_of_its_own_networks_only(
    tiny_pack: Pack, monkeypatch: pytest.MonkeyPatch, iteration: int
) -> None:
    gan, loader = objective(tiny_pack, modern_recipe())
    step, seen = gan.players.step, {}

    def watch(name: str, images_seen: int) -> None:
        seen[name] = {n for n, network in gan.networks.items() if has_gradients(network)}
        step(name, images_seen)

    monkeypatch.setattr(gan.players, "step", watch)
    gan.update(loader.batch(iteration), loader, iteration)
    names = list(LEARNS)[: 2 if iteration == 0 else None]  # D learns alone at first
    assert seen == {name: LEARNS[name] for name in names}


def test_metrics_are_finite_and_the_same_within_a_stage(tiny_pack: Pack) -> None:
    gan, loader = objective(tiny_pack, modern_recipe())
    assert [gan.stage(seen) for seen in (0, 8, 300_000)] == [1, 2, 3]
    first, second, third = (gan.update(loader.batch(i), loader, i) for i in range(3))
    assert set(second) == set(third) > set(first)
    for metrics in (first, second, third):
        assert all(torch.isfinite(value) and not value.requires_grad for value in metrics.values())


def test_pca_layers_learn_in_smaller_steps(tiny_pack: Pack) -> None:
    config = modern_recipe(discriminator_lead_images=0)
    gan, loader = objective(tiny_pack, config)
    decoder, convolution = gan.players.generator.pca_decoder, gan.players.generator.pixels
    before = decoder.weight.detach().clone(), convolution.weight.detach().clone()
    gan.update(loader.batch(0), loader, 0)
    step = (decoder.weight.detach() - before[0]).abs().max()  # Adam's first step is the step size
    assert float(step) == pytest.approx(0.02 * config.train.learning_rate, rel=0.05)
    other = (convolution.weight.detach() - before[1]).abs().max()
    assert float(other) == pytest.approx(config.train.learning_rate, rel=0.05)


def test_a_generated_face_begins_as_the_smooth_face_of_its_latents(tiny_pack: Pack) -> None:
    gan, loader = objective(tiny_pack, modern_recipe())
    batch, players = loader.batch(0), gan.players
    with torch.no_grad():
        latents = players.encoder(batch.images, batch.attributes)
        faces = players.generator(latents, batch.attributes)
        smooth = decode_linear(players.generator.pca_decoder, latents, batch.attributes, 32)
    assert torch.equal(faces, smooth)


def networks_and_faces(pack: Pack) -> tuple[Players, ModernNetworks, Tensor]:
    """What trains, the same at inference, and a batch."""
    gan, loader = objective(pack, modern_recipe())
    players = gan.players
    networks = ModernNetworks(
        players.generator, players.encoder, players.recognizer, players.editor
    )
    return players, networks.eval(), loader.batch(0).images


def test_logits_are_the_mean_of_a_face_and_its_larger_mirror_image(tiny_pack: Pack) -> None:
    players, networks, images = networks_and_faces(tiny_pack)
    with torch.no_grad():
        found = networks.encode(images).attribute_logits
        views = players.recognizer(images), players.recognizer(images.flip(3), further=1.2)
    assert torch.allclose(found, (views[0] + views[1]) / 2, atol=1e-6)
    assert (views[0] - views[1]).abs().max() > 1e-3


def test_latents_are_those_of_the_attributes_that_the_recognizer_sees(tiny_pack: Pack) -> None:
    players, networks, images = networks_and_faces(tiny_pack)
    with torch.no_grad():
        encoding = networks.encode(images)
        latents = networks.encode_latents(images, encoding)
        reversed_logits = -30 * encoding.attribute_logits
        others = networks.encode_latents(
            images, encoding._replace(attribute_logits=reversed_logits)
        )
        given = players.encoder(images, (encoding.attribute_logits > 0).float())
    assert torch.equal(latents, encoding.latents)
    assert torch.equal(latents, given)
    assert (others - latents).abs().max() > 0.01


def test_what_is_encoded_and_decoded_with_rounded_attributes_is_the_reconstruction(
    tiny_pack: Pack, tmp_path: Path
) -> None:
    run = trained_run(tmp_path / "run", tiny_pack, modern_recipe())
    model = FaceModel.load(run, device="cpu")
    faces = torch.from_numpy(tiny_pack.images[:3].copy())
    latents, attributes = model.encode(faces)
    decoded = model.decode(latents, attributes.round())
    torch.testing.assert_close(decoded, model.reconstruct(faces))


def test_a_run_of_the_former_layers_is_refused_in_one_sentence(
    tiny_pack: Pack, tmp_path: Path
) -> None:
    run = trained_run(tmp_path / "run", tiny_pack, modern_recipe())
    state = load_state(run / CHECKPOINT_FILE)
    state["networks"]["generator"]["base_features.weight"] = torch.zeros(1)
    save_state(run / CHECKPOINT_FILE, state)
    with pytest.raises(InputError, match="modern before its encoder was given the attributes"):
        FaceModel.load(run)
    with pytest.raises(InputError, match="train preset modern anew"):
        find_weights(run)


@pytest.mark.parametrize("shares", [(0.01, 0.0), (0.99, 1.0), (0.5, 0.0)])
def test_a_part_of_the_batch_may_be_as_small_as_can_be(
    tiny_pack: Pack, shares: tuple[float, float]
) -> None:
    config = modern_recipe(edited_share=shares[0], reconstructed_share=shares[1], batch_size=4)
    gan, loader = objective(tiny_pack, config)
    metrics = gan.update(loader.batch(5), loader, 5)
    assert all(torch.isfinite(value) for value in metrics.values())


@pytest.mark.parametrize("factor", [0.01, 1e5])
def test_an_enlargement_that_no_network_could_use_is_refused(factor: float) -> None:
    with pytest.raises(InputError, match=r"recognizer_enlargement must lie between 0\.5 and 4\.0"):
        modern_recipe(recognizer_enlargement=factor)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_batch_without_edits_or_without_generated_faces_is_refused(share: float) -> None:
    with pytest.raises(InputError, match="edited_share must lie above 0 and below 1"):
        modern_recipe(edited_share=share)


def test_a_run_resumes_bit_equal_and_is_a_model(tiny_pack: Pack, tmp_path: Path) -> None:
    whole = trained_run(tmp_path / "whole", tiny_pack, modern_recipe())
    part = tmp_path / "part"
    for _ in range(5):
        trained_run(part, tiny_pack, modern_recipe(), resume=True, max_seconds=0.0)
    assert differences(run_state(part), run_state(whole)) == []
    model = FaceModel.load(whole, device="cpu")
    faces = torch.rand(2, 3, 32, 32) * 2 - 1
    encoded = model.encode_faces(faces)
    assert torch.equal(encoded.edit({"Smiling": 1}, strength=0), faces)
    smiles = float(encoded.attributes[0, model.attributes.index("Smiling")] > 0.5)
    assert not torch.equal(model.edit(faces, {"Smiling": 1 - smiles}), faces)
    assert model.generate(3, {"Bald": 1}, seed=1).shape == (3, 3, 32, 32)
    assert model.reconstruct(faces).shape == faces.shape
    assert model.reconstruct(faces, refine_steps=1).shape == faces.shape
    with pytest.raises(InputError, match="leave out refine"):
        model.edit(faces, {"Smiling": 1}, refine_steps=1)
    assert set(model.networks.state_dict()) == set(
        FaceModel.load(_saved(model, tmp_path / "saved"), device="cpu").networks.state_dict()
    )


def _saved(model: FaceModel, folder: Path) -> Path:
    model.save(folder)
    return folder


def test_a_change_of_nothing_leaves_the_face_and_strength_scales_the_edit(
    tiny_pack: Pack, tmp_path: Path
) -> None:
    run = trained_run(tmp_path / "run", tiny_pack, modern_recipe(), max_seconds=0.0)
    model = FaceModel.load(run, device="cpu")
    faces = torch.rand(2, 3, 32, 32) - 0.5  # far from black and white, where edits are clamped
    encoded = model.encode_faces(faces)
    value = float(encoded.attributes[0, model.attributes.index("Male")] > 0.5)
    one = encoded.select([0])
    assert torch.equal(one.edit({"Male": value}), faces[:1])
    weak, whole = (one.edit({"Male": 1 - value}, strength=s) - faces[:1] for s in (0.1, 1.0))
    assert 0.02 < weak.abs().mean() / whole.abs().mean() < 0.3


def test_amounts_scale_changes_one_by_one_and_are_stored_with_the_model(
    tiny_pack: Pack, tmp_path: Path
) -> None:
    run = trained_run(tmp_path / "run", tiny_pack, modern_recipe(), max_seconds=0.0)
    model = FaceModel.load(run, device="cpu")
    amounts = model.networks.edit_amounts()
    assert amounts is not None
    assert torch.equal(amounts.editor, torch.ones(2, len(model.attributes)))
    assert torch.equal(amounts.prototypes, torch.zeros(2, len(model.attributes)))
    amounts.editor[1, 0], amounts.editor[0, 1] = 0.5, 0.25
    amounts.prototypes[0, 1] = 2
    model.save(tmp_path / "model", half=True)
    loaded = FaceModel.load(tmp_path / "model", device="cpu").networks
    faces = torch.rand(1, 3, 32, 32) * 2 - 1
    has, target = torch.zeros(1, len(model.attributes)), torch.zeros(1, len(model.attributes))
    target[0, 0], has[0, 1], target[0, 2] = 1, 1, 1
    assert isinstance(loaded, ModernNetworks)
    found = loaded.edit_layers(faces, has, target)[0]
    part = (target - has) * torch.tensor([0.5, 0.25] + [1.0] * (len(model.attributes) - 2))
    made = loaded.editor(faces, part, target).layers
    wanted = made._replace(offset=made.offset - 2 * loaded.editor.prototypes[1])
    for layer, expected in zip(found, wanted, strict=True):
        assert torch.equal(layer, expected)


def test_the_first_half_of_the_recognizer_stays_as_imagenet_left_it(tiny_pack: Pack) -> None:
    gan, loader = objective(tiny_pack, modern_recipe())
    before = {n: w.clone() for n, w in gan.players.recognizer.state_dict().items()}
    gan.update(loader.batch(0), loader, 0)
    after = gan.players.recognizer.state_dict()
    changed = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert not any(name.startswith(("network.stem.", "network.blocks.4.")) for name in changed)
    assert any(name.startswith("network.blocks.5.") for name in changed)
    assert "network.classifier.weight" in changed
