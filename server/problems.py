"""Errors that a person may see: a stable code, and a text that says what happened and what to do."""


class Problem(Exception):
    """The base of the family; `code` is stable, `text` is for people."""

    def __init__(self, code: str, text: str, retry_s: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.text = text
        self.retry_s = retry_s


class Invalid(Problem):
    """The request cannot be understood or breaks a rule."""


class Unauthenticated(Problem):
    """Nobody is signed in, or the token is not good."""


class Forbidden(Problem):
    """The caller may not do this."""


class Missing(Problem):
    """What was asked for does not exist, or is not for the caller to know of."""


class Conflict(Problem):
    """The thing is not in a state in which this can be done."""


class Gone(Problem):
    """It existed and can no longer be used."""


class TooLarge(Problem):
    """More was sent than is taken."""


class Unsupported(Problem):
    """The kind of content is not one that is taken."""


class TooMany(Problem):
    """Too often; `retry_s` says when to come back."""


class Unavailable(Problem):
    """Something that is needed does not work at the moment; nothing was changed."""
