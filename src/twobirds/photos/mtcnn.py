"""MTCNN, a cascade of three small networks that finds faces and five landmarks.

Zhang et al., Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks,
2016. The proposal network looks at every place and size, the refinement network rejects most of
what it proposes, and the output network decides and places the landmarks.

Paper: the output network decides on an upright square. Here: it sees what it may have found again,
turned upright by the landmarks, at three sizes and mirrored. That places the landmarks of turned
faces, and the answers agree on faces but not on wheels (ADR 27).
"""

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import onnxruntime

from twobirds.data.similarity import apply, estimate_similarity
from twobirds.errors import InputError
from twobirds.machine import num_threads
from twobirds.photos.boxes import extent, moved, squares, suppressed
from twobirds.photos.faces import Face, log_odds, suppress_non_maxima, unbiased
from twobirds.photos.pyramid import Pyramid, brightened, rotation, square_crops
from twobirds.photos.template import CELEBA_TIGHT

_CELL, _STRIDE = 12, 2  # of the proposal network, in pixels
_STRIP = 128  # rows that it sees at a time, for memory; even, as its stride is 2
_MAX_STRIPS = 4  # side by side, for memory
_BATCH = 64  # images that the other networks see at a time, for memory
_RIM = 4  # grey pixels around what it sees: windows reach over the photo's edge
_MIN_FACE = 20  # pixels of a face at a working size
_WORKING_SIZES = (1024, 2048)  # longest side of the photo; the second where the first shows nothing
_SHRINKAGE = 0.709  # from one size of the photo to the next: about the root of one half
_NEARLY_SEARCHED = 1.1  # sizes of the photo that are so alike that one is enough
_MIN_PROPOSAL, _MIN_REFINED, _MIN_OUTPUT = 0.6, 0.5, 0.1  # scores
_SAME_SIZE_OVERLAP, _OVERLAP = 0.5, 0.7  # IoU of proposals of one size, and of any
_REFINED, _OUTPUT = 24, 48  # sides of the networks' inputs, in pixels
_PASSES, _CERTAIN = 3, 3.0  # over an upright face, until its log-odds are these
_CROP_SCALES = (1.0, 0.87, 1.15)  # of the square in a pass; the first gives the landmarks
_FRAME_CENTRE, _FRAME_SIDE = (0.489, 0.578), 0.733
"""The square that the output network expects, in the template's units."""
_DISAGREEMENT_COST = 25.0  # in log-odds, for one eye distance between a face and its mirror image
_MIN_SCORE = 0.75
"""Between the highest score of what is no face and the lowest of a face (ADR 27)."""
_BIAS = np.array([(-18, -14), (-12, -13), (-15, -9), (-18, -8), (-6, -9)]) / 1000
"""`[5, 2]`: median error of the landmarks, in eye distances; from `benchmarks/detectors.py`.

About (-0.013, -0.012) of each is the convention of CelebA's lists, on which the models' templates
rest too: they count pixels from 1.
"""
_MIRRORED = [1, 0, 2, 4, 3]  # landmarks of a mirror image


@dataclass(frozen=True)
class _Upright:
    """Faces after a pass of the output network over them, turned upright."""

    landmarks: np.ndarray
    """`[N, 5, 2]`, in the photo's pixels."""
    log_odds: np.ndarray
    """`[N]`: of being a face."""


class Mtcnn:
    """The three networks, ready for use from any thread.

    Args:
        networks: ONNX files `pnet`, `rnet` and `onet` as bytes.

    Raises:
        InputError: If one is no ONNX network.
    """

    name = "MTCNN"

    def __init__(self, networks: Mapping[str, bytes]) -> None:
        # The proposal network's passes are small and many: they run side by side instead.
        self._proposal = _session("pnet", networks["pnet"], threads=1)
        self._refinement, self._output = (
            _session(name, networks[name], threads=num_threads()) for name in ("rnet", "onet")
        )

    def detect(self, pixels: np.ndarray) -> list[Face]:
        """Faces in `[H, W, 3]` uint8 RGB, the most certain first.

        A photo is searched at a bounded size. Only where that shows no face it is searched at a
        larger one, and, if it is dark, brightened.
        """
        faces = self._search_sizes(pixels)
        if faces:
            return faces
        photo = pixels[None]
        bright = brightened(photo)
        return [] if bright is photo else self._search_sizes(bright[0])

    def follow(self, pixels: np.ndarray, landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Landmarks and certainty of faces near where they were; see `tracks.Follower`."""
        best = self._align(Pyramid(pixels), landmarks)
        found = np.stack([unbiased(points, _BIAS) for points in best.landmarks])
        return found, 1 / (1 + np.exp(-best.log_odds))

    def _search_sizes(self, pixels: np.ndarray) -> list[Face]:
        """Detect at one working size after the other, until there is a face."""
        pyramid, longest = Pyramid(pixels), max(pixels.shape[:2])
        searched = 0.0
        for scale in sorted({min(size / longest, 1.0) for size in _WORKING_SIZES}):
            faces = self._search(pyramid, scale, searched)
            if faces:
                return faces
            searched = scale
        return []

    def _search(self, pyramid: Pyramid, scale: float, searched: float) -> list[Face]:
        """Detect with the photo at `scale` of its size, without what a search at another showed."""
        boxes = self._refine(pyramid, self._propose(pyramid, scale, searched))
        if not len(boxes):
            return []
        offsets, points, scores = _run(self._output, square_crops(pyramid, boxes, _OUTPUT))
        found = np.hstack([boxes, offsets, points, scores[:, 1:]])[scores[:, 1] > _MIN_OUTPUT]
        found = suppressed(found, found[:, 18], _OVERLAP)  # [N, 19]
        if not len(found):
            return []
        corners, sides = found[:, None, :2], found[:, None, 2:4] - found[:, None, :2]  # [N, 1, 2]
        best = self._align(pyramid, corners + _as_points(found[:, 8:18]) * sides)
        boxes = moved(found[:, :4], found[:, 4:8])
        certainty = 1 / (1 + np.exp(-best.log_odds))
        faces = [
            Face(extent(box), unbiased(points, _BIAS), float(score))
            for box, points, score in zip(boxes, best.landmarks, certainty, strict=True)
            if score >= _MIN_SCORE
        ]
        return suppress_non_maxima(faces)

    def _propose(self, pyramid: Pyramid, scale: float, searched: float) -> np.ndarray:
        """Square boxes `[N, 4]` where the proposal network sees a face of its size.

        Faces that are large enough to have been seen at the scale `searched` are left out.
        """
        shrinkage = scale * _CELL / _MIN_FACE
        smallest = max(
            searched * _CELL / _MIN_FACE * _NEARLY_SEARCHED,
            (_CELL - 2 * _RIM) / min(pyramid.height, pyramid.width),
        )
        shrinkages = []
        while shrinkage >= smallest:
            shrinkages.append(shrinkage)
            shrinkage *= _SHRINKAGE
        images = [pyramid.resized(shrinkage, _RIM) for shrinkage in shrinkages]
        maps = self._proposal_maps(images)
        found = [
            _proposals(*seen, shrinkage) for seen, shrinkage in zip(maps, shrinkages, strict=True)
        ]
        proposals = np.vstack([np.empty((0, 9)), *found])
        proposals = suppressed(proposals, proposals[:, 8], _OVERLAP)
        return squares(moved(proposals[:, :4], proposals[:, 4:8]))

    def _proposal_maps(self, images: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Run the proposal network on images `[H, W, 3]` uint8, in strips, for memory.

        Returns:
            Of each `[W', H', 4]`: offsets of each window's sides; `[W', H', 2]`: its scores.
        """
        overlap = _CELL - _STRIDE
        strips = [
            (place, image[None, top : top + _STRIP + overlap])
            for place, image in enumerate(images)
            for top in range(0, len(image) - overlap, _STRIP)
        ]
        parts: list[list[list[np.ndarray]]] = [[] for _ in images]
        with ThreadPoolExecutor(min(num_threads(), _MAX_STRIPS)) as pool:
            ran = pool.map(lambda strip: _run(self._proposal, strip[1]), strips)
            for (place, _), outputs in zip(strips, ran, strict=True):
                parts[place].append(outputs)
        joined = [[np.concatenate(m, axis=2)[0] for m in zip(*part, strict=True)] for part in parts]
        return [(offsets, scores) for offsets, scores in joined]

    def _refine(self, pyramid: Pyramid, boxes: np.ndarray) -> np.ndarray:
        """Those of the boxes `[N, 4]` that the refinement network keeps, moved."""
        if not len(boxes):
            return boxes
        offsets, scores = _run(self._refinement, square_crops(pyramid, boxes, _REFINED))
        found = np.hstack([boxes, offsets, scores[:, 1:]])[scores[:, 1] > _MIN_REFINED]
        found = suppressed(found, found[:, 8], _OVERLAP)
        return squares(moved(found[:, :4], found[:, 4:8]))

    def _align(self, pyramid: Pyramid, landmarks: np.ndarray) -> _Upright:
        """Look at faces upright, at uncertain ones again from the landmarks found: the best."""
        best = self._look_upright(pyramid, landmarks)
        current = best.landmarks.copy()
        for _ in range(_PASSES - 1):
            unsure = np.flatnonzero(best.log_odds < _CERTAIN)
            if not len(unsure):
                break
            found = self._look_upright(pyramid, current[unsure])
            current[unsure] = found.landmarks
            is_better = found.log_odds > best.log_odds[unsure]
            best.landmarks[unsure[is_better]] = found.landmarks[is_better]
            best.log_odds[unsure[is_better]] = found.log_odds[is_better]
        return best

    def _look_upright(self, pyramid: Pyramid, landmarks: np.ndarray) -> _Upright:
        """Run the output network on faces with landmarks `[N, 5, 2]`, turned upright."""
        frames = [_Frame.around(points) for points in landmarks]
        crops = brightened(
            np.stack(
                [
                    pyramid.crop(frame.centre, frame.side * scale, frame.angle, _OUTPUT)
                    for scale in _CROP_SCALES
                    for frame in frames
                ]
            )
        )
        _, points, scores = _run(self._output, np.concatenate([crops, crops[:, :, ::-1]]))
        shape = (2, len(_CROP_SCALES), len(frames))
        odds = log_odds(scores[:, 1]).reshape(shape).mean(axis=(0, 1))  # [N]
        seen, mirrored = (_as_points(points) - 0.5).reshape(*shape, 5, 2)[:, 0]  # [N, 5, 2] each
        mirrored = mirrored[:, _MIRRORED] * (-1, 1)
        middle = (seen + mirrored) / 2
        eyes = np.linalg.norm(middle[:, 1] - middle[:, 0], axis=1)  # [N]
        disagreement = np.linalg.norm(seen - mirrored, axis=2).mean(axis=1) / np.maximum(eyes, 1e-6)
        return _Upright(
            np.stack([f.to_photo(points) for f, points in zip(frames, middle, strict=True)]),
            odds - _DISAGREEMENT_COST * disagreement,
        )


@dataclass(frozen=True, eq=False)
class _Frame:
    """A turned square in a photo."""

    centre: np.ndarray
    """`[2]` (x, y)."""
    side: float
    angle: float

    @classmethod
    def around(cls, landmarks: np.ndarray) -> "_Frame":
        """The square in which the output network expects a face with landmarks `[5, 2]`."""
        matrix = estimate_similarity(np.array(CELEBA_TIGHT), landmarks)
        scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
        angle = math.atan2(matrix[1, 0], matrix[0, 0])
        return cls(apply(matrix, np.array(_FRAME_CENTRE)), scale * _FRAME_SIDE, angle)

    def to_photo(self, points: np.ndarray) -> np.ndarray:
        """Points `[P, 2]` of the square, as fractions from its middle, in the photo's pixels."""
        placed: np.ndarray = points @ rotation(self.angle).T * self.side + self.centre
        return placed


def _proposals(offsets: np.ndarray, scores: np.ndarray, shrinkage: float) -> np.ndarray:
    """What the proposal network sees in one size of a photo: boxes, their offsets and score.

    Args:
        offsets: `[W', H', 4]`.
        scores: `[W', H', 2]`.
        shrinkage: Of the photo.

    Returns:
        `[N, 9]`.
    """
    columns, rows = np.nonzero(scores[..., 1] > _MIN_PROPOSAL)
    corners = (np.stack([columns, rows], axis=1) * _STRIDE - _RIM) / shrinkage
    seen = offsets[columns, rows], scores[columns, rows, 1:]
    proposals = np.hstack([corners, corners + _CELL / shrinkage, *seen])
    return suppressed(proposals, proposals[:, 8], _SAME_SIZE_OVERLAP)


def _session(name: str, content: bytes, *, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # only what ends the process: failures raise here
    options.intra_op_num_threads = threads
    options.enable_cpu_mem_arena = False  # it would keep the memory of the largest photo for good
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises classes of its own without a common base
        raise InputError(f"{name}.onnx is not a usable ONNX network") from error


def _run(session: onnxruntime.InferenceSession, images: np.ndarray) -> list[np.ndarray]:
    """Outputs of a network for `[N, H, W, 3]` uint8 RGB, in the order of their names.

    The networks were trained on transposed images: maps come as `[N, W', H', C]`.
    """
    name, values = session.get_inputs()[0].name, images.swapaxes(1, 2)
    outputs = [
        session.run(None, {name: (part.astype(np.float32) - 127.5) / 128})
        for part in np.split(values, range(_BATCH, len(values), _BATCH))
    ]
    return [np.concatenate(parts) for parts in zip(*outputs, strict=True)]


def _as_points(values: np.ndarray) -> np.ndarray:
    """Five x and then five y `[N, 10]` as points `[N, 5, 2]`."""
    return values.reshape(-1, 2, 5).swapaxes(1, 2)
