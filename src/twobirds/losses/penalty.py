"""What keeps a discriminator smooth."""

from torch import Tensor


def smoothness_penalty(scores: Tensor, noisy_scores: Tensor, noise: float) -> Tensor:
    """Squared slope of D's score in random directions, without a second derivative.

    With small noise its expectation is the squared norm of the gradient, the penalties R1 on real
    and R2 on generated images (Mescheder et al., 2018; the finite difference: Lin et al., 2025).

    Args:
        scores: `[B]` float32, of images.
        noisy_scores: `[B]` float32, of the same images with noise added.
        noise: Standard deviation of that noise, which is Gaussian.

    Returns:
        Scalar `[]` float32, not negative.
    """
    return (noisy_scores - scores).square().mean() / noise**2
