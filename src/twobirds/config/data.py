"""What a run takes from its data."""

from dataclasses import dataclass

from twobirds.config.checks import require


@dataclass(frozen=True)
class DataConfig:
    """The faces of a run. All but the size are facts of the pack, not settings."""

    size: int = 128
    """Height and width of the images in pixels: 32, 64 or 128; the pack must have it."""
    attributes: tuple[str, ...] = ()
    """Names of the attributes, in order. Empty until they are taken from the pack."""
    landmarks: tuple[tuple[float, float], ...] | None = None
    """Where aligned faces have their eyes, nose tip and mouth corners: five (x, y) as fractions of
    the image. None where unknown."""
    num_people: int = 0
    """People of whom the train split has two faces or more."""

    def __post_init__(self) -> None:
        require(self.size in (32, 64, 128), f"size must be 32, 64 or 128, not {self.size}")
        require(
            len(set(self.attributes)) == len(self.attributes), "attribute names must be distinct"
        )
        require(
            self.landmarks is None or [len(p) for p in self.landmarks] == [2] * 5,
            "landmarks must be five (x, y) pairs",
        )
        require(self.num_people >= 0, f"num_people must not be negative, not {self.num_people}")

    @property
    def num_attributes(self) -> int:
        """Number of attributes, the paper's d."""
        return len(self.attributes)
