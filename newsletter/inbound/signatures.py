"""Whether a call really comes from the provider (RULES B8). Decided without I/O, but for a certificate that the caller fetches."""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import load_pem_x509_certificate

from newsletter.errors import BrieftaubeError

# Providers try again for hours with the same signature; tokens are kept for longer than this, so nothing can come twice.
WINDOW = timedelta(hours=24)
AHEAD = timedelta(minutes=5)

# Any customer of Amazon can have SNS sign something, and anybody can have a host whose name begins like theirs.
_SNS_HOST = re.compile(r"sns\.[a-z0-9-]{1,40}\.amazonaws\.com(?:\.cn)?")
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


class Forged(BrieftaubeError):
    """The call does not prove that it comes from the provider. One sentence says what is wrong."""


def mailgun(body: bytes, key: str, now: datetime) -> str:
    """Check a call of Mailgun: HMAC-SHA256 of timestamp and token. Gives back the token, which counts once.

    Raises:
        Forged: the signature is missing or wrong, or too old.
    """
    said = _object(body).get("signature")
    if not isinstance(said, dict):
        raise Forged("There is no signature.")
    timestamp, token, signature = (str(said.get(name, "")) for name in ("timestamp", "token", "signature"))
    wanted = hmac.new(key.encode(), (timestamp + token).encode(), hashlib.sha256).hexdigest()
    if not (token and timestamp and hmac.compare_digest(wanted.encode(), signature.encode())):
        raise Forged("The signature is wrong.")
    _fresh(timestamp, now)
    return token


def sendgrid(body: bytes, headers: Mapping[str, str], key: str, now: datetime) -> None:
    """Check a call of SendGrid: ECDSA over the timestamp and the body as it came, byte for byte.

    Args:
        key: the public key from SendGrid's page, base64.

    Raises:
        Forged: the signature is missing or wrong, or too old.
    """
    signature, timestamp = headers.get("X-Twilio-Email-Event-Webhook-Signature", ""), headers.get("X-Twilio-Email-Event-Webhook-Timestamp", "")
    if not signature or not timestamp:
        raise Forged("There is no signature.")
    try:
        public = serialization.load_der_public_key(base64.b64decode(key, validate=True))
        assert isinstance(public, ec.EllipticCurvePublicKey)
        public.verify(base64.b64decode(signature, validate=True), timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, UnsupportedAlgorithm, binascii.Error, ValueError, AssertionError) as error:
        raise Forged("The signature is wrong.") from error
    _fresh(timestamp, now)


def basic(authorization: str, key: str) -> None:
    """Check a call of a provider that signs nothing: the address is a secret, and user and password come along.

    Args:
        key: ``user:password``.

    Raises:
        Forged: they are missing or wrong.
    """
    scheme, _, told = authorization.partition(" ")
    try:
        given = base64.b64decode(told, validate=True) if scheme.lower() == "basic" else b""
    except binascii.Error:
        given = b""
    if not key or not hmac.compare_digest(given, key.encode()):
        raise Forged("User or password is wrong.")


def sns_address(url: str) -> str:
    """An address that really is Amazon's, for the certificate and for the confirmation.

    Raises:
        Forged: it leads elsewhere.
    """
    try:
        parts = urlsplit(url)
        good = parts.scheme == "https" and parts.port in (None, 443) and parts.username is None and _SNS_HOST.fullmatch(parts.hostname or "")
    except ValueError:
        good = None
    if not good:
        raise Forged("An address in it leads to a host that is not Amazon's.")
    return url


def sns_certificate_address(message: Mapping[str, Any]) -> str:
    """Where the certificate of a call lies.

    Raises:
        Forged: not at Amazon's, or it is no certificate.
    """
    url = sns_address(str(message.get("SigningCertURL", "")))
    if not urlsplit(url).path.endswith(".pem"):
        raise Forged("The address of its certificate is none.")
    return url


def sns(message: Mapping[str, Any], certificate: bytes, topics: str, now: datetime) -> None:
    """Check a call of SNS: the topic is one of ours, and the signature is Amazon's.

    Args:
        topics: the names (ARN) of the topics that may call, by white space.

    Raises:
        Forged: the topic is somebody else's, the signature is wrong, or it is too old.
    """
    if str(message.get("TopicArn", "")) not in topics.split():
        raise Forged("The topic is not one of those that may call.")
    names = _CONFIRMATION if message.get("Type") in ("SubscriptionConfirmation", "UnsubscribeConfirmation") else _NOTIFICATION
    signed = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
    how = {"1": hashes.SHA1(), "2": hashes.SHA256()}.get(str(message.get("SignatureVersion", "")))  # noqa: S303 -- version 1 of the protocol has no other
    try:
        public = load_pem_x509_certificate(certificate).public_key()
        assert how is not None
        assert isinstance(public, rsa.RSAPublicKey)
        public.verify(base64.b64decode(str(message.get("Signature", "")), validate=True), signed.encode(), padding.PKCS1v15(), how)
    except (InvalidSignature, UnsupportedAlgorithm, binascii.Error, ValueError, AssertionError) as error:
        raise Forged("The signature is wrong.") from error
    try:
        at = datetime.fromisoformat(str(message.get("Timestamp", "")))
        age = now - (at if at.tzinfo else at.replace(tzinfo=UTC))
    except ValueError as error:
        raise Forged("The time in it is none.") from error
    if not -AHEAD <= age <= WINDOW:
        raise Forged("The call is too old.")


def _fresh(timestamp: str, now: datetime) -> None:
    try:
        age = now - datetime.fromtimestamp(int(timestamp), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Forged("The time in it is none.") from error
    if not -AHEAD <= age <= WINDOW:
        raise Forged("The call is too old.")


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Forged("This is no JSON.") from error
    if not isinstance(found, dict):
        raise Forged("This is no JSON object.")
    return found
