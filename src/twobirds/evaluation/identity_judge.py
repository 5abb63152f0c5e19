"""What tells whether a face is still the same person: a calibrated embedder (P17)."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from twobirds.data.pack import Landmarks
from twobirds.errors import InputError
from twobirds.evaluation.embedder import Embedder, PackEmbeddings
from twobirds.evaluation.identity import (
    FAR,
    MIN_AUC,
    Calibration,
    calibrate,
    squared_distances,
)
from twobirds.evaluation.run import Evaluation


@dataclass(frozen=True, eq=False)
class IdentityJudge:
    """A calibrated embedder, and the real faces as it sees them."""

    embedder: Embedder
    calibration: Calibration
    landmarks: Landmarks | None
    embeddings: np.ndarray
    """`[N, E]` of the N real faces, from which distances are taken."""

    def distances(self, images: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Distances `[B]` of `images [B, S, S, 3]` from the real faces at `positions [B]`."""
        edited = self.embedder.embed(images, self.landmarks)
        return squared_distances(edited, self.embeddings[positions])


def calibrate_identity_judge(
    run: Evaluation, embedder: Embedder | None
) -> tuple[IdentityJudge | None, dict[str, Any] | None]:
    """Calibrate an embedder on the pack, and embed the real faces if it proves itself.

    Returns:
        The identity judge, and the `identity_calibration` section; None for what cannot be had.
    """
    if embedder is None:
        run.absent["identity_calibration"] = "no face embedder was named"
        _do_without(run, "no face embedder was named")
        return None, None
    embeddings = PackEmbeddings(embedder, run.pack, run.model.size, run.progress)
    try:
        calibration = calibrate(
            embeddings, seed=run.config.seed, max_faces=run.config.calibration_faces
        )
    except InputError as error:
        run.absent["identity_calibration"] = str(error)
        _do_without(run, f"the embedder cannot be calibrated: {error}")
        return None, None
    names = {"embedder": embedder.name, "embedder_sha256": embedder.sha256}
    section = {**names, "far": FAR, **asdict(calibration)}
    if calibration.auc < MIN_AUC:
        reason = f"{embedder.name} tells the people of this pack apart with an AUC of only "
        _do_without(run, f"{reason}{calibration.auc:.3f}, below {MIN_AUC}")
        return None, section
    vectors = embeddings.of(run.faces.rows)
    return IdentityJudge(embedder, calibration, run.pack.landmarks, vectors), section


def _do_without(run: Evaluation, reason: str) -> None:
    """Note that identity cannot be judged."""
    for key in ("reconstruction.identity", "editing.identity"):
        run.absent[key] = reason
