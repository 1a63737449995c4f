"""Every error that Brieftaube raises on purpose.

::

    BrieftaubeError
      Refused            somebody asked for something that cannot be done; carries a sentence for people
        NotFound         what was asked for does not exist (or is not theirs to see)
        Forbidden        it exists, but this person may not do that
        Conflict         somebody else was faster
      SettingsError      the installation is configured in a way that cannot work
      DatabaseTooNew     the database was written by a newer version of the program
"""

from collections.abc import Mapping


class BrieftaubeError(Exception):
    """The root of the tree."""


class Refused(BrieftaubeError):
    """Something cannot be done, for a reason that a person can act on.

    ``message`` is an English sentence that doubles as the key of its translation;
    ``values`` fill its ``%(name)s`` places. ``field`` names the input it is about; ``hint`` says how to mend it.
    """

    def __init__(self, message: str, *, field: str = "", hint: str = "", **values: object) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.hint = hint
        self.values: Mapping[str, object] = values

    def __str__(self) -> str:
        return self.message % self.values if self.values else self.message


class NotFound(Refused):
    """What was asked for does not exist, or is not theirs to see."""


class Forbidden(Refused):
    """It exists, but this person may not do that."""


class Conflict(Refused):
    """Somebody else was faster."""


class SettingsError(BrieftaubeError):
    """The installation is configured in a way that cannot work. One sentence says why."""


class DatabaseTooNew(SettingsError):
    """The database was written by a newer version of the program."""
