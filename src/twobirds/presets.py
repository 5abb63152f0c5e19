"""The named recipes: instances of `RunConfig`, not files."""

from twobirds.config import LossConfig, ModelConfig, ModernConfig, RunConfig, TrainConfig

PAPER = RunConfig(preset="paper")
"""The paper, to the letter where it speaks (P6-P15), with one exception: G minimises the
non-saturating adversarial loss, not the text's min-max form (P9, ADR 8). The paper's silences and
contradictions are settled in docs/adr."""

TINY = RunConfig(
    preset="tiny",
    model=ModelConfig(size=64, width=0.25, num_shared=512),
    # Few images: clear pictures count more than a won game, C is not to learn G's own marks for
    # the attributes, and each attribute is to be seen changed alone (ADR 18).
    loss=LossConfig(adversarial=0.5, pixel=8.0, latent=5.0, label_fakes=False),
    train=TrainConfig(
        batch_size=32,
        images=100_000,
        stage1_share=0.064,
        edited_share=0.5,
        ema_half_life_images=5_000,
        sample_every_images=8_000,
    ),
)
"""Minutes on two CPU cores, for the demo."""

MODERN = RunConfig(
    preset="modern",
    model=ModelConfig(size=64, width=0.5, num_latents=320),
    loss=LossConfig(adversarial=3.0, label=0.5, perceptual=2.0, pixel=40.0, latent=1.0),
    train=TrainConfig(
        batch_size=32,
        images=700_000,
        stage1_share=0.05,
        learning_rate=3e-4,
        betas=(0.0, 0.99),
        max_updates=1,
        ema_half_life_images=20_000,
        sample_every_images=20_000,
    ),
    modern=ModernConfig(has_eigenfaces=True, guide_cutout=0.5, recognizer_mixup=0.2),
)
"""The recipe of today (docs/modern.md), for a day of two CPU cores; no GPU has run it yet."""

PRESETS: dict[str, RunConfig] = {config.preset: config for config in (PAPER, TINY, MODERN)}
