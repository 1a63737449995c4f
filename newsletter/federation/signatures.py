"""HTTP signatures as the Fediverse speaks them (draft-cavage-http-signatures-12, rsa-sha256), and the keys for them."""

import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

SIGNED = ("(request-target)", "host", "date", "digest")
# Mastodon refuses what is older than twelve hours; an hour covers clocks that are wrong.
OLDEST = timedelta(hours=1)


class SignatureWrong(Exception):
    """A message was not signed by whom it says. One sentence says why."""


def new_key() -> tuple[str, str]:
    """A private key and its public half, as PEM."""
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def sign(private: str, key_id: str, address: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers with which a POST proves where it comes from."""
    parts = urlsplit(address)
    headers = {"Host": parts.netloc, "Date": format_datetime(now, usegmt=True), "Digest": digest(body), "Content-Type": "application/activity+json"}
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    text = _text(SIGNED, "post", path, {key.lower(): value for key, value in headers.items()})
    key = serialization.load_pem_private_key(private.encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    mark = base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
    headers["Signature"] = f'keyId="{key_id}",algorithm="rsa-sha256",headers="{" ".join(SIGNED)}",signature="{mark}"'
    return headers


def digest(body: bytes) -> str:
    """The digest of a body (RFC 3230)."""
    return "SHA-256=" + base64.b64encode(hashlib.sha256(body).digest()).decode()


def key_id_of(headers: Mapping[str, str]) -> str:
    """Which key a message says it was signed with.

    Raises:
        SignatureWrong: it says nothing.
    """
    return _fields(headers)["keyId"]


def verify(public: str, headers: Mapping[str, str], method: str, path: str, body: bytes, now: datetime) -> None:
    """Check a message.

    Args:
        headers: with names in small letters.

    Raises:
        SignatureWrong: it is not right.
    """
    fields = _fields(headers)
    names = tuple(fields.get("headers", "date").lower().split())
    if not {"(request-target)", "host", "date", "digest"} <= set(names):
        raise SignatureWrong("Too little of the message is signed.")
    if headers.get("digest", "") != digest(body):
        raise SignatureWrong("The digest is not that of the body.")
    try:
        said = parsedate_to_datetime(headers.get("date", ""))
        aware = said if said.tzinfo else said.replace(tzinfo=now.tzinfo)
        key = serialization.load_pem_public_key(public.encode())
        mark = base64.b64decode(fields["signature"], validate=True)
    except (ValueError, TypeError) as error:
        raise SignatureWrong("The signature cannot be read.") from error
    if abs(aware - now) > OLDEST:
        raise SignatureWrong("The message is too old, or a clock is wrong.")
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < 2048:
        raise SignatureWrong("Such a key is not taken.")
    try:
        key.verify(mark, _text(names, method.lower(), path, headers).encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise SignatureWrong("The signature does not fit.") from error


def _fields(headers: Mapping[str, str]) -> dict[str, str]:
    found = dict(re.findall(r'(\w+)="([^"]*)"', headers.get("signature", "")))
    if not found.get("keyId") or not found.get("signature"):
        raise SignatureWrong("The message is not signed.")
    return found


def _text(names: tuple[str, ...], method: str, path: str, headers: Mapping[str, str]) -> str:
    rows = []
    for name in names:
        if name == "(request-target)":
            rows.append(f"(request-target): {method} {path}")
        elif name in headers:
            rows.append(f"{name}: {headers[name]}")
        else:
            raise SignatureWrong(f"“{name}” is signed and missing.")
    return "\n".join(rows)
