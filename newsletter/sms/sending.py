"""Hands text messages to a gateway, each once."""

import logging
from dataclasses import replace

from newsletter.errors import Refused
from newsletter.fetching import Unreachable
from newsletter.process import Process
from newsletter.sms import actions, policy, queries
from newsletter.sms.models import Gateway, Phone, TextMessage
from newsletter.tokens import TokenInvalid

log = logging.getLogger(__name__)


def send(process: Process, message_id: int) -> None:
    """Send one message."""
    with process.writing() as session:
        if not actions.claim(session, message_id, now=process.clock()):
            return
    with process.reading() as session:
        row = session.get_one(TextMessage, message_id)
        gateway = queries.gateway(session, row.publication_id)
        phone = session.get_one(Phone, row.phone_id)
    state, reply = ask(process, gateway, number=phone.number, text=row.body, key=f"{row.publication_id}-{row.id}")
    with process.writing() as session:
        if state == "again":
            actions.put_off(session, message_id, reply, now=process.clock())
        else:
            actions.settle(session, message_id, state=state, reply=reply, now=process.clock())


def ask(process: Process, gateway: Gateway | None, *, number: str, text: str, key: str) -> tuple[str, str]:
    """Ask a gateway once: accepted, failed, uncertain, or again, and what it said."""
    if gateway is None:
        return "failed", "There is no gateway."
    try:
        headers = policy.headers_from(process.tokens.decrypt(gateway.headers)) if gateway.headers else {}
        # The gateway that comes along lies wherever this installation does.
        address = gateway.address.replace(policy.HERE, process.links.base)
        said = policy.request(address, gateway.shape, headers, gateway.body, to=number, text=text, sender=gateway.sender, key=key)
    except TokenInvalid:
        return "failed", "Its key cannot be read: SECRET_KEY is not the one it was stored with."
    except Refused as error:
        return "failed", str(error)
    try:
        # The owner says where her gateway is; it may well be a telephone in her own house.
        answer = replace(process.web, private=True).ask(said.method, said.address, said.headers, said.body)
    except Unreachable as error:
        return ("uncertain" if error.sent else "again"), str(error)
    words = f"{answer.status} {answer.text[:200]}".strip()
    if answer.status < 300:
        return ("accepted" if gateway.success in answer.text else "failed"), words
    if answer.status in (429, 503):
        return "again", words
    # What a server says after an accident of its own leaves open whether the message went out.
    return ("uncertain" if answer.status >= 500 else "failed"), words
