"""Execute a notebook in its folder and write it with its outputs, without times.

Usage: `python tools/execute_notebook.py NOTEBOOK [OUT]` (default: in place), or `make tutorial`.
"""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

MAX_SECONDS = 300  # of one cell


def execute(source: Path) -> nbformat.NotebookNode:
    """The executed notebook.

    Raises:
        nbclient.exceptions.CellExecutionError: If a cell raises.
    """
    notebook = nbformat.read(source, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        timeout=MAX_SECONDS,
        record_timing=False,
        coalesce_streams=True,  # a busy kernel sends one cell's text in several pieces
        resources={"metadata": {"path": str(source.parent)}},
    )
    executed: nbformat.NotebookNode = client.execute()
    return executed


if __name__ == "__main__":
    place = Path(sys.argv[1])
    nbformat.write(execute(place), Path(sys.argv[2]) if len(sys.argv) > 2 else place)
