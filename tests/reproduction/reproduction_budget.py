"""The budget of a reproduction of seconds."""

from twobirds.reproduction.plan import Budget

BUDGET = Budget(
    images=160,
    width=1 / 16,
    batch_size=8,
    cycle_images=8,
    cycle_channels=4,
    cycle_blocks=1,
    judge_images=1_200,
    max_faces=48,
    num_fakes=48,
    svm_faces=100,
)
