"""Options that are given twice with different values, of which only the last would count."""

import itertools
import typing
from collections.abc import Iterator, Sequence

import tyro

from twobirds.errors import InputError


def require_once(words: Sequence[str], command: type) -> None:
    """Refuse an option that is given twice with different values, unless it collects them.

    Args:
        words: Behind the name of the command; they make one.
        command: Its class, with a field for each option.

    Raises:
        InputError: If there is one.
    """
    hints = typing.get_type_hints(command, include_extras=True)
    given: dict[str, str] = {}
    for name, values in _options(words):
        hint = hints.get(name)
        if hint is None or _is_flag(hint) or _collects(hint):
            continue
        value = " ".join(values if _takes_several(hint) else values[:1])
        if given.setdefault(name, value) != value:
            option = "--" + name.replace("_", "-")
            raise InputError(
                f"{option} is given twice, as {given[name]!r} and as {value!r}: leave out one"
            )


def _options(words: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """The name of each option as its field has it, and all words up to the next option."""
    words = list(itertools.takewhile(lambda word: word != "--", words))
    starts = [index for index, word in enumerate(words) if word.startswith("--")]
    for start, end in itertools.pairwise([*starts, len(words)]):
        name, equals, value = words[start][2:].partition("=")
        yield name.replace("-", "_"), [value] * bool(equals) + words[start + 1 : end]


def _plain(hint: typing.Any) -> typing.Any:
    """A type without its annotations."""
    return typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint


def _is_flag(hint: typing.Any) -> bool:
    return _plain(hint) is bool


def _collects(hint: typing.Any) -> bool:
    """Whether each further time adds values."""
    return tyro.conf.UseAppendAction in getattr(hint, "__metadata__", ())


def _takes_several(hint: typing.Any) -> bool:
    """Whether all words up to the next option are its value, and not the first alone."""
    plain = _plain(hint)
    return any(typing.get_origin(kind) is tuple for kind in (plain, *typing.get_args(plain)))
