"""Content Credentials: signed, read by C2PA's own library, and never dropped in silence."""

import io
import json
import socket
import sys
from pathlib import Path
from typing import Any

import c2pa
import pytest

from photos.making_certificates import write_certificate
from photos.making_photos import PlacedFaces, encoded, noise
from twobirds.api import FaceModel
from twobirds.errors import InputError, InputWarning
from twobirds.photos import EditRequest, Marks, PhotoSession
from twobirds.photos.credentials import CredentialSigner, has_credentials

REQUEST = EditRequest({"Bald": 1.0})
MIME = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "HEIF": "image/heic"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_certificate(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def signer(files: tuple[Path, Path]) -> CredentialSigner:
    return CredentialSigner.load(*files)


@pytest.fixture
def session(tiny_model: FaceModel) -> PhotoSession:
    for weights in tiny_model.networks.generator.parameters():
        weights.mul_(8)  # untrained, its faces are all grey
    return PhotoSession(tiny_model, PlacedFaces((20, 20, 60)))


def manifests(content: bytes, mime: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The report of C2PA's library, and the manifest of the file itself."""
    reader = c2pa.Reader(mime, io.BytesIO(content))
    assert reader.get_validation_state() == "Valid"  # though nobody trusts the test's authority
    report = json.loads(reader.json())
    return report, report["manifests"][report["active_manifest"]]


@pytest.mark.parametrize("file_format", MIME)
def test_a_manifest_says_which_model_did_what(
    session: PhotoSession, signer: CredentialSigner, file_format: str
) -> None:
    if file_format == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    photo = encoded(noise(100, 110), file_format)
    marks = Marks("edited", REQUEST.details, signer=signer)
    content = session.edit(photo, REQUEST, marks=marks)
    assert has_credentials(content)
    assert not has_credentials(photo)
    report, manifest = manifests(content, MIME[file_format])
    [actions] = [a["data"]["actions"] for a in manifest["assertions"] if "actions" in a["label"]]
    assert [action["action"] for action in actions] == ["c2pa.opened", "c2pa.edited"]
    assert actions[1]["digitalSourceType"].endswith("/compositeWithTrainedAlgorithmicMedia")
    assert session.model.weights_sha256[:12] in actions[1]["softwareAgent"]["name"]
    assert "Bald=1" in actions[1]["description"]
    assert manifest["ingredients"][0]["relationship"] == "parentOf"
    assert "thumbnail" not in json.dumps(report)  # it would show the photo as it was


def test_credentials_of_the_photo_are_kept_or_missed_aloud(
    session: PhotoSession, signer: CredentialSigner
) -> None:
    marks = Marks("edited", REQUEST.details, signer=signer)
    first = session.edit(encoded(noise(100, 110), "JPEG"), REQUEST, marks=marks)
    second = session.edit(first, EditRequest({"Bangs": 1.0}), marks=marks)
    report, manifest = manifests(second, "image/jpeg")
    assert len(report["manifests"]) == 2
    earlier = report["manifests"][manifest["ingredients"][0]["active_manifest"]]
    assert "Bald=1" in json.dumps(earlier["assertions"])
    with pytest.warns(InputWarning, match=r"Content Credentials \(C2PA\) are not kept"):
        third = session.edit(second, REQUEST)
    assert not has_credentials(third)


def test_an_address_that_a_photo_names_is_not_visited(
    session: PhotoSession, signer: CredentialSigner
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        named = f'dcterms:provenance="http://127.0.0.1:{port}/manifest.c2pa"'
        xmp = (
            '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
            'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
            f'rdf:about="" xmlns:dcterms="http://purl.org/dc/terms/" {named}/></rdf:RDF>'
            "</x:xmpmeta>"
        )
        photo = encoded(noise(100, 110), "JPEG", xmp=xmp.encode())
        marks = Marks("edited", REQUEST.details, signer=signer)
        content = session.edit(photo, REQUEST, marks=marks)
        with pytest.raises(TimeoutError):
            server.accept()
    assert manifests(content, "image/jpeg")[1]["ingredients"][0]["relationship"] == "parentOf"


def test_the_private_key_is_not_shown(signer: CredentialSigner) -> None:
    assert "PRIVATE KEY" not in repr(signer)


def test_what_cannot_be_signed_is_refused(
    session: PhotoSession,
    signer: CredentialSigner,
    files: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    marks = Marks("edited", REQUEST.details, signer=signer)
    with pytest.raises(InputError, match="BMP has no place for Content Credentials"):
        session.edit(encoded(noise(100, 110), "BMP"), REQUEST, marks=marks)
    certificate, key = files
    other = write_certificate(tmp_path)
    with pytest.raises(InputError, match="cannot be signed"):
        CredentialSigner.load(certificate, other[1])
    with pytest.raises(InputError, match="certificate and key make no signature"):
        CredentialSigner.load(certificate, certificate)
    with pytest.raises(InputError, match=r"none\.pem: cannot be read"):
        CredentialSigner.load(tmp_path / "none.pem", key)
    monkeypatch.setitem(sys.modules, "c2pa", None)
    with pytest.raises(InputError, match=r"pip install 'twobirds-faces\[provenance\]'"):
        CredentialSigner.load(certificate, key)
