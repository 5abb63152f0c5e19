"""A report as plain data, and its two forms: Markdown, and one HTML page with everything in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import jinja2

from twobirds.evaluation.report import data_url


@dataclass(frozen=True)
class Table:
    """Rows of text under a heading."""

    title: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""
    """What the figures mean and how they were taken."""


@dataclass(frozen=True)
class Picture:
    """A figure in a file."""

    title: str
    path: Path
    caption: str


@dataclass
class Section:
    """A heading with text, tables and pictures."""

    title: str
    text: str = ""
    tables: list[Table] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)


@dataclass(frozen=True)
class Document:
    """The whole report."""

    title: str
    text: str
    sections: Sequence[Section]


def to_markdown(document: Document, *, folder: Path | None) -> str:
    """The report as Markdown; pictures are linked relative to `folder`, or left out without one."""
    lines = [f"# {document.title}", "", document.text, ""]
    for section in document.sections:
        lines += [f"## {section.title}", ""]
        if section.text:
            lines += [section.text, ""]
        for table in section.tables:
            lines += [f"### {table.title}", "", *_table_lines(table), ""]
            if table.note:
                lines += [table.note, ""]
        for picture in section.pictures:
            lines += [f"### {picture.title}", "", picture.caption, ""]
            if folder is not None:
                path = picture.path.relative_to(folder)
                lines += [f"![{picture.title}]({path.as_posix()})", ""]
    return "\n".join(lines).rstrip() + "\n"


def to_html(document: Document) -> str:
    """The report as a page without any outside resource."""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = files("twobirds.reproduction").joinpath("report.html").read_text(encoding="utf-8")
    return environment.from_string(template).render(document=document, data_url=data_url)


def _table_lines(table: Table) -> list[str]:
    rows = [table.header, ("---",) * len(table.header), *table.rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
