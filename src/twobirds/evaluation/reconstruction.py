"""How close reconstructed faces are to their sources (P3, Sec. 5.3.2)."""

import numpy as np
import torch
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)

from twobirds.evaluation.faces import batches, to_tensor

PCA_COMPONENTS = 128
_DATA_RANGE = 2.0  # of images in [-1, 1]
_MAX_PSNR_DB = 100.0  # of equal images, whose ratio is infinite


def psnr_db(images: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio of each image in decibels, data range 0 to 255.

    Args:
        images: `[N, H, W, 3]` uint8.
        sources: What they should look like, same shape.

    Returns:
        `[N]` float64, at most 100.
    """
    values = []
    for left, right in zip(batches(images), batches(sources), strict=True):
        ratio = peak_signal_noise_ratio(
            to_tensor(left), to_tensor(right), _DATA_RANGE, reduction="none", dim=(1, 2, 3)
        )
        values.append(ratio.clamp(max=_MAX_PSNR_DB).reshape(-1))  # a batch of one gives a scalar
    return torch.cat(values).double().numpy()


def ssim(images: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Structural similarity of each image, 11x11 Gaussian window, data range 0 to 255.

    Args:
        images: `[N, H, W, 3]` uint8.
        sources: What they should look like, same shape.

    Returns:
        `[N]` float64 in [-1, 1].
    """
    values = []
    for left, right in zip(batches(images), batches(sources), strict=True):
        similarity = structural_similarity_index_measure(
            to_tensor(left), to_tensor(right), data_range=_DATA_RANGE, reduction="none"
        )
        assert isinstance(similarity, torch.Tensor)
        values.append(similarity.reshape(-1))
    return torch.cat(values).double().numpy()


class Baselines:
    """What to compare with: every face as the mean face, or as its 128 principal components."""

    def __init__(self, train_images: np.ndarray, num_components: int = PCA_COMPONENTS) -> None:
        """Fit on `[N, H, W, 3]` uint8 by way of the N x N Gram matrix, as N is below H*W*3."""
        pixels = train_images.reshape(len(train_images), -1).astype(np.float32)  # [N, P]
        self.mean = pixels.mean(axis=0)
        pixels -= self.mean
        values, vectors = np.linalg.eigh((pixels @ pixels.T).astype(np.float64))
        kept = np.argsort(values)[::-1][: min(num_components, len(values) - 1)]
        kept = kept[values[kept] > 1e-6 * values.max()]
        scale = np.sqrt(values[kept])
        self.components = ((pixels.T @ vectors[:, kept].astype(np.float32)) / scale).T  # [C, P]

    def mean_faces(self, count: int) -> np.ndarray:
        """The mean face `count` times, `[count, P]` float32 in grey levels."""
        return np.broadcast_to(self.mean, (count, len(self.mean)))

    def project(self, images: np.ndarray) -> np.ndarray:
        """Reconstruct `[N, H, W, 3]` uint8 from its components, `[N, P]` float in grey levels."""
        centred = images.reshape(len(images), -1).astype(np.float32) - self.mean
        reconstructed: np.ndarray = centred @ self.components.T @ self.components + self.mean
        return reconstructed

    def psnr_db(self, images: np.ndarray) -> dict[str, float]:
        """Mean PSNR in decibels of both baselines on `[N, H, W, 3]` uint8."""
        components = f"pca_{len(self.components)}"  # fewer than 128 of few training faces
        reconstructed = {
            "mean_face": self.mean_faces(len(images)),
            components: self.project(images),
        }
        return {
            name: float(psnr_db(_to_images(values, images.shape), images).mean())
            for name, values in reconstructed.items()
        }


def _to_images(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Round grey levels `[N, P]` to uint8 of `shape`."""
    return values.round().clip(0, 255).astype(np.uint8).reshape(shape)
