"""Running means of frozen features, and the editor's paint."""

import pytest
import torch

from twobirds.models.edit_layers import apply_layers
from twobirds.recipes.modern.discriminator import ProjectedDiscriminator, conditions_of
from twobirds.recipes.modern.editor import Editor
from twobirds.recipes.modern.feature_means import FeatureMeans, MeanMoments, statistics

CHANNELS = (3, 2)
NUM_ATTRIBUTES = 2


def of_real_faces(count: int = 4_000) -> tuple[FeatureMeans, torch.Tensor]:
    """Means of faces whose first attribute adds 2 to one statistic; and these faces' features."""
    torch.manual_seed(0)
    labels = (torch.rand(count, NUM_ATTRIBUTES) < 0.5).float()
    features = [torch.randn(count, c, 4, 4) for c in CHANNELS]
    features[0][:, 1] += 2 * labels[:, 0, None, None]
    weights = torch.stack([(y / y.sum() - (1 - y) / (1 - y).sum()) for y in labels.T])
    moments = MeanMoments(NUM_ATTRIBUTES)
    for part in range(0, count, 1_000):
        rows = slice(part, part + 1_000)
        moments.add(statistics([f[rows] for f in features]), weights[:, rows])
    means = FeatureMeans(feature_channels=CHANNELS, num_attributes=NUM_ATTRIBUTES)
    means.set_moments(moments)
    return means, features[0]


def test_statistics_are_means_and_deviations_of_channels() -> None:
    level = torch.tensor([[[[1.0, 3.0]], [[5.0, 5.0]]]])
    assert statistics([level])[0].tolist() == pytest.approx([2, 5, 1, 0], abs=2e-3)


def test_the_shift_is_what_matched_faces_differ_in() -> None:
    means, first = of_real_faces()
    assert (means.shift[0] * means.scale)[1] == pytest.approx(2.0, abs=0.05)
    assert means.shift[1].abs().max() < 0.15
    assert means.scale[1] == pytest.approx(float(first[:, 1].mean((1, 2)).std()), rel=0.01)


@pytest.mark.parametrize("start", [-1.0, 5.0], ids=["too weak", "exaggerated"])
def test_descent_moves_edits_as_far_as_real_faces_differ(start: float) -> None:
    means, _ = of_real_faces()
    added = torch.full((), start, requires_grad=True)  # what an edit adds to the statistic
    change = torch.tensor([[1.0, 0.0]]).expand(8, -1)
    columns = torch.zeros(8, dtype=torch.long)
    for _ in range(400):
        before = [torch.randn(8, c, 4, 4) for c in CHANNELS]
        after = [before[0].clone(), before[1]]
        after[0][:, 1] = after[0][:, 1] + added
        (gradient,) = torch.autograd.grad(means.distance(before, after, change, columns), added)
        with torch.no_grad():
            added -= 0.02 * gradient
    assert float(added.detach()) == pytest.approx(2.0, abs=0.15)


def test_a_running_mean_begins_with_the_first_edits() -> None:
    means, _ = of_real_faces()
    before = [torch.zeros(2, c, 4, 4) for c in CHANNELS]
    change = torch.tensor([[0.0, -1.0], [0.0, -1.0]])
    means.distance(before, before, change, torch.tensor([1, 1]))
    assert means.count.tolist() == [[0, 2], [0, 0]]
    assert torch.allclose(means.excess[0, 1], means.shift[1])  # nothing moved, so all is missing
    assert torch.allclose(means.excess_of_all, means.shift[1])
    assert means.excess[0, 0].abs().max() == means.excess[1].abs().max() == 0


def test_edits_that_are_only_observed_count_like_others() -> None:
    observed, learned = of_real_faces()[0], of_real_faces()[0]
    before = [torch.randn(4, c, 4, 4) for c in CHANNELS]
    after = [(f + torch.randn_like(f)).requires_grad_() for f in before]
    change = torch.tensor([[1.0, 0.0], [0.0, -1.0], [1.0, 0.0], [0.0, 1.0]])
    columns = torch.tensor([0, 1, 0, 1])
    learned.distance(before, after, change, columns)
    observed.observe(before, after, change, columns)
    for name, value in learned.named_buffers():
        assert torch.equal(observed.get_buffer(name), value)
        assert not observed.get_buffer(name).requires_grad


def test_realness_depends_on_no_attributes() -> None:
    torch.manual_seed(0)
    channels = (24, 40, 112, 320)
    d = ProjectedDiscriminator(feature_channels=channels, num_attributes=3).eval()
    features = [torch.randn(2, c, s, s) for c, s in zip(channels, (24, 12, 6, 3), strict=True)]
    outputs = d(features)
    realness = d.realness(outputs, slice(None))
    assert realness.shape == (2, 4)
    assert torch.equal(realness, d.score(outputs, slice(None), torch.zeros(2, 3)))
    assert not torch.equal(realness, d.score(outputs, slice(None), conditions_of(torch.ones(2, 3))))


def test_paint_without_colours_of_its_own_alters_nothing() -> None:
    torch.manual_seed(0)
    editor = Editor(num_attributes=2, size=32, channels=(16, 16, 16, 16))
    for weights in (editor.paint.changes, editor.paint.change_biases, editor.paint.common):
        torch.nn.init.zeros_(weights)
    editor.prototypes.fill_(0.2)
    with torch.no_grad():
        editor.paint.bias.copy_(torch.tensor([0.0, 0.0, 0.0, 0.0]))  # alpha is one half
        faces = torch.linspace(-0.5, 0.5, 32).expand(2, 3, 32, 32)  # smooth: no detail to lose
        change = torch.tensor([[1.0, 0.0], [0.0, -1.0]])
        layers = editor(faces, change, (change > 0).float()).layers
        bare = layers._replace(
            paint=torch.zeros_like(layers.paint), alpha=torch.zeros_like(layers.alpha)
        )
        painted, unpainted = (apply_layers(faces, x, torch.ones(2)) for x in (layers, bare))
    assert float(layers.alpha.min()) == pytest.approx(0.5)
    assert (unpainted - faces).abs().max() > 0.05
    inside = (..., slice(2, -2), slice(2, -2))  # enlarging repeats the edge
    assert torch.allclose(painted[inside], unpainted[inside], atol=0.01)


def test_detail_is_added_pixel_by_pixel_and_nowhere_else() -> None:
    torch.manual_seed(0)
    editor = Editor(num_attributes=2, size=32, channels=(16, 16, 16, 16))
    faces, change = torch.zeros(1, 3, 32, 32), torch.tensor([[1.0, 0.0]])
    with torch.no_grad():
        for weights in (editor.detail.changes, editor.detail.common):
            weights.zero_()
        before = editor(faces, change, change)
        editor.detail.change_biases[0, 1] = 10.0  # green, when the first attribute is added
        after = editor(faces, change, change)
    added = after.layers.offset - before.layers.offset
    assert before.detail.abs().max() == 0
    assert torch.equal(after.detail, added)
    assert torch.allclose(added[:, 1], torch.full((1, 16, 16), 0.6), atol=1e-4)
    assert added[:, [0, 2]].abs().max() == 0
