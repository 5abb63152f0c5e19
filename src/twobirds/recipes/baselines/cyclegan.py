"""CycleGAN for one attribute: faces without it to faces with it, and back (P20; Sec. 5.3.4).

Zhu et al. (2017): two residual generators, two patch discriminators, least squares, a cycle loss,
an identity loss, and a buffer of earlier fakes for the discriminators.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from twobirds.checkpoint import CHECKPOINT_FILE, load_run
from twobirds.config import DataConfig, RunConfig
from twobirds.data.loader import Batch, Loader
from twobirds.errors import InputError
from twobirds.models.layers import frozen_weights
from twobirds.randomness import RandomPurpose, keyed_generator
from twobirds.recipes.baselines.config import CycleGANConfig
from twobirds.recipes.baselines.cyclegan_networks import (
    DOMAINS,
    WITH,
    WITHOUT,
    ImageBuffer,
    build_networks,
)
from twobirds.recipes.baselines.players import load_networks, prepare
from twobirds.runtime import Runtime
from twobirds.training.optimizers import apply_gradients, make_adam
from twobirds.training.schedule import Unscheduled


class CycleGAN(Unscheduled):
    """Both translations at once, on unpaired faces without and with the attribute.

    Half of a batch comes from either domain, sampled anew in each iteration: `batch_size` 2 is the
    authors' batch of one. The step size falls to zero over the second half of the images.

    Args:
        config: The run, of recipe `cyclegan`; its attributes must be filled.
        runtime: The device; one process.

    Raises:
        InputError: If the attribute is unknown, or there are several processes.
    """

    def __init__(self, config: RunConfig, runtime: Runtime) -> None:
        assert isinstance(config.recipe, CycleGANConfig)
        if runtime.world_size > 1:
            raise InputError("CycleGAN trains in one process: its image buffers are not shared")
        self.config, self.recipe, self.runtime = config, config.recipe, runtime
        self.column = domain_column(self.recipe, config.data)
        networks = build_networks(self.recipe)
        seed, device = config.train.seed, runtime.device
        for number, (name, network) in enumerate(networks.items()):
            networks[name] = prepare(network, seed, 10 + number, device)
        size, kept = config.data.size, self.recipe.buffer_images
        self.buffers = {name: ImageBuffer(kept, size).to(device) for name in DOMAINS}
        self.generators = nn.ModuleDict({d: networks[f"to_{d}"] for d in DOMAINS})
        self.discriminators = nn.ModuleDict({d: networks[f"is_{d}"] for d in DOMAINS})
        self.networks: Mapping[str, nn.Module] = {
            **networks,
            **{f"buffer_{name}": buffer for name, buffer in self.buffers.items()},
        }
        self._adams = {
            "generators": make_adam(self.generators, config.train),
            "discriminators": make_adam(self.discriminators, config.train),
        }
        self.optimizers: Mapping[str, Optimizer] = self._adams
        self._rows: dict[str, Tensor] | None = None

    def update(self, batch: Batch, loader: Loader, iteration: int) -> dict[str, Tensor]:
        """One update of both generators, one of both discriminators.

        The loader's batch is not used: each domain has rows of its own.
        """
        self._follow_schedule(iteration)
        real = {domain: self._sample_faces(loader, iteration, domain) for domain in DOMAINS}
        fakes, terms = self._generator_terms(real)
        loss = terms["g_adversarial"] + (
            self.recipe.cycle_weight * terms["cycle"]
            + self.recipe.identity_weight * terms["identity"]
        )
        loss.backward()
        apply_gradients(self.generators, self._adams["generators"])
        terms["d_adversarial"] = self._discriminator_term(real, fakes, iteration)
        terms["d_adversarial"].backward()
        apply_gradients(self.discriminators, self._adams["discriminators"])
        return {name: value.detach() for name, value in terms.items()}

    def _generator_terms(
        self, real: Mapping[str, Tensor]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Translations of `[B, 3, H, W]` by the domain they lead to; the generators' losses."""
        fakes, zero = {}, torch.zeros((), device=self.runtime.device)
        sums = {"g_adversarial": zero, "cycle": zero, "identity": zero}
        with self.runtime.autocast(), frozen_weights(self.discriminators):
            for domain, other in ((WITHOUT, WITH), (WITH, WITHOUT)):
                to_domain, back = self.generators[domain], self.generators[other]
                fake = to_domain(real[other])  # [B, 3, H, W]
                scores = self.discriminators[domain](fake).float()  # [B, 1, H', W']
                losses = {
                    "g_adversarial": least_squares(scores, 1.0),
                    "cycle": F.l1_loss(back(fake).float(), real[other]),
                    "identity": F.l1_loss(to_domain(real[domain]).float(), real[domain]),
                }
                sums = {name: sums[name] + loss for name, loss in losses.items()}
                fakes[domain] = fake.float()
        return fakes, sums

    def _discriminator_term(
        self, real: Mapping[str, Tensor], fakes: Mapping[str, Tensor], iteration: int
    ) -> Tensor:
        """The discriminators' loss `[]` on real faces and on recent fakes."""
        total = torch.zeros((), device=self.runtime.device)
        for number, (domain, network) in enumerate(self.discriminators.items()):
            keys = self.config.train.seed, iteration, RandomPurpose.IMAGE_BUFFER, number
            shown = self.buffers[domain].swap(fakes[domain], keyed_generator(*keys))  # [B, 3, H, W]
            with self.runtime.autocast():
                real_scores, fake_scores = network(real[domain]), network(shown)
            on_real = least_squares(real_scores.float(), 1.0)
            on_fakes = least_squares(fake_scores.float(), 0.0)
            total = total + 0.5 * (on_real + on_fakes)  # halved: D learns more slowly than G
        return total

    def _sample_faces(self, loader: Loader, iteration: int, domain: str) -> Tensor:
        """Random training faces of a domain, half a batch of them, half of those mirrored."""
        if self._rows is None:
            self._rows = domain_rows(loader, self.column)
        rows, number = self._rows[domain], DOMAINS.index(domain)
        generator = keyed_generator(loader.seed, iteration, RandomPurpose.DOMAIN_FACES, number)
        half = loader.batch_size // 2
        picks = torch.randint(len(rows), (half,), generator=generator)
        return loader.faces(rows[picks], torch.rand(half, generator=generator))

    def _follow_schedule(self, iteration: int) -> None:
        """A constant step size, then a linear fall to zero."""
        train = self.config.train
        share = iteration * train.batch_size / train.images
        for optimizer in self._adams.values():
            for group in optimizer.param_groups:
                group["lr"] = train.learning_rate * min(1.0, 2 * (1 - share))

    @torch.no_grad()
    def sample(self, real_images: Tensor, attributes: Tensor) -> Mapping[str, Tensor]:
        """Real faces, and both translations of each."""
        translated = {f"to_{d}": self.generators[d](real_images) for d in (WITH, WITHOUT)}
        return {"real": real_images, **translated}


def least_squares(scores: Tensor, target: float) -> Tensor:
    """Mean squared distance of scores, any shape float32, from 1 (real) or 0; scalar `[]`."""
    return (scores - target).square().mean()


def domain_column(recipe: CycleGANConfig, data: DataConfig) -> int:
    """Where the attribute of the two domains stands among the run's.

    Raises:
        InputError: If it is not there.
    """
    if recipe.attribute not in data.attributes:
        raise InputError(f"the pack has no attribute {recipe.attribute} for CycleGAN")
    return data.attributes.index(recipe.attribute)


def domain_rows(loader: Loader, column: int) -> dict[str, Tensor]:
    """Rows of the train split without and with an attribute, each `[M]` int64.

    Raises:
        InputError: If a domain is empty.
    """
    has = loader.attributes[loader.rows, column].cpu().bool()
    rows = {WITHOUT: loader.rows[~has], WITH: loader.rows[has]}
    for domain, found in rows.items():
        if not len(found):
            raise InputError(f"no training face is {domain} the attribute of CycleGAN's domains")
    return rows


@dataclass(frozen=True, eq=False)
class Translator:
    """A trained CycleGAN, for evaluation."""

    attribute: str
    """What it adds and removes."""
    generators: Mapping[str, nn.Module]
    """By the domain they lead to."""

    @torch.no_grad()
    def edit(self, faces: Tensor, changes: Mapping[str, float]) -> Tensor:
        """Add (1) or remove (0) the attribute of faces `[B, 3, H, W]` in [-1, 1]."""
        target = WITH if changes[self.attribute] > 0.5 else WITHOUT
        edited: Tensor = self.generators[target](faces)
        return edited


def load_translator(run: Path, device: torch.device) -> Translator:
    """Load what `CycleGAN` trained in a folder.

    Raises:
        InputError: If there is no such run, or its weights do not fit.
    """
    path = run / CHECKPOINT_FILE
    config, state = load_run(path)
    recipe = config.recipe
    if not isinstance(recipe, CycleGANConfig):
        raise InputError(f"{path}: is no run of CycleGAN")
    networks = build_networks(recipe)
    load_networks(path, state, networks, device)
    generators = {domain: networks[f"to_{domain}"] for domain in (WITHOUT, WITH)}
    return Translator(recipe.attribute, generators)
