"""What can go wrong through no fault of the program, each with the way out."""


class LayervizError(Exception):
    """An error that a user can cause and a user can fix.

    Parameters
    ----------
    message : str
        One sentence saying what is wrong.
    hint : str
        What to do about it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class ConfigError(LayervizError):
    """A setting is out of its range, or two settings contradict each other."""


class DataError(LayervizError):
    """A file cannot be read as a table of texts and labels."""


class EncoderError(LayervizError):
    """An encoder or its tokenizer cannot be had or is of the wrong kind."""


class RunError(LayervizError):
    """A run folder cannot be written, read or continued."""


class Cancelled(LayervizError):
    """The user stopped the work; what was finished by then is kept."""

    def __init__(self) -> None:
        super().__init__("Cancelled.", "Everything captured so far is kept.")
