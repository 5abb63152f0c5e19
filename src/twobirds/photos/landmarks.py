"""Where a roughly placed face has its landmarks: for detectors that find boxes alone."""

import functools
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from twobirds.data.faces import from_pixels
from twobirds.data.similarity import apply, invert
from twobirds.photos.align import cut_face, place
from twobirds.photos.template import CELEBA_TIGHT

SIZE = 64
"""Height and width of what the network sees, in pixels."""
_WEIGHTS = Path(__file__).parent / "landmarks.safetensors"
_CHANNELS = (16, 32, 64, 96)
_NUM_HIDDEN = 64
_PASSES = 3  # each begins where the one before ended
_MOST_MOVED = 0.25  # in the last, in eye distances


class LandmarkNetwork(nn.Module):
    """Four strided convolutions and two linear layers, from a face cut roughly to its landmarks."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for c_in, c_out in zip((3, *_CHANNELS[:-1]), _CHANNELS, strict=True):
            layers += [
                nn.Conv2d(c_in, c_out, 3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(c_out),
                nn.ReLU(),
            ]
        self.trunk = nn.Sequential(*layers)
        self.hidden = nn.Linear(_CHANNELS[-1] * (SIZE >> len(_CHANNELS)) ** 2, _NUM_HIDDEN)
        self.offsets = nn.Linear(_NUM_HIDDEN, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Find landmarks.

        Args:
            images: `[B, 3, 64, 64]` in [-1, 1].

        Returns:
            `[B, 5, 2]`: (x, y) as fractions of the image.
        """
        h = F.relu(self.hidden(self.trunk(images).flatten(1)))
        offsets: Tensor = self.offsets(h).unflatten(1, (5, 2))
        return torch.tensor(CELEBA_TIGHT, device=images.device) + offsets


def refine_landmarks(pixels: np.ndarray, landmarks: np.ndarray) -> np.ndarray | None:
    """Landmarks `[5, 2]` of a face in `[H, W, 3]` uint8, from where they may about be.

    Returns:
        The landmarks; None where the network is at odds with itself: there is no face.
    """
    network = _network()
    for _ in range(_PASSES):
        placement = place(landmarks, CELEBA_TIGHT, SIZE)
        image = torch.from_numpy(cut_face(pixels, placement)[None].copy())
        with torch.no_grad():
            found = network(from_pixels(image))[0].double().numpy() * SIZE
        last, landmarks = landmarks, apply(invert(placement.matrix), found)
    moved = np.linalg.norm(landmarks - last, axis=1).mean()
    eye_distance = np.linalg.norm(last[1] - last[0])
    return landmarks if moved < _MOST_MOVED * eye_distance else None


@functools.cache
def _network() -> LandmarkNetwork:
    network = LandmarkNetwork().eval()
    weights = {name: values.float() for name, values in load_file(_WEIGHTS).items()}
    network.load_state_dict(weights, strict=False)  # but for batch norm's counts
    return network
