"""Hooks of MkDocs: the pages made from code, and links that lead out of docs/.

- `reference/packages/NAME.md` lists every public module of a package of `twobirds`.
- The folders `adr/` and `reference/packages/` of the navigation get their pages.
- `reference/cli.md` gets the help of every verb in place of `<!-- help of every verb -->`.
- A file of the repository that a page links to, such as a result, goes to the site as
  `repository/PATH`, and the link follows.
"""

import contextlib
import io
import os
import pkgutil
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

REPOSITORY = Path(__file__).parent.parent
LINK = re.compile(r"(!?\[[^\]]*\]\()<?([^)>\s#]+)((?:#[^)>\s]*)?>?(?:\s+\"[^\"]*\")?\))")
HELP_MARK = "<!-- help of every verb -->"
SITE_PAGES = ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
"""Pages of the site that lie at the top of the repository."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill the folders of the navigation with their pages."""
    decisions = sorted((REPOSITORY / "docs" / "adr").glob("[0-9]*.md"))
    folders = {
        "adr/": ["adr/README.md", *(f"adr/{file.name}" for file in decisions)],
        "reference/packages/": [f"reference/packages/{name}.md" for name in package_pages()],
    }
    config.nav = fill(config.nav, folders)
    return config


def fill(entry: Any, folders: dict[str, list[str]]) -> Any:
    """An entry of the navigation, in which a folder's name has become its pages."""
    match entry:
        case list():
            return [fill(part, folders) for part in entry]
        case dict():
            return {title: fill(part, folders) for title, part in entry.items()}
    return folders.get(entry, entry)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the reference of every package, and the files of the repository that pages link to."""
    for name, content in package_pages().items():
        files.append(File.generated(config, f"reference/packages/{name}.md", content=content))
    waiting = [REPOSITORY / name for name in SITE_PAGES]
    waiting += sorted((REPOSITORY / "docs").rglob("*.md"))
    while waiting:
        source = waiting.pop()
        for target in [source, *linked_files(source)]:
            name = target.relative_to(REPOSITORY).as_posix()
            uri = site_uri(name)
            if name.startswith("docs/") or files.get_file_from_path(uri) is not None:
                continue
            files.append(File.generated(config, uri, abs_src_path=str(target)))
            waiting += [target] if target.suffix == ".md" else []
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put in the help of the verbs, and let links to files of the repository follow them."""
    del config, files
    uri = page.file.src_uri
    if uri == "reference/cli.md":
        markdown = markdown.replace(HELP_MARK, "\n".join(help_sections()))
    source = uri.removeprefix("repository/") if uri.startswith("repository/") else f"docs/{uri}"
    home = posixpath.dirname(source)

    def follow(link: re.Match[str]) -> str:
        before, path, after = link.groups()
        target = posixpath.normpath(posixpath.join(home, path))
        moved = source != f"docs/{uri}" or not target.startswith("docs/")
        if ":" in path or not moved or not (REPOSITORY / target).is_file():
            return link.group()
        return before + posixpath.relpath(site_uri(target), posixpath.dirname(uri) or ".") + after

    return LINK.sub(follow, markdown)


def site_uri(name: str) -> str:
    """Where a file of the repository lies in the site, by its path in the repository."""
    return name.removeprefix("docs/") if name.startswith("docs/") else f"repository/{name}"


def linked_files(document: Path) -> Iterator[Path]:
    """Yield the files of the repository that a Markdown file links to."""
    for _, path, _ in LINK.findall(document.read_text(encoding="utf-8")):
        target = Path(os.path.normpath(document.parent / path))
        if ":" not in path and target.is_file() and target.is_relative_to(REPOSITORY):
            yield target


def package_pages() -> dict[str, str]:
    """Markdown of each package's page: mkdocstrings' marks for its public modules."""
    import twobirds

    pages: dict[str, list[str]] = {}
    for module in pkgutil.walk_packages(twobirds.__path__, "twobirds."):
        parts = module.name.split(".")[1:]
        if parts[0] in ("__main__", "pretrained"):
            continue
        lone = len(parts) == 1 and not module.ispkg
        lines = pages.setdefault("modules" if lone else parts[0], [])
        lines.append(f"::: {module.name}\n    options:\n      heading_level: 2\n")
    titles = {name: f"twobirds.{name}" for name in pages} | {"modules": "Single modules"}
    return {name: "\n".join([f"# {titles[name]}\n", *lines]) for name, lines in pages.items()}


def help_sections() -> Iterator[str]:
    """Yield a section with the help of each verb of the command line."""
    listed = help_text()
    verbs = re.search(r"\{([a-z,]+)\}", listed)
    if verbs is None:
        raise PluginError(f"the help names no verbs:\n{listed}")
    for verb in verbs.group(1).split(","):
        yield f"## twobirds {verb}\n\n```text\n{help_text(verb)}\n```\n"


def help_text(*words: str) -> str:
    """What `twobirds WORDS --help` prints on a terminal of 100 columns, without colours."""
    from twobirds.apps.cli import main

    printed = io.StringIO()
    plain = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    with (
        patch.dict(os.environ, plain),
        contextlib.redirect_stdout(printed),
        contextlib.suppress(SystemExit),
    ):
        main([*words, "--help"])
    return re.sub(r"\x1b\[[0-9;]*m", "", printed.getvalue()).strip()
