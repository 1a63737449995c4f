"""DKIM signatures (RFC 6376, RFC 8463): relaxed/relaxed, no l=, RSA and Ed25519 side by side (F16).

The canonical form of everything that does not change is made once; for each mail only its own pieces are
canonicalised, hashed and signed.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from newsletter.errors import BrieftaubeError

# U2: one-click unsubscribing counts only when both of its fields are signed. A field is named once more than it
# occurs ("oversigned"), so that nobody on the way can add a second one (RFC 6376 §8.15).
FIELDS = (
    "from", "to", "subject", "date", "message-id", "reply-to", "list-id", "list-unsubscribe", "list-unsubscribe-post",
    "in-reply-to", "references", "feedback-id", "cfbl-address", "mime-version", "content-type", "auto-submitted", "form-sub",
)  # fmt: skip
OVERSIGNED = ("from", "subject", "reply-to", "list-unsubscribe", "list-unsubscribe-post")

ALGORITHMS = {"rsa": "rsa-sha256", "ed25519": "ed25519-sha256"}


class KeyBroken(BrieftaubeError):
    """A private key cannot be read or is of another kind than it should be."""


@dataclass(frozen=True)
class Key:
    """One key that signs for a domain: what stands at ``selector._domainkey.domain``.

    ``private`` is PEM (PKCS 8).
    """

    domain: str
    selector: str
    algorithm: str
    private: str

    def __repr__(self) -> str:
        # P6: a private key never reaches a log or a traceback.
        return f"Key({self.selector}._domainkey.{self.domain}, {self.algorithm})"


def new_private_key(algorithm: str) -> str:
    """A fresh key as PEM: RSA with 2048 bits, or Ed25519."""
    key = generate_private_key(65537, 2048) if algorithm == "rsa" else Ed25519PrivateKey.generate()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode("ascii")


def record(algorithm: str, private: str) -> str:
    """The text of the TXT record that publishes a key.

    Raises:
        KeyBroken: it cannot be read.
    """
    public = _load(algorithm, private).public_key()
    if algorithm == "rsa":
        raw = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    else:
        # RFC 8463 §4.2: the bare 32 bytes, without the wrapping of X.509.
        raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return f"v=DKIM1; k={algorithm}; p={base64.b64encode(raw).decode('ascii')}"


def _load(algorithm: str, private: str) -> "RSAPrivateKey | Ed25519PrivateKey":
    try:
        key = serialization.load_pem_private_key(private.encode("ascii"), None)
    except (ValueError, TypeError, UnicodeEncodeError) as error:
        raise KeyBroken("The private key cannot be read.") from error
    if not isinstance(key, RSAPrivateKey if algorithm == "rsa" else Ed25519PrivateKey):
        raise KeyBroken(f"The private key is no {algorithm} key.")
    if isinstance(key, RSAPrivateKey) and key.key_size < 2048:
        raise KeyBroken("The private key has fewer than 2048 bits (RFC 8301).")
    return key


def relaxed(body: bytes) -> bytes:
    """A stretch of whole lines in the relaxed form (RFC 6376 §3.4.4), but for empty lines at the end."""
    if b" " not in body and b"\t" not in body:
        return body
    return re.sub(rb" +\r\n", b"\r\n", re.sub(rb"[ \t]+", b" ", body))


def canonical_head(head: str, fields: Sequence[str]) -> str:
    """The signed fields of a head in the relaxed form (RFC 6376 §3.4.2), in the order in which h= names them."""
    found: dict[str, list[str]] = {}
    for line in re.sub(r"\r\n(?=[ \t])", "", head).split("\r\n"):
        name, _, value = line.partition(":")
        found.setdefault(name.lower().strip(), []).append(re.sub(r"[ \t]+", " ", value).strip())
    # The last of several comes first (RFC 6376 §5.4.2); a name without a field left signs its absence.
    return "".join([f"{name}:{found[name].pop()}\r\n" for name in fields if found.get(name)])


class Signer:
    """Signs the mails of one head: the fields that are there are the same in all of them.

    Args:
        present: names of the header fields of these mails, in lower case.

    Raises:
        KeyBroken: a key cannot be read.
    """

    def __init__(self, keys: Sequence[Key], present: set[str]) -> None:
        self.fields = [name for name in FIELDS if name in present] + list(OVERSIGNED)
        self._signatures = [_signature(key, self.fields) for key in keys]

    def sign(self, head: bytes, body: Sequence[bytes]) -> bytes:
        """The DKIM-Signature fields, each ending in CRLF.

        Args:
            head: the canonical fields as :func:`canonical_head` gives them.
            body: pieces of the canonical body; the last one ends in exactly one CRLF.
        """
        digest = hashlib.sha256()
        for piece in body:
            digest.update(piece)
        body_hash = base64.b64encode(digest.digest())
        return b"".join([sign(head, body_hash) for sign in self._signatures])


def sign(raw: bytes, keys: Sequence[Key]) -> bytes:
    """One mail with its signatures in front.

    Args:
        raw: lines ending in CRLF.

    Raises:
        KeyBroken: a key cannot be read.
    """
    head, _, body = raw.partition(b"\r\n\r\n")
    text = head.decode("utf-8")
    present = {line.partition(":")[0].strip().lower() for line in text.split("\r\n") if line[:1] not in " \t"}
    signer = Signer(keys, present)
    canonical = relaxed(body).rstrip(b"\r\n") + b"\r\n"
    return signer.sign(canonical_head(text, signer.fields).encode(), [canonical] if canonical.strip() else []) + raw


def _signature(key: Key, fields: Sequence[str]) -> Callable[[bytes, bytes], bytes]:
    """Makes one DKIM-Signature field from the canonical head and the hash of the body."""
    private = _load(key.algorithm, key.private)
    # The field as it will stand there, folded; in its own canonical form it is one line (RFC 6376 §3.7).
    names = ":".join(fields)
    tags = f"v=1; a={ALGORITHMS[key.algorithm]}; c=relaxed/relaxed; d={key.domain}; s={key.selector}; h={names}; bh="
    wire = f"DKIM-Signature: v=1; a={ALGORITHMS[key.algorithm]}; c=relaxed/relaxed;\r\n d={key.domain}; s={key.selector};\r\n h={_folded(names)};\r\n bh="
    canonical, first = f"dkim-signature:{_as_relaxed(tags, fields)}".encode("ascii"), wire.encode("ascii")

    def sign(head: bytes, body_hash: bytes) -> bytes:
        signed = head + canonical + body_hash + b"; b="
        text = base64.b64encode(_signed(private, signed))
        lines = b"\r\n ".join(text[at : at + 72] for at in range(0, len(text), 72))
        return first + body_hash + b";\r\n b=" + lines + b"\r\n"

    return sign


def _signed(private: "RSAPrivateKey | Ed25519PrivateKey", data: bytes) -> bytes:
    if isinstance(private, RSAPrivateKey):
        return private.sign(data, padding.PKCS1v15(), hashes.SHA256())
    # RFC 8463 §3: Ed25519 signs the SHA-256 hash of the header fields.
    return private.sign(hashlib.sha256(data).digest())


def _folded(names: str) -> str:
    """h= may be folded at its colons (RFC 6376 §3.5); the space of the fold belongs to the value."""
    lines, line = [], ""
    for name in names.split(":"):
        if len(line) + len(name) > 60:
            lines.append(line)
            line = ""
        line += f"{name}:"
    return "\r\n ".join([*lines, line]).removesuffix(":")


def _as_relaxed(tags: str, fields: Sequence[str]) -> str:
    folded = _folded(":".join(fields)).replace("\r\n ", " ")
    return tags.replace(":".join(fields), folded)
