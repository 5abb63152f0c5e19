"""How often G and D are updated in one iteration (P15; Sec. 4.1)."""

import math
from dataclasses import dataclass


@dataclass
class UpdateBalance:
    """Gives the player whose loss overwhelms the other's extra updates.

    Each factor of `ratio` between the two losses is worth one update more, up to `max_updates`.
    D's loss enters as the mean of its two terms, so that both are log 2 where D cannot tell.
    """

    ratio: float
    """How many times the other's loss a loss must be; above 1."""
    max_updates: int
    """Maximum number of updates of one player in an iteration."""
    num_discriminator: int = 1
    """Updates of D per iteration, at present."""
    num_generator: int = 1
    """Updates of G per iteration, at present."""

    def adjust(self, discriminator_loss: float, generator_loss: float) -> None:
        """Set the numbers of updates from the mean adversarial losses of the last iterations.

        Args:
            discriminator_loss: D's loss, both terms added up.
            generator_loss: G's loss.
        """
        floor = 1e-6  # a loss of zero is a complete win, not a division error
        mean_loss = max(discriminator_loss / 2, floor)
        imbalance = math.log(mean_loss / max(generator_loss, floor)) / math.log(self.ratio)
        self.num_discriminator = self._updates(imbalance)
        self.num_generator = self._updates(-imbalance)

    def _updates(self, steps: float) -> int:
        return min(self.max_updates, 1 + max(0, math.floor(steps)))
