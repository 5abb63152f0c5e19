"""The two forms of a report."""

from pathlib import Path

import numpy as np
from PIL import Image

from twobirds.recipes.baselines.config import CycleGANConfig
from twobirds.recipes.paper.config import PaperConfig
from twobirds.reproduction.document import (
    Document,
    Picture,
    Section,
    Table,
    to_html,
    to_markdown,
)
from twobirds.reproduction.plan import find_budget, recipe, stage1_images
from twobirds.reproduction.settings import sharpness


def make_document(folder: Path) -> Document:
    """One table with awkward text, one picture."""
    Image.new("RGB", (4, 4)).save(folder / "a.png")
    table = Table("Numbers", ("a|b", "verdict"), [("<i>", "holds")], "Note.")
    picture = Picture("A picture", folder / "a.png", "What it shows.")
    return Document("Title", "Opening.", [Section("First", "Text.", [table], [picture])])


def test_markdown(tmp_path: Path) -> None:
    text = to_markdown(make_document(tmp_path), folder=tmp_path)
    assert "| a\\|b | verdict |\n| --- | --- |\n| <i> | holds |" in text
    assert "![A picture](a.png)" in text
    assert "](a.png)" not in to_markdown(make_document(tmp_path), folder=None)


def test_html_escapes_and_embeds(tmp_path: Path) -> None:
    page = to_html(make_document(tmp_path))
    assert "&lt;i&gt;" in page
    assert '<td class="holds">holds</td>' in page
    assert 'src="data:image/png;base64,' in page


def test_a_budget_counts_stage_1_in() -> None:
    budget = find_budget("150,000")
    assert budget.images == 150_000
    ours = recipe("ours", budget, size=64, seed=0)
    assert isinstance(ours.recipe, PaperConfig)
    stage1 = round(ours.train.images * ours.recipe.stage1_share)
    assert stage1 == stage1_images(budget) == 15_008
    assert stage1_images(budget) % budget.batch_size == 0
    assert recipe("stage1", budget, size=64, seed=0).train.images == 15_008
    cycle = recipe("cyclegan-Bald", budget, size=64, seed=0)
    assert isinstance(cycle.recipe, CycleGANConfig)
    assert (cycle.recipe.attribute, cycle.train.batch_size) == ("Bald", 2)


def test_sharpness_is_the_mean_step_between_neighbours() -> None:
    flat = np.full((4, 4, 3), 9, np.uint8)
    stripes = np.tile(np.array([0, 10], np.uint8)[None, :, None], (4, 2, 3))
    assert sharpness(np.stack([flat, stripes])).tolist() == [0.0, 5.0]
