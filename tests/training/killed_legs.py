"""Trains a tiny run in child processes that are killed at random moments. Run by test_kills.py.

Usage: `python killed_legs.py FOLDER NUM_KILLS SEED`; leaves `killed` and `reference` in FOLDER,
and prints the iteration of the checkpoint after each kill.
"""

import contextlib
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from making_runs import import_optimizers, recipe, trained_run, write_pack
from twobirds.checkpoint import CHECKPOINT_FILE, load_run
from twobirds.config import RunConfig
from twobirds.data.pack import Pack

BATCH_SIZE = 4
STAGE1_IMAGES = 24


def recipe_of(images: int) -> RunConfig:
    """Saves after every iteration; stage 2 begins at the same image whatever the length."""
    train = {
        "images": images,
        "stage1_share": STAGE1_IMAGES / images,
        "checkpoint_every_seconds": 0.0,
        "sample_every_images": 40,
    }
    return recipe(**train)


def wait_for_moment(kind: int, rng: random.Random, child: int, run: Path) -> None:
    """Wait for a moment of a leg: any, just after a checkpoint, or in the midst of writing one."""
    checkpoint = run / CHECKPOINT_FILE
    if kind == 0:
        time.sleep(rng.uniform(0, 0.5))
        return
    temporary = run / f".{CHECKPOINT_FILE}.{child}.tmp"
    before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else None
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if kind == 1 and checkpoint.exists() and checkpoint.stat().st_mtime_ns != before:
            time.sleep(rng.uniform(0, 0.05))
            return
        if kind == 2 and temporary.exists():
            return
        time.sleep(0.0002)
    raise TimeoutError("the leg never saved")


def kill_a_leg(kind: int, rng: random.Random, pack: Pack, run: Path) -> None:
    """Train in a child process and kill it."""
    child = os.fork()
    if child == 0:
        try:
            trained_run(run, pack, recipe_of(10**6), resume=True)
        finally:
            os._exit(1)
    wait_for_moment(kind, rng, child, run)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"the leg ended by itself: {status}"


def main(folder: Path, num_kills: int, seed: int) -> None:
    """Kill, look at the checkpoint, and go on; then complete the run, and one never killed."""
    with contextlib.suppress(ImportError):  # once here, not in every child
        import torch.utils.tensorboard  # noqa: F401
    import_optimizers()
    rng = random.Random(seed)
    pack = write_pack(folder / "pack")
    run, iterations = folder / "killed", []
    for kill in range(num_kills):
        kill_a_leg((kill + 1) % 3, rng, pack, run)
        iterations.append(load_run(run / CHECKPOINT_FILE)[1]["iteration"])
    images = max((iterations[-1] + 2) * BATCH_SIZE, STAGE1_IMAGES + 5 * BATCH_SIZE)
    trained_run(run, pack, recipe_of(images), resume=True)
    trained_run(folder / "reference", pack, recipe_of(images))
    sys.stdout.write(json.dumps(iterations))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
