"""What a client may send as JSON: finite, not nested too deeply, naming its own files only."""

import json
import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from twobirds.apps.web.bodies import RefusedError

_MAX_DEPTH = 40  # of lists and objects; a call has three
_MAX_INTEGER = 2**63  # more than any number of the page or the API
_KINDS = ([b"application/json"], [b"application/json;charset=utf-8"])
_NO_FILES = "files are uploaded first, not named by address or place"


def parsed(kinds: Sequence[bytes], body: bytes, folder: Path) -> Any:
    """The content of a body.

    Args:
        kinds: Its content types.
        body: As it came.
        folder: Where the files lie that it may name.

    Raises:
        RefusedError: If it is no JSON of finite numbers, or names other files.
    """
    try:
        content = json.loads(body.decode(), parse_constant=_refuse_constant)
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise RefusedError(400, "the request's body is not JSON in UTF-8") from error
    _check(content, folder)
    if [kind.lower().replace(b" ", b"") for kind in kinds] not in _KINDS:
        raise RefusedError(415, "the request's Content-Type must be application/json")
    return content


def completed(
    content: Any, name: str, defaults: Sequence[Any], files: Collection[int] = ()
) -> bytes:
    """The body of a call, with the values that it leaves out.

    Args:
        content: What came.
        name: Of the endpoint.
        defaults: Of its values.
        files: Which of them are files.

    Raises:
        RefusedError: If it is no call, or has more values than the endpoint takes.
    """
    data = content.get("data") if isinstance(content, Mapping) else None
    if not isinstance(data, list) or content.keys() - {"data", "session_hash"}:
        raise RefusedError(422, 'a call is a JSON object with its values as the list "data" alone')
    if len(data) > len(defaults):
        raise RefusedError(422, f"{name} takes {len(defaults)} values, not {len(data)}")
    values = [*data, *defaults[len(data) :]]
    for index in files:
        values[index] = _file(name, values[index])
    return json.dumps({"data": values}).encode()


def _file(name: str, value: Any) -> Any:
    """An uploaded file as Gradio takes it, without what else is said of it."""
    if value is None:
        return None
    if not isinstance(value, Mapping) or not isinstance(value.get("path"), str):
        raise RefusedError(
            422, f'{name} takes files as {{"path": PATH, "meta": {{"_type": "gradio.FileData"}}}}'
        )
    return {"path": value["path"], "meta": {"_type": "gradio.FileData"}}


def _check(content: Any, folder: Path) -> None:
    """Look at every value, without recursion."""
    left = [(content, 0)]
    while left:
        value, depth = left.pop()
        if depth > _MAX_DEPTH:
            raise _too_deep()
        if isinstance(value, dict):
            path = value.get("path")
            if isinstance(path, str) and not _lies_in(folder, path):
                raise RefusedError(400, _NO_FILES)
            left += [(part, depth + 1) for part in (*value.keys(), *value.values())]
        elif isinstance(value, list):
            left += [(part, depth + 1) for part in value]
        elif isinstance(value, float) and not math.isfinite(value):
            _refuse_constant(str(value))
        elif isinstance(value, int) and abs(value) > _MAX_INTEGER:
            _refuse_constant("an integer of so many digits")
        elif isinstance(value, str) and not _is_unicode(value):
            raise RefusedError(400, "the request has text that is no Unicode")


def _is_unicode(text: str) -> bool:
    """Whether text has no half of a pair of surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse_constant(what: str) -> NoReturn:
    raise RefusedError(400, f"the request's numbers must be finite, and within 64 bits: not {what}")


def _too_deep() -> RefusedError:
    return RefusedError(400, f"the request's JSON is nested deeper than {_MAX_DEPTH} levels")


def _lies_in(folder: Path, path: str) -> bool:
    try:
        return Path(path).resolve().is_relative_to(folder)
    except (OSError, ValueError):  # such as a zero byte in it, or a name without end
        return False
