"""Model folders on the Hugging Face Hub."""

from pathlib import Path

from twobirds.checkpoint import CARD_FILE, CONFIG_FILE, WEIGHTS_FILE
from twobirds.errors import InputError

HUB_PREFIX = "hf://"
"""Prefix of a model on the Hub: `hf://owner/name`."""


def download(repository: str) -> Path:
    """Download a model's weights, configuration and card; returns the folder.

    Raises:
        InputError: If the Hub has no such model or cannot be reached.
    """
    from huggingface_hub import snapshot_download

    try:
        patterns = [WEIGHTS_FILE, CONFIG_FILE, CARD_FILE]
        return Path(snapshot_download(repository, allow_patterns=patterns))
    except Exception as error:  # errors of whichever HTTP library the Hub's client uses
        raise InputError(f"{HUB_PREFIX}{repository}: cannot be downloaded: {error}") from error


def upload(folder: Path, repository: str, *, private: bool) -> None:
    """Upload a model folder as `owner/name`; a new repository may be for its owner only.

    Raises:
        InputError: If the Hub refuses or cannot be reached.
    """
    from huggingface_hub import HfApi

    try:
        api = HfApi()
        api.create_repo(repository, private=private, exist_ok=True)
        api.upload_folder(repo_id=repository, folder_path=folder)
    except Exception as error:  # errors of whichever HTTP library the Hub's client uses
        raise InputError(f"{HUB_PREFIX}{repository}: cannot be uploaded: {error}") from error
