"""DCGAN's features with linear L2-SVMs (P18; Sec. 5.3.1, Fig. 4).

Radford et al. (2016, Sec. 5.1): the discriminator of a DCGAN that saw no labels, the features of
all its convolutions max-pooled to a 4x4 grid, flattened and joined, then a regularized linear SVM
with squared hinge loss for each attribute.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.numpy import load as parse_safetensors
from safetensors.numpy import save as dump_safetensors
from torch import Tensor

from twobirds.atomic import write_atomically
from twobirds.errors import InputError
from twobirds.recipes.baselines.cgan import ConditionalGenerator

GRID = 4
"""Side of the grid that every layer's features are pooled to."""
PENALTIES = (1e-5, 1e-4, 1e-3)
"""Values of C to choose from on held-out training faces."""
_HELD_OUT = 5  # one training face in so many chooses C
_TRIAL_ATTRIBUTES = 8  # on which C is chosen
_MAX_ITERATIONS = 300
_MAX_THREADS = 2

Fitted = tuple[np.ndarray, float]


@dataclass(frozen=True, eq=False)
class LinearSVMs:
    """One linear SVM for each of K attributes, on standardized features."""

    mean: np.ndarray
    """`[P]` of the training features."""
    scale: np.ndarray
    """`[P]` standard deviations."""
    weights: np.ndarray
    """`[K, P]`."""
    intercepts: np.ndarray
    """`[K]`."""
    penalty: float
    """The C chosen."""

    def decide(self, features: np.ndarray) -> np.ndarray:
        """Distances from the planes, `[N, K]`, of features `[N, P]`; above 0 means present."""
        decisions: np.ndarray = (
            (features - self.mean) / self.scale
        ) @ self.weights.T + self.intercepts
        return decisions


def save_svms(svms: LinearSVMs, path: Path) -> None:
    """Write SVMs as safetensors, atomically."""
    arrays = {
        "mean": svms.mean,
        "scale": svms.scale,
        "weights": svms.weights,
        "intercepts": svms.intercepts,
        "penalty": np.array([svms.penalty]),
    }
    content = dump_safetensors({k: np.ascontiguousarray(v) for k, v in arrays.items()})
    write_atomically(path, lambda file: file.write(content))


def load_svms(path: Path) -> LinearSVMs:
    """Load what `save_svms` wrote.

    Raises:
        InputError: If the file is damaged.
    """
    try:
        arrays = parse_safetensors(path.read_bytes())
        return LinearSVMs(
            arrays["mean"],
            arrays["scale"],
            arrays["weights"],
            arrays["intercepts"],
            float(arrays["penalty"][0]),
        )
    except (SafetensorError, KeyError, IndexError) as error:
        message = f"{path}: is damaged: delete it, and the SVMs are fitted again"
        raise InputError(message) from error


@torch.no_grad()
def extract_features(model: ConditionalGenerator, images: Tensor) -> Tensor:
    """DCGAN's features `[B, P]` of images `[B, 3, H, W]` in [-1, 1]."""
    none = images.new_zeros(len(images), 0)
    pooled = [
        F.adaptive_max_pool2d(features, min(GRID, features.shape[-1])).flatten(1)
        for features in model.discriminator.features(images, none)
    ]
    return torch.cat(pooled, dim=1)  # [B, sum of C_l * 16]


def fit_svms(
    features: np.ndarray,
    attributes: np.ndarray,
    *,
    progress: Callable[[str, int, int], None] | None = None,
) -> LinearSVMs:
    """Fit the SVMs; C is what does best on a fifth of the training faces.

    Args:
        features: `[N, P]` float32.
        attributes: `[N, K]` 0/1.
        progress: Called with the step, the number of SVMs fitted, and of all.
    """
    mean, scale = features.mean(axis=0), features.std(axis=0).clip(1e-6)
    standardized = (features - mean) / scale
    penalty = _choose_penalty(standardized, attributes)
    fitted = _fit_all(standardized, attributes, penalty, progress)
    weights, intercepts = zip(*fitted, strict=True)
    return LinearSVMs(mean, scale, np.stack(weights), np.array(intercepts), penalty)


def _choose_penalty(features: np.ndarray, attributes: np.ndarray) -> float:
    """The C with the fewest errors on held-out faces, over a spread of attributes."""
    held_out = np.arange(len(features)) % _HELD_OUT == 0
    columns = np.linspace(0, attributes.shape[1] - 1, _TRIAL_ATTRIBUTES).astype(int)
    chosen = attributes[:, np.unique(columns)]
    errors = []
    for penalty in PENALTIES:
        fitted = _fit_all(features[~held_out], chosen[~held_out], penalty)
        weights, intercepts = zip(*fitted, strict=True)
        predicted = features[held_out] @ np.stack(weights).T + np.array(intercepts) > 0
        errors.append(float((predicted != chosen[held_out]).mean()))
    return PENALTIES[int(np.argmin(errors))]


def _fit_all(
    features: np.ndarray,
    attributes: np.ndarray,
    penalty: float,
    progress: Callable[[str, int, int], None] | None = None,
) -> Sequence[Fitted]:
    def fit(column: np.ndarray) -> Fitted:
        return _fit_one(features, column, penalty)

    results: list[Fitted] = []
    # liblinear lets go of the lock; each thread takes gigabytes for a copy of the features.
    with ThreadPoolExecutor(min(_MAX_THREADS, torch.get_num_threads())) as pool:
        for fitted in pool.map(fit, attributes.T):
            results.append(fitted)
            if progress is not None:
                progress("fitting SVMs", len(results), attributes.shape[1])
    return results


def _fit_one(features: np.ndarray, labels: np.ndarray, penalty: float) -> Fitted:
    """Weights `[P]` and intercept; where all labels are the same, ones that always predict it."""
    from sklearn.svm import LinearSVC

    if labels.min() == labels.max():
        return np.zeros(features.shape[1]), 1.0 if labels[0] else -1.0
    # Not the dual solver: its random state is one for all threads, so no run is like another.
    svm: Any = LinearSVC(
        C=penalty, loss="squared_hinge", dual=False, max_iter=_MAX_ITERATIONS, tol=1e-3
    )
    svm.fit(features, labels)
    return svm.coef_[0], float(svm.intercept_[0])
