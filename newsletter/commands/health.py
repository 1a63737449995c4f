"""``brieftaube check``: what is wrong, and how to mend it."""

import socket
from typing import Any
from urllib.parse import urlsplit

from newsletter import schema
from newsletter.accounts import queries as who
from newsletter.broker import greet
from newsletter.cli import new_process
from newsletter.mail.addresses import parse
from newsletter.mail.conversation import Conversation
from newsletter.mail.smtp import SmtpError, Timeouts, server
from newsletter.process import Process
from newsletter.publications import keys
from newsletter.publications import queries as catalogue
from newsletter.publications.domain import PublishedKey, look
from newsletter.settings import Settings
from newsletter.transports.queries import in_use


def look_over() -> list[dict[str, Any]]:
    """What ``brieftaube check`` sees: one row for each thing, with how to mend it."""
    process = new_process("check", migrate=False)
    given = process.settings
    rows = [{"what": "settings", "ok": True, "text": f"DATA_DIR is {given.data_dir}, people see {given.base_url}"}]
    found = schema.current(process.engine)
    text = f"at {found}" if found == schema.head() else f"at {found or 'nothing'}, should be at {schema.head()}: brieftaube db upgrade"
    rows.append({"what": "database", "ok": found == schema.head(), "text": text})
    rows.append(_check_broker(process))
    if found == schema.head():
        with process.reading() as session:
            used = in_use(session, given, process.tokens)
            age = who.fact_age(session, "worker", process.clock())
            senders = {parse(one.from_address).domain for one in catalogue.everything(session)}
            published = {name: keys.published(keys.keys_of(session, name)) for name in sorted(senders)}
        rows.append(_check_transport(used.address, used.is_catcher, given.bounce_domain))
        if not used.is_catcher:
            rows += [row for name, found in published.items() for row in _check_domain(process, name, found, used.server.host)]
        rows.append(_check_door(given))
        alive = age is not None and age < 60
        rows.append({"what": "worker", "ok": alive, "text": "is running" if alive else "is not running: brieftaube run"})
    return rows


def _check_domain(process: Process, name: str, published: list[PublishedKey], mail_host: str) -> list[dict[str, Any]]:
    checks = look(process.resolver, name, bounce_domain=process.settings.bounce_domain, keys=published, mail_host=mail_host)
    return [
        {
            "what": f"{name} {check.what}",
            "ok": check.level != "bad",
            "level": check.level,
            "text": check.text % check.values + (f" {check.fix % check.values}" if check.fix and check.level != "good" else ""),
            **({"host": check.host, "record": check.record} if check.record and check.level != "good" else {}),
        }
        for check in checks
    ]


def _check_broker(process: Process) -> dict[str, Any]:
    if process.settings.embedded:
        return {"what": "broker", "ok": True, "text": "embedded"}
    try:
        greet(process.settings.broker_url)
    except Exception as error:  # noqa: BLE001 -- redis, pika and socket errors share no root
        return {"what": "broker", "ok": False, "text": f"does not answer: {error}. Mailings start all the same, later."}
    return {"what": "broker", "ok": True, "text": "answers"}


def _check_door(given: Settings) -> dict[str, Any]:
    if not given.inbound:
        return {
            "what": "inbound",
            "ok": True,
            "text": "mail to BOUNCE_DOMAIN does not come in here; a mailbox or a webhook may bring answers and bounces (INBOUND)",
        }
    if given.inbound == "pipe":
        return {"what": "inbound", "ok": True, "text": f"a mail server calls brieftaube inbound deliver for mail to {given.bounce_domain}"}
    parts = urlsplit(given.inbound)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=8):
            return {"what": "inbound", "ok": True, "text": f"mail to {given.bounce_domain} comes in at {given.inbound}"}
    except OSError as error:
        return {"what": "inbound", "ok": False, "text": f"nobody listens at {given.inbound}: {error.strerror or error}. Start brieftaube smtpd."}


def _check_transport(address: str, catcher: bool, name: str) -> dict[str, Any]:
    to = server(address)
    try:
        with Conversation(to, name, Timeouts(8, 8, 8, 8)):
            text = "the built-in catcher: mail stays on this machine" if catcher else f"{to.host}:{to.port} lets us in"
            return {"what": "transport", "ok": True, "text": text}
    except SmtpError as error:
        return {"what": "transport", "ok": False, "text": f"{to.host}:{to.port} said no ({error.phase}): {error}"}
