"""Write the JSON schemas of what commands print into docs/reference/schemas.

Usage: `python tools/write_schemas.py`. A test compares the files with what this makes.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, with_config

from twobirds.apps import results

FOLDER = Path(__file__).parent.parent / "docs" / "reference" / "schemas"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_COMMANDS = {"edit-folder": "edit FOLDER", "edit-video": "edit VIDEO"}
_TYPES: dict[str, Any] = {
    "recognize": results.RecognizedFace,
    "edit": results.EditedPhoto,
    "edit-folder": results.EditedOfFolder,
    "edit-video": results.EditedVideo,
}


def schemas() -> dict[str, str]:
    """The content of each file, by name."""
    return {
        f"{name}.json": _schema(_COMMANDS.get(name, name), kind) for name, kind in _TYPES.items()
    }


def _schema(command: str, kind: Any) -> str:
    config = ConfigDict(extra="forbid", use_attribute_docstrings=True)
    for described in (results.EditedFace, results.FaceOfVideo, kind):
        with_config(config)(described)
    schema = TypeAdapter(list[kind]).json_schema()
    title = f"What twobirds {command} --json prints"
    return json.dumps({"$schema": _DIALECT, **schema, "title": title}, indent=2) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in schemas().items():
        (FOLDER / name).write_text(content)
