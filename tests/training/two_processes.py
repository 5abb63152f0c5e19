"""Trains runs of two presets on two gloo processes. Run by test_distributed.py.

Usage: `python two_processes.py PACK OUT`; each process writes its networks to OUT, as
`run-rank0.pt` and `modern-rank0.pt`, and what it was told about a batch that cannot be shared out
to `refusal0.txt`.
"""

import os
import socket
import sys
from pathlib import Path

from making_runs import import_optimizers, modern_recipe, recipe, still_recipe
from twobirds.data.pack import Pack, open_pack
from twobirds.errors import InputError
from twobirds.models.pca import Moments, PrincipalComponents
from twobirds.recipes.modern.objective import ModernGAN
from twobirds.recipes.paper.objective import IterativeGAN
from twobirds.runtime import Runtime, start
from twobirds.states import save_state
from twobirds.training.loop import Leg, train
from twobirds.training.run import fit_to_pack, train_run


def negate_components() -> None:
    """Give principal components the other sign, as another processor may find them."""
    find = Moments.principal_components

    def negated(moments: Moments, num_latents: int) -> PrincipalComponents:
        found = find(moments, num_latents)
        return found._replace(
            encoder=-found.encoder, encoder_bias=-found.encoder_bias, decoder=-found.decoder
        )

    Moments.principal_components = negated  # type: ignore[method-assign]


def train_and_save(pack: Pack, out: Path, runtime: Runtime) -> None:
    """One process's part."""
    if not runtime.is_main:
        negate_components()
    for name, recipe_of, kind in (
        ("run", still_recipe(), IterativeGAN),
        ("modern", modern_recipe(), ModernGAN),
    ):
        config = fit_to_pack(recipe_of, pack)
        objective = kind(config, runtime)
        objective.initialize(pack)
        assert train(config, objective, pack, runtime, Leg(out / name))
        networks = {key: network.state_dict() for key, network in objective.networks.items()}
        save_state(out / f"{name}-rank{runtime.rank}.pt", networks)
    try:
        train_run(recipe(batch_size=5), pack, out / "odd", runtime)
    except InputError as error:
        (out / f"refusal{runtime.rank}.txt").write_text(str(error))


def main(pack: Path, out: Path) -> None:
    """Start both processes, and wait for them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    import_optimizers()
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
