"""What an evaluation measures, and on what."""

from dataclasses import dataclass

from twobirds.errors import InputError

JUDGE_FILE = "judge.safetensors"
"""Name of a judge's file where none is given."""


@dataclass(frozen=True)
class EvaluationConfig:
    """What to measure and how much of it; more takes longer."""

    split: str = "test"
    """train, valid or test."""
    seed: int = 0
    """Of every random choice: the same seed gives the same report."""
    num_fakes: int = 5_000
    """Faces to generate; the Fréchet distance is biased upwards with fewer."""
    max_faces: int | None = None
    """Maximum number of faces of the split, chosen at random; None takes all."""
    faces_per_edit: int = 200
    """Maximum number of faces for each attribute and direction."""
    calibration_faces: int = 4_000
    """Maximum number of faces to calibrate the embedder on."""
    judge_images: int = 80_000
    """Training images to show a judge where none is saved."""
    second_judge_images: int = 60_000
    """Training images to show a second judge where none is saved."""
    compares_prototype: bool = False
    """Whether edits by prototypes, a baseline without a network, are measured, too."""

    def __post_init__(self) -> None:
        for name, minimum in (
            ("num_fakes", 2),
            ("faces_per_edit", 1),
            ("calibration_faces", 2),
            ("judge_images", 1),
            ("second_judge_images", 1),
            ("seed", 0),
        ):
            if getattr(self, name) < minimum:
                raise InputError(f"{name} must be at least {minimum}, not {getattr(self, name)}")
        if self.max_faces is not None and self.max_faces < 4:
            raise InputError(f"max_faces must be at least 4, not {self.max_faces}")
