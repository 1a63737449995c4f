"""RULES B1-B5: what a raw mail is."""

import csv
import random
from collections import defaultdict
from pathlib import Path

import pytest

from newsletter.mail.incoming.letter import written
from newsletter.mail.incoming.mime import DEPTH, PARTS, read
from newsletter.mail.incoming.verdict import judge
from tests.support.bounces import FOLDER
from tests.support.required import missing

HERE = Path(__file__).parent
SAMPLES = sorted((HERE / "samples").glob("*.eml"))
OURS = list(csv.DictReader((HERE / "expected.tsv").read_text("utf-8").splitlines(), delimiter="\t"))


def test_every_sample_has_an_expectation() -> None:
    assert {row["file"] for row in OURS} == {path.stem for path in SAMPLES}


@pytest.mark.parametrize("row", OURS, ids=lambda row: row["file"])
def test_b2_each_sample_is_what_it_is(row: dict[str, str]) -> None:
    found = judge((HERE / "samples" / f"{row['file']}.eml").read_bytes())
    assert found.kind == row["kind"]
    if row["kind"] == "bounce":
        assert " ".join(one.kind for one in found.recipients) == row["classes"]
        assert found.recipients[0].address.endswith("@lesende.example")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_line_breaks_of_any_kind_mean_the_same(path: Path) -> None:
    raw = path.read_bytes()
    expected = judge(raw)
    for other in (raw.replace(b"\n", b"\r\n"), raw.replace(b"\n", b"\r"), b"From MAILER-DAEMON Tue Nov  3\n" + raw, b"\n\n" + raw):
        assert judge(other).kind == expected.kind
        assert judge(other).recipients == expected.recipients


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_b4_a_mail_cut_at_every_tenth_byte_raises_nothing(path: Path) -> None:
    raw = path.read_bytes()
    whole = judge(raw)
    for end in range(0, len(raw), 10):
        cut = judge(raw[:end])
        # What is left of a person's mail is never taken for a dead mailbox.
        assert whole.kind != "reply" or cut.kind in ("reply", "other")


def test_what_our_own_letter_said_is_no_reason() -> None:
    """The copy of the letter behind a bounce speaks of full mailboxes and unknown users."""
    found = judge((HERE / "samples" / "exim-sender.eml").read_bytes())
    assert [one.kind for one in found.recipients] == ["sender"]


def test_what_came_back_of_our_letter_is_found() -> None:
    for name in ("dsn-dead", "exim-dead", "arf-redacted"):
        returned = judge((HERE / "samples" / f"{name}.eml").read_bytes()).returned
        assert returned is not None
        assert returned.get("message-id") == "<7.abcdef@brief.example>"


def test_b4_depth_and_number_of_parts_have_limits() -> None:
    deep = b""
    for level in range(200):
        deep += b"Content-Type: multipart/mixed; boundary=g%d\n\n--g%d\n" % (level, level)
    assert len(read(deep + b"Content-Type: text/plain\n\nTief unten.").walk()) <= DEPTH + 1
    assert judge(b"From: ada@lesende.example\n" + deep).kind in ("reply", "other")
    many = b"From: ada@lesende.example\nContent-Type: multipart/mixed; boundary=g\n\n" + b"--g\n\nTeil\n" * 10_000
    assert len(read(many).walk()) <= PARTS + 1
    assert judge(many).kind == "reply"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0" * 1000,
        b"\xff\xfe" * 500,
        b"Subject: " + b"A" * 5_000_000,
        b"X: y\n" * 200_000 + b"\n",
        b"Content-Type: text/plain; charset=klingonisch\n\n\xe4\xf6\xfc",
        b"Content-Type: text/plain; charset=idna\n\n" + b"a." * 5000,
        b"Content-Type: text/plain; charset=zlib_codec\n\n" + b"x" * 100,
        b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n===%%%A",
        b"Subject: =?utf-8?b?////?= =?bogus?q?=ZZ?= =?utf-8?x?y?=\n\n",
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=\"\"\n\n--\n",
        b"Content-Type: message/delivery-status\n\nFinal-Recipient: rfc822; \\x{FFFFFFFF}@x\nAction: failed\nStatus: 999.999.999",
        b"Content-Type: application/pdf; name*0*=utf-8''%FF; name*1=x; name*99999999999999999999=y\n\n",
        b"From: " + b"<" * 10_000 + b"@" + b">" * 10_000 + b"\n\n",
        b"From: MAILER-DAEMON\nSubject: failure notice\n\n" + b"a@" * 30_000,
        b"From: MAILER-DAEMON\nSubject: failure notice\n\n" + b"550 " * 30_000,
        b"From: postmaster@x\nSubject: failure notice\n\n" + b"(" * 30_000 + b" user " * 5000,
    ],
    ids=range(17),
)  # fmt: skip
def test_b4_nothing_raises(raw: bytes) -> None:
    judge(raw)


def test_b4_mutated_mails_raise_nothing() -> None:
    """A thousand here; `make shake` tries a hundred thousand."""
    chance = random.Random(7)
    raws = [path.read_bytes() for path in SAMPLES]
    for _ in range(1000):
        raw = mutated(chance, raws)
        judge(raw)
        written(read(raw))


def mutated(chance: random.Random, raws: list[bytes]) -> bytes:
    """A mail with a few things done to it that happen to mails on their way, and some that do not."""
    raw = bytearray(chance.choice(raws))
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(raw) + 1)
        what = chance.randrange(7)
        if what == 0:
            del raw[at : at + chance.randint(1, 400)]
        elif what == 1:
            raw[at:at] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 20)))
        elif what == 2 and at < len(raw):
            raw[at] ^= 1 << chance.randrange(8)
        elif what == 3:
            other = chance.choice(raws)
            begin = chance.randrange(len(other))
            raw[at:at] = other[begin : begin + chance.randint(1, 600)]
        elif what == 4:
            raw[at:at] = chance.choice(
                [b"\r", b"\n\n", b"\0", b"--=_grenze\n", b"=?utf-8?b?", b"Content-Type: multipart/mixed; boundary=x\n", b';charset="', b"\x1b$B"]
            )
        elif what == 5:
            raw[at : at + 50] = raw[at : at + 50] * chance.randint(2, 30)
        else:
            raw = raw[:at]
    return bytes(raw)


# --- Real mails ---------------------------------------------------------------------------------------------------

REAL = FOLDER
DEAD = {"userunknown", "hostunknown", "hasmoved", "notaccept", "suspend", "filtered"}
# The labels of these are about the provider's habit; the words speak of the mailbox, and words decide.
READ_THE_TEXT = {"filtered", "rejected"}
OVERRIDES = {
    ("lhost-ezweb-02.eml", "1"): "The words are 'user unknown'; that the account is suspended cannot be seen.",
    ("rfc3464-01.eml", "1"): "Status 5.1.1 and 'User Unknown'; nothing speaks of a full mailbox.",
}


@pytest.fixture(scope="module")
def real() -> dict[str, list[dict[str, str]]]:
    if not (REAL / "expected.tsv").exists():
        missing("bounces", f"no samples of real bounces in {REAL}")
    found = defaultdict(list)
    for row in csv.DictReader((REAL / "expected.tsv").read_text("utf-8").splitlines(), delimiter="\t"):
        found[row["file"]].append(row)
    return found


def test_b2_dead_ones_are_found_and_living_ones_are_left_alone(real: dict[str, list[dict[str, str]]]) -> None:
    dead = found = living = wrong = 0
    for name, rows in real.items():
        recipients = judge((REAL / "samples" / name).read_bytes()).recipients
        for place, row in enumerate(rows):
            kind = recipients[place].kind if place < len(recipients) else ""
            if row["hard"] == "true" and row["reason"] in DEAD:
                dead, found = dead + 1, found + (kind == "dead")
            elif row["reason"] not in READ_THE_TEXT and (name, row["recipient"]) not in OVERRIDES:
                living, wrong = living + 1, wrong + (kind == "dead")
    assert dead > 80
    assert living > 140
    assert found / dead >= 0.97
    assert wrong / living <= 0.01


def test_the_kinds_of_real_mails(real: dict[str, list[dict[str, str]]]) -> None:
    expected = {"feedback": "complaint", "vacation": "auto-reply", "delivered": "other"}
    other = [name for name, rows in real.items() if judge((REAL / "samples" / name).read_bytes()).kind != expected.get(rows[0]["reason"], "bounce")]
    # An automatic note of a mailing list to who is no member: it is refused as a person's mail would be, and says nothing of a mailbox.
    assert set(other) <= {"lhost-fml-02.eml"}
    for path in (REAL / "not").glob("*.eml"):
        assert judge(path.read_bytes()).kind != "bounce"


def test_real_mails_cut_anywhere_raise_nothing(real: dict[str, list[dict[str, str]]]) -> None:
    for name in real:
        raw = (REAL / "samples" / name).read_bytes()[:20_000]
        for end in range(0, len(raw), max(10, len(raw) // 40)):
            judge(raw[:end])
