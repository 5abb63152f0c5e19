"""The part of an objective that has nothing to do where one iteration is like the next."""

from collections.abc import Mapping

from twobirds.data.pack import Pack


class Unscheduled:
    """One stage, and no schedule that follows the losses."""

    def begin(self, pack: Pack) -> None:
        """Nothing is taken from the faces beforehand."""

    def adapt(self, means: Mapping[str, float]) -> None:
        """Nothing follows the losses."""

    def schedule_state(self) -> dict[str, float]:
        """Nothing to keep."""
        return {}

    def load_schedule_state(self, state: Mapping[str, float]) -> None:
        """Nothing to restore."""

    def stage(self, images_seen: int) -> int:
        """Always 1."""
        return 1
