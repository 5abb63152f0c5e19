"""Sound files damaged at random."""

import random


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Flip, cut, repeat, insert or overwrite some bytes, once or many times."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8, 40))):
        if not data:
            break
        place = _place(len(data), rng)
        length = rng.choice((1, 2, 4, 16, 200, len(data) // 3 + 1))
        match rng.randrange(7):
            case 0:
                data[place] ^= 1 << rng.randrange(8)
            case 1:
                del data[place : place + length]
            case 2:
                data[place:place] = rng.randbytes(length)
            case 3:
                data[place : place + length] = rng.randbytes(length)
            case 4:
                data[place : place + 4] = rng.choice(_NUMBERS)
            case 5:
                data[place:place] = data[place : place + length]
            case 6:
                data = data[: max(1, place)]
    return bytes(data)


def _place(length: int, rng: random.Random) -> int:
    """A place in a file; headers and trailers more often than the middle."""
    match rng.randrange(4):
        case 0:
            return rng.randrange(min(length, 64))
        case 1:
            return length - 1 - rng.randrange(min(length, 64))
        case _:
            return rng.randrange(length)


_NUMBERS = (
    b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f",
    b"\x80\0\0\0", b"\0\0\0\x80", b"\0\0\1\0", b"\0\1\0\0",
)  # fmt: skip
"""Counts and lengths at which parsers break."""
