"""Webhooks: made, called, checked, and what was called is stored before anybody looks at it."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from newsletter.errors import NotFound, Refused
from newsletter.fetching import Unreachable
from newsletter.i18n import mark
from newsletter.inbound import actions, queries, signatures
from newsletter.inbound.models import PROVIDERS, Hook
from newsletter.inbound.signatures import Forged
from newsletter.process import Process
from newsletter.tokens import Tokens, digest

# What has to be told before a call can be checked; the others get a user and a password from us.
WITH_KEY = {"ses", "mailgun", "sendgrid"}
NAMES = {"ses": "Amazon SES", "mailgun": "Mailgun", "postmark": "Postmark", "sendgrid": "SendGrid", "brevo": "Brevo", "mailjet": "Mailjet"}


def add(session: Session, tokens: Tokens, *, publication_id: int, provider: str, key: str, now: datetime) -> Hook:
    """Make an address that a provider can call.

    Raises:
        Refused: the provider is unknown, or the key is missing.
    """
    if provider not in PROVIDERS:
        raise Refused(mark("Choose a provider."), field="provider")
    key = " ".join(key.split()) if provider in WITH_KEY else f"brieftaube:{secrets.token_urlsafe(18)}"
    if not key:
        raise Refused(mark("Without this key nobody can tell a real call from a forged one."), field="key")
    secret = secrets.token_urlsafe(32)
    row = Hook(publication_id=publication_id, provider=provider, digest=digest(secret), secret=tokens.encrypt(secret), key=tokens.encrypt(key), created_at=now)
    session.add(row)
    session.flush()
    return row


def address_of(tokens: Tokens, base: str, row: Hook) -> str:
    """What to enter at the provider, with user and password where it needs them."""
    scheme, _, rest = base.partition("://")
    login = "" if row.provider in WITH_KEY else tokens.decrypt(row.key) + "@"
    return f"{scheme}://{login}{rest}/hooks/{row.provider}/{tokens.decrypt(row.secret)}"


@dataclass(frozen=True)
class Call:
    """What a provider sent, as it came."""

    provider: str
    secret: str
    body: bytes
    headers: Mapping[str, str]


def take(process: Process, call: Call) -> int | None:
    """Check a call and store it; gives back its number, or nothing when it was here before.

    Raises:
        NotFound: there is no such address.
        Forged: it does not prove where it comes from. That is written down.
    """
    now = process.clock()
    with process.reading() as session:
        row = queries.hook_by(session, call.provider, call.secret)
    if row is None:
        raise NotFound(mark("Nobody is there under this address."))
    try:
        token = _check(process, call, process.tokens.decrypt(row.key), now)
    except Forged as error:
        with process.writing() as session:
            known = session.get_one(Hook, row.id)
            known.refused_at, known.trouble = now, str(error)[:300]
        raise
    with process.writing() as session:
        known = session.get_one(Hook, row.id)
        known.called_at, known.trouble = now, ""
        if token and not actions.use_token(session, row.id, token, now=now):
            return None
        return actions.keep(session, call.body, door=call.provider, publication_id=row.publication_id, now=now)


def _check(process: Process, call: Call, key: str, now: datetime) -> str:
    """Prove where a call comes from; gives back what may come only once, if it carries that."""
    if call.provider == "mailgun":
        return signatures.mailgun(call.body, key, now)
    if call.provider == "sendgrid":
        signatures.sendgrid(call.body, call.headers, key, now)
        return ""
    if call.provider == "ses":
        return _check_sns(process, call.body, key, now)
    signatures.basic(call.headers.get("Authorization", ""), key)
    return ""


def _check_sns(process: Process, body: bytes, key: str, now: datetime) -> str:
    try:
        message: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Forged("This is no JSON.") from error
    if not isinstance(message, dict):
        raise Forged("This is no JSON object.")
    if str(message.get("TopicArn", "")) not in key.split():
        # Before anything is fetched: strangers must not have us ask around.
        raise Forged("The topic is not one of those that may call.")
    address = signatures.sns_certificate_address(message)
    try:
        certificate = CERTIFICATES.get(address) or _fetched(process, address)
        signatures.sns(message, certificate, key, now)
        _remember(address, certificate)
        if message.get("Type") == "SubscriptionConfirmation":
            process.web.get(signatures.sns_address(str(message.get("SubscribeURL", ""))))
    except Unreachable as error:
        raise Forged(f"Amazon could not be asked: {error}") from error
    return str(message.get("MessageId", ""))


# A certificate never changes under its address; Amazon gives the next one another.
CERTIFICATES: dict[str, bytes] = {}


def _fetched(process: Process, address: str) -> bytes:
    answer = process.web.get(address)
    signatures.sns_address(answer.address)
    return answer.body


def _remember(address: str, certificate: bytes) -> None:
    """Only what has proved to be one: a page that says "try later" is none."""
    if len(CERTIFICATES) > 20:
        CERTIFICATES.clear()
    CERTIFICATES[address] = certificate
