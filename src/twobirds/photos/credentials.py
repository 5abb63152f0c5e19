"""Content Credentials (C2PA): signed statements in a photo's file about where it is from."""

import io
import warnings
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL import Image

from twobirds import __version__
from twobirds.data.provenance import Provenance
from twobirds.errors import InputError, InputWarning, missing_extra

_LABEL = b"c2pa" + bytes.fromhex("00110010800000aa00389b71")
"""The type of a C2PA manifest store in its JUMBF box (C2PA specification, 11.1.4.2)."""
_MIME_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "HEIF": "image/heic",
}
_ALGORITHMS = ("es256", "es384", "es512", "ps256", "ed25519")
_SETTINGS = {
    "builder": {"thumbnail": {"enabled": False}},
    # A photo can name an address of its credentials: whoever made it would have it visited.
    "verify": {"remote_manifest_fetch": False},
}


def has_credentials(data: bytes) -> bool:
    """Whether a photo's file holds Content Credentials; their signature is not checked."""
    return _LABEL in data


def warn_of_credentials(data: bytes, signer: "CredentialSigner | None") -> None:
    """Warn where a photo's Content Credentials will be lost."""
    if signer is None and has_credentials(data):
        warnings.warn(
            "the photo's Content Credentials (C2PA) are not kept without a signer",
            InputWarning,
            stacklevel=3,
        )


@dataclass(frozen=True)
class CredentialSigner:
    """Signs what is said of an edit.

    Raises:
        InputError: When first used, if the package c2pa is absent, or certificate and key do not
            make a signature.
    """

    certificate: bytes
    """PEM: the signer's certificate and those above it."""
    key: bytes = field(repr=False)
    """PEM: its private key, PKCS 8."""

    @classmethod
    def load(cls, certificate: Path, key: Path) -> "CredentialSigner":
        """Read both from files, and try them.

        Raises:
            InputError: As when first used, or if a file cannot be read.
        """
        try:
            signer = cls(certificate.read_bytes(), key.read_bytes())
        except OSError as error:
            raise InputError(f"{error.filename}: cannot be read: {error.strerror}") from error
        picture = io.BytesIO()
        Image.new("RGB", (16, 16)).save(picture, format="PNG")
        content = picture.getvalue()
        signer.signed(content, "PNG", (content, "PNG"), Provenance("edited", "a trial"))
        return signer

    def signed(
        self, content: bytes, file_format: str, source: tuple[bytes, str], provenance: Provenance
    ) -> bytes:
        """A file with a manifest that says which model did what to which photo.

        The photo is its ingredient, with the manifest that it has itself. There is no thumbnail of
        it, which would show the photo as it was. Nothing is fetched from the network.

        Args:
            content: The edited photo.
            file_format: Pillow's name of its format.
            source: The photo as it was, and its format.
            provenance: Of the edit.

        Raises:
            InputError: If the format has no place for it, or C2PA's library does not sign.
        """
        signer = self._signer
        import c2pa

        if file_format not in _MIME_TYPES:
            raise InputError(
                f"{file_format} has no place for Content Credentials: choose a name that ends in "
                ".jpg or .png"
            )
        context = c2pa.Context(c2pa.Settings.from_dict(_SETTINGS))
        builder = c2pa.Builder(_manifest(provenance), context)
        builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
        data, source_format = source
        result = io.BytesIO()
        try:
            if source_format in _MIME_TYPES:
                ingredient = {"title": "photo", "relationship": "parentOf"}
                builder.add_ingredient(ingredient, _MIME_TYPES[source_format], io.BytesIO(data))
            builder.sign(signer, _MIME_TYPES[file_format], io.BytesIO(content), result)
        except c2pa.C2paError as error:
            raise InputError(f"cannot be signed: {_in_a_line(error)}") from error
        return result.getvalue()

    @cached_property
    def _signer(self) -> Any:
        try:
            import c2pa
        except ModuleNotFoundError as error:
            raise missing_extra("Content Credentials need", "provenance", error) from error
        reasons = []
        for algorithm in _ALGORITHMS:  # the key's kind decides; the others are refused
            info = c2pa.C2paSignerInfo(algorithm.encode(), self.certificate, self.key, None)
            try:
                return c2pa.Signer.from_info(info)
            except c2pa.C2paError as error:
                reasons.append(_in_a_line(error))
        raise InputError(f"certificate and key make no signature: {reasons[0]}")


def _manifest(provenance: Provenance) -> dict[str, Any]:
    """What is signed, as the package c2pa takes it."""
    edited = {
        "action": "c2pa.edited",
        "digitalSourceType": provenance.source_type,
        "softwareAgent": {"name": f"TwoBirds, model {provenance.model}", "version": __version__},
        "description": provenance.sentence,
    }
    return {
        "claim_generator_info": [{"name": "TwoBirds", "version": __version__}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [edited]}}],
    }


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
