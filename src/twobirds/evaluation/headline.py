"""The figures that come first on the page, each with what to hold it against, in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Line:
    """One row of the headline table."""

    section: str
    """Task it belongs to."""
    name: str
    """What is measured."""
    path: str
    """Where the report has it, keys joined by dots."""
    form: str
    """How to write it: a format specification."""
    meaning: str
    """What it says and what is good."""
    references: tuple[tuple[str, str], ...] = ()
    """What to compare it with: words, and a path."""
    interval: str = ""
    """Path of its interval."""

    def show(self, value: float) -> str:
        """Write a figure of this row."""
        unit = " dB" if self.path.endswith("_db") else ""
        return f"{value:{self.form}}{unit}"


def figure_at(report: Mapping[str, Any], path: str) -> Any:
    """Look up a path of keys joined by dots; None where the report lacks it."""
    value: Any = report
    for key in path.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return None
        value = value[key]
    return value


_EDIT_REFERENCES = (
    ("floor: unedited faces", "editing.floor_rate"),
    ("ceiling: real faces", "editing.ceiling_rate"),
)

HEADLINE: tuple[Line, ...] = (
    Line(
        "Recognition", "Hamming loss", "recognition.hamming_loss", ".4f",
        "Share of all attribute predictions that are wrong; lower is better. Always guessing the "
        "more frequent value is the bar to clear.",
        (("majority guess", "recognition.majority_hamming_loss"),
         ("the judge", "judge.hamming_loss")),
    ),
    Line(
        "Recognition", "Balanced accuracy", "recognition.balanced_accuracy", ".1%",
        "Mean of the hit rates on faces with and without an attribute, so that rare attributes "
        "count in full. Guessing gets 50%.",
        (("the judge", "judge.balanced_accuracy"),),
    ),
    Line(
        "Recognition", "Mean average precision", "recognition.mean_average_precision", ".3f",
        "How well the probabilities rank faces by each attribute; 1 is perfect.",
        (("the judge", "judge.mean_average_precision"),),
    ),
    Line(
        "Reconstruction", "PSNR", "reconstruction.psnr_db", ".2f",
        "Closeness of latent-only reconstructions in pixels; higher is better, 3 dB more is half "
        "the squared error. Showing everyone the mean face is no reconstruction at all; 128 "
        "principal components are a strong linear rival.",
        (("mean face", "reconstruction.baselines_psnr_db.mean_face"),
         ("128 components", "reconstruction.baselines_psnr_db.pca_128"),
         ("an edit of nothing", "reconstruction.edit_path.psnr_db")),
    ),
    Line(
        "Reconstruction", "SSIM", "reconstruction.ssim", ".3f",
        "Closeness of local structure; 1 is identical.",
        (("an edit of nothing", "reconstruction.edit_path.ssim"),),
    ),
    Line(
        "Reconstruction", "Accepted as the same person", "reconstruction.identity.same_person_rate",
        ".1%",
        "Share of reconstructed faces that a face embedder takes for their source, at a threshold "
        "that one stranger in a thousand passes.",
        (("two photos of a person", "identity_calibration.tar"),
         ("strangers", "identity_calibration.far")),
    ),
    Line(
        "Editing", "Success, one attribute", "editing.success_rate", ".1%",
        "Share of edits on which an independent judge predicts the target, mean over all "
        "attributes, added and removed. It counts only above the floor, what the judge predicts "
        "without an edit; the ceiling is what it predicts on real faces that have the value.",
        _EDIT_REFERENCES, "editing.success_interval",
    ),
    Line(
        "Editing", "Success, ten most visible", "editing.most_visible.success_rate", ".1%",
        "The same for the ten attributes that change most of a drawn face.",
        (("floor: unedited faces", "editing.most_visible.floor_rate"),
         ("ceiling: real faces", "editing.most_visible.ceiling_rate")),
    ),
    Line(
        "Editing", "Success, those of AttGAN", "editing.attgan.success_rate", ".1%",
        "The same for the attributes by which AttGAN and STGAN are compared.",
        (("floor: unedited faces", "editing.attgan.floor_rate"),
         ("ceiling: real faces", "editing.attgan.ceiling_rate")),
    ),
    Line(
        "Editing", "Success by the second judge", "editing.second_judge.success_rate", ".1%",
        "The same for these, Smiling and Wearing Hat, by a network of another family that took "
        "part in no training but its own.",
        (("floor: unedited faces", "editing.second_judge.floor_rate"),
         ("ceiling: real faces", "editing.second_judge.ceiling_rate")),
        "editing.second_judge.success_interval",
    ),
    Line(
        "Editing", "Realism (AUC)", "editing.realism.auc", ".3f",
        "How well a classifier, trained for just that, tells edits that add an attribute from "
        "real faces that have it, on people that it was not trained on. 0.5 is as real as life, 1 "
        "gives itself away.",
        (("floor: real faces", "editing.realism.real_floor"),),
    ),
    Line(
        "Editing", "Prototypes beaten", "editing.prototype.num_beaten", "d",
        "Number of attributes of which edits succeed more often than adding an average "
        "difference (a linear regression) that is no easier to tell from real faces, and than "
        "making no edit.",
        (("attributes compared", "editing.prototype.num_attributes"),),
    ),
    Line(
        "Editing", "Success, six of these at once", "editing.attgan.several.6.success_rate", ".1%",
        "Share of the targets predicted when six of these are reversed together.",
        (("floor: unedited faces", "editing.attgan.several.6.floor_rate"),
         ("ceiling: real faces", "editing.attgan.several.6.ceiling_rate")),
        "editing.attgan.several.6.success_interval",
    ),
    Line(
        "Editing", "Success, three at once", "editing.several.3.success_rate", ".1%",
        "Share of the targets predicted when three attributes of a face are reversed together.",
        (("floor: unedited faces", "editing.several.3.floor_rate"),
         ("all three seen", "editing.several.3.all_rate")),
        "editing.several.3.success_interval",
    ),
    Line(
        "Editing", "Success, six at once", "editing.several.6.success_rate", ".1%",
        "The same for six.",
        (("floor: unedited faces", "editing.several.6.floor_rate"),
         ("all six seen", "editing.several.6.all_rate")),
        "editing.several.6.success_interval",
    ),
    Line(
        "Editing", "Drift", "editing.drift", ".3f",
        "How far an edit moves the judge's opinion (in logits) of attributes that were not "
        "edited, beyond what reconstruction does already; near 0 is good. A model that "
        "reconstructs badly has changed them before it edits: the second figure counts that too.",
        (("reconstruction included", "editing.drift_from_source"),),
    ),
    Line(
        "Editing", "Accepted as the same person", "editing.identity.same_person_rate", ".1%",
        "Share of edited faces that the embedder takes for their source.",
        (("reconstruction", "reconstruction.identity.same_person_rate"),
         ("two photos of a person", "identity_calibration.tar")),
    ),
    Line(
        "Editing", "PSNR against the true answer", "editing.counterfactual_psnr_db", ".2f",
        "Closeness of an edit to the same drawn person with that attribute switched. Doing "
        "nothing is far ahead by this measure where an attribute is small; the reconstruction "
        "without an edit is the fair rival.",
        (("reconstruction", "editing.reconstruction_psnr_db"),
         ("source unchanged", "editing.unedited_psnr_db")),
    ),
    Line(
        "Generation", "Fréchet distance", "generation.frechet_distance", ".2f",
        "Distance between generated and real faces in the judge's features; lower is better, the "
        "floor is what other real faces get. It compares only with figures from the same judge, "
        "and is not FID.",
        (("real faces", "generation.real_floor"),
         ("halves of the split", "generation.halves_floor")),
    ),
    Line(
        "Generation", "Attributes as asked", "generation.attribute_balanced_accuracy", ".1%",
        "How often the judge predicts what was asked for, present and absent with equal weight. "
        "Guessing gets 50%.",
        (("judge on real faces", "judge.balanced_accuracy"),),
    ),
    Line(
        "Generation", "Diversity", "generation.diversity", ".2f",
        "Mean distance between generated faces over that between real ones; 1 is as varied as the "
        "data, near 0 is one face over and over.",
    ),
    Line(
        "Generation", "Nearness to training faces", "generation.memorization.ratio", ".2f",
        "Distance of generated faces to their nearest training face, over that of other people's "
        "real faces; well below 1 speaks of faces learned by heart.",
    ),
)  # fmt: skip
"""In the order of the page."""
