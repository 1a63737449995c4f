"""RULES B2: what the words of mail servers mean. The sentences are of our own making, in the manner of each server."""

import pytest

from newsletter.mail.incoming.reasons import CLASS_OF, codes_in, plain, reason_for

DEAD = [
    "550 5.1.1 <ada@example.org>: Recipient address rejected: User unknown in virtual mailbox table",
    "550 5.1.1 <ada@example.org>: Recipient address rejected: User unknown in relay recipient table",
    "550 5.1.1 <ada@example.org>... User unknown",
    "550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking the recipient's email address for typos",
    "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).",
    "550 Requested action not taken: mailbox unavailable",
    "550 No such user here",
    "550 sorry, no mailbox here by that name. (#5.1.1)",
    "553 sorry, that domain isn't here: unknown user",
    "550 5.4.1 Recipient address rejected: Access denied. AS(201806281) [DB3EUR04FT025.eop-eur04.prod.protection.outlook.com]",
    "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient ada@example.org not found by SMTP address lookup",
    "554 delivery error: dd This user doesn't have a yahoo.com account (ada@yahoo.example)",
    "550 unknown user",
    "550 Unrouteable address",
    "550 5.1.0 Address rejected",
    "550 5.1.2 Bad destination host: no such domain",
    "550 <ada@example.org>: User not found",
    "511 sorry, no mailbox here by that name",
    "550 5.1.1 Mailbox does not exist!",
    "550 5.7.1 No such user!",
    "550 Invalid Recipient - https://community.mimecast.example/docs/DOC-1369#550",
    "550 Benutzer unbekannt",
    "550 Empfänger unbekannt",
    "550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient.",
    "550 5.1.1 user or domain does not exist",
    "551 5.1.1 User not local",
    "550 5.2.1 <ada@example.org>... User Unknown",
    "550 #5.1.0 Address rejected ada@example.org",
    "550 ada@example.org: no such address here",
    "550 5.1.6 recipient no longer on server: ada@example.org",
    "550 5.1.1 Account ada@example.org does not exist",
    "550 Mailbox not found",
    "553 5.3.0 <ada@example.org>... No such user here",
    "550 5.1.1 unknown or illegal alias: ada@example.org",
    "550 permanent failure for one or more recipients (ada@example.org:550 5.1.1 <ada@example.org>: Email address could not be found, or was misspelled (G8))",
    "550 5.1.1 User Unknown (or account deleted)",
    "550 Callout verification failed: 550 Unknown recipient",
    "550 Address unknown",
    "Host or domain name not found. Name service error for name=exampel.org type=A: Host not found",
    "Unrouteable mail domain \"exampel.org\"",
    "5.4.4 Illegal host/domain name found",
    "556 5.1.10 Recipient address has null MX",
    "550 5.1.10 Domain example.org does not accept mail (nullMX)",
    "Sorry, I couldn't find any host named exampel.org. (#5.1.2)",
    "550 5.1.1 Postfach existiert nicht",
    "550 unbekannte Adresse",
    "550 This address no longer accepts mail.",
    "550 5.1.1 Destinataire inconnu",
    "550 Ungültiger Empfänger",
    "550 5.1.1 El usuario no existe",
]  # fmt: skip

ALIVE = {
    "full": [
        "552 5.2.2 <ada@example.org>: user is over quota",
        "452-4.2.2 The email account that you tried to reach is over quota. Please direct 452-4.2.2 the recipient to",
        "550 5.2.2 Mailbox full",
        "552 Requested mail action aborted: exceeded storage allocation",
        "550 5.7.1 mailbox full, quota exceeded",
        "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException",
        "552-5.2.2 Das Postfach des Empfängers ist voll",
        "550 Quota voll, Postfach ist voll",
        "452 4.2.2 Mailbox size limit exceeded",
        "552 5.2.2 Over quota",
        "550 5.1.1 <ada@example.org>: Mailbox is full / Blocks limit exceeded / Inode limit exceeded",
        "5.2.3 Message length exceeds limit set by recipient",
        "422 The recipient's mailbox is over its storage limit",
        "550 Mailquota exceeded",
    ],
    "temporary": [
        "450 4.2.0 <ada@example.org>: Recipient address rejected: Greylisted, see http://postgrey.example/help",
        "451 4.7.1 Greylisting in action, please come back later",
        "421 4.7.0 Try again later, closing connection.",
        "421 4.3.2 Service not available",
        "connect to mx.example.org[192.0.2.1]:25: Connection timed out",
        "connect to mx.example.org[192.0.2.1]:25: Connection refused",
        "451 4.3.0 Temporary system problem. Try again later",
        "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered.",
        "450 4.2.1 The user you are trying to contact is receiving mail too quickly.",
        "452 4.5.3 Error: too many recipients",
        "554 5.4.6 Too many hops",
        "550 4.4.7 QUEUE.Expired; message expired",
        "Host not found, try again",
        "450 4.1.2 <ada@example.org>: Recipient address rejected: Domain not found",
        "450 4.1.1 <ada@example.org>: Recipient address rejected: unverified address: User unknown",
        "421 Too many connections from your IP",
        "550 5.1.1 <ada@example.org> - 203.0.113.9 has sent to too many recipients this hour. IB607",
        "554 5.3.5 Local configuration error",
        "retry timeout exceeded",
        "421 4.4.2 Connection dropped due to SocketError",
        "454 4.3.0 Please try later",
        "Message expired, unable to deliver in 840 minutes",
        "554 5.0.0 Service unavailable",
        "mail for example.org loops back to myself",
    ],
    "content": [
        "550 5.7.1 Message rejected as spam by Content Filtering.",
        "554 5.7.1 Service unavailable; Client host [203.0.113.9] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/203.0.113.9",
        "550 5.7.1 [203.0.113.9 12] Our system has detected that this message is likely unsolicited mail.",
        "421 4.7.0 [TSS04] Messages from 203.0.113.9 temporarily deferred due to unexpected volume or user complaints",
        "553 5.3.0 <ada@example.org>... Mail from 203.0.113.9 rejected by blacklist",
        "550 5.7.606 Access denied, banned sending IP [203.0.113.9].",
        "554 5.7.9 Message not accepted for policy reasons.",
        "550 Virus detected; content rejected",
        "552 5.3.4 Message size exceeds fixed limit",
        "554 IP=203.0.113.9 - None/bad reputation. Ask your postmaster for help or to contact tobr@rx.t-online.example for clarification. (NOWL)",
        "554-gmx.example (mxgmx001) Nemesis ESMTP Service not available 554-No SMTP service 554 IP address is black listed.",
        "550 Requested action not taken: mailbox unavailable. Reject due to policy restrictions. For explanation visit http://postmaster.example",
        "550 5.7.1 Unfortunately, messages from [203.0.113.9] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150).",
        "550 Mail was identified as spam. User unknown? No: spam.",
        "550 5.2.0 Mail rejete. Mail rejected. ofr_506 [506]",
        "554 5.6.0 This message has been scored as spam with a probability of more than 90%",
        "550 High probability of spam",
        "550 Administrative prohibition",
        "554 5.7.1 rejected by the recipient's policy",
        "550-5.7.1 likely suspicious due to the very low reputation of the sending IP address",
        "550 Die Nachricht wurde als Spam abgelehnt",
    ],
    "sender": [
        "550-5.7.26 This message does not have authentication information or fails to pass authentication checks (SPF or DKIM).",
        "550 5.7.26 Unauthenticated email from example.com is not accepted due to domain's DMARC policy.",
        "550 5.7.515 Access denied, sending domain example.com does not meet the required authentication level",
        "550 5.7.1 <ada@example.org>: Relay access denied",
        "554 5.7.1 Relaying denied",
        "550 5.7.25 The IP address sending this message does not have a PTR record setup",
        "554 Bad DNS PTR resource record.",
        "450 4.7.1 Client host rejected: cannot find your reverse hostname, [203.0.113.9]",
        "553 5.1.8 <news@example.com>... Domain of sender address news@example.com does not exist",
        "550 5.1.0 203.0.113.9 is not allowed to send from <example.com> per it's SPF Record.",
        "550 Verification failed for <news@example.com> No Such User Here Sender verify failed",
        "501 5.1.8 Sender address rejected",
        "550 5.7.1 RESOLVER.RST.AuthRequired; authentication required",
        "550 5.1.8 Access denied, bad outbound sender",
        "503 Improper sequence of commands",
        "501 5.5.4 Syntax error in parameters",
        "550 DMARC check failed.",
        "554 5.7.1 Your message was rejected due to example.com's DMARC policy.",
        "450 service permits 2 unverifyable sending IPs",
        "550 5.7.0 From: address does not match the authenticated sender",
    ],
    "unclear": [
        "550 5.2.1 The email account that you tried to reach is disabled. Learn more at DisabledUser",
        "550 5.2.1 <ada@example.org>: account suspended",
        "550 5.7.1 <ada@example.org>: Recipient address rejected: User ada@example.org temporary locked. Please try again later!",
        "554 30 Sorry, your message to ada@example.org cannot be delivered. This mailbox is disabled (554.30).",
        "525 5.7.13 <ada@example.org>: Recipient address rejected: User account disabled.",
        "550 5.5.0 Le compte du destinataire est bloque. The recipient account is blocked. LPN007_426",
        "550 5.2.1 Mailbox inactive",
        "550 Konto deaktiviert",
        "550 nein",
        "",
    ],
}  # fmt: skip


@pytest.mark.parametrize("text", DEAD)
def test_b2_a_mailbox_that_is_not_there_is_known_as_dead(text: str) -> None:
    assert reason_for(text).kind == "dead", reason_for(text)


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in ALIVE.items() for text in texts])
def test_b2_a_living_one_is_never_called_dead(kind: str, text: str) -> None:
    assert reason_for(text).kind == kind, reason_for(text)


@pytest.mark.parametrize("text", DEAD)
def test_nobody_is_dead_while_they_still_try(text: str) -> None:
    assert reason_for(text, final=False).kind != "dead"


def test_s1_the_basic_code_is_trusted_where_the_two_differ() -> None:
    assert reason_for("451 5.1.1 User unknown").kind == "temporary"
    assert reason_for("user unknown", code=450, status="5.1.1").kind == "temporary"


def test_the_status_decides_where_the_words_say_nothing() -> None:
    assert reason_for("no", code=550, status="5.1.1").name == "unknown-user"
    assert reason_for("no", code=552, status="5.2.2").name == "full"
    assert reason_for("no", code=550, status="5.7.1").kind == "content"


def test_words_before_a_recipient_was_named_are_about_the_sender() -> None:
    assert reason_for("SMTP error after MAIL FROM:<news@example.com>: 550 5.1.1 unknown user").name == "sender-address"


def test_codes_are_found_and_addresses_of_machines_are_not_taken_for_them() -> None:
    assert codes_in("550-5.1.1 no 550 5.1.1 such") == (550, "5.1.1")
    assert codes_in("[5.1.1.9] said 450 4.2.0 later") == (450, "4.2.0")
    assert codes_in("port 25250 and 203.0.113.9") == (0, "")


def test_what_stands_in_an_address_is_no_reason() -> None:
    assert reason_for("452 <user-unknown.quota@spamhaus.example.org> later").kind == "temporary"
    assert plain('550 "Ada" <Ada@Example.org>: NO\n such  user') == '550 "ada" @: no such user'


def test_every_reason_has_a_class_of_the_rules() -> None:
    assert set(CLASS_OF.values()) == {"dead", "full", "temporary", "content", "sender", "unclear"}
