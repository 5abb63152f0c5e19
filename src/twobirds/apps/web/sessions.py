"""What Gradio remembers of each caller: a third of a megabyte, even of one call of the API."""

import time
from collections import deque

import gradio as gr

MAX_SESSIONS = 1_000
"""Pages open at a time; Gradio forgets the longest unused of more."""


class CallSessions:
    """Sessions of the API's calls, of which no second call makes use. Safe in several threads.

    Args:
        page: Whose.
        seconds: How long after a call its answer may take to be fetched.
    """

    def __init__(self, page: gr.Blocks, seconds: float = 30.0) -> None:
        self.page, self.seconds = page, seconds
        self._answered: deque[tuple[float, str]] = deque()

    def answered(self, key: str | None) -> None:
        """The call of a session has its answer; let Gradio forget those that had it long ago."""
        now = time.monotonic()
        if key is not None:
            self._answered.append((now, key))
        holder = self.page.state_holder
        with holder.lock:
            while self._answered and self._answered[0][0] <= now - self.seconds:
                _, old = self._answered.popleft()
                holder.session_data.pop(old, None)
                holder.time_last_used.pop(old, None)
