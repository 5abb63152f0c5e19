"""P19: reconstruction under four settings of the losses (Sec. 5.3.2, Fig. 5)."""

from dataclasses import dataclass

import numpy as np

from twobirds.evaluation.reconstruction import psnr_db, ssim
from twobirds.reproduction.paired import Estimate, estimate
from twobirds.reproduction.plan import LATENT, OURS, PIXEL, SETTINGS
from twobirds.reproduction.study import Study

PSNR, SSIM, SHARPNESS, DISTANCE, SAME_PERSON = (
    "psnr_db",
    "ssim",
    "sharpness",
    "identity_distance",
    "same_person_rate",
)


@dataclass(frozen=True, eq=False)
class SettingsResult:
    """How the four settings reconstruct the test faces."""

    reconstructed: dict[str, np.ndarray]
    """By setting, `[N, S, S, 3]` uint8."""
    figures: dict[str, dict[str, Estimate]]
    """By setting and figure; identity only with an embedder."""
    distances: dict[str, np.ndarray]
    """By setting, `[N]` identity distances; empty without an embedder."""
    differences: dict[str, dict[str, Estimate]]
    """By figure and setting: by how much ours is better, a positive number."""
    sharper: Estimate
    """By how much the z loss alone is sharper than the pixel loss alone; what is sharper than the
    source counts as the source."""


def measure_settings(study: Study) -> SettingsResult:
    """Reconstruct every test face under every setting."""
    reconstructed = {name: study.reconstruct(name) for name in SETTINGS}
    values = {name: _measure(study, images) for name, images in reconstructed.items()}
    people, seed = study.people, study.seed
    figures = {
        name: {key: estimate(column, people, seed=seed) for key, column in columns.items()}
        for name, columns in values.items()
    }
    differences: dict[str, dict[str, Estimate]] = {}
    for key in values[OURS]:
        sign = -1.0 if key == DISTANCE else 1.0
        differences[key] = {
            name: estimate(sign * (values[OURS][key] - values[name][key]), people, seed=seed)
            for name in SETTINGS
            if name != OURS
        }
    # Beyond the source's own sharpness there is only noise.
    latent, pixel = (values[name][SHARPNESS].clip(max=1) for name in (LATENT, PIXEL))
    return SettingsResult(
        reconstructed=reconstructed,
        figures=figures,
        distances={n: v[DISTANCE] for n, v in values.items() if DISTANCE in v},
        differences=differences,
        sharper=estimate(latent - pixel, people, seed=seed),
    )


def _measure(study: Study, images: np.ndarray) -> dict[str, np.ndarray]:
    """Each figure of each reconstructed face, `[N]`."""
    sources = study.faces.images
    values = {
        PSNR: psnr_db(images, sources),
        SSIM: ssim(images, sources),
        SHARPNESS: sharpness(images) / sharpness(sources).clip(1e-6),
    }
    judge = study.identity_judge
    if judge is not None:
        values[DISTANCE] = judge.distances(images, np.arange(len(images)))
        values[SAME_PERSON] = (values[DISTANCE] < judge.calibration.threshold).astype(float)
    return values


def sharpness(images: np.ndarray) -> np.ndarray:
    """Mean absolute difference between neighbouring pixels, `[N]` in grey levels.

    Args:
        images: `[N, H, W, 3]` uint8.
    """
    grey = images.mean(axis=3, dtype=np.float32)  # [N, H, W]
    across, down = np.abs(np.diff(grey, axis=2)), np.abs(np.diff(grey, axis=1))
    slopes: np.ndarray = across.mean(axis=(1, 2)) + down.mean(axis=(1, 2))
    return slopes.astype(np.float64) / 2
