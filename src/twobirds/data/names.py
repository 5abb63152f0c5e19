"""Matching the names that lists give to images with the paths of the files there are."""

import ntpath
import posixpath
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from twobirds.data.images import IMAGE_EXTENSIONS

_ENDINGS = (*IMAGE_EXTENSIONS, ".tif", ".tiff", ".gif", ".heic", ".heif", ".avif", ".ppm")
"""Extensions that a list may name and that another may have replaced since."""


_Search = Callable[["_Table", str], list[str]]


class AmbiguousNameError(Exception):
    """A name fits several paths equally well; the first two of them are `paths`."""

    def __init__(self, paths: Sequence[str]) -> None:
        super().__init__(" or ".join(paths[:2]))
        self.paths = tuple(paths[:2])


def compose(text: str) -> str:
    """Text with its accents composed (Unicode NFC): what looks the same is the same then."""
    return unicodedata.normalize("NFC", text)


def normalize_name(name: str) -> str:
    """A path with forward slashes, without `./`, and composed (Unicode NFC).

    Archives made on Windows have backslashes; macOS stores names decomposed.
    """
    name = compose(name.replace("\\", "/"))
    return posixpath.normpath(name) if name else ""


def is_image_name(name: str) -> bool:
    """Whether the extension is that of an image."""
    return name.lower().endswith(IMAGE_EXTENSIONS)


def is_absolute(name: str) -> bool:
    """Whether a path begins at the root of a file system, or of a drive of Windows."""
    return posixpath.isabs(name) or ntpath.isabs(name)


class NameIndex:
    """Finds the path that a list means by a name.

    A name is compared as it stands, then without regard to case, then as a name to which the path
    adds an extension, and last with its own extension exchanged: lists often say `.jpg` where the
    files were converted. Each of these is tried beside the list, from the root, in the folders
    that are preferred, and at last in any folder. Whatever fits in the first of these ways is
    meant; if two paths fit in the same way, the name is ambiguous. An absolute path is compared
    with the files at its place only.
    """

    def __init__(
        self,
        paths: Iterable[str],
        *,
        beside: str = "",
        preferred: Sequence[str] = (),
        roots: Sequence[str] = (),
    ) -> None:
        """Index paths.

        Args:
            paths: What there is to be found.
            beside: Folder of the list that will give names.
            preferred: Base names of folders that are searched first, in this order.
            roots: Absolute paths of the folder that `paths` are relative to.
        """
        self._preferred = preferred
        self._roots = [f"{normalize_name(root).rstrip('/')}/" for root in roots]
        self._places = list(dict.fromkeys((beside, "")))
        self._paths = [(normalize_name(path), path) for path in paths]
        self._tables: dict[Callable[[str], str], _Table] = {}

    def find(self, name: str) -> str | None:
        """The path meant by `name`, or None.

        Raises:
            AmbiguousNameError: If several are meant equally.
        """
        name = normalize_name(name)
        if not name:
            return None
        searches: list[_Search] = [self._near, self._anywhere]
        if is_absolute(name):
            root = next((root for root in self._roots if name.startswith(root)), None)
            if root is None:
                return None
            name, searches = name.removeprefix(root), [_Table.at]
        for key_of_name, key_of_path in _COMPARISONS:
            table = self._table(key_of_path)
            for search in searches:
                found = search(table, key_of_name(name))
                if len(found) > 1:
                    raise AmbiguousNameError(found)
                if found:
                    return found[0]
        return None

    def _table(self, key_of_path: Callable[[str], str]) -> "_Table":
        """The paths by such keys, indexed when first needed."""
        if key_of_path not in self._tables:
            self._tables[key_of_path] = _Table(self._paths, key_of_path)
        return self._tables[key_of_path]

    def _near(self, table: "_Table", key: str) -> list[str]:
        """Paths at the place that the key says, seen from the list's folder or from the root."""
        for place in self._places:
            at = posixpath.normpath(posixpath.join(place, key))
            if found := table.at(at):
                return found
        return []

    def _anywhere(self, table: "_Table", key: str) -> list[str]:
        """Paths that end with the key; those in the first preferred folder that has any."""
        found = table.ending_with(key)
        for folder in self._preferred:
            inside = [path for path in found if folder in normalize_name(path).split("/")[:-1]]
            if inside:
                return inside
        return found


class _Table:
    """Paths by a key made of them, and by the last part of that key."""

    def __init__(self, paths: Iterable[tuple[str, str]], key_of: Callable[[str], str]) -> None:
        self._by_key: dict[str, list[str]] = defaultdict(list)
        self._by_base: dict[str, list[str]] = defaultdict(list)
        for normalized, path in paths:
            key = key_of(normalized)
            if path not in self._by_key[key]:
                self._by_key[key].append(path)
        for key in self._by_key:
            self._by_base[posixpath.basename(key)].append(key)

    def at(self, key: str) -> list[str]:
        return self._by_key.get(key, [])

    def ending_with(self, key: str) -> list[str]:
        keys = self._by_base.get(posixpath.basename(key), [])
        fitting = [full for full in keys if full == key or full.endswith("/" + key)]
        return [path for full in fitting for path in self._by_key[full]]


def _whole(path: str) -> str:
    return path


def _stem(path: str) -> str:
    """The path without the extension of an image."""
    return posixpath.splitext(path)[0] if path.lower().endswith(_ENDINGS) else path


def _folded_stem(path: str) -> str:
    return _stem(path).casefold()


_COMPARISONS: tuple[tuple[Callable[[str], str], Callable[[str], str]], ...] = (
    (_whole, _whole),
    (str.casefold, str.casefold),
    (_whole, _stem),
    (_stem, _stem),
    (_folded_stem, _folded_stem),
)
"""What is made of the name and of the path before they are compared, the strictest first."""
