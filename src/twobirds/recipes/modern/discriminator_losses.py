"""Losses of D: real faces against fakes, and against real faces with mismatched attributes."""

from collections.abc import Sequence

import torch
from torch import Tensor

from twobirds.losses.attributes import label_loss
from twobirds.recipes.modern.discriminator import (
    HeadOutput,
    ProjectedDiscriminator,
    conditions_of,
    hinge,
)
from twobirds.recipes.modern.inputs import EditBatch
from twobirds.recipes.modern.iteration import Faces, Seen

_REAL_WEIGHT = 1.0
_EDIT_WEIGHT = 1.5
_REALNESS_WEIGHT = 1.0  # of scores that know no attributes: else D looks for attributes alone
_DENSE_WEIGHT = 0.5  # of every attribute of every real face
_WRONG_WEIGHT = 0.5  # of sources conditioned on the attributes that their edits are to have


def of_edits(
    discriminator: ProjectedDiscriminator, batch: EditBatch, seen: Seen, dense_weights: Tensor
) -> dict[str, tuple[float, Tensor]]:
    """Losses of D on edits, by name with their weights.

    Args:
        discriminator: D of edits.
        batch: What was edited.
        seen: Features of sources and examples, and of the edits.
        dense_weights: `[2, K]`: weights of the loss on each attribute of each real face, by the
            value that the face has.
    """
    num_edits, num_real = len(batch.target), len(batch.attributes)
    outputs = discriminator(
        [torch.cat([r, f.detach()]) for r, f in zip(seen.real, seen.fake, strict=True)]
    )
    sources, fakes = slice(0, num_edits), slice(num_real, None)
    examples = slice(num_edits, num_real)
    own, wanted = batch.attributes[:num_edits], batch.target
    asked = batch.columns[: num_real - num_edits]
    true = discriminator.score(outputs, sources, conditions_of(own, batch.columns))
    shown = discriminator.score(
        outputs, examples, conditions_of(batch.attributes[num_edits:], asked)
    )
    wrong = discriminator.score(outputs, sources, conditions_of(wanted, batch.columns))
    fake = discriminator.score(outputs, fakes, conditions_of(wanted, batch.columns))
    logits = discriminator.classify(seen.real)
    discriminator.update_confidence(
        logits[examples],
        asked,
        batch.attributes[examples].gather(1, asked[:, None])[:, 0].long(),
    )
    return {
        "d_source": (_REAL_WEIGHT, hinge(true, 1).mean()),
        "d_example": (_REAL_WEIGHT, hinge(shown, 1).mean()),
        "d_edit": (_EDIT_WEIGHT, hinge(fake, -1).mean()),
        "d_wrong": (_WRONG_WEIGHT, hinge(wrong, -1).mean()),
        "d_realness": (_REALNESS_WEIGHT, _realness(discriminator, outputs, num_real)),
        "d_dense_labels": (
            _DENSE_WEIGHT,
            _dense_labels(discriminator, outputs, batch.attributes, dense_weights),
        ),
        "d_labels": (1.0, label_loss(logits, batch.attributes)),
    }


def of_faces(
    discriminator: ProjectedDiscriminator, faces: Faces, seen: Seen
) -> dict[str, tuple[float, Tensor]]:
    """Losses of D on generated faces, by name with their weights."""
    count = len(faces.real)
    outputs = discriminator(
        [torch.cat([r, f.detach()]) for r, f in zip(seen.real, seen.fake, strict=True)]
    )
    conditions = conditions_of(faces.attributes)
    real = discriminator.score(outputs, slice(0, count), conditions)
    others = faces.attributes.roll(1, 0)
    differs = (others != faces.attributes).any(1)  # [F]: else the mismatched are the face's own
    wrong = discriminator.score(outputs, slice(0, count), conditions.roll(1, 0))
    fake = discriminator.score(outputs, slice(count, None), conditions)
    return {
        "d_real": (1.0, hinge(real, 1).mean()),
        "d_generated": (0.5, hinge(fake, -1).mean()),
        # Not an index by a mask: the host would wait for the number of rows.
        "d_mismatched": (0.5, (hinge(wrong, -1) * differs).sum() / count),
        "d_face_labels": (1.0, label_loss(discriminator.classify(seen.real), faces.attributes)),
    }


def _realness(
    discriminator: ProjectedDiscriminator, outputs: Sequence[HeadOutput], num_real: int
) -> Tensor:
    """Hinge losses of scores without attributes, of real faces and of the fakes after them."""
    real = hinge(discriminator.realness(outputs, slice(0, num_real)), 1).mean()
    fake = hinge(discriminator.realness(outputs, slice(num_real, None)), -1).mean()
    return real + fake


def _dense_labels(
    discriminator: ProjectedDiscriminator,
    outputs: Sequence[HeadOutput],
    attributes: Tensor,
    weights: Tensor,
) -> Tensor:
    """Hinge loss on every attribute of every real face, with its label and reversed; scalar `[]`.

    With one attribute a face, D needs thousands of images before it tells the values apart.
    """
    count, num_attributes = attributes.shape
    device = attributes.device
    rows = torch.arange(count, device=device).repeat_interleave(num_attributes)
    columns = torch.arange(num_attributes, device=device).repeat(count)
    true = attributes[rows]  # [N K, K]
    own = attributes.flatten()
    wrong = true.scatter(1, columns[:, None], 1 - own[:, None])
    weight = weights[own.long(), columns]
    loss = hinge(discriminator.score(outputs, rows, conditions_of(true, columns)), 1)
    loss = loss + hinge(discriminator.score(outputs, rows, conditions_of(wrong, columns)), -1)
    return (weight * loss).mean()
