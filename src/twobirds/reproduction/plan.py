"""Which models are trained for the experiments, by which recipes, at which budget."""

import dataclasses
from dataclasses import dataclass

from twobirds.config import DataConfig, RecipeConfig, RunConfig
from twobirds.data.pack import Pack
from twobirds.errors import InputError
from twobirds.recipes.baselines.config import (
    CGANConfig,
    CNNConfig,
    CycleGANConfig,
    DCGANConfig,
    RecognizerConfig,
    ResNetConfig,
)
from twobirds.recipes.paper.config import PaperConfig
from twobirds.recipes.paper.presets import PAPER

OURS, ACGAN, CGAN, DCGAN = "ours", "acgan", "cgan", "dcgan"
CNN, RECOGNIZER, RESNET = "cnn", "recognizer", "resnet"
STAGE1 = "stage1"
CYCLE_PREFIX = "cyclegan-"  # and the attribute
PIXEL, LATENT, PIXEL_LATENT = "pixel", "latent", "pixel-latent"
SETTINGS = (PIXEL, LATENT, PIXEL_LATENT, OURS)
"""The four settings of the losses in stage 2, in the order of the paper's Fig. 5."""
COMPARED_ATTRIBUTES = ("Bangs", "Eyeglasses", "Bald")
"""What the paper compares with CycleGAN, CGAN and ACGAN (Sec. 5.3.4, 5.3.6)."""
TITLES = {
    OURS: "iterative GAN",
    ACGAN: "ACGAN",
    CGAN: "CGAN",
    DCGAN: "DCGAN + SVM",
    CNN: "CNN",
    RECOGNIZER: "our C alone",
    RESNET: "ResNet",
    PIXEL: "pixel loss",
    LATENT: "z loss",
    PIXEL_LATENT: "z loss + pixel loss",
}
"""What the models are called in tables and figures."""


def setting_title(name: str) -> str:
    """What a setting of the losses is called; ours is the integrated loss."""
    return "integrated loss" if name == OURS else TITLES[name]


_RESNET_LEARNING_RATE = 1e-3  # batch norm and a residual net: the GANs' 2e-4 only makes it slower
_STAGE1_SHARE = 0.1
"""Paper: silent. Here: a tenth instead of the preset's half, because stage 2 early is what makes G
use z (docs/logbook/paper.md)."""


@dataclass(frozen=True)
class Budget:
    """How much is trained and measured."""

    images: int
    """Real images shown to each model; the fourth of them that share stage 1 count it in."""
    width: float = 0.5
    """Factor on the numbers of channels of G, D and what is built like them."""
    batch_size: int = 32
    """Images per iteration of all but CycleGAN."""
    cycle_images: int | None = None
    """Real images shown to each CycleGAN; None gives it the wall-clock time that ours took."""
    cycle_channels: int = 32
    """Channels of CycleGAN's first convolutions, its authors' 64."""
    cycle_blocks: int = 6
    """Residual blocks of its generators."""
    judge_images: int = 80_000
    """Training images shown to the judge."""
    max_faces: int | None = None
    """Maximum number of faces of the test split; None takes all."""
    num_fakes: int = 2_000
    """Faces to generate for each comparison."""
    svm_faces: int = 12_000
    """Maximum number of training faces for the SVMs."""
    drawn_faces: int = 20_000
    """Faces to render where the data is to be drawn faces."""

    def __post_init__(self) -> None:
        if self.images < 20 * self.batch_size:
            minimum = 20 * self.batch_size
            raise InputError(f"--budget must be at least {minimum} images, not {self.images}")


BUDGETS = {
    "small": Budget(
        images=19_200,
        width=0.25,
        cycle_images=800,
        cycle_channels=16,
        cycle_blocks=3,
        judge_images=24_000,
        max_faces=800,
        num_fakes=800,
        svm_faces=2_500,
        drawn_faces=8_000,
    ),
    "medium": Budget(images=150_000),
    "full": Budget(images=9_250_000, width=1.0, batch_size=64, cycle_channels=64),
}
"""By name: minutes on two cores; an afternoon on two cores; the paper's 50 epochs on a GPU."""


def find_budget(name: str) -> Budget:
    """A budget by name, or `medium` with another number of images.

    Raises:
        InputError: If it is neither.
    """
    if name in BUDGETS:
        return BUDGETS[name]
    digits = name.replace(",", "").replace("_", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 13):
        raise InputError(f"--budget takes {', '.join(BUDGETS)} or a number of images, not {name!r}")
    return dataclasses.replace(BUDGETS["medium"], images=int(digits))


def compared_attributes(pack: Pack) -> list[str]:
    """The paper's three attributes, those that some training faces have and others have not."""
    labels = pack.attributes[pack.rows("train")]
    means = dict(zip(pack.attribute_names, labels.mean(axis=0).tolist(), strict=True))
    return [name for name in COMPARED_ATTRIBUTES if 0 < means.get(name, 0) < 1]


def stage1_images(budget: Budget) -> int:
    """Images of the stage 1 that ours, its three other settings and ACGAN begin with."""
    iterations = round(budget.images * _STAGE1_SHARE / budget.batch_size)
    return max(1, iterations) * budget.batch_size


def recipe(name: str, budget: Budget, *, size: int, seed: int) -> RunConfig:
    """The recipe of one model.

    Ours and what shares its stage 1 are preset `paper` but for the budget's width and batches and a
    shorter stage 1; the others keep what applies of it: widths, batches, Adam and its settings.

    Args:
        name: One of the constants above, or `cyclegan_name` of an attribute.
        budget: How much to train.
        size: Height and width of the images in pixels.
        seed: Of everything random.
    """
    attribute = name.removeprefix(CYCLE_PREFIX)
    if attribute != name:
        return _cyclegan(name, budget, attribute, size=size, seed=seed)
    images = stage1_images(budget) if name == STAGE1 else budget.images
    train = dataclasses.replace(
        PAPER.train,
        images=images,
        batch_size=budget.batch_size,
        seed=seed,
        sample_every_images=max(budget.batch_size, images // 10),
        log_every_images=max(budget.batch_size, min(3_200, images // 20)),
        learning_rate=_RESNET_LEARNING_RATE if name == RESNET else PAPER.train.learning_rate,
    )
    return RunConfig(name, _recipe_config(name, budget), DataConfig(size=size), train)


def _recipe_config(name: str, budget: Budget) -> RecipeConfig:
    """The settings of a model's recipe; those of CycleGAN are `_cyclegan`'s."""
    width = budget.width
    baselines: dict[str, RecipeConfig] = {
        CGAN: CGANConfig(width=width),
        DCGAN: DCGANConfig(width=width),
        CNN: CNNConfig(width=width),
        RECOGNIZER: RecognizerConfig(width=width),
        RESNET: ResNetConfig(),
    }
    if name in baselines:
        return baselines[name]
    share = stage1_images(budget) / budget.images if name in SETTINGS else 1.0
    config = _SETTING_CONFIGS.get(name, PaperConfig())
    return dataclasses.replace(config, width=width, stage1_share=share)


def cyclegan_name(attribute: str) -> str:
    """What the CycleGAN of an attribute is called."""
    return f"{CYCLE_PREFIX}{attribute}"


_SETTING_CONFIGS = {
    PIXEL: PaperConfig(perceptual_weight=0.0, latent_weight=0.0),
    LATENT: PaperConfig(perceptual_weight=0.0, pixel_weight=0.0),
    PIXEL_LATENT: PaperConfig(perceptual_weight=0.0),
}


def _cyclegan(name: str, budget: Budget, attribute: str, *, size: int, seed: int) -> RunConfig:
    """Batches of one image a domain, as its authors have them."""
    train = dataclasses.replace(
        PAPER.train,
        batch_size=2,
        images=budget.cycle_images or budget.images,
        seed=seed,
        log_every_images=20,
        sample_every_images=1_000,
    )
    recipe = CycleGANConfig(
        attribute, num_channels=budget.cycle_channels, num_blocks=budget.cycle_blocks
    )
    return RunConfig(name, recipe, DataConfig(size=size), train)
