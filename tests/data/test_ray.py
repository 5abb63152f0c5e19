"""Packing on a Ray cluster of two workers."""

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from making_sources import celeba_files, names, write_folder, write_zip

from twobirds.data import packing
from twobirds.data.combination import combine
from twobirds.data.engine import Engine, _result_of, map_on_ray
from twobirds.data.packing import pack_source
from twobirds.data.source import Content, Source
from twobirds.errors import InputError

LOCAL, RAY = Engine(workers=1, shard_faces=5), Engine("ray", shard_faces=5)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.usefixtures("ray_cluster")
@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_a_cluster_makes_the_same_pack_bit_for_bit(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = celeba_files() | {f"img_align_celeba/{names()[6]}": b"damaged"}
    source = (
        write_folder(Path("faces"), files)
        if kind == "folder"
        else write_zip(Path("faces.zip"), files)
    )
    for name, engine in (("local", LOCAL), ("ray", RAY)):
        pack_source(source, name, size=16, skip_bad=True, engine=engine)
    assert contents(Path("ray")) == contents(Path("local"))
    assert (
        len(contents(Path("ray"))) == 8
    )  # three shards, three arrays, the header, what is left out
    assert "shards" in Path("ray/pack.json").read_text()


@pytest.mark.usefixtures("ray_cluster")
def test_a_killed_worker_costs_nothing_but_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_folder(tmp_path / "faces", celeba_files())
    local = pack_source(source, tmp_path / "local", size=16, engine=LOCAL)
    victim = tmp_path / "victim"

    def combine_deadly(sources: Sequence[Source]) -> Source:
        """A source of which the first worker to load the seventh image is killed."""
        whole = combine(sources)

        def load(rows: Sequence[int]) -> Iterator[Content]:
            for row, content in zip(rows, whole.load(rows), strict=True):
                if row == 6 and not victim.exists():
                    victim.write_text(str(os.getpid()))
                    os.kill(os.getpid(), signal.SIGKILL)
                yield content

        return replace(whole, load=load)

    monkeypatch.setattr(packing, "combine", combine_deadly)
    pack = pack_source(source, tmp_path / "ray", size=16, engine=RAY)
    assert int(victim.read_text()) != os.getpid()
    assert contents(pack.path) == contents(local.path)  # and no half-written file
    assert sorted(path.name for path in tmp_path.iterdir()) == ["faces", "local", "ray", "victim"]


@pytest.mark.usefixtures("ray_cluster")
def test_one_report_names_what_all_workers_found(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "faces", celeba_files())
    for row in (2, 9):
        (source / "img_align_celeba" / names()[row]).write_bytes(b"damaged")
    with pytest.raises(InputError) as found:
        pack_source(source, tmp_path / "ray", size=16, engine=RAY)
    assert "faces has 2 bad entries." in str(found.value)
    assert names()[2] in str(found.value)
    assert names()[9] in str(found.value)
    assert [path.name for path in tmp_path.iterdir()] == ["faces"]


@pytest.mark.usefixtures("ray_cluster")
def test_results_come_in_order_and_errors_as_they_are() -> None:
    def double(delay: float, part: int) -> int:
        time.sleep(delay / (1 + part))
        if part == 3:
            raise InputError("there is no fourth part")
        return 2 * part

    assert list(map_on_ray(double, 0.1, [0, 1, 2])) == [0, 2, 4]
    with pytest.raises(InputError, match=r"^there is no fourth part$"):
        list(map_on_ray(double, 0.1, [0, 3]))


class RayError(Exception):
    """Of a stand-in for Ray."""


class RayTaskError(RayError):
    """Holds what a task raised."""

    cause: Exception | None = None


class WorkerCrashedError(RayError):
    """A task's process died."""


class OutOfMemoryError(RayError):
    """A task's process was killed for its memory."""


class ObjectLostError(RayError):
    """One of the failures that have no branch of their own."""


@pytest.mark.parametrize(
    ("error", "expected", "message"),
    [
        (
            ObjectLostError("Object 12 is lost.\nIts owner died."),
            InputError,
            "^the Ray cluster failed with ObjectLostError: Object 12 is lost: see Ray's logs, and",
        ),
        (WorkerCrashedError("gone"), InputError, "^a Ray worker died 21 times"),
        (RayTaskError("a fault of ours"), RayTaskError, "^a fault of ours$"),
    ],
)
def test_failures_of_a_cluster_are_one_sentence(
    error: RayError, expected: type[Exception], message: str
) -> None:
    def get(_: object) -> None:
        raise error

    stand_in = ModuleType("ray")
    kinds = (RayError, RayTaskError, WorkerCrashedError, OutOfMemoryError)
    exceptions = SimpleNamespace(**{kind.__name__: kind for kind in kinds})
    vars(stand_in).update(get=get, exceptions=exceptions)
    with pytest.raises(expected, match=message):
        _result_of(stand_in, None)


def test_without_ray_a_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_folder(tmp_path / "faces", celeba_files())
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"--engine ray needs .* pip install .*\[ray\]"):
        pack_source(source, tmp_path / "ray", size=16, engine=RAY)
    assert not (tmp_path / "ray").exists()


def test_workers_of_this_machine_are_no_option_of_a_cluster() -> None:
    with pytest.raises(InputError, match="leave out --workers"):
        Engine("ray", workers=2)
