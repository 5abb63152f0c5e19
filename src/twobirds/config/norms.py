"""Forms of losses that recipes choose from."""

from typing import Literal

Norm = Literal["l1", "l2"]
"""Mean absolute or mean squared difference."""
AdversarialForm = Literal["non_saturating", "minmax"]
"""What a generator minimizes: -log D(G(z, c)), or the min-max game's own log(1 - D(G(z, c)))."""
