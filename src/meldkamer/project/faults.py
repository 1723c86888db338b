"""Faults that a person at a terminal can mend: shown as one line, without a traceback."""


class OperatingFault(Exception):
    """Something outside the code is not as it must be; the message says what was expected."""
