"""The networks and losses of recipe `modern`, each by itself."""

import pytest
import torch
from torch import Tensor

from twobirds.models.edit_layers import EditLayers, apply_layers, warp
from twobirds.models.pca import decode_linear
from twobirds.recipes.modern.discriminator import ProjectedDiscriminator, conditions_of, hinge
from twobirds.recipes.modern.editor import ChangeConv, Editor
from twobirds.recipes.modern.generator import Generator, low_pass
from twobirds.recipes.modern.losses import (
    changed_label_loss,
    kept_label_loss,
    regularizers,
    total_variation,
)
from twobirds.recipes.modern.recognizer import LiteRecognizer
from twobirds.recipes.modern.views import VIEW_SIZE, Views

CHANNELS = (24, 40, 112, 320)


def nothing(count: int = 2, size: int = 8) -> EditLayers:
    zeros = [torch.zeros(count, channels, size, size) for channels in (2, 3, 3, 3, 1)]
    return EditLayers(*zeros)


def test_layers_that_do_nothing_change_nothing() -> None:
    faces = torch.rand(2, 3, 32, 32) * 2 - 1
    assert torch.equal(apply_layers(faces, nothing(), torch.tensor([0.0, 0.0])), faces)
    assert torch.allclose(apply_layers(faces, nothing(), torch.ones(2)), faces, atol=1e-5)


def test_layers_move_recolour_and_paint_in_this_order() -> None:
    faces = torch.rand(1, 3, 32, 32) - 0.5
    layers = nothing(1)
    layers.flow[:, 0] = 2 / 32 * 4  # four pixels, in parts of half the side
    layers.gain[:] = -0.5
    layers.offset[:] = 0.1
    layers.alpha[:] = 0.25
    layers.paint[:] = 0.25 * 0.8
    edited = apply_layers(faces, layers, torch.ones(1))
    expected = (faces[..., :, 6:] * 0.5 + 0.1) * 0.75 + 0.2
    assert torch.allclose(edited[..., :, 2:-4], expected[..., :26], atol=1e-4)


def test_paint_never_covers_more_than_all() -> None:
    layers = nothing(1)
    layers.alpha[:] = 0.8
    layers.paint[:] = 0.8 * 0.5
    edited = apply_layers(torch.zeros(1, 3, 8, 8), layers, torch.tensor([2.0]))
    assert torch.allclose(edited, torch.full_like(edited, 0.5), atol=1e-5)


def test_a_warp_takes_pixels_from_where_the_flow_points() -> None:
    faces = torch.arange(64.0).view(1, 1, 8, 8).expand(1, 3, 8, 8)
    flow = torch.zeros(1, 2, 8, 8)
    flow[:, 1] = 2 / 8  # one pixel down
    assert torch.allclose(warp(faces, flow)[:, :, :-1], faces[:, :, 1:], atol=1e-4)


def test_weights_of_a_change_are_those_of_its_attributes() -> None:
    torch.manual_seed(0)
    layer = ChangeConv(3, 5, 2, std=1.0)
    x = torch.randn(2, 5, 4, 4)
    none, on, off = (torch.zeros(2, 6) for _ in range(3))
    on[:, 1] = 1
    off[:, 4] = 1  # the same attribute, switched off
    plain, added, removed = layer(x, none), layer(x, on), layer(x, off)
    assert not torch.allclose(added, removed)
    both = layer(x, on + off)
    assert torch.allclose(both - plain, (added - plain) + (removed - plain), atol=1e-5)


def test_the_editor_begins_as_the_prototype_of_the_change() -> None:
    torch.manual_seed(0)
    editor = Editor(num_attributes=3, size=32, channels=(16, 16, 16, 16))
    editor.prototypes[1] = 0.5
    change = torch.tensor([[0.0, 1, 0], [0, -1, 0]])
    output = editor(torch.zeros(2, 3, 32, 32), change, change.clamp(min=0))
    assert output.layers.offset.shape == (2, 3, 16, 16)
    assert output.layers.offset[0].mean() > 0.2 > -0.2 > output.layers.offset[1].mean()
    assert output.layers.flow.abs().max() <= 0.1  # at most 0.05, less its mean
    assert output.layers.flow.mean((2, 3)).abs().max() < 1e-4


def test_d_is_told_of_the_attribute_that_is_asked_about() -> None:
    conditions = conditions_of(torch.tensor([[1.0, 0.0, 1.0]]), torch.tensor([1]))
    assert conditions.tolist() == [[0.5, -2.0, 0.5]]
    assert conditions_of(torch.tensor([[1.0, 0.0]])).tolist() == [[0.5, -0.5]]


def test_d_scores_any_rows_under_any_conditions() -> None:
    torch.manual_seed(0)
    discriminator = ProjectedDiscriminator(feature_channels=CHANNELS, num_attributes=4).eval()
    features = [torch.randn(3, c, g, g) for c, g in zip(CHANNELS, (24, 12, 6, 3), strict=True)]
    outputs = discriminator(features)
    conditions = torch.rand(3, 4) - 0.5
    scores = discriminator.score(outputs, slice(None), conditions)
    assert scores.shape == (3, 4)
    again = discriminator.score(outputs, torch.tensor([2, 0]), conditions[[2, 0]])
    assert torch.allclose(again, scores[[2, 0]], atol=1e-5)
    assert not any(p.requires_grad for p in discriminator.mixing.parameters())


def test_the_hinge_asks_for_a_margin_of_one() -> None:
    scores = torch.tensor([[1.0, 2.0, 0.0, -1.0]])
    assert hinge(scores, 1).tolist() == [3.0]
    assert hinge(scores, -1).tolist() == [2.0 + 3.0 + 1.0]


def test_confidence_follows_real_faces() -> None:
    discriminator = ProjectedDiscriminator(feature_channels=CHANNELS, num_attributes=2)
    logits = torch.tensor([[3.0, 0.0], [3.0, 0.0], [0.0, -5.0]])
    discriminator.update_confidence(logits, torch.tensor([0, 0, 1]), torch.tensor([1, 1, 0]))
    step = 1 - 0.95**2
    assert discriminator.confidence[1, 0] == pytest.approx(1 + step * 2)
    assert discriminator.confidence[0, 1] == pytest.approx(1 + 0.05 * 4)
    assert discriminator.confidence[1, 1] == 1


def test_an_edit_is_to_be_as_sure_as_real_faces_and_no_more() -> None:
    confidence = torch.tensor([[2.0, 1.0], [3.0, 1.5]])
    target, changed = torch.tensor([[1.0, 0.0]]), torch.tensor([[True, False]])
    for logit, loss in ((1.0, 2.0), (3.0, 0.0), (9.0, 0.0)):
        logits = torch.tensor([[logit, 0.0]])
        assert float(changed_label_loss(logits, target, changed, confidence)) == loss
    same = torch.tensor([[0.3, -2.0]])
    assert float(kept_label_loss(same, same, changed)) == pytest.approx(0, abs=1e-6)
    moved = torch.tensor([[0.3, 1.0]])
    assert float(kept_label_loss(moved, same, changed)) > 0.5


def test_what_does_nothing_costs_nothing_and_colours_may_change_where_they_are_meant() -> None:
    torch.manual_seed(0)
    editor = Editor(num_attributes=2, size=32, channels=(16, 16, 16, 16))
    faces = torch.zeros(2, 3, 32, 32)
    output = editor(faces, torch.eye(2), torch.eye(2))
    costs = regularizers(faces, faces, output, torch.zeros(2))
    assert costs.change == costs.cast == 0
    red = faces.clone()
    red[:, 0] = 0.3
    strict, free = (regularizers(faces, red, output, torch.full((2,), f)).cast for f in (0.0, 1.0))
    assert float(strict) == pytest.approx(0.4 / 3, rel=1e-4)  # 0.2 and twice 0.1
    assert float(free) == pytest.approx(0.2 * float(strict), rel=1e-4)
    lighter = regularizers(faces, faces + 0.3, output, torch.zeros(2))
    assert float(lighter.cast) == pytest.approx(0, abs=1e-6)
    assert float(total_variation(torch.eye(2).view(1, 1, 2, 2))) == 2


def test_a_face_and_its_edit_are_seen_through_the_same_view() -> None:
    views = Views.sample(4, torch.Generator().manual_seed(0), torch.device("cpu"))
    faces = torch.rand(4, 3, 64, 64) - 0.5
    noise = torch.randn(4, 3, VIEW_SIZE, VIEW_SIZE, generator=torch.Generator().manual_seed(1))
    first, again = views(faces, noise), views(faces, noise)
    assert first.shape == (4, 3, VIEW_SIZE, VIEW_SIZE)
    assert torch.equal(first, again)
    lighter = views(faces + 0.1, noise)
    difference = (lighter - first).abs().amax((1, 2, 3))
    assert difference.max() < 0.1 * 1.15 * 1.12 + 1e-5
    assert difference.min() > 0.05
    other = Views.sample(4, torch.Generator().manual_seed(2), torch.device("cpu"))
    assert not torch.allclose(other(faces, noise), first, atol=0.05)


def test_a_low_pass_leaves_nothing_of_checkerboards_and_keeps_what_is_smooth() -> None:
    places = torch.arange(16.0)
    checkers = (-1) ** (places[:, None] + places)
    ramp = places.expand(16, 16)
    filtered = low_pass(torch.stack([checkers, ramp])[None])[0, :, 1:-1, 1:-1]
    assert torch.allclose(filtered[0], torch.zeros(14, 14), atol=1e-6)
    assert torch.allclose(filtered[1], ramp[1:-1, 1:-1], atol=1e-5)


def test_a_generator_in_evaluation_mode_filters_once_more() -> None:
    torch.manual_seed(0)
    generator = Generator(num_latents=8, num_attributes=3, size=32, channels=(16, 16, 16))
    torch.nn.init.normal_(generator.pixels.weight, std=0.05)
    latents, attributes = torch.zeros(2, 8), torch.zeros(2, 3)
    with torch.no_grad():
        smooth = decode_linear(generator.pca_decoder, latents, attributes, 32)
        trained = generator.train()(latents, attributes) - smooth
        evaluated = generator.eval()(latents, attributes) - smooth
    assert trained.std() > 0.01
    assert torch.allclose(evaluated, low_pass(trained), atol=1e-5)


def test_the_recognizer_sees_faces_enlarged() -> None:
    torch.manual_seed(0)
    recognizer = LiteRecognizer(num_attributes=3, enlargement=1.25)
    faces, seen = torch.rand(2, 3, 32, 32), list[Tensor]()
    recognizer.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        recognizer(faces)
        recognizer(faces, further=1.2)
        recognizer.enlargement = 1.0
        recognizer(faces)
    for found, side in zip(seen, (40, 48), strict=False):
        wanted = torch.nn.functional.interpolate(faces, (side, side), mode="bilinear")
        assert torch.equal(found, wanted)
    assert torch.equal(seen[2], faces)
