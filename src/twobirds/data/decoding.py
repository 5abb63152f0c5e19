"""Decoding images in parallel processes, in order and in bounded memory."""

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future
from itertools import islice

from twobirds.data.images import MIN_SIDE, Face, face_from_bytes
from twobirds.data.problems import Problem, shorten
from twobirds.data.processes import num_workers, process_pool
from twobirds.data.source import Content, Source
from twobirds.errors import InputError

_CHUNK = 16
"""Images per task: enough to hide the cost of passing them between processes."""
_FEW = 2_000
"""Up to so many images are decoded in the calling process: starting others takes longer."""


def decode_faces(
    source: Source, size: int, workers: int | None
) -> Generator[Face | Problem, None, None]:
    """Decode the images of a source.

    Up to two thousand images are decoded in this process, more in others (see `process_pool`).

    Args:
        source: Whose images.
        size: Height and width of the results in pixels.
        workers: Number of processes; None for one on each CPU. 1 decodes in this process.

    Yields:
        For each row of the source, in order, its face, or why there is none.

    Raises:
        InputError: If the number of processes is not positive, or one dies.
    """
    workers = num_workers(workers)
    rows = zip(source.contents(), source.wheres, source.names, strict=True)
    if workers == 1 or len(source.names) <= _FEW:
        for row in rows:
            yield from _decode_chunk([row], size)
        return
    pending: deque[Future[list[Face | Problem]]] = deque()
    with process_pool(workers, "decoding") as pool:
        while chunk := list(islice(rows, _CHUNK)):
            pending.append(pool.submit(_decode_chunk, chunk, size))
            if len(pending) > 3 * workers:
                yield from pending.popleft().result()
        while pending:
            yield from pending.popleft().result()


def _decode_chunk(rows: list[tuple[Content, str, str]], size: int) -> list[Face | Problem]:
    """Decode (content, where, name) rows."""
    return [_decode(content, where, name, size) for content, where, name in rows]


def _decode(content: Content, where: str, name: str, size: int) -> Face | Problem:
    """Decode one image; what is a problem already stays one."""
    if isinstance(content, Problem):
        return content
    try:
        face = face_from_bytes(content, size)
    except InputError as error:
        return Problem("undecodable image", where, f"{shorten(name)}: {error}")
    if face.side < MIN_SIDE:
        what = f"{shorten(name)} has {face.side}x{face.side} pixels, and a face takes {MIN_SIDE}"
        return Problem("too small", where, what)
    return face
