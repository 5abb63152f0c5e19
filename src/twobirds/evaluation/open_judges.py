"""Opening the judging networks of an evaluation, training those that are not there yet."""

from pathlib import Path

from twobirds.errors import InputError
from twobirds.evaluation.feature_network import FeatureNetwork, load_feature_network
from twobirds.evaluation.judge_training import train_or_load_judge
from twobirds.evaluation.judges import Judges
from twobirds.evaluation.run import Evaluation
from twobirds.evaluation.second_judge import SecondJudge, load_or_train_second_judge


def open_judges(run: Evaluation, judge_path: Path, second_judge_path: Path | None) -> Judges:
    """Load the judging networks, or train them.

    The judge is needed for the others to have anything to do; what can be done without is noted as
    absent.

    Args:
        run: The evaluation.
        judge_path: The judge's file.
        second_judge_path: That of the second judge; None does without.

    Raises:
        InputError: If a file is damaged or another pack's, or a second judge is asked for and the
            package with its weights is not installed.
    """
    judge = train_or_load_judge(
        run.pack, judge_path, run.model, images=run.config.judge_images, progress=run.progress
    )
    feature_network = _open_feature_network(run, is_needed=second_judge_path is not None)
    second_judge = None
    if feature_network is not None and second_judge_path is not None:
        second_judge = _open_second_judge(run, second_judge_path, feature_network)
    elif "editing.second_judge" not in run.absent:
        run.absent["editing.second_judge"] = "no file for a second judge was named"
    return Judges(judge, feature_network, second_judge)


def _open_feature_network(run: Evaluation, *, is_needed: bool) -> FeatureNetwork | None:
    """The feature network; None where its package is not installed and nobody asked for it."""
    try:
        return load_feature_network(run.model.device)
    except InputError as error:
        if is_needed or run.config.compares_prototype:
            raise
        for key in ("editing.realism", "editing.second_judge"):
            run.absent[key] = str(error)
        return None


def _open_second_judge(run: Evaluation, path: Path, trunk: FeatureNetwork) -> SecondJudge:
    """The second judge, trained if its file is absent."""
    return load_or_train_second_judge(
        run.pack,
        path,
        run.model,
        trunk,
        images=run.config.second_judge_images,
        progress=run.progress,
    )
