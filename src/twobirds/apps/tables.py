"""Results as tables for people."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from twobirds.apps.display import say
from twobirds.data.problems import printable

_BAR_WIDTH = 20  # characters of a probability of 1
_INNER_SECTIONS = ("realism", "second_judge", "prototype")  # of a report's section
_COUNTS = ("num_beaten", "num_attributes")  # whole numbers that are results
_MAX_FLOOR = 0.6  # of realism, above which the splits differ by more than chance


def say_attributes(title: str, attributes: Mapping[str, float], *, show_all: bool) -> None:
    """Print a table of probabilities, the most probable first.

    Args:
        title: What they are of.
        attributes: Probability of each attribute.
        show_all: Show those of at most a half, too; else only how many they are.
    """
    shown = {name: value for name, value in attributes.items() if show_all or value > 0.5}
    table = Table(
        "attribute", "probability", "", title=Text(printable(title)), title_justify="left"
    )
    for name, value in sorted(shown.items(), key=lambda item: -item[1]):
        table.add_row(Text(name), f"{value:.3f}", "█" * round(value * _BAR_WIDTH))
    if len(shown) < len(attributes):
        table.caption = f"{len(attributes) - len(shown)} more, of at most 0.5: --all shows them"
        table.caption_justify = "left"
    Console().print(table)


def say_figures(report: Mapping[str, Any]) -> None:
    """Print a table of the figures of a report's sections, without those of each attribute."""
    table = Table("section", "figure", "value")
    for section, content in report.items():
        if section in ("model", "data", "config", "versions") or not isinstance(content, dict):
            continue
        for name, value in _flatten(content):
            table.add_row(section, name, f"{value:.4g}")
    Console().print(table)
    for name, reason in report.get("absent", {}).items():
        say(f"{name} is absent: {reason}")
    floor = report.get("editing", {}).get("realism", {}).get("real_floor", 0.5)
    if floor > _MAX_FLOOR:
        say(
            f"realism is of limited use: unedited faces are told from training faces, too (floor "
            f"{floor:.2f}); evaluate with a pack whose splits are of one source"
        )
    if faults := report.get("editing", {}).get("above_ceiling"):
        say(
            "fault: the judge recognizes these attributes on edited faces far more often than on "
            f"real faces that have them, which no better edit can explain: {', '.join(faults)}"
        )


def _flatten(section: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Figures of a section and the sections in it, those of an inner one after a dot."""
    for name, value in section.items():
        if isinstance(value, float) or name in _COUNTS:
            yield prefix + name, value
        elif isinstance(value, Mapping) and name in _INNER_SECTIONS:
            yield from _flatten(value, f"{name}.")
