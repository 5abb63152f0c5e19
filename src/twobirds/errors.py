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


_MEMORY_FAILURES = (
    "bad alloc",  # "bad allocation" in onnxruntime
    "bad_alloc",
    "can't allocate memory",  # PyTorch's allocator on a CPU
    "could not create a primitive",  # oneDNN, whose error names no reason
    "could not execute a primitive",
    "failed to allocate",
    "not enough memory",
    "out of memory",
)


def lacks_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out: most libraries raise no MemoryError then.

    PyTorch and oneDNN raise RuntimeError, onnxruntime and OpenCV exceptions of their own.
    """
    if isinstance(error, MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, Exception) and any(words in text for words in _MEMORY_FAILURES)


def too_little_memory(error: BaseException) -> str:
    """The words for an error of `lacks_memory`, with what the library said."""
    reason = (str(error).strip() or "it could not be allocated").splitlines()[0]
    reason = reason.rpartition("err == 0. ")[2]  # PyTorch's place in its own source
    return f"this machine has too little free memory: {reason}"
