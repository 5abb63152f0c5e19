"""What importing the package needs, and what it costs."""

import json
import pkgutil
import subprocess
import sys
from typing import Any

import twobirds

EXTRAS = (
    "jinja2",
    "onnxruntime",
    "pyarrow",
    "scipy",
    "cv2",
    "gradio",
    "skimage",
    "sklearn",
    "tensorboard",
    "torchmetrics",
)
SCRIPT = """
import importlib, json, sys, time
import torch
for name in {blocked!r}:
    assert name not in sys.modules, f"torch imports {{name}}"
    sys.modules[name] = None  # `import name` raises ModuleNotFoundError from here on
started = time.process_time()
import twobirds
seconds = time.process_time() - started
for name in {modules!r}:
    importlib.import_module(name)
print(json.dumps({{"seconds": seconds, "modules": sorted(sys.modules)}}))
"""


def all_modules() -> list[str]:
    found = pkgutil.walk_packages(twobirds.__path__, "twobirds.")
    return sorted(module.name for module in found)


def run_script(modules: list[str], blocked: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    script = SCRIPT.format(modules=modules, blocked=blocked)
    return subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )


def import_in_subprocess(modules: list[str], blocked: tuple[str, ...]) -> dict[str, Any]:
    done = run_script(modules, blocked)
    assert done.returncode == 0, done.stderr
    loaded: dict[str, Any] = json.loads(done.stdout)
    return loaded


def test_every_module_is_found() -> None:
    names = all_modules()
    assert {"twobirds.config", "twobirds.recipes.paper.generator", "twobirds.evaluation"} <= set(
        names
    )


def test_every_module_imports_without_torchvision() -> None:
    modules = all_modules()
    loaded = import_in_subprocess(modules, ("torchvision",))
    assert set(modules) <= set(loaded["modules"])


def test_extras_are_needed_by_what_they_are_for_alone() -> None:
    with_extras = tuple(
        f"twobirds.{name}" for name in ("evaluation.", "reproduction.", "photos", "apps.web")
    )
    modules = [m for m in all_modules() if not m.startswith(with_extras)]
    loaded = import_in_subprocess(modules, ("torchvision", *EXTRAS))
    assert set(modules) <= set(loaded["modules"])


def test_import_adds_little_to_that_of_torch() -> None:
    loaded = import_in_subprocess([], ())
    assert loaded["seconds"] < 1.0  # of processor time


def test_a_blocked_module_does_not_import() -> None:
    done = run_script(["json.decoder", "torchvision"], ("torchvision",))
    assert done.returncode == 1
    assert "ModuleNotFoundError: import of torchvision halted" in done.stderr
