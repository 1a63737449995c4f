"""What is wrong with a text, in words that help."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """One result of looking a text over.

    ``text`` and ``fix`` are English sentences and the keys of their translations; ``values`` fill their
    places. An ``error`` stops a mailing, a ``warning`` does not. ``line`` counts from 1; 0 is the whole.
    """

    id: str
    level: str
    text: str
    fix: str = ""
    line: int = 0
    values: dict[str, object] = field(default_factory=dict)
