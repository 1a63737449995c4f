"""Every public address of this installation, made from settings and never from a Host header (P3)."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Links:
    """Addresses under one base, without a slash at the end.

    Args:
        sign: makes a token for a purpose, for addresses that nobody can guess.
    """

    base: str
    sign: Callable[[str, str], str] | None = None

    def sign_up(self, slug: str) -> str:
        return f"{self.base}/p/{slug}"

    def confirm(self, token: str) -> str:
        return f"{self.base}/confirm/{token}"

    def leave(self, secret: str) -> str:
        return f"{self.base}/u/{secret}"

    def preferences(self, secret: str) -> str:
        return f"{self.base}/m/{secret}"

    def move(self, token: str) -> str:
        return f"{self.base}/move/{token}"

    def form(self, slug: str, form: str) -> str:
        return f"{self.base}/p/{slug}/f/{form}"

    def reach(self, slug: str) -> str:
        return f"{self.base}/admin/{slug}/reach"

    def shield(self, slug: str) -> str:
        return f"{self.base}/admin/{slug}/shield"

    def short(self, code: str) -> str:
        return f"{self.base}/l/{code}"

    def shared(self, code: str) -> str:
        return f"{self.base}/r/{code}"

    def issue(self, slug: str, issue_id: int) -> str:
        return f"{self.base}/admin/{slug}/issues/{issue_id}"

    def returns(self, slug: str) -> str:
        return f"{self.base}/admin/{slug}/returns"

    def conversation(self, slug: str, conversation_id: int) -> str:
        return f"{self.base}/admin/{slug}/inbox/{conversation_id}"

    def reader_letter(self, secret: str) -> str:
        return f"{self.base}/reader-letter/{secret}"

    def calendar(self, slug: str) -> str:
        return f"{self.base}/admin/{slug}/calendar"

    def mailing(self, slug: str, mailing_id: int) -> str:
        return f"{self.base}/admin/{slug}/mailings/{mailing_id}"

    def archive(self, slug: str) -> str:
        return f"{self.base}/archive/{slug}/"

    def read(self, issue_id: int) -> str:
        """An issue that the archive does not show to everybody; the address stands in its mail."""
        if self.sign is None:
            raise ValueError("These links cannot sign.")
        return f"{self.base}/read/{self.sign('read', str(issue_id))}"

    def vote(self, issue_id: int, poll: int, choice: int) -> str:
        """An answer of a poll. The token holds its numbers, so that nobody finds drafts by counting up."""
        if self.sign is None:
            raise ValueError("These links cannot sign.")
        return f"{self.base}/v/{self.sign('vote', f'{issue_id}-{poll}-{choice}')}"

    def click(self, issue_id: int, number: int) -> str:
        """A counted link. It holds the numbers of issue and link, and nothing about who follows it."""
        if self.sign is None:
            raise ValueError("These links cannot sign.")
        return f"{self.base}/c/{self.sign('click', f'{issue_id}-{number}')}"

    def actor(self, slug: str) -> str:
        return f"{self.base}/ap/{slug}"

    def webmention(self, slug: str) -> str:
        return f"{self.base}/webmention/{slug}"

    def media(self, path: str) -> str:
        return self.base + path

    def setup(self, secret: str) -> str:
        return f"{self.base}/setup/{secret}"


def manage_url(leave_url: str) -> str:
    """The page where a reader decides more than leaving: the same secret, behind /m/ instead of /u/."""
    before, _, secret = leave_url.rpartition("/u/")
    return f"{before}/m/{secret}" if before else leave_url
