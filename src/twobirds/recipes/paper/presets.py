"""The presets of recipe `paper`."""

from twobirds.config import DataConfig, RunConfig, TrainConfig
from twobirds.recipes.paper.config import PaperConfig

PAPER = RunConfig(preset="paper", recipe=PaperConfig())
"""The paper, to the letter where it speaks (P6-P15), with one exception: G minimizes the
non-saturating adversarial loss, not the text's min-max form (P9, ADR 8). The paper's silences and
contradictions are settled in docs/adr."""

TINY = RunConfig(
    preset="tiny",
    data=DataConfig(size=64),
    # Few images: clear pictures count more than a won game, C is not to learn G's own marks for
    # the attributes, and each attribute is to be seen changed alone (ADR 18).
    recipe=PaperConfig(
        width=0.25,
        num_shared=512,
        adversarial_weight=0.5,
        pixel_weight=8.0,
        latent_weight=5.0,
        label_fakes=False,
        stage1_share=0.064,
        edited_share=0.5,
        ema_half_life_images=5_000,
    ),
    train=TrainConfig(batch_size=32, images=100_000, sample_every_images=8_000),
)
"""Minutes on two CPU cores, for the demo."""
