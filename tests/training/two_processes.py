"""Trains one run on two gloo processes. Run by test_distributed.py.

Usage: `python two_processes.py PACK OUT`; each process writes `rank0.pt`, `rank1.pt` to OUT, and
what it was told about a batch that cannot be shared out to `refusal0.txt`, `refusal1.txt`.
"""

import os
import socket
import sys
from pathlib import Path

from making_runs import recipe, still_recipe
from twobirds.checkpoint import save_state
from twobirds.data.pack import Pack, open_pack
from twobirds.errors import InputError
from twobirds.runtime import Runtime, start
from twobirds.training.iterative import IterativeGAN
from twobirds.training.loop import Leg, train
from twobirds.training.run import fit_to_pack, train_run


def train_and_save(pack: Pack, out: Path, runtime: Runtime) -> None:
    """One process's part."""
    config = fit_to_pack(still_recipe(), pack)
    objective = IterativeGAN(config, runtime)
    assert train(config, objective, pack, runtime, Leg(out / "run"))
    networks = {name: network.state_dict() for name, network in objective.networks.items()}
    save_state(out / f"rank{runtime.rank}.pt", networks)
    try:
        train_run(recipe(train={"batch_size": 5}), pack, out / "odd", runtime)
    except InputError as error:
        (out / f"refusal{runtime.rank}.txt").write_text(str(error))


def main(pack: Path, out: Path) -> None:
    """Start both processes, and wait for them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    children = []
    for rank in range(2):
        child = os.fork()
        if child == 0:
            os.environ["RANK"] = os.environ["LOCAL_RANK"] = str(rank)
            with start("cpu") as runtime:
                train_and_save(open_pack(pack), out, runtime)
            return
        children.append(child)
    statuses = [os.waitpid(child, 0)[1] for child in children]
    sys.exit(max(map(os.waitstatus_to_exitcode, statuses), key=abs))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
