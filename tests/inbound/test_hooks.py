"""Webhooks: good, forged, replayed, in another order (B8)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from sqlalchemy import select

from newsletter.bounces.models import Bounce
from newsletter.errors import NotFound, Refused
from newsletter.fetching import Answer, Unreachable
from newsletter.inbound import hooks, queries
from newsletter.inbound.hooks import Call
from newsletter.inbound.models import Arrival, Hook
from newsletter.inbound.signatures import Forged
from newsletter.inbound.understanding import understand
from newsletter.process import Process
from newsletter.subscriptions.models import Subscription, Suppression
from tests.inbound.conftest import Inbox

TOPIC = "arn:aws:sns:eu-central-1:123456789012:brieftaube"
CERTIFICATE = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem"
RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
PUBLIC = base64.b64encode(EC.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).decode()
KEYS = {"ses": TOPIC, "mailgun": "signing-key", "sendgrid": PUBLIC}
WORDS = "550 5.1.1 no such user"


def certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(RSA.public_key()).serial_number(1)
    return built.not_valid_before(now).not_valid_after(now + timedelta(days=999)).sign(RSA, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


PEM = certificate()


@dataclass
class Amazon:
    """The web, as far as Amazon's certificate lies in it; it remembers who asked for what."""

    asked: list[str] = field(default_factory=list)

    def get(self, address: str, headers: object = None) -> Answer:
        self.asked.append(address)
        if address.startswith("https://sns.eu-central-1.amazonaws.com/"):
            return Answer(200, {}, PEM, address)
        raise Unreachable(f"{address} is nowhere.")


class Provider:
    """One of the six: what it says about a mail, and how it proves that it is it."""

    def __init__(self, name: str, inbox: Inbox) -> None:
        self.name, self.inbox, self.amazon = name, inbox, Amazon()
        self.process: Process = replace(inbox.process, web=self.amazon)
        with self.process.writing() as session:
            row = hooks.add(
                session, self.process.tokens, publication_id=inbox.post.publication_id, provider=name, key=KEYS.get(name, ""), now=self.process.clock()
            )
            self.hook_id = row.id
            self.secret, self.key = self.process.tokens.decrypt(row.secret), self.process.tokens.decrypt(row.key)

    def call(self, kind: str, email: str = "leser0@example.org", **more: object) -> Call:
        return getattr(self, f"_{self.name}")(kind, email, **more)

    def take(self, call: Call) -> int | None:
        number = hooks.take(self.process, call)
        if number is not None:
            understand(self.process, number)
        return number

    def _made(self, body: object, **headers: str) -> Call:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Call(self.name, self.secret, raw, {name.replace("_", "-"): value for name, value in headers.items()})

    def _basic(self, body: object) -> Call:
        return self._made(body, Authorization="Basic " + base64.b64encode(self.key.encode()).decode())

    def _ses(self, kind: str, email: str, topic: str = TOPIC, cert: str = CERTIFICATE, version: str = "2", number: str = "1", **_: object) -> Call:
        mail = {"source": self.inbox.verp, "commonHeaders": {"messageId": self.inbox.message_id}}
        if kind == "complaint":
            said: dict[str, Any] = {
                "notificationType": "Complaint",
                "mail": mail,
                "complaint": {"complainedRecipients": [{"emailAddress": email}], "complaintFeedbackType": "abuse"},
            }
        else:
            who = [{"emailAddress": email, "action": "failed", "status": "5.1.1", "diagnosticCode": f"smtp; {WORDS}"}]
            said = {"notificationType": "Bounce", "mail": mail, "bounce": {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": who}}
        message = {
            "Type": "Notification",
            "MessageId": f"m{number}{kind}{email}",
            "TopicArn": topic,
            "Message": json.dumps(said),
            "Timestamp": self.process.clock().strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        }
        return self._made(self.signed_by_amazon(message, cert, version))

    def signed_by_amazon(self, message: dict[str, Any], cert: str = CERTIFICATE, version: str = "2") -> dict[str, Any]:
        names = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
        text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
        signature = RSA.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256() if version == "2" else hashes.SHA1())
        return message | {"SignatureVersion": version, "Signature": base64.b64encode(signature).decode(), "SigningCertURL": cert}

    def _mailgun(self, kind: str, email: str, at: datetime | None = None, number: str = "1", **_: object) -> Call:
        stamp, token = str(int((at or self.process.clock()).timestamp())), f"token-{number}-{kind}-{email}"
        signature = hmac.new(self.key.encode(), (stamp + token).encode(), hashlib.sha256).hexdigest()
        data: dict[str, Any] = {"event": "complained", "recipient": email, "message": {"headers": {"message-id": self.inbox.message_id.strip("<>")}}}
        if kind == "bounce":
            data |= {"event": "failed", "severity": "permanent", "delivery-status": {"code": 550, "message": WORDS}}
        return self._made({"signature": {"timestamp": stamp, "token": token, "signature": signature}, "event-data": data})

    def _sendgrid(self, kind: str, email: str, at: datetime | None = None, number: str = "1", **_: object) -> Call:
        row = {"email": email, "smtp-id": self.inbox.message_id, "sg_event_id": number, "event": "spamreport"}
        row |= {"event": "bounce", "type": "bounce", "reason": WORDS, "status": "5.1.1"} if kind == "bounce" else {}
        raw, stamp = json.dumps([row]).encode(), str(int((at or self.process.clock()).timestamp()))
        signature = base64.b64encode(EC.sign(stamp.encode() + raw, ec.ECDSA(hashes.SHA256()))).decode()
        return self._made(raw, X_Twilio_Email_Event_Webhook_Signature=signature, X_Twilio_Email_Event_Webhook_Timestamp=stamp)

    def _postmark(self, kind: str, email: str, number: str = "1", **_: object) -> Call:
        row = {"RecordType": "Bounce", "Type": "HardBounce", "Email": email, "Details": f"smtp;{WORDS}", "ID": number}
        return self._basic(row if kind == "bounce" else {"RecordType": "SpamComplaint", "Type": "SpamComplaint", "Email": email, "ID": number})

    def _brevo(self, kind: str, email: str, number: str = "1", **_: object) -> Call:
        row = {"event": "hard_bounce" if kind == "bounce" else "spam", "email": email, "message-id": self.inbox.message_id, "reason": WORDS, "id": number}
        return self._basic(row)

    def _mailjet(self, kind: str, email: str, number: str = "1", **_: object) -> Call:
        row = (
            {"event": "bounce", "hard_bounce": True, "error_related_to": "recipient", "error": "user unknown", "comment": WORDS}
            if kind == "bounce"
            else {"event": "spam"}
        )
        return self._basic([row | {"email": email, "MessageID": number}])


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    hooks.CERTIFICATES.clear()


@pytest.fixture
def made(inbox: Inbox) -> Callable[[str], Provider]:
    return lambda name: Provider(name, inbox)


@pytest.fixture(params=["ses", "mailgun", "postmark", "sendgrid", "brevo", "mailjet"])
def provider(request: pytest.FixtureRequest, made: Callable[[str], Provider]) -> Provider:
    return made(request.param)


def kinds(process: Process) -> list[tuple[int, str, str]]:
    with process.reading() as session:
        return [(row.delivery_id, row.kind, row.source) for row in session.scalars(select(Bounce).order_by(Bounce.delivery_id, Bounce.kind))]


def forged(provider: Provider, call: Call) -> str:
    with pytest.raises(Forged) as error:
        provider.take(call)
    assert kinds(provider.process) == []
    with provider.process.reading() as session:
        assert session.get_one(Hook, provider.hook_id).trouble == str(error.value)
        assert session.scalars(select(Arrival)).all() == []
    return str(error.value)


def test_b8_a_good_bounce_counts(provider: Provider) -> None:
    provider.take(provider.call("bounce"))
    assert kinds(provider.process) == [(1, "dead", "event")]
    with provider.process.reading() as session:
        assert session.scalars(select(Suppression.reason)).all() == ["dead"]
        assert session.get_one(Hook, provider.hook_id).called_at == provider.process.clock()


def test_b8_a_good_complaint_ends_the_subscription(provider: Provider) -> None:
    provider.take(provider.call("complaint"))
    with provider.process.reading() as session:
        assert session.get_one(Subscription, provider.inbox.post.subscriptions[0]).state == "unsubscribed"


def test_b8_one_bit_more_or_less_and_it_is_refused(provider: Provider) -> None:
    call = provider.call("bounce")
    if provider.name in ("ses", "mailgun", "sendgrid"):
        token = b'"token": "' if provider.name == "mailgun" else b"5.1.1"
        wrong = b'"token": "x' if provider.name == "mailgun" else b"5.1.2"
        assert token in call.body
        call = replace(call, body=call.body.replace(token, wrong, 1))
    else:
        call = replace(call, headers={"Authorization": "Basic " + base64.b64encode(b"brieftaube:falsch").decode()})
    assert "wrong" in forged(provider, call)


def test_b8_without_any_proof_it_is_refused(provider: Provider) -> None:
    call = provider.call("bounce")
    body = json.loads(call.body)
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name not in ("Signature", "signature")}
    forged(provider, replace(call, headers={}, body=json.dumps(body).encode()))


@pytest.mark.parametrize("body", [b"", b"[", b"null", b"[" * 50_000, b'"x"', b"\xff\xfe"])
def test_b8_what_is_no_json_is_refused_or_put_aside(provider: Provider, body: bytes) -> None:
    call = replace(provider.call("bounce"), body=body)
    try:
        number = provider.take(call)
    except Forged:
        return
    assert number is not None
    assert kinds(provider.process) == []


def test_b8_a_replay_changes_nothing(provider: Provider) -> None:
    call = provider.call("complaint")
    provider.take(call)
    provider.process.clock.forward(minutes=2)
    assert provider.take(call) is None
    assert len(kinds(provider.process)) == 1


def test_b8_the_order_does_not_matter(made: Callable[[str], Provider], provider: Provider) -> None:
    calls = [provider.call("bounce"), provider.call("complaint"), provider.call("bounce", number="2"), provider.call("complaint", number="3")]
    for call in reversed(calls):
        provider.take(call)
    assert kinds(provider.process) == [(1, "complaint", "event"), (1, "dead", "event")]


def test_b8_an_address_that_nobody_made_is_not_there(provider: Provider) -> None:
    with pytest.raises(NotFound):
        provider.take(replace(provider.call("bounce"), secret="x" * 43))
    with pytest.raises(NotFound):
        provider.take(replace(provider.call("bounce"), provider="mailgun" if provider.name != "mailgun" else "brevo"))


@pytest.mark.parametrize("name", ["mailgun", "sendgrid"])
@pytest.mark.parametrize("away", [timedelta(hours=-25), timedelta(minutes=10)])
def test_b8_an_old_call_is_refused(made: Callable[[str], Provider], name: str, away: timedelta) -> None:
    provider = made(name)
    assert "too old" in forged(provider, provider.call("bounce", at=provider.process.clock() + away))


def test_b8_an_old_call_of_amazon_is_refused(made: Callable[[str], Provider]) -> None:
    provider = made("ses")
    call = provider.call("bounce")
    provider.process.clock.forward(hours=25)
    assert "too old" in forged(provider, call)


def test_b8_a_foreign_topic_with_a_valid_signature_is_refused_and_nothing_is_fetched(made: Callable[[str], Provider]) -> None:
    provider = made("ses")
    assert "topic" in forged(provider, provider.call("bounce", topic=TOPIC.replace("123456789012", "666666666666")))
    assert provider.amazon.asked == []


@pytest.mark.parametrize(
    "cert",
    [
        "http://sns.eu-central-1.amazonaws.com/a.pem", "https://169.254.169.254/latest/a.pem", "https://sns.eu-central-1.amazonaws.com.attacker.example/a.pem",
        "https://attacker.example/sns.eu-central-1.amazonaws.com/a.pem", "https://sns.eu-central-1.amazonaws.com@attacker.example/a.pem",
        "https://sns.eu-central-1.amazonaws.com:8443/a.pem", "https://sns.eu-central-1.amazonaws.com/a.txt", "https://evil.amazonaws.com/a.pem", "", "https://[/a.pem",
    ],
)  # fmt: skip
def test_b8_a_certificate_that_lies_elsewhere_is_not_even_fetched(made: Callable[[str], Provider], cert: str) -> None:
    provider = made("ses")
    forged(provider, provider.call("bounce", cert=cert))
    assert provider.amazon.asked == []


@pytest.mark.parametrize("version", ["1", "2"])
def test_b8_both_versions_of_amazons_signature_are_known(made: Callable[[str], Provider], version: str) -> None:
    provider = made("ses")
    assert provider.take(provider.call("bounce", version=version)) is not None


def confirmation(provider: Provider, url: str, topic: str = TOPIC) -> Call:
    message = {"Type": "SubscriptionConfirmation", "MessageId": "c1", "TopicArn": topic, "Message": "You have chosen", "SubscribeURL": url, "Token": "t"}
    message["Timestamp"] = provider.process.clock().strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return provider._made(provider.signed_by_amazon(message))


def test_b8_the_certificate_is_fetched_once(made: Callable[[str], Provider]) -> None:
    provider = made("ses")
    provider.take(provider.call("bounce"))
    provider.take(provider.call("complaint"))
    assert provider.amazon.asked == [CERTIFICATE]


def test_b8_amazons_question_whether_we_want_to_listen_is_answered(made: Callable[[str], Provider]) -> None:
    provider = made("ses")
    url = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
    assert provider.take(confirmation(provider, url)) is not None
    assert provider.amazon.asked == [CERTIFICATE, url]


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest/meta-data/", "https://evil.amazonaws.com.attacker.tld/?Action=ConfirmSubscription"])
def test_b8_a_confirmation_that_leads_elsewhere_is_not_followed(made: Callable[[str], Provider], url: str) -> None:
    provider = made("ses")
    assert "Amazon" in forged(provider, confirmation(provider, url))
    assert provider.amazon.asked == [CERTIFICATE]


def test_what_a_provider_calls_hard_is_not_believed_but_the_words_are(made: Callable[[str], Provider]) -> None:
    provider = made("postmark")
    row = {"RecordType": "Bounce", "Type": "HardBounce", "Email": "leser0@example.org", "Details": "smtp;554 5.7.1 message looks like spam"}
    provider.take(provider._basic(row))
    assert [kind for _, kind, _ in kinds(provider.process)] == ["content"]
    with provider.process.reading() as session:
        assert session.scalars(select(Suppression)).all() == []


def test_an_event_about_a_stranger_changes_nothing(provider: Provider) -> None:
    call = provider.call("bounce", "fremd@example.net")
    if provider.name in ("postmark", "mailjet"):
        provider.take(call)
        assert kinds(provider.process) == []


def test_a_webhook_without_a_key_cannot_be_made(inbox: Inbox) -> None:
    for name in ("ses", "mailgun", "sendgrid", "elsewhere"):
        with pytest.raises(Refused), inbox.process.writing() as session:
            hooks.add(session, inbox.process.tokens, publication_id=inbox.post.publication_id, provider=name, key=" ", now=inbox.process.clock())


def test_the_address_to_enter_holds_a_secret_that_the_database_does_not_show(provider: Provider) -> None:
    with provider.process.reading() as session:
        row = queries.hooks_of(session, provider.inbox.post.publication_id)[0]
        address = hooks.address_of(provider.process.tokens, "https://brief.example", row)
        assert address.endswith(f"/hooks/{provider.name}/{provider.secret}")
        assert ("@brief.example" in address) == (provider.name in ("postmark", "brevo", "mailjet"))
        assert provider.secret not in f"{row.secret} {row.key} {row.digest}"
        assert len(base64.urlsafe_b64decode(provider.secret + "=")) == 32
