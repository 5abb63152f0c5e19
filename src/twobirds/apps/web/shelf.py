"""What the page remembers of its users, for a while."""

import math
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Shelf(Generic[T]):
    """Things by keys that cannot be guessed, forgotten some time after their last use.

    Safe to use from several threads.

    Args:
        seconds: How long after.
        max_things: Things kept at a time; the longest unused go first.
        weigh: What a thing weighs, such as its bytes; None weighs nothing.
        max_weight: Of all things together; the newest is kept whatever it weighs.
    """

    def __init__(
        self,
        seconds: float,
        max_things: int,
        *,
        weigh: Callable[[T], float] | None = None,
        max_weight: float = math.inf,
    ) -> None:
        self.seconds, self.max_things, self.max_weight = seconds, max_things, max_weight
        self._weigh = weigh or (lambda _: 0.0)
        self._things: OrderedDict[str, tuple[float, T]] = OrderedDict()  # the longest unused first
        self._lock = threading.Lock()

    def put(self, thing: T) -> str:
        """Remember something; returns its key."""
        key = uuid.uuid4().hex
        with self._lock:
            self._things[key] = (time.monotonic(), thing)
            self._make_room()
        return key

    def _make_room(self) -> None:
        while len(self._things) > 1 and self._is_full():
            self._things.popitem(last=False)

    def _is_full(self) -> bool:
        weight = sum(self._weigh(thing) for _, thing in self._things.values())
        return len(self._things) > self.max_things or weight > self.max_weight

    def get(self, key: str | None) -> T | None:
        """What was put there, for as long again; None if it is forgotten."""
        self.sweep()
        with self._lock:
            if key is None or key not in self._things:
                return None
            thing = self._things.pop(key)[1]
            self._things[key] = (time.monotonic(), thing)
            return thing

    def replace(self, key: str, thing: T) -> None:
        """Remember something else under a key, unless that is forgotten."""
        with self._lock:
            if key in self._things:
                self._things[key] = (self._things[key][0], thing)
                self._make_room()

    def drop(self, key: str | None) -> None:
        """Forget something at once."""
        with self._lock:
            self._things.pop(key or "", None)

    def sweep(self) -> None:
        """Forget what was not used for too long."""
        oldest = time.monotonic() - self.seconds
        with self._lock:
            while self._things and next(iter(self._things.values()))[0] < oldest:
                self._things.popitem(last=False)
