"""Which detector looks for faces: YuNet where its file can be had, else the bundled cascade."""

from pathlib import Path

from twobirds.errors import InputError
from twobirds.photos.cascade import FrontalCascade
from twobirds.photos.faces import Detector
from twobirds.photos.yunet import YuNet, download_yunet


def find_detector(path: Path | None = None) -> tuple[Detector, str | None]:
    """Open a detector.

    Args:
        path: A YuNet file; None takes that in the user's cache, downloads it once, or falls back
            on scikit-image's cascade.

    Returns:
        The detector; and a line to tell the user where it is the fallback.

    Raises:
        InputError: If a file was named and is no YuNet network.
    """
    if path is not None:
        return YuNet(path), None
    try:
        return YuNet(download_yunet()), None
    except InputError as error:
        line = (
            f"{error}; {FrontalCascade.name} looks for faces instead: frontal ones only, and less "
            "exactly, so that edits come out worse (--detector names a YuNet file)"
        )
        return FrontalCascade(), line
