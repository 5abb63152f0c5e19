"""The exceptions of the package, and what to say where an optional library is absent."""


class InputError(ValueError):
    """Something the user gave is wrong: a file, an option, a name, a shape.

    The message is one or more plain sentences that name what is wrong, where (file and line where
    there is one), and how to fix it. The command line prints it on stderr and exits with code 2.

    Args:
        lines: The message; several where it lists what is wrong. A line break within one is part
            of a name, such as that of a file, and is shown escaped.
    """

    def __init__(self, *lines: str) -> None:
        super().__init__(*lines)

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))


class InputWarning(UserWarning):
    """What a user gave can be used, but the result is probably not what is wanted.

    The command line prints its sentence on stderr.
    """


def missing_extra(purpose: str, extra: str, error: ModuleNotFoundError) -> InputError:
    """The error for an optional library that is absent; its sentence says what to install.

    Args:
        purpose: Subject and verb of the sentence, such as "photos need".
        extra: The extra of the distribution that brings the library.
        error: What the import raised.
    """
    install = f"pip install 'twobirds-faces[{extra}]'"
    return InputError(f"{purpose} the package {error.name}: {install}")


class TrainingError(RuntimeError):
    """Training cannot go on. The last good checkpoint is untouched."""


class DivergenceError(TrainingError):
    """Training left the finite numbers. The last good checkpoint is untouched."""


class DeviceError(TrainingError):
    """The device failed or ran out of memory. The last good checkpoint is untouched."""
