"""The claims point the right way: where ours is better in all, all hold; where worse, none does."""

import itertools

import pytest

from twobirds.reproduction import changes, settings
from twobirds.reproduction.generation import METHODS as GENERATORS
from twobirds.reproduction.generation import GenerationResult
from twobirds.reproduction.paired import Estimate
from twobirds.reproduction.plan import (
    ACGAN,
    CGAN,
    CNN,
    COMPARED_ATTRIBUTES,
    DCGAN,
    LATENT,
    OURS,
    PIXEL,
    PIXEL_LATENT,
    RECOGNIZER,
    RESNET,
    SETTINGS,
)
from twobirds.reproduction.recognition import RecognitionResult
from twobirds.reproduction.settings import SettingsResult
from twobirds.reproduction.transformation import METHODS, TransformationResult
from twobirds.reproduction.verdicts import Claim, Results, judge_claims

OTHERS = (PIXEL, LATENT, PIXEL_LATENT)
CHANGES = tuple(itertools.product(COMPARED_ATTRIBUTES, (1, 0)))


def about(mean: float, num_people: int = 50) -> Estimate:
    """A figure that is surely what it is."""
    return Estimate(mean, (mean - 0.01, mean + 0.01), 100, num_people)


def make_results(better: float, *, gain: float = 0.5, same_person: float = 0.9) -> Results:
    """Results in which ours is better (or worse) by an amount in everything.

    What is good when large differs by `better`, what is good when small by its negative; `gain` is
    what every method's edits show, `same_person` the rate of ours, of which the others have little.
    """
    recognition = RecognitionResult(
        scores={},
        loss={},
        differences={name: about(better) for name in (DCGAN, CNN, RECOGNIZER, RESNET)},
        shown=[],
        num_svm_faces=1,
    )
    rates = dict.fromkeys(OTHERS, about(0.1)) | {OURS: about(same_person)}
    loss_settings = SettingsResult(
        reconstructed={},
        figures={name: {settings.SAME_PERSON: rates[name]} for name in SETTINGS},
        distances={},
        differences={
            key: dict.fromkeys(OTHERS, about(better)) for key in (settings.DISTANCE, settings.SSIM)
        },
        sharper=about(better),
    )
    transformation = TransformationResult(
        figures={(a, t, m): {changes.GAIN: about(gain)} for a, t in CHANGES for m in METHODS},
        differences={
            change: {changes.GAIN: about(better), changes.DRIFT: about(-better)}
            for change in CHANGES
        },
        frechet={},
        num_changed=0,
    )
    generation = GenerationResult(
        figures={},
        gains=dict.fromkeys(GENERATORS, about(gain)),
        differences={(changes.DISTANCE, other): about(-better) for other in (CGAN, ACGAN)},
        frechet={},
        frechet_differences={
            pair: about(better) for pair in ((CGAN, OURS), (ACGAN, OURS), (CGAN, ACGAN))
        },
        num_fakes=0,
    )
    return Results(recognition, loss_settings, transformation, generation)


def verdicts(claims: list[Claim]) -> dict[str, str]:
    """Verdict by text of the claim."""
    found = {claim.text: claim.verdict for claim in claims}
    assert len(found) == len(claims)
    return found


def test_where_ours_is_better_every_claim_holds() -> None:
    assert set(verdicts(judge_claims(make_results(0.3), {})).values()) == {"holds"}


def test_where_ours_is_worse_no_comparison_holds() -> None:
    found = verdicts(judge_claims(make_results(-0.3, same_person=0.1), {}))
    still_true = {text for text, verdict in found.items() if verdict == "holds"}
    assert still_true == {
        f"with {title} the person is lost"
        for title in ("pixel loss", "z loss", "z loss + pixel loss")
    }
    assert set(found.values()) == {"holds", "does not hold"}


def test_to_change_nothing_is_no_merit() -> None:
    claims = judge_claims(make_results(0.3, gain=0.0), {})
    idle = [claim for claim in claims if " nothing" in claim.reason]
    assert {claim.verdict for claim in idle} == {"not decided"}
    assert {claim.section for claim in idle} == {"5.3.4", "5.3.6"}
    assert len(idle) == 2 * len(CHANGES) + 2
    assert idle[-1].reason == "ACGAN and iterative GAN change nothing"


def test_ahead_of_one_that_does_harm_is_not_ahead() -> None:
    """Where ours changes nothing, it is no better than a CycleGAN that makes it worse."""
    results = make_results(0.3)
    for attribute, target in CHANGES:
        results.transformation.figures[attribute, target, OURS][changes.GAIN] = about(0.0)
    found = {c.text: c for c in judge_claims(results, {}) if "where CycleGAN fails" in c.text}
    assert len(found) == len(CHANGES)
    assert {c.reason for c in found.values()} == {"iterative GAN changes nothing"}


def test_what_could_not_be_measured_is_said() -> None:
    results = make_results(0.3)
    for figures in results.settings.figures.values():
        figures.clear()
    del results.settings.differences[settings.DISTANCE]
    results.generation.differences.clear()
    for change in CHANGES[:2]:
        del results.transformation.differences[change]
    claims = judge_claims(results, {"identity": "no face embedder was named"})
    open_claims = [claim for claim in claims if claim.verdict == "not decided"]
    assert all(claim.reason for claim in open_claims)
    reasons = [claim.reason for claim in open_claims]
    assert reasons.count("no face embedder was named") == 3 + 1 + 3 + 2
    assert sum("Bangs" in claim.text for claim in open_claims) == 4
    assert len(open_claims) == 9 + 4


@pytest.mark.parametrize("num_people", [19, 20])
def test_few_people_decide_nothing(num_people: int) -> None:
    results = make_results(0.3)
    results.recognition.differences[CNN] = about(0.3, num_people)
    (claim,) = [c for c in judge_claims(results, {}) if "convolutional network" in c.text]
    assert (claim.verdict == "holds") == (num_people >= 20)
