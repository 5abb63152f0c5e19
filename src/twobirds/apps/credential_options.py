"""The options `--c2pa-cert` and `--c2pa-key`: Content Credentials of edited photos."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import tyro

from twobirds.apps.options import optional
from twobirds.errors import InputError

if TYPE_CHECKING:
    from twobirds.photos.credentials import CredentialSigner

Certificate = Annotated[
    Path | None,
    optional("FILE.pem", "not signed"),
    tyro.conf.arg(
        help="Sign Content Credentials (C2PA) with this certificate, followed by those above it: "
        "which model did what to which photo, and the photo's own credentials. Needs the extra "
        "provenance, and --c2pa-key."
    ),
]
PrivateKey = Annotated[
    Path | None, optional("FILE.pem", "not signed"), tyro.conf.arg(help="Its private key, PKCS 8.")
]


class WithCredentials(Protocol):
    """A command with these options."""

    @property
    def c2pa_cert(self) -> Path | None:
        """The certificate."""
        ...

    @property
    def c2pa_key(self) -> Path | None:
        """Its private key."""
        ...

    @property
    def no_metadata(self) -> bool:
        """Whether nothing is written into the metadata."""
        ...


def signer_of(command: WithCredentials) -> "CredentialSigner | None":
    """What signs the results of a command; None where it has no key.

    Raises:
        InputError: If the options do not go together, or make no signature.
    """
    if command.c2pa_cert is None or command.c2pa_key is None:
        if command.c2pa_cert != command.c2pa_key:
            raise InputError("--c2pa-cert and --c2pa-key go together: give both")
        return None
    if command.no_metadata:
        raise InputError("--no-metadata leaves out what --c2pa-cert would sign: choose one of them")
    from twobirds.photos.credentials import CredentialSigner

    return CredentialSigner.load(command.c2pa_cert, command.c2pa_key)


def credentials_note(data: bytes, signer: "CredentialSigner | None") -> str | None:
    """What becomes of the Content Credentials of a photo; None where it has none."""
    from twobirds.photos.credentials import has_credentials

    if not has_credentials(data):
        return None
    if signer is not None:
        return "its Content Credentials (C2PA) are kept, as those of an ingredient"
    return "its Content Credentials (C2PA) are not kept: --c2pa-cert and --c2pa-key would keep them"
