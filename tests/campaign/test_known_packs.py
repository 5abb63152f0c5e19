"""Packs of which the right one is known: another is seen."""

import json
import random
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from twobirds.data.pack import hash_file, seal_header
from twobirds.data.packing import pack_source
from twobirds.errors import InputError

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc"),
    # The children use nothing that a thread of this process may hold.
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]


def mistaken(**changes: Callable[[Any], Any]) -> Callable[..., Any]:
    """Something that makes packs with other arrays than it should."""

    def make(*arguments: Any, **options: Any) -> None:
        pack = pack_source(*arguments, **options)
        header = json.loads((pack.path / "pack.json").read_text())
        for name, change in changes.items():
            np.save(pack.path / f"{name}.npy", change(np.load(pack.path / f"{name}.npy")))
            header["sha256"][f"{name}.npy"] = hash_file(pack.path / f"{name}.npy")
        seal_header(header)
        (pack.path / "pack.json").write_text(json.dumps(header))

    return make


def swap_rows(array: np.ndarray) -> np.ndarray:
    return np.concatenate([array[1:], array[:1]])


def flip_one(array: np.ndarray) -> np.ndarray:
    array[-1, 0] ^= 1
    return array


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({}, ""),
        ({"attributes": flip_one}, r" of row \d+ is "),
        ({"images": swap_rows}, r" of row \d+ is "),
        ({"images": lambda images: images[..., ::-1]}, "of colour"),
        ({"images": lambda images: images // 2}, "of colour"),
        ({"identity": lambda people: people * 0}, "became"),
        ({"identity": np.arange(24).__add__}, "became"),
        ({"identity": lambda people: people * 0 - 1}, "unknown"),
        ({"split": lambda split: np.arange(len(split)).astype(np.uint8) % 3}, "split"),
    ],
)
def test_a_mistaken_pack_is_seen(
    campaign: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Callable[[Any], Any]],
    what: str,
) -> None:
    monkeypatch.setattr(campaign.known, "pack_source", mistaken(**changes))
    kinds = {"csv": campaign.known_tables.known_csv}
    cases = [("csv", number) for number in range(9)]
    outcomes = list(campaign.worker.run_cases(kinds, cases, tmp_path, 0))
    ends = [outcome.end for outcome in outcomes if outcome.end != "refused"]
    if not what:
        assert ends == ["done"] * len(ends)
        return
    assert ends.count("wrong") >= len(ends) // 3  # not all sources say who is shown
    assert any(re.search(what, outcome.what) for outcome in outcomes)


def test_a_careless_refusal_is_seen(
    campaign: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_all(*_: Any, **__: Any) -> None:
        raise InputError("this source is not liked")

    monkeypatch.setattr(campaign.known, "pack_source", refuse_all)
    kinds = campaign.known_tables.KNOWN_TABLES
    outcomes = campaign.worker.run_cases(kinds, [("known celeba", 0)], tmp_path, 0)
    assert [o.what for o in outcomes] == ["a sound source was refused: this source is not liked"]


def test_changes_that_meet_in_one_table_agree(campaign: Any) -> None:
    spellings, rng = campaign.spellings, random.Random(0)
    names = [f"{row}.png" for row in range(24)]
    columns = [("Hat", ["0", "1"] * 12), ("person", [str(row % 7) for row in range(24)])]
    truth = campaign.known.Truth({"Hat": [False, True] * 12}, [row % 7 for row in range(24)], None)
    table = spellings.Table({}, list(names), columns, names)
    for change in (
        spellings._repeat_column,
        spellings._delimiters_in_names,
        spellings._name_twice,
        spellings._one_person,
    ):
        change(table, truth, rng)
    *_, (twice, _) = table.columns
    assert {name.strip() for name, _ in table.columns} == {*truth.attributes, "person"}
    assert twice.strip() in truth.attributes
    again = names.index(table.names[-1].removeprefix("./").removeprefix("/"))
    assert all(cells[-1] == cells[again] for name, cells in table.columns if name == "person")
