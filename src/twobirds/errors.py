"""The one exception for wrong input."""


class InputError(ValueError):
    """Something the user gave is wrong: a file, an option, a name, a shape.

    The message is one or more plain sentences that name what is wrong, where (file and line where
    there is one), and the mend. The command line prints it on stderr and exits with code 2.
    """


class DivergenceError(RuntimeError):
    """Training left the finite numbers. The last good checkpoint is untouched."""
