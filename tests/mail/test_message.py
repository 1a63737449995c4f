"""The bytes of a mail (F1-F9, F12, U1, U9)."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from email import policy
from email.parser import BytesParser

import dkim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import Refused
from newsletter.mail.addresses import parse
from newsletter.mail.message import Letter, MessageBroken, Sender, compose, quoted, verify

AT = datetime(2026, 11, 17, 8, 0, tzinfo=UTC)
LETTER = Letter(
    sender=Sender(
        "Mira Lindner, Gärtnerin", parse("mira@saatgarten.example"), parse("antwort@saatgarten.example"), "saatbrief.saatgarten.example", "Der Saatbrief"
    ),
    recipient=parse("ada@example.org"),
    subject="„Gänse“ und Bohnen – ein langer Betreff, der nicht in eine Zeile passt, mit Absicht",
    text="Guten Morgen,\n\n.\n..\nFrom hier\n",
    html="<p>Grüße</p>",
    reference="abc123",
    leave_url="https://news.example/u/" + "x" * 32,
    feedback_id="12:saatbrief:issue:brieftaube",
)


def test_f1_bytes_are_ascii_with_crlf_and_short_lines() -> None:
    raw = compose(LETTER, AT)
    assert raw.isascii()
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\0", raw)
    assert max(len(line) for line in raw.split(b"\r\n")) <= 78


@given(st.text(max_size=500), st.text(max_size=300))
@settings(max_examples=80, deadline=None)
def test_f1_holds_for_any_text(text: str, html: str) -> None:
    text, html = (part.encode("utf-8", "replace").decode() for part in (text, html))
    raw = compose(replace(LETTER, text=text, html=html), AT)
    assert raw.isascii()
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\0", raw)
    assert all(len(line) <= 78 for line in raw.split(b"\r\n"))
    parsed = BytesParser(policy=policy.default).parsebytes(raw)
    back = parsed.get_body(("plain",)).get_payload(decode=True).decode()
    wanted = re.sub(r"\r\n|\r|\n|\x85|\u2028|\u2029", "\n", text).replace("\0", "")
    assert back.replace("\r\n", "\n").rstrip("\n") == wanted.rstrip("\n")


@pytest.mark.parametrize("end", ["\r\n.\r\n", "\n.\n", "\r.\r", "\n.\r\n", "\r\n.\n", "\r.\r\n", "\r\n.\r", "\n\r.\n"])
def test_f2_no_variant_of_the_end_of_data_survives(end: str) -> None:
    raw = compose(replace(LETTER, text=f"eins{end}MAIL FROM:<x@evil.example>{end}"), AT)
    assert not re.search(rb"[\r\n]\.[\r\n]", raw)


def test_f3_text_comes_first_then_html() -> None:
    parsed = BytesParser(policy=policy.default).parsebytes(compose(LETTER, AT))
    assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]


def test_f4_each_field_is_there_once() -> None:
    parsed = BytesParser(policy=policy.default).parsebytes(compose(LETTER, AT))
    for name in ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Reply-To", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post"):
        assert len(parsed.get_all(name)) == 1, name
    assert parsed["Bcc"] is None
    assert parsed["To"] == "ada@example.org"
    assert parsed["Subject"] == LETTER.subject
    assert parsed["From"].addresses[0].display_name == "Mira Lindner, Gärtnerin"


def test_f5_the_message_id_says_nothing_about_a_person_and_stays() -> None:
    first, second = (BytesParser().parsebytes(compose(LETTER, at))["Message-ID"] for at in (AT, AT.replace(hour=9)))
    assert first == second == "<abc123@saatgarten.example>"


def test_f6_f7_f8_list_fields_stand_on_issues_only() -> None:
    issue = BytesParser(policy=policy.default).parsebytes(compose(LETTER, AT))
    assert issue["List-Id"] == "Der Saatbrief <saatbrief.saatgarten.example>"
    assert issue["List-Post"] == "NO"
    assert issue["Precedence"] == "bulk"
    assert re.fullmatch(r"[^:]+:[^:]+:[^:]+:[a-z]{1,15}", issue["Feedback-ID"])
    notice = BytesParser(policy=policy.default).parsebytes(compose(replace(LETTER, leave_url="", form_host="news.example"), AT))
    assert notice["Auto-Submitted"] == "auto-generated"
    assert notice["List-Unsubscribe"] is None
    assert notice["Form-Sub"]


@pytest.mark.parametrize("length", [20, 60, 71, 78, 87, 120, 300, 900])
def test_u1_u9_the_unsubscribe_address_is_never_encoded(length: int) -> None:
    url = "https://n.example/u/" + "x" * (length - 20)
    raw = compose(replace(LETTER, leave_url=url), AT)
    assert f"List-Unsubscribe: <{url}>\r\n".encode() in raw
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw


@pytest.mark.parametrize(
    "value",
    [
        "A\r\nBcc: x@evil.example",
        "A\nB",
        "A\rB",
        "A\0B",
        "A\x7fB",
        "A\u2028B",
        "A\u2029B",
        "A \U0001f4a9 subject=?UTF-8?Q?=0A?=Bcc: x@evil.example",
        "=?utf-8?q?x?=",
    ],
)
def test_f12_a_header_cannot_be_injected(value: str) -> None:
    for broken in (
        replace(LETTER, subject=value),
        replace(LETTER, sender=replace(LETTER.sender, name=value)),
        replace(LETTER, sender=replace(LETTER.sender, list_name=value)),
    ):
        with pytest.raises(Refused):
            compose(broken, AT)


@given(st.text(min_size=1, max_size=150))
@settings(max_examples=120, deadline=None)
def test_f12_any_subject_reads_back_or_is_refused(subject: str) -> None:
    letter = replace(LETTER, subject=subject)
    try:
        raw = compose(letter, AT)
    except (Refused, MessageBroken):
        return
    parsed = BytesParser(policy=policy.default).parsebytes(raw)
    assert " ".join(str(parsed["Subject"]).split()) == " ".join(subject.split())
    assert parsed["Bcc"] is None


def test_f12_bytes_that_say_something_else_never_leave() -> None:
    raw = compose(LETTER, AT)
    with pytest.raises(MessageBroken):
        verify(raw.replace(b"To: ", b"Bcc: x@evil.example\r\nTo: "), LETTER)
    with pytest.raises(MessageBroken):
        verify(raw.replace(b"Subject: ", b"Subject: X"), LETTER)


def test_u2_a_signature_over_our_bytes_verifies() -> None:
    """The bytes survive a signer that looks at every one of them."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    import base64

    raw = compose(LETTER, AT)
    signature = dkim.sign(raw, b"s", b"saatgarten.example", private, include_headers=[b"from", b"subject", b"list-unsubscribe", b"list-unsubscribe-post"])
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    assert dkim.verify(signature + raw, dnsfunc=lambda name, timeout=5: record)


def test_f10_a_recipient_beyond_ascii_gets_a_head_in_utf_8() -> None:
    raw = compose(replace(LETTER, recipient=parse("jürgen@example.org")), AT)
    assert "To: jürgen@example.org\r\n".encode() in raw
    _, _, body = raw.partition(b"\r\n\r\n")
    assert body.isascii()


def test_quoted_keeps_lines_within_76_even_when_dots_are_encoded() -> None:
    for line in quoted("." * 200 + "\n" + "From " + "x" * 100 + "\n" + "ä" * 90).split("\r\n"):
        assert len(line) <= 76
