"""Every claim of Sec. 5.3.1, 5.3.2, 5.3.4 and 5.3.6 of the paper, and whether it holds here."""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from twobirds.reproduction import changes, settings
from twobirds.reproduction.generation import GenerationResult
from twobirds.reproduction.paired import Estimate, Verdict, decide
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
    TITLES,
)
from twobirds.reproduction.recognition import RecognitionResult
from twobirds.reproduction.settings import SettingsResult
from twobirds.reproduction.transformation import METHODS, TransformationResult

_OTHER_SETTINGS = (PIXEL, LATENT, PIXEL_LATENT)
_EVEN = 0.5  # a face that passes for the same person less often than not has lost it


@dataclass(frozen=True)
class Claim:
    """One claim as a difference that lies above 0 if it is true."""

    section: str
    """Where the paper makes it."""
    text: str
    """The claim, paraphrased from the paper."""
    measured: str
    """What the difference is of."""
    difference: Estimate | None
    """None where it could not be measured."""
    reason: str = ""
    """Why not."""

    @property
    def verdict(self) -> Verdict:
        """Whether it holds at this budget."""
        return "not decided" if self.difference is None else decide(self.difference)


@dataclass(frozen=True)
class Results:
    """The four experiments that the claims are about."""

    recognition: RecognitionResult
    settings: SettingsResult
    transformation: TransformationResult
    generation: GenerationResult


def judge_claims(results: Results, absent: dict[str, str]) -> list[Claim]:
    """Hold every claim against the figures.

    Args:
        results: What was measured.
        absent: Why identity could not be, if it could not.
    """
    no_identity = absent.get("identity", "no face could be compared")
    claims = [
        *_recognition_claims(results.recognition),
        *_setting_claims(results.settings),
        *_transformation_claims(results.transformation),
        *_generation_claims(results.generation),
    ]
    return [
        claim
        if claim.difference is not None
        else dataclasses.replace(claim, reason=claim.reason or no_identity)
        for claim in claims
    ]


def _recognition_claims(result: RecognitionResult) -> Iterator[Claim]:
    for name, text in (
        (DCGAN, "it recognizes attributes better than DCGAN's features with linear SVMs"),
        (CNN, "it recognizes attributes better than a convolutional network"),
        (
            RECOGNIZER,
            "to generate and reconstruct faces as well makes it recognize attributes better",
        ),
    ):
        measured = f"Hamming loss of {TITLES[name]} less ours"
        yield Claim("5.3.1", text, measured, result.differences[name])


def _setting_claims(result: SettingsResult) -> Iterator[Claim]:
    text = "the pixel loss alone reconstructs blurrier faces than the z loss alone"
    yield Claim("5.3.2", text, "sharpness of z loss less that of pixel loss", result.sharper)
    for name in _OTHER_SETTINGS:
        rate = result.figures[name].get(settings.SAME_PERSON)
        text = f"with {TITLES[name]} the person is lost"
        measured = "one half less the rate of faces that pass for the same person"
        yield Claim("5.3.2", text, measured, None if rate is None else _below(rate, _EVEN))
    rate = result.figures[OURS].get(settings.SAME_PERSON)
    measured = "rate of faces that pass for the same person, less one half"
    above = None if rate is None else _negated(_below(rate, _EVEN))
    yield Claim("5.3.2", "the integrated loss keeps the person", measured, above)
    for name in _OTHER_SETTINGS:
        text = f"the integrated loss keeps the person better than {TITLES[name]}"
        measured = f"identity distance of {TITLES[name]} less that of the integrated loss"
        difference = result.differences.get(settings.DISTANCE, {}).get(name)
        yield Claim("5.3.2", text, measured, difference)
    for name in _OTHER_SETTINGS:
        text = f"the integrated loss reconstructs faces of higher quality than {TITLES[name]}"
        measured = f"SSIM of the integrated loss less that of {TITLES[name]}"
        yield Claim("5.3.2", text, measured, result.differences[settings.SSIM][name])


def _transformation_claims(result: TransformationResult) -> Iterator[Claim]:
    missing = "the pack cannot teach it, or no test face can be changed so"
    for attribute, target in itertools.product(COMPARED_ATTRIBUTES, (1, 0)):
        verb = "adds" if target else "removes"
        figures = result.differences.get((attribute, target), {})
        text = f"it {verb} {attribute} where CycleGAN fails"
        measured = "success above the floor, ours less CycleGAN's"
        gains = {
            _method_name(method): result.figures[attribute, target, method][changes.GAIN]
            for method in METHODS
            if figures
        }
        ahead = figures.get(changes.GAIN)
        reason = "" if ahead else missing
        if ahead is not None and ahead.mean > 0:  # of a method that does harm
            reason = _idle({TITLES[OURS]: gains[TITLES[OURS]]})
        yield Claim("5.3.4", text, measured, None if reason else ahead, reason)
        text = f"it {verb} {attribute} and keeps the other attributes better than CycleGAN"
        measured = "change of the other attributes' logits, CycleGAN's less ours"
        drift = figures.get(changes.DRIFT)
        reason = _idle(gains) or ("" if drift else missing)
        difference = None if reason or drift is None else _negated(drift)
        yield Claim("5.3.4", text, measured, difference, reason)


def _generation_claims(result: GenerationResult) -> Iterator[Claim]:
    for first, second, text in (
        (CGAN, OURS, "its faces are better than CGAN's"),
        (ACGAN, OURS, "its faces are better than ACGAN's"),
        (CGAN, ACGAN, "ACGAN's faces are better than CGAN's"),
    ):
        measured = f"Fréchet distance of {TITLES[first]} less that of {TITLES[second]}"
        yield Claim("5.3.6", text, measured, result.frechet_differences[first, second])
    for other in (CGAN, ACGAN):
        text = f"it keeps the person better than {TITLES[other]} when an attribute changes"
        measured = f"identity distance of before and after, {TITLES[other]} less ours"
        gains = {TITLES[m]: gain for m, gain in result.gains.items() if m in (OURS, other)}
        reason = _idle(gains)
        distance = result.differences.get((changes.DISTANCE, other))
        difference = None if reason or distance is None else _negated(distance)
        yield Claim("5.3.6", text, measured, difference, reason)


def _idle(gains: Mapping[str, Estimate]) -> str:
    """Methods whose success is not above the floor, which are not compared in what they keep."""
    idle = [name for name, gain in gains.items() if gain.interval[0] <= 0]
    return (
        f"{' and '.join(idle)} {'changes' if len(idle) == 1 else 'change'} nothing" if idle else ""
    )


def _method_name(method: str) -> str:
    return TITLES.get(method, "CycleGAN")


def _negated(difference: Estimate) -> Estimate:
    low, high = difference.interval
    return dataclasses.replace(difference, mean=-difference.mean, interval=(-high, -low))


def _below(rate: Estimate, bound: float) -> Estimate:
    low, high = rate.interval
    return dataclasses.replace(rate, mean=bound - rate.mean, interval=(bound - high, bound - low))
