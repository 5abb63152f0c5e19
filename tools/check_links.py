"""Check that relative links in the Markdown files lead to something.

Usage: `python tools/check_links.py [ROOT]` (default: the working directory); exit code 1 where a
link is broken. Links to other sites are left alone: the check works offline.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
HEADING = re.compile(r"^#+\s+(.+?)\s*$", re.MULTILINE)
PLACES = ("*.md", "docs/**/*.md", "benchmarks/**/*.md", "src/**/*.md")


def anchors(document: Path) -> set[str]:
    """Return the anchors that a Markdown file's headings make."""
    headings = HEADING.findall(document.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def broken_links(document: Path) -> Iterator[str]:
    """Yield the relative links of a Markdown file that lead nowhere."""
    prose = CODE.sub("", document.read_text(encoding="utf-8"))
    for link in LINK.findall(prose):
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        to_heading = bool(anchor) and target.suffix == ".md"
        if not target.exists() or (to_heading and anchor not in anchors(target)):
            yield link


def main(arguments: list[str]) -> int:
    """Check the Markdown files of a repository; return the exit code."""
    root = Path(arguments[0] if arguments else ".")
    documents = sorted({d for place in PLACES for d in root.glob(place)})
    broken = [(d, link) for d in documents for link in broken_links(d)]
    for document, link in broken:
        print(f"{document}: {link} leads nowhere")
    print(f"links: {len(documents)} documents, {len(broken)} broken links")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
