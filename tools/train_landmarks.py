"""Train the network of `twobirds.photos.landmarks` on a pack of faces aligned to CelebA's template.

Usage: `python tools/train_landmarks.py PACK`, a pack of 128 pixels made with
`--landmarks celeba-tight`. A face is turned, scaled and shifted at random, and the network says
where the template went: no landmarks of single faces are needed. Prints the error on the split
`valid` and writes src/twobirds/photos/landmarks.safetensors.
"""

import math
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from twobirds.data.faces import from_pixels
from twobirds.data.pack import Pack, open_pack
from twobirds.photos import landmarks as home
from twobirds.photos.landmarks import SIZE, LandmarkNetwork
from twobirds.photos.template import CELEBA_TIGHT
from twobirds.randomness import keyed_generator

ITERATIONS, BATCH, RATE = 4000, 64, 2e-3
TURN, SCALE, SHIFT = math.radians(20), math.log(1.3), 0.10  # standard deviations are half of these


def main(path: str) -> int:
    """Train; returns the exit code."""
    pack = open_pack(path)
    template = torch.tensor(CELEBA_TIGHT)  # [5, 2]
    network = LandmarkNetwork().train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, ITERATIONS)
    rows, generator = pack.rows("train"), keyed_generator(0)
    for iteration in range(ITERATIONS):
        chosen = torch.randint(len(rows), (BATCH,), generator=generator).numpy()
        views, targets = distort(pack.images[np.sort(rows[chosen])], template, generator)
        loss = F.smooth_l1_loss(network(views), targets, beta=0.02)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if iteration % 500 == 499:
            print(f"{iteration + 1} loss {loss:.5f} error {error(network, pack, template):.4f}")
    weights = {name: values.half() for name, values in network.state_dict().items() if values.ndim}
    save_file(weights, Path(home.__file__).with_name("landmarks.safetensors"))
    return 0


def distort(
    pixels: np.ndarray, template: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Views `[B, 3, 64, 64]` of faces `[B, S, S, 3]`, and where the template is in them."""
    count = len(pixels)
    turn, scale, x, y, light, contrast = torch.randn(6, count, generator=generator) / 2
    angle, factor = TURN * turn, torch.exp(SCALE * scale)
    cos, sin = factor * angle.cos(), factor * angle.sin()
    matrix = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)  # [B, 2, 2]
    shift = 2 * SHIFT * torch.stack([x, y], 1)  # [B, 2], of coordinates from -1 to 1
    images = from_pixels(torch.from_numpy(pixels)).contiguous()
    images = (images * torch.exp(0.5 * contrast)[:, None, None, None]).clamp(-1, 1)
    images = (images + 0.3 * light[:, None, None, None]).clamp(-1, 1)
    # grid_sample asks where a pixel of the view is in the image.
    grid = F.affine_grid(torch.cat([matrix, shift[:, :, None]], 2), [count, 3, 2 * SIZE, 2 * SIZE],
                         align_corners=False)  # fmt: skip
    views = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    points = 2 * template - 1 - shift[:, None]  # [B, 5, 2]
    there = torch.linalg.solve(matrix, points.transpose(1, 2)).transpose(1, 2)
    return F.avg_pool2d(views, 2), (there + 1) / 2


@torch.no_grad()
def error(network: LandmarkNetwork, pack: Pack, template: Tensor) -> float:
    """Mean distance of landmarks on the split valid, in eye distances."""
    network.eval()
    views, targets = distort(pack.images[pack.rows("valid")], template, keyed_generator(1))
    distances = (network(views) - targets).norm(dim=2).mean()
    network.train()
    return float(distances / (template[1] - template[0]).norm())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
