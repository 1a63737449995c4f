"""A mail from a mould is the mail that would have been written by hand, byte rules and signatures included."""

import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from email import policy
from email.parser import BytesParser
from pathlib import Path

import dkim as other
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.mail import dkim
from newsletter.mail.addresses import parse
from newsletter.mail.message import Letter, MessageBroken, Sender, compose, field_names, verify
from newsletter.mail.mould import Mould, date_of
from newsletter.rendering import merge
from newsletter.rendering.mail import LEAVE, MailParts, cut, final
from tests.support.required import missing

AT = datetime(2026, 11, 17, 9, 0, tzinfo=UTC)
URL = "https://news.saatgarten.example/u/1a2f.Vq3xxxxxxxxxxxxxxxxxxx"
SENDER = Sender("Mira Lindner", parse("mira@saatgarten.example"), None, "saatbrief.saatgarten.example", "Der Saatbrief")
KEYS = [dkim.Key("saatgarten.example", f"s{index}", algorithm, dkim.new_private_key(algorithm)) for index, algorithm in enumerate(("rsa", "ed25519"))]
PARTS = MailParts(
    f'<html><body><p>{merge.mark("{{ anrede }}")},</p>\n<p>  zwei   Räume\t\n.Punkt</p><a href="{LEAVE}">weg</a></body></html>\n',
    f"{merge.mark('{{ anrede }}')},\n\nschön.  \n.Punkt am Anfang\nFrom hier\n{merge.mark('{{ vorname|du }}')}\n{LEAVE}\n",
)


def letter(subject: str = "Süße Bohnen", **more: object) -> Letter:
    given = {
        "recipient": parse("ada@example.org"),
        "reference": "ref",
        "leave_url": URL,
        "feedback_id": "1:saat:issue:brieftaube",
        "archive_url": "https://x.example/a/",
    }
    return Letter(sender=SENDER, subject=subject, text="", html="", **(given | more))


def pour(name: str = "Ada", parts: MailParts = PARTS, signer: dkim.Signer | None = None, url: str = URL) -> bytes:
    mould = Mould(letter(), cut(parts.text), cut(parts.html), signer)
    return mould.pour("ada@example.org", "ref", url, date_of(AT), merge.values_of(name, "Hallo"))


def published(name: bytes, timeout: int = 5) -> bytes:
    key = next(key for key in KEYS if name.decode().startswith(f"{key.selector}._domainkey.saatgarten.example"))
    return dkim.record(key.algorithm, key.private).encode()


def verified(raw: bytes, index: int = 0) -> bool:
    try:
        return other.DKIM(raw).verify(idx=index, dnsfunc=published)
    except other.ValidationError:
        return False


def signer(*keys: dkim.Key) -> dkim.Signer:
    return dkim.Signer(keys or KEYS, field_names(letter()))


def test_a_mould_says_what_a_letter_written_by_hand_says() -> None:
    parts = final(PARTS, merge.values_of("Ada Lorenzen", "Hallo"), URL)
    by_hand = compose(
        Letter(SENDER, parse("ada@example.org"), "Süße Bohnen", parts.text, parts.html, "ref", URL, "1:saat:issue:brieftaube", "https://x.example/a/"), AT
    )
    ours = pour("Ada Lorenzen")
    first, second = (BytesParser(policy=policy.default).parsebytes(raw) for raw in (by_hand, ours))
    assert [(name, value) for name, value in first.items() if name != "Content-Type"] == [
        (name, value) for name, value in second.items() if name != "Content-Type"
    ]
    for kind in ("plain", "html"):
        assert first.get_body((kind,)).get_content().rstrip() == second.get_body((kind,)).get_content().rstrip()


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=130), st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Co")), max_size=300))
def test_f1_f2_whatever_goes_into_a_slot_the_bytes_stay_in_order(name: str, around: str) -> None:
    parts = MailParts(f"<p>{merge.mark('{{ name|x }}')}{LEAVE}</p>\n", f"{around}{merge.mark('{{ name }}')}{around}{LEAVE}{around}\n")
    values = merge.values_of(name, "Hallo")
    raw = Mould(letter(), cut(parts.text), cut(parts.html)).pour("ada@example.org", "ref", URL, date_of(AT), values)
    meant = final(parts, values, URL)
    verify(raw, letter(), (), meant.text, meant.html)
    assert raw.isascii()
    assert b"\r\n." not in raw
    assert b"\r\nFrom " not in raw
    assert max(len(line) for line in raw.split(b"\r\n\r\n", 1)[1].split(b"\r\n")) <= 76


def test_u9_a_long_unsubscribe_address_stays_whole() -> None:
    for length in (20, 71, 87, 300, 900):
        url = "https://news.saatgarten.example/u/" + "x" * length
        parsed = BytesParser(policy=policy.default).parsebytes(pour(url=url))
        assert parsed["List-Unsubscribe"] == f"<{url}>"
        assert url in parsed.get_body(("plain",)).get_content()


def test_f12_a_subject_that_reads_like_a_slot_is_found_out() -> None:
    with pytest.raises(MessageBroken):
        Mould(letter(subject="reference-slot"), ["x"], ["x"])


def test_f16_u2_both_signatures_verify_and_cover_one_click_unsubscribing() -> None:
    raw = pour(signer=signer())
    for index in (0, 1):
        assert verified(raw, index)
    for field in (b"list-unsubscribe", b"list-unsubscribe-post", b"from", b"subject"):
        covered = re.search(rb"h=([^;]+);", raw).group(1).replace(b"\r\n ", b"").split(b":")
        assert covered.count(field) == 2, field
    assert b" l=" not in raw.partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize("key", KEYS, ids=["rsa", "ed25519"])
def test_f16_a_byte_that_is_changed_breaks_the_signature(key: dkim.Key) -> None:
    raw = pour(signer=signer(key))
    assert verified(raw)
    for before, after in (
        (b"Mira Lindner", b"Mira Lindnex"),
        (b"Subject: ", b"Subject: x"),
        (b"/u/1a2f", b"/u/1a2e"),
        (b"sch=C3=B6n", b"sch=C3=B6m"),
        (b"One-Click", b"One-Clack"),
    ):
        assert before in raw
        assert not verified(raw.replace(before, after, 1)), before


def test_f16_a_second_field_added_on_the_way_breaks_the_signature() -> None:
    raw = pour(signer=signer(KEYS[0]))
    head, _, body = raw.partition(b"\r\n\r\n")
    for field in (b"From: evil@example.com", b"Subject: other", b"List-Unsubscribe: <https://evil.example>", b"Reply-To: evil@example.com"):
        assert not verified(head + b"\r\n" + field + b"\r\n\r\n" + body), field


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.text(alphabet=" \t\nabc.=üß", max_size=120))
def test_f16_signatures_verify_whatever_stands_in_the_letter(name: str, body: str) -> None:
    parts = MailParts(f"<p>{body}{merge.mark('{{ name }}')}{body}</p>", f"{body}{merge.mark('{{ name }}')}{body}{LEAVE}{body}")
    raw = pour(name, parts, signer())
    assert verified(raw)
    assert verified(raw, 1)


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet=" \t\r\nab.:", max_size=80))
def test_f16_a_single_mail_of_any_shape_is_signed_so_that_it_verifies(body: str) -> None:
    lines = re.sub(r"\r\n|\r|\n", "\r\n", body)
    raw = dkim.sign(f"From: mira@saatgarten.example\r\nSubject: x\r\n y\r\nDate: z\r\n\r\n{lines}\r\n".encode(), KEYS)
    assert verified(raw)
    assert verified(raw, 1)


def test_f16_opendkim_verifies_our_signature(tmp_path: Path) -> None:
    """Debian's opendkim asks a real name server, so it gets one, in a network namespace."""
    apart = ["unshare", "-n", "-m"]
    if not all(map(shutil.which, ("opendkim-testmsg", "ip", "unshare"))) or subprocess.run([*apart, "true"], capture_output=True, check=False).returncode:
        missing("opendkim", "opendkim-tools, iproute2 and the right to make a network namespace are needed")
    name, record = f"{KEYS[0].selector}._domainkey.saatgarten.example", dkim.record("rsa", KEYS[0].private)

    def verifies(raw: bytes) -> bool:
        (tmp_path / "mail").write_bytes(raw)
        child = [sys.executable, str(Path(__file__).with_name("opendkim_child.py")), name, record, str(tmp_path / "mail"), str(tmp_path)]
        return subprocess.run([*apart, *child], capture_output=True, check=False, timeout=60).returncode == 0

    raw = pour(signer=signer(KEYS[0]))
    assert verifies(raw)
    assert not verifies(raw.replace(b"One-Click", b"One-Clack"))


def test_p6_a_private_key_does_not_show_in_a_representation() -> None:
    assert "PRIVATE" not in repr(KEYS)


@pytest.mark.parametrize(("algorithm", "private"), [("rsa", "nonsense"), ("ed25519", KEYS[0].private), ("rsa", KEYS[1].private)])
def test_a_key_that_cannot_be_read_says_so(algorithm: str, private: str) -> None:
    with pytest.raises(dkim.KeyBroken):
        dkim.Signer([dkim.Key("x.example", "s", algorithm, private)], {"from"})
