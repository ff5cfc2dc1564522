"""The one error a user is meant to read."""


class InputError(ValueError):
    """Something the user gave is wrong; the message says what, where, and what to do.

    The command lines print the message alone and leave with status 2, so it must make sense
    without a traceback: name the file, row or field, the reason, and the next step.
    """
