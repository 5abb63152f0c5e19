"""What refuses a setting."""

from twobirds.errors import InputError


def require(condition: bool, message: str) -> None:
    """Refuse a setting.

    Raises:
        InputError: With the message, unless the condition holds.
    """
    if not condition:
        raise InputError(message)
