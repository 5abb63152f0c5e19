"""The paper's networks at inference: G, and D with C."""

from torch import Tensor, nn

from twobirds.config import RunConfig
from twobirds.models.networks import Encoding, FaceNetworks
from twobirds.recipes.paper.build import build_discriminator, build_generator
from twobirds.recipes.paper.config import PaperConfig
from twobirds.recipes.paper.discriminator import Discriminator
from twobirds.recipes.paper.generator import Generator


class PaperNetworks(FaceNetworks):
    """G, and D with C; an edit is generated from the latents.

    Args:
        generator: G, or its moving average.
        discriminator: D with C.
    """

    def __init__(self, generator: Generator, discriminator: Discriminator) -> None:
        super().__init__()
        self.generator, self.discriminator = generator, discriminator

    @property
    def num_latents(self) -> int:
        """Length of z."""
        return self.generator.num_latents

    def encode(self, images: Tensor) -> Encoding:
        """One pass of D with C; see `FaceNetworks`."""
        output = self.discriminator(images)
        return Encoding(output.latents, output.attribute_logits)

    def generate(self, latents: Tensor, attributes: Tensor) -> Tensor:
        """One pass of G; see `FaceNetworks`."""
        images: Tensor = self.generator(latents, attributes)
        return images

    def edit(
        self,
        images: Tensor,  # noqa: ARG002 -- the latents stand for the face
        encoding: Encoding,
        attributes: Tensor,  # noqa: ARG002
        target: Tensor,
    ) -> Tensor:
        """Generate from the faces' latents with other attributes; see `FaceNetworks`."""
        return self.generate(encoding.latents, target)

    def feature_network(self) -> nn.Module:
        """The trunk of D."""
        return self.discriminator.trunk


def build_networks(config: RunConfig) -> PaperNetworks:
    """Build what inference needs of a run's networks.

    Raises:
        InputError: If the configuration names no attributes.
    """
    recipe = config.recipe
    assert isinstance(recipe, PaperConfig)
    return PaperNetworks(
        build_generator(recipe, config.data), build_discriminator(recipe, config.data)
    )
