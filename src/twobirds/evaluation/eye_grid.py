"""A grid for the eye: edits of unseen faces, each cell labelled, to be judged by looking."""

import numpy as np
import torch
from PIL import Image

from twobirds.data.faces import to_pixels
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.evaluation.editing_section import known_attgan_names
from twobirds.evaluation.evaluate import choose_rows
from twobirds.evaluation.faces import EvaluatedModel, load_faces, to_tensor
from twobirds.evaluation.figures import grid
from twobirds.evaluation.plan import EvaluationConfig

NUM_FACES = 8
CELL_PIXELS = 160


def make_eye_grid(model: EvaluatedModel, pack: Pack, config: EvaluationConfig) -> Image.Image:
    """Reverse each of AttGAN's thirteen attributes on eight faces, one attribute at a time.

    A row is a face, its source first; a label says what was added (+) or removed (-), by the label
    of the face. Of each cell two questions are asked: does it show that, and could it be a photo?

    Args:
        model: What edits.
        pack: With the faces; those are the first of the split in a random order.
        config: Its split and seed.

    Raises:
        InputError: If the model knows none of the attributes, or the split has too few faces.
    """
    names = known_attgan_names(model)
    if not names:
        raise InputError(f"{model.name} knows none of the thirteen attributes of the grid")
    order = np.random.default_rng([config.seed, 2])
    faces = load_faces(pack, order.permutation(choose_rows(pack, config))[:NUM_FACES], model)
    columns = [model.attributes.index(name) for name in names]
    cells: list[np.ndarray] = []
    labels: list[str] = []
    with torch.inference_mode():
        encoded = model.encode_faces(to_tensor(faces.images))
        for position, source in enumerate(faces.images):
            cells.append(source)
            labels.append("source")
            face = encoded.select([position])
            for name, column in zip(names, columns, strict=True):
                target = 1 - int(faces.attributes[position, column])
                edited = face.edit({name: float(target)}, device=model.device)
                cells.append(to_pixels(edited)[0])
                labels.append(f"{'+' if target else '-'} {name}")
    side = max(CELL_PIXELS, model.size)
    return grid(np.stack(cells), 1 + len(names), labels=labels, cell_pixels=side)
