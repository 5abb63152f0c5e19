"""The command that trains."""

import difflib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from twobirds.apps.display import note, say
from twobirds.apps.options import (
    Assignments,
    Device,
    TrainingPrecision,
    load_model,
    optional,
    split_assignments,
)
from twobirds.apps.overrides import override
from twobirds.config import RunConfig
from twobirds.errors import InputError
from twobirds.recipes.registry import PRESETS, parse_run

if TYPE_CHECKING:
    from twobirds.data.pack import Pack
    from twobirds.models.networks import FeatureNetwork
    from twobirds.runtime import Runtime

UNFINISHED = 4
"""Exit code of a leg that ended, by a signal or `--minutes`, before the images were used up."""


@dataclass(frozen=True)
class Train:
    """Train a model in both stages; also under torchrun."""

    preset: Annotated[
        str,
        tyro.conf.Positional,
        tyro.conf.arg(
            metavar="PRESET",
            help=f"A preset ({', '.join(PRESETS)}), or the config.json of a run.",
        ),
    ]
    data: Annotated[Path, tyro.conf.arg(metavar="PACK")]
    """The faces, as made by twobirds pack."""
    out: Annotated[Path, tyro.conf.arg(metavar="RUN")]
    """Folder of the run: gets config.json, checkpoint.pt, metrics.jsonl and grids of samples."""
    images: Annotated[
        int | None,
        optional(
            "INT",
            "the preset's",
            "Real images to show over all stages. With --resume, stage 1 keeps its length; step "
            "sizes that decay over the run rise again if there are more images.",
        ),
    ] = None
    minutes: Annotated[float | None, optional("FLOAT", "no limit")] = None
    """Save and stop after so long, as at Ctrl-C; exit code 4 says that images are left."""
    resume: bool = False
    """Go on from the run's checkpoint, or start where there is none."""
    rollback: bool = False
    """Go on from the checkpoint before the last one, which is given up."""
    start_from: Annotated[str | None, optional("MODEL", "random weights")] = None
    """A trained model of the same recipe, networks and attributes: a new run takes its weights."""
    seed: Annotated[int | None, optional("INT", "the preset's")] = None
    """Seed of everything random."""
    device: Device = "auto"
    precision: TrainingPrecision = "auto"
    size: Annotated[int | None, optional("{32,64,128}", "the preset's")] = None
    """Height and width of the images in pixels."""
    width: Annotated[float | None, optional("FLOAT", "the preset's")] = None
    """Factor on the numbers of channels."""
    set: Annotated[
        Assignments,
        tyro.conf.arg(
            help="Any setting of config.json, such as train.batch_size=32 recipe.pixel_weight=10. "
            "Each recipe has settings of its own."
        ),
    ] = ()
    feature_network: Annotated[
        str | None,
        optional(
            "MODEL|FILE.onnx",
            "the model's own trunk",
            "Network on whose features the perceptual loss compares faces: the trunk of a trained "
            "model, or a convolutional network such as VGG-16 in an ONNX file.",
        ),
    ] = None

    def run(self) -> int:
        """Train; returns the exit code."""
        from twobirds.data.pack import open_pack
        from twobirds.runtime import start
        from twobirds.training.checkpoints import find_checkpoint
        from twobirds.training.run import train_run

        if self.minutes is not None and not self.minutes > 0:
            raise InputError(f"--minutes must be positive, not {self.minutes}")
        resume: bool | Literal["previous"] = "previous" if self.rollback else self.resume
        config = self.config()
        pack = open_pack(self.data, verify=True)
        find_checkpoint(self.out, resume)  # a run that cannot go on is refused before the plan
        with start(self.device, self.precision) as runtime:
            network = self._feature_network(config, runtime)
            if runtime.is_main:
                note(self._plan(config, pack))
            is_complete = train_run(
                config,
                pack,
                self.out,
                runtime,
                resume=resume,
                max_seconds=math.inf if self.minutes is None else self.minutes * 60,
                shows_progress=True,
                feature_network=network and network[0],
                feature_network_sha256=network and network[1],
                start_from=self.start_from,
            )
            return self._report(is_complete, config, runtime)

    def config(self) -> RunConfig:
        """The preset with everything that the options change.

        Raises:
            InputError: If the preset or a setting is unknown, or a value unfit.
        """
        given: dict[str, Any] = {
            "train.images": self.images,
            "train.seed": self.seed,
            "data.size": self.size,
            "recipe.width": self.width,
            "recipe.feature_source": self.feature_network and "network",
        }
        assignments = [(name, value) for name, value in given.items() if value is not None]
        return override(find_preset(self.preset), [*assignments, *split_assignments(self.set)])

    def _plan(self, config: RunConfig, pack: "Pack") -> str:
        """How long the run is, in a line."""
        full, images = find_preset(self.preset).train.images, config.train.images
        share = f" (preset {self.preset}: {full:,})" * (images != full)
        faces = len(pack.rows("train"))
        passes = f"{images / faces:,.1f} passes over {faces:,} faces"
        return (
            f"training: {images:,} images{share}, {passes}; "
            "the time is estimated after ten seconds ..."
        )

    def _feature_network(
        self, config: RunConfig, runtime: "Runtime"
    ) -> "tuple[FeatureNetwork, str] | None":
        """What faces are compared on, and the hash of its weights."""
        if self.feature_network is None:
            if getattr(config.recipe, "feature_source", None) == "network":
                raise InputError("recipe.feature_source=network needs --feature-network")
            return None
        if self.feature_network.endswith(".onnx"):
            from twobirds.models.onnx_network import OnnxFeatures

            features = OnnxFeatures(Path(self.feature_network), size=config.data.size)
            return features.to(runtime.device), features.sha256
        model = load_model(self.feature_network, runtime.device.type)
        if model.size != config.data.size:
            raise InputError(
                f"--feature-network {self.feature_network} is for {model.size} pixels, the run for "
                f"{config.data.size}"
            )
        network = model.networks.feature_network()
        if network is None:
            raise InputError(
                f"--feature-network {self.feature_network}: a model of recipe "
                f"{model.config.recipe.name} has no features for the perceptual loss"
            )
        return network, model.weights_sha256

    def _report(self, is_complete: bool, config: RunConfig, runtime: "Runtime") -> int:
        from twobirds.training.sample_grid import LATEST_SAMPLES

        if runtime.is_main and is_complete:
            say(f"trained {self.out}; next: twobirds evaluate {self.out} --data {self.data}")
        elif runtime.is_main:
            note(
                f"twobirds: saved and stopped before all {config.train.images:,} images were "
                f"shown, with samples in {self.out / LATEST_SAMPLES}; to go on, give the same "
                "command with --resume"
            )
        return 0 if is_complete else UNFINISHED


def find_preset(name: str) -> RunConfig:
    """A preset by name, or the configuration of a run from its config.json.

    Raises:
        InputError: If there is neither.
    """
    if name in PRESETS:
        return PRESETS[name]
    if Path(name).is_file():
        from twobirds.atomic import read_json

        return parse_run(read_json(Path(name)), name)
    nearest = difflib.get_close_matches(name, PRESETS, 1)
    hint = f"did you mean {nearest[0]}?" if nearest else f"there are {', '.join(PRESETS)}"
    raise InputError(f"no preset or config.json of a run is called {name!r}: {hint}")
