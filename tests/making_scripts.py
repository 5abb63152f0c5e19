"""The scripts of `benchmarks` as modules, for tests."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

FOLDER = Path(__file__).parent.parent / "benchmarks"


@contextmanager
def imported_scripts(*names: str) -> Iterator[dict[str, ModuleType]]:
    """Import scripts, which import each other as scripts beside each other do, and forget them.

    Args:
        names: Such as `inference` or `campaign.users`.

    Yields:
        The modules by their names.
    """
    sys.path.insert(0, str(FOLDER))
    try:
        yield {name: importlib.import_module(name) for name in names}
    finally:
        sys.path.remove(str(FOLDER))
        for name, module in list(sys.modules.items()):
            if FOLDER in Path(getattr(module, "__file__", None) or "").parents:
                del sys.modules[name]
