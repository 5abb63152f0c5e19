"""Whether generated faces are faces of the training data learned by heart."""

from typing import Any

import numpy as np
import torch

_CHUNK = 512  # rows of distances at a time
_CLOSE_SHARE = 0.01  # of the test faces, that count as close to a training face


def nearest_distances(features: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Distance of each face to its nearest among others, `[N]` float32.

    Args:
        features: `[N, F]` of the faces.
        others: `[M, F]` of those to find the nearest among.
    """
    targets = torch.from_numpy(others)
    nearest = [
        torch.cdist(part, targets).amin(1) for part in torch.from_numpy(features).split(_CHUNK)
    ]
    return torch.cat(nearest).numpy()


def score_memorization(fakes: np.ndarray, test: np.ndarray, train: np.ndarray) -> dict[str, Any]:
    """Are generated faces nearer to training faces than other people's real faces are?

    Args:
        fakes: `[N, F]` features of generated faces.
        test: `[M, F]` of real faces that training never saw.
        train: `[L, F]` of training faces.

    Returns:
        Median distances to the nearest training face, of fakes and of test faces, and their ratio:
        well below 1 speaks of copies. `close_rate` is the share of fakes nearer than all but one
        test face in a hundred: 0.01 is what no memory at all would give.
    """
    fake_distances, test_distances = (nearest_distances(f, train) for f in (fakes, test))
    medians = float(np.median(fake_distances)), float(np.median(test_distances))
    close = float(np.quantile(test_distances, _CLOSE_SHARE))
    return {
        "fake_to_train": medians[0],
        "test_to_train": medians[1],
        "ratio": medians[0] / medians[1] if medians[1] else None,
        "close_rate": float((fake_distances < close).mean()),
        "num_train": len(train),
    }
