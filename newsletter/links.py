"""Every public address of this installation, made from settings and never from a Host header (P3)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Links:
    """Addresses under one base, without a slash at the end."""

    base: str

    def sign_up(self, slug: str) -> str:
        return f"{self.base}/p/{slug}"

    def confirm(self, token: str) -> str:
        return f"{self.base}/confirm/{token}"

    def leave(self, secret: str) -> str:
        return f"{self.base}/u/{secret}"

    def short(self, code: str) -> str:
        return f"{self.base}/l/{code}"

    def mailing(self, slug: str, mailing_id: int) -> str:
        return f"{self.base}/admin/{slug}/mailings/{mailing_id}"

    def archive(self, slug: str) -> str:
        return f"{self.base}/archive/{slug}/"

    def issue(self, slug: str, issue_slug: str) -> str:
        return f"{self.base}/archive/{slug}/{issue_slug}/"

    def media(self, path: str) -> str:
        return self.base + path

    def setup(self, secret: str) -> str:
        return f"{self.base}/setup/{secret}"
