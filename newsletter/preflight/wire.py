"""The mail as bytes: what providers read before anybody sees it."""

import re
from email import message_from_bytes, policy
from urllib.parse import urlsplit

from newsletter.rendering.cautions import is_private
from newsletter.rendering.findings import Finding

# F13: what stands behind this byte of the HTML, Gmail does not show.
CUT_AT = 100_000
SIGNED = ("list-unsubscribe", "list-unsubscribe-post")


def check_raw(raw: bytes, base: str, *, for_real: bool) -> list[Finding]:
    """One-click unsubscribing (RFC 8058, U1, U2) and the way out of the letter itself."""
    if not raw:
        return []
    message = message_from_bytes(raw, policy=policy.default)
    found = []
    ways = message.get_all("List-Unsubscribe", [])
    posts = message.get_all("List-Unsubscribe-Post", [])
    uris = re.findall(r"<(https?://[^>\s]+)>", str(ways[0])) if len(ways) == 1 else []
    if len(uris) != 1 or [str(post).strip() for post in posts] != ["List-Unsubscribe=One-Click"]:
        text, fix = "The mail does not offer to unsubscribe with one click.", "This is a fault of the program; tell us about it."
        found.append(Finding("unsubscribe-header", "error", text, fix))
    elif for_real and not uris[0].startswith("https://"):
        text, fix = "Unsubscribing goes to %(base)s, and Gmail and Yahoo only take https.", "Set BASE_URL to an address that begins with https://."
        found.append(Finding("unsubscribe-https", "error", text, fix, values={"base": base}))
    if for_real and is_private(urlsplit(base).hostname or ""):
        text, fix = "Links of the letter lead to %(base)s, where nobody but you gets.", "Set BASE_URL to the public address of this server."
        found.append(Finding("base-private", "error", text, fix, values={"base": base}))
    found += _bodies(message, uris)
    signatures = message.get_all("DKIM-Signature", [])
    if signatures and not all(_covers(str(signature)) for signature in signatures):
        text, fix = (
            "The signature does not cover the way out, so one-click unsubscribing does not count.",
            "Let Brieftaube sign, or tell your mail server to sign both fields.",
        )
        found.append(Finding("dkim-header", "error", text, fix))
    return found


def _bodies(message: object, uris: list[str]) -> list[Finding]:
    found = []
    html, plain = (getattr(message, "get_body")(preferencelist=(kind,)) for kind in ("html", "plain"))  # noqa: B009 -- typed as object on purpose
    text = plain.get_content() if plain is not None else ""
    if not text.strip():
        found.append(Finding("text-part-empty", "error", "The mail has no text part.", "Write something that can be read without pictures."))
    secret = uris[0].rpartition("/")[2] if uris else ""
    body = html.get_content() if html is not None else ""
    place = body.encode().find(secret.encode()) if secret else -1
    if secret and (place < 0 or place > CUT_AT or (text.strip() and secret not in text)):
        found.append(
            Finding(
                "unsubscribe-link",
                "error",
                "Somebody who wants to leave does not find the way in the letter itself.",
                "Shorten the text: Gmail cuts the end off, and the link with it.",
            )
        )
    return found


def _covers(signature: str) -> bool:
    fields = re.search(r"\bh=([^;]+)", signature)
    names = [name.strip().lower() for name in fields.group(1).split(":")] if fields else []
    return all(name in names for name in SIGNED)


def check_one_click(status: int | None) -> list[Finding]:
    """U3, U4: what our own server says when a program unsubscribes somebody: 200, and no redirect."""
    if status in (None, 200):
        return []
    text, fix = (
        "Unsubscribing with one click does not work: the server answers %(status)s.",
        "Ask whoever runs the server; a redirect or a log-in stands in the way.",
    )
    return [Finding("unsubscribe-answer", "error", text, fix, values={"status": status})]
