"""The wheel as a user gets it: installed without extras, used from another folder."""

import os
import subprocess
import venv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import twobirds
from apps.tiny_run import TINY_RUN

pytestmark = [pytest.mark.wheel, pytest.mark.timeout(1200)]
REPOSITORY = Path(__file__).parent.parent
WHEEL = REPOSITORY / f"dist/twobirds_faces-{twobirds.__version__}-py3-none-any.whl"
SHORT_RUN = [word for word in TINY_RUN if not word.startswith("--size")]


def outside() -> dict[str, str]:
    """The environment without what leads back to the checkout."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that holds the wheel and what it depends on, nothing else."""
    assert WHEEL.is_file(), "make wheel builds it"
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=True)
    python = folder / "bin/python"
    pins = ["--constraint", str(REPOSITORY / "constraints.txt")]
    install = [python, "-m", "pip", "install", "--quiet", "--no-compile", *pins, WHEEL]
    subprocess.run(install, check=True, env=outside())
    return python


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder far from the checkout, with a photo."""
    folder = tmp_path_factory.mktemp("elsewhere")
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(folder / "photo.png")
    (folder / "network.onnx").write_bytes(b"")
    (folder / "faces.parquet").write_bytes(b"PAR1")
    return folder


def run(python: Path, workplace: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command in the folder."""
    return subprocess.run(
        [python.parent / "twobirds", *words],
        check=False,
        capture_output=True,
        text=True,
        cwd=workplace,
        env=outside() | {"HF_HUB_OFFLINE": "1"},
    )


def test_it_holds_the_package_alone(python: Path, workplace: Path) -> None:
    script = (
        "import importlib.metadata as m, twobirds;"
        "print(m.version('twobirds-faces'), twobirds.__version__, twobirds.__file__);"
        "print({str(f).split('/')[0] for f in m.files('twobirds-faces')})"
    )
    done = subprocess.run(
        [python, "-c", script],
        cwd=workplace,
        capture_output=True,
        text=True,
        check=True,
        env=outside(),
    )
    first, second = done.stdout.splitlines()
    assert first.startswith(f"{twobirds.__version__} {twobirds.__version__} {python.parents[1]}")
    assert "tests" not in second
    assert str(REPOSITORY) not in done.stdout


def test_what_needs_no_extra_works(python: Path, workplace: Path) -> None:
    aligned = ["photo.png", "--aligned"]
    for words in (
        ["--version"],
        ["--help"],
        ["draw", "faces", "--count=96", "--size=32", "--workers=1"],
        ["pack", "faces", "pack", "--size=32", "--workers=1"],
        ["train", "tiny", "--data=pack", "--out=run", "--size=32", *SHORT_RUN],
        ["export", "run", "model", "--half"],
        ["check", "pack", "run", "model"],
        ["recognize", *aligned, "--model=model"],
        ["recognize", *aligned],
        ["reconstruct", *aligned, "--out=reconstructed.png"],
        ["edit", *aligned, "--set", "Smiling=1", "--out=edited.png"],
        ["generate", "--count=2", "--describe", "a bald man", "--out=grid.png"],
        ["generate", "--count=2", "--model=drawn64", "--out=drawn.png"],
    ):
        done = run(python, workplace, *words)
        assert done.returncode == 0, (words, done.stderr)
    made = ("model/README.md", "reconstructed.png", "edited.png", "grid.png", "drawn.png")
    assert [name for name in made if not (workplace / name).is_file()] == []


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("photos", "recognize photo.png"),
        ("photos", "reconstruct photo.png"),
        ("photos", "edit photo.png --set Smiling=1"),
        ("app", "app"),
        ("evaluate", "evaluate drawn64 --data pack"),
        ("evaluate", "reproduce --data pack"),
        (
            "evaluate",
            "edit photo.png --aligned --set Smiling=1 --until 0.9 "
            "--max-identity-distance 1.2 --embedder network.onnx",
        ),
        ("parquet", "pack faces.parquet packed"),
        ("onnx", "train paper --data pack --out run2 --size 32 --feature-network network.onnx"),
    ],
)
def test_what_an_extra_is_missing_is_said_in_one_sentence(
    python: Path, workplace: Path, extra: str, words: str
) -> None:
    """Runs after the test above, which makes the pack."""
    done = run(python, workplace, *words.split())
    assert done.returncode == 2, done.stderr
    assert f"pip install 'twobirds-faces[{extra}]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
