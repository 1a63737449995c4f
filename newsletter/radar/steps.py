"""The five steps to independence, measured. Without I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from newsletter.i18n import mark
from newsletter.mail.providers import HOUSE_OF
from newsletter.radar.policy import Radar


@dataclass(frozen=True)
class Step:
    """One step towards independence, measured.

    Args:
        missing: what is not there yet, by name.
        number, whole: how far it has come, where that can be counted.
    """

    kind: str
    done: bool
    missing: tuple[str, ...] = ()
    number: int = 0
    whole: int = 0


# Whoever lies there lies on somebody else's ground: the name goes when the house goes.
BORROWED = (
    "github.io", "gitlab.io", "pages.dev", "netlify.app", "vercel.app", "web.app", "herokuapp.com", "blogspot.com", "wordpress.com", "wixsite.com",
    "jimdosite.com", "substack.com", "beehiiv.com", "ghost.io", "neocities.org", "codeberg.page", "localhost",
)  # fmt: skip


def own_domain(sender: str, archive: str) -> tuple[str, ...]:
    """Which of the two addresses are not one's own: the domain of the sender, the host of the archive."""
    missing = []
    if sender.lower() in HOUSE_OF or "." not in sender:
        missing.append(mark("the sender"))
    if _borrowed(archive):
        missing.append(mark("the archive"))
    return tuple(missing)


def _borrowed(host: str) -> bool:
    return "." not in host or host.replace(".", "").isdigit() or any(host == one or host.endswith(f".{one}") for one in BORROWED)


def plan(radar: Radar, *, sender: str, archive: str, profiles: Sequence[tuple[str, bool]], list_share: int, mirrored: bool, drilled: bool) -> list[Step]:
    """The five steps to independence.

    Args:
        profiles: every profile elsewhere, and whether it carries a link of ours.
        list_share: how large the list should be, in per cent of the largest platform.
        mirrored: the archive lies on a second server, and was found there.
        drilled: an outage was rehearsed within three months.
    """
    largest = radar.largest
    wanted = ceil((largest.audience or 0) * list_share / 100) if largest else 0
    borrowed = own_domain(sender, archive)
    without = tuple(name for name, linked in profiles if not linked)
    return [
        Step("domain", not borrowed, borrowed),
        Step("mirror", mirrored),
        Step("drill", drilled),
        Step("profiles", not without, without, len(profiles) - len(without), len(profiles)),
        # As long as nobody knows how large a platform is, nobody knows whether the list is large enough.
        Step("list", radar.list_size >= wanted and not radar.is_blind, (), radar.list_size, wanted),
    ]
