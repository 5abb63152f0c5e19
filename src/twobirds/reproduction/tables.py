"""The tables of the report, each beside the paper's own figures."""

from twobirds.reproduction import changes, settings
from twobirds.reproduction.document import Table
from twobirds.reproduction.generation import METHODS as GENERATORS
from twobirds.reproduction.generation import GenerationResult
from twobirds.reproduction.paired import Estimate
from twobirds.reproduction.plan import OURS, SETTINGS, TITLES, setting_title
from twobirds.reproduction.recognition import CONTENDERS, RecognitionResult
from twobirds.reproduction.settings import SettingsResult
from twobirds.reproduction.timing import (
    NUM_IMAGES,
    PAPER_GENERATE_SECONDS,
    PAPER_RECONSTRUCT_SECONDS,
    PAPER_TRAINING_SECONDS,
    TimingResult,
)
from twobirds.reproduction.transformation import CYCLEGAN, TransformationResult
from twobirds.reproduction.verdicts import Claim

_PAPER_FIG4 = "The paper shows three bars without numbers, and says that ours is by far the lowest."
_PAPER_FIG5 = (
    ("0.8669", "0.8220", "0.8857", "0.5314"),
    ("0.7855", "0.9658", "0.7200", "0.6089"),
    ("0.8521", "0.7803", "0.6086", "0.5217"),
    ("0.9038", "0.9311", "0.7412", "0.7259"),
    ("0.7041", "0.8588", "0.6779", "0.4636"),
)
"""FaceNet distances under the five rows of the paper's Fig. 5, by setting in our order."""
_PAPER_FIG9 = (
    ("Bangs", "0.6749", "0.5520", "0.7432", "1.0794", "0.6066"),
    ("Eyeglasses", "0.4480", "0.5871", "1.2572", "0.5520", "0.5128"),
    ("Bald", "0.6112", "0.6069", "0.7831", "0.6928", "0.5434"),
)
"""FaceNet distances in the paper's Fig. 9: (a) two columns, (b) three."""
_PAPER_TABLE3 = (
    "1: Bald -1 0.0029, Bangs -1 0.0007, Black_Hair +1 0.8225, Blond_Hair -1 0.2986, Eyeglasses -1 "
    "0.0142, Male +1 0.8669, No_Beard +1 0.7255, Smiling +1 0.9526, Wavy_Hair +1 0.6279, Young +1 "
    "0.6206. 2: Attractive +1 0.7758, Bald -1 0.1826, Male -1 0.00269, Smiling +1 0.7352, "
    "Heavy_Makeup +1 0.5729, Wearing_Hat +1 0.7699, Young +1 0.8015. 3: Attractive -1 0.4629, Bald "
    "-1 0.6397 x, Eyeglasses +1 0.8214, Heavy_Makeup -1 0.7566 x, Male +1 0.3547 x."
)
"""The paper's Table 3, face by face: attribute, truth, what its model predicted."""
_INTERVAL_NOTE = (
    "In brackets the middle 95 % of means over people sampled with replacement; the faces of one "
    "person stay together, and a face of nobody known is a person of its own. Of generated faces "
    "the z are sampled."
)


def verdict_table(claims: list[Claim]) -> Table:
    """Every claim with its verdict."""
    rows = [
        (
            claim.section,
            claim.text,
            claim.measured,
            _show(claim.difference) if claim.difference else claim.reason,
            claim.verdict,
        )
        for claim in claims
    ]
    header = ("section", "the paper's claim", "measured", "difference", "verdict")
    return Table("Claims", header, rows, _INTERVAL_NOTE)


def recognition_table(result: RecognitionResult) -> Table:
    """Fig. 4 as numbers."""
    rows = []
    for name in CONTENDERS:
        scores = result.scores[name]
        difference = "" if name == OURS else _show(result.differences[name])
        balanced, precision = (
            f"{scores[key]:.3f}" if key in scores else ""
            for key in ("balanced_accuracy", "mean_average_precision")
        )
        rows.append(
            (
                TITLES[name],
                f"{scores['hamming_loss']:.4f}",
                _show(result.loss[name]),
                difference,
                balanced,
                precision,
            )
        )
    majority = result.scores[OURS]["majority_hamming_loss"]
    rows.append(("majority label", f"{majority:.4f}", "", "", "0.500", ""))
    header = (
        "model",
        "Hamming loss",
        "mean over people",
        "more than ours",
        "balanced accuracy",
        "average precision",
    )
    note = (
        f"{_PAPER_FIG4} The SVMs were fitted on {result.num_svm_faces:,} training faces; the "
        f"others saw all of them. {_INTERVAL_NOTE}"
    )
    return Table("Hamming loss (Fig. 4)", header, rows, note)


def single_table(result: RecognitionResult) -> Table:
    """Table 3."""
    rows = [
        (
            str(row["face"]),
            row["attribute"],
            f"{row['truth']:+d}",
            *(_prediction(row[name], row["truth"]) for name in CONTENDERS),
        )
        for row in result.shown
    ]
    header = ("face", "attribute", "truth", *(TITLES[name] for name in CONTENDERS))
    note = (
        "Predicted probabilities; x marks a wrong one. The first test faces in a random order that "
        f"the seed fixes. The paper's three faces: {_PAPER_TABLE3}"
    )
    return Table("Single predictions (Table 3)", header, rows, note)


def _prediction(probability: float, truth: int) -> str:
    wrong = (probability > 0.5) != (truth > 0)
    return f"{probability:.3f}{' x' if wrong else ''}"


def settings_table(result: SettingsResult) -> Table:
    """Fig. 5 as numbers."""
    names = {
        settings.PSNR: "PSNR, dB",
        settings.SSIM: "SSIM",
        settings.SHARPNESS: "sharpness, of the source's",
        settings.DISTANCE: "identity distance",
        settings.SAME_PERSON: "same person",
    }
    keys = [key for key in names if key in result.figures[OURS]]
    rows = [
        (setting_title(name), *(_show(result.figures[name][key]) for key in keys))
        for name in SETTINGS
    ]
    people = result.figures[OURS][settings.PSNR]
    note = f"{people.num_faces:,} faces of {people.num_people:,} people. {_INTERVAL_NOTE}"
    return Table("Reconstructed faces", ("loss", *(names[key] for key in keys)), rows, note)


def paper_fig5_table() -> Table:
    """What the paper has under its Fig. 5."""
    rows = [(f"row {i}", *row) for i, row in enumerate(_PAPER_FIG5, 1)]
    header = ("face", *(setting_title(name) for name in SETTINGS))
    note = "FaceNet distances of five hand-picked faces; another embedder has another scale."
    return Table("The paper's identity scores (its Fig. 5)", header, rows, note)


def paper_fig9_table() -> Table:
    """What the paper has under its Fig. 9."""
    header = ("change", "(a) CycleGAN", "(a) ours", "(b) CGAN", "(b) ACGAN", "(b) ours")
    note = "FaceNet distances of one hand-picked face each; another embedder has another scale."
    return Table("The paper's identity scores (its Fig. 9)", header, _PAPER_FIG9, note)


_CHANGE_COLUMNS = {
    changes.SUCCESS: "success",
    changes.FLOOR: "floor",
    changes.GAIN: "gain",
    changes.DRIFT: "drift of the others",
    changes.DISTANCE: "identity distance",
    changes.SAME_PERSON: "same person",
}


def transformation_table(result: TransformationResult) -> Table:
    """Fig. 9 (a) as numbers."""
    keys = [k for k in _CHANGE_COLUMNS if any(k in f for f in result.figures.values())]
    rows = [
        (
            f"{'+' if target else '-'} {attribute}",
            _method(method),
            f"{figures[changes.SUCCESS].num_faces}",
            *(_show(figures[key]) for key in keys),
        )
        for (attribute, target, method), figures in result.figures.items()
    ]
    header = ("change", "method", "faces", *(_CHANGE_COLUMNS[key] for key in keys))
    distances = ", ".join(f"{_method(m)} {d:.2f}" for m, d in result.frechet.items())
    note = (
        f"Fréchet distance of the {result.num_changed:,} changed faces from the test faces, on the "
        f"judge's features: {distances}. Each CycleGAN knows one attribute; its images stand in "
        "the time table, its channels in the configuration. "
        f"{_INTERVAL_NOTE}"
    )
    return Table("One attribute of real faces changed (Fig. 9 a)", header, rows, note)


def _method(method: str) -> str:
    return "CycleGAN" if method == CYCLEGAN else TITLES[method]


def frechet_table(result: GenerationResult) -> Table:
    """How far generated faces are from real ones."""
    rows = [(TITLES[name], f"{result.frechet[name]:.2f}") for name in GENERATORS]
    note = f"{result.num_fakes:,} faces with the attributes of test faces, on the judge's features."
    return Table("Fréchet distance of generated faces", ("model", "distance"), rows, note)


def generation_table(result: GenerationResult) -> Table:
    """Fig. 9 (b) as numbers."""
    keys = [k for k in _CHANGE_COLUMNS if any(k in f for f in result.figures.values())]
    rows = [
        (f"+ {attribute}", TITLES[method], *(_show(figures[key]) for key in keys))
        for (attribute, method), figures in result.figures.items()
    ]
    header = ("change", "model", *(_CHANGE_COLUMNS[key] for key in keys))
    return Table("One attribute added with z held (Fig. 9 b)", header, rows, _INTERVAL_NOTE)


def training_time_table(result: TimingResult, machine: str) -> Table:
    """Table 1, measured and extrapolated; `machine` says at which size and on what."""
    rows = [
        (
            time.name,
            f"{time.images:,}",
            f"{time.seconds:,.0f} s",
            f"{time.images_per_second:.1f}",
            *(f"{time.seconds_of_epochs(epochs) / 3600:,.1f} h" for epochs in (1, 10, 20, 50)),
        )
        for time in result.trainings
    ]
    paper = (f"{seconds / 3600:,.1f} h" for seconds in PAPER_TRAINING_SECONDS.values())
    rows.append(("the paper, 128 px, GTX 1070 Ti", "9,250,000", "600,030 s", "15.4", "", *paper))
    header = (
        "model",
        "images",
        "measured",
        "images/s",
        "extrapolated: 1 epoch",
        "10 epochs",
        "20 epochs",
        "50 epochs",
    )
    note = (
        "Measured is the wall clock of the whole training; an epoch is 185,000 images, and hours "
        "of epochs are extrapolated from the rate, but for the paper's. Ours, its three other "
        "losses and ACGAN count the stage 1 that they share. "
        f"Here: {machine}."
    )
    return Table("Training (Table 1)", header, rows, note)


def inference_table(times: TimingResult) -> Table:
    """Table 2."""
    rows = [
        ("reconstructed", f"{times.rebuild_seconds:.4f} s", f"{PAPER_RECONSTRUCT_SECONDS} s"),
        ("generated", f"{times.generate_seconds:.4f} s", f"{PAPER_GENERATE_SECONDS} s"),
    ]
    return Table(f"{NUM_IMAGES} faces (Table 2)", ("", "here", "the paper, 128 px"), rows)


def _show(figure: Estimate) -> str:
    """A mean with its interval, in as many digits as it takes."""
    low, high = figure.interval
    digits = 2 if max(abs(figure.mean), abs(high), abs(low)) >= 2 else 4
    return f"{figure.mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
