"""One round trip for a mail, and what a server may do wrong on the way (RFC 2920, S2, S3, S16-S18, F10, F15)."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from newsletter.mail.addresses import parse
from newsletter.mail.connection import stuffed
from newsletter.mail.conversation import Conversation
from newsletter.mail.smtp import Phase, Server, SmtpError, Timeouts
from tests.support.faults import FaultyServer

RAW = b"Subject: x\r\n\r\nbody\r\n"
QUICK = Timeouts(connect=2, command=1, data=1, dot=1)
PIPELINING = ("PIPELINING", "8BITMIME")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that nobody trusts by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.2"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return file


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSSL's own way of saying whom to trust."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


def send(server: Server) -> None:
    with Conversation(server, "localhost", QUICK) as conversation:
        conversation.offer("b@example.org", parse("ada@example.org"), RAW)
        conversation.dot()


def at(faults: FaultyServer, security: str = "none", host: str = "localhost", user: str = "", password: str = "") -> Server:
    return Server(host, int(faults.url.rpartition(":")[2]), security, user, password)


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(("security", "offers", "implicit"), [("starttls", ("STARTTLS", "AUTH PLAIN LOGIN"), False), ("tls", ("AUTH PLAIN LOGIN",), True)])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_f15_a_mail_goes_out_encrypted_and_logged_in(certificate: Path, security: str, offers: tuple[str, ...], implicit: bool, mechanism: str) -> None:
    offers = tuple(offer if not offer.startswith("AUTH") else f"AUTH {mechanism}" for offer in offers)
    with FaultyServer(offers=offers, certificate=certificate, implicit_tls=implicit, login=("mira", "geheim ü")) as faults:
        send(at(faults, security, user="mira", password="geheim ü"))
        assert faults.accepted == [RAW]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_f15_a_certificate_nobody_trusts_ends_it_before_the_password(certificate: Path, security: str) -> None:
    with FaultyServer(offers=("STARTTLS", "AUTH PLAIN"), certificate=certificate, implicit_tls=security == "tls", login=("mira", "x")) as faults:
        with pytest.raises(SmtpError, match="certificate is not valid"):
            send(at(faults, security, user="mira", password="x"))
        assert not any(command.startswith("AUTH") for command in faults.commands)


@pytest.mark.usefixtures("trusted")
def test_f15_a_certificate_for_another_name_ends_it_before_the_password(certificate: Path) -> None:
    with FaultyServer(offers=("STARTTLS", "AUTH PLAIN"), certificate=certificate, login=("mira", "x")) as faults:
        with pytest.raises(SmtpError, match="certificate is not valid"):
            send(at(faults, "starttls", host="127.0.0.1", user="mira", password="x"))
        assert not any(command.startswith("AUTH") for command in faults.commands)


@pytest.mark.usefixtures("trusted")
def test_s3_a_wrong_password_is_a_failure_of_the_session(certificate: Path) -> None:
    with FaultyServer(offers=("STARTTLS", "AUTH PLAIN"), certificate=certificate, login=("mira", "x")) as faults, pytest.raises(SmtpError) as caught:
        send(at(faults, "starttls", user="mira", password="y"))
    assert (caught.value.phase, caught.value.reply.code) == (Phase.AUTH, 535)


def test_a_password_is_not_sent_in_the_clear_to_another_machine() -> None:
    """The machine's own name leads to itself, but it is not loopback as far as anybody can know."""
    with FaultyServer(offers=("AUTH PLAIN",), host="0.0.0.0") as faults:
        with pytest.raises(SmtpError, match="without encryption"):
            send(at(faults, host="127.0.0.2", user="mira", password="x"))
        assert not any(command.startswith("AUTH") for command in faults.commands)


def test_s16_a_server_that_does_not_mean_its_pipelining_is_found_out() -> None:
    """It throws away what was sent ahead; the wait ends, nothing was delivered, and the connection says why."""
    with FaultyServer(offers=PIPELINING, deaf=True) as faults, pytest.raises(SmtpError, match="in time") as caught:
        send(at(faults))
    assert caught.value.phase in (Phase.RCPT, Phase.MAIL)
    assert not faults.accepted


def test_a_body_that_the_server_wants_although_it_took_no_recipient_is_not_sent() -> None:
    with FaultyServer({"rcpt": "550 5.1.1 nobody", "data": "354 come on"}, offers=PIPELINING) as faults:
        with pytest.raises(SmtpError) as caught:
            send(at(faults))
        assert caught.value.phase is Phase.RCPT
        assert not faults.accepted


def test_s17_a_line_without_end_is_no_reply() -> None:
    with FaultyServer({"rcpt": "250 " + "x" * 600_000}) as faults, pytest.raises(SmtpError) as caught:
        send(at(faults))
    assert (caught.value.phase, caught.value.reply) == (Phase.RCPT, None)


def test_size_a_mail_that_is_too_large_is_not_offered() -> None:
    with FaultyServer(offers=("SIZE 10",)) as faults, pytest.raises(SmtpError) as caught:
        send(at(faults))
    assert (caught.value.phase, caught.value.reply.code) == (Phase.MAIL, 552)
    assert not any(command.startswith("MAIL") for command in faults.commands)


@pytest.mark.parametrize(("raw", "wire"), [(b".a\r\n", b"..a\r\n"), (b"a\r\n.\r\nb\r\n", b"a\r\n..\r\nb\r\n"), (b"a", b"a\r\n"), (b"a\r\n..", b"a\r\n...\r\n")])
def test_f2_dots_at_the_beginning_of_a_line_are_doubled(raw: bytes, wire: bytes) -> None:
    assert stuffed(raw) == wire


def test_the_clear_text_before_starttls_is_not_believed_after_it(certificate: Path) -> None:
    """CVE-2011-0411: what somebody put in before the encryption must not be read after it."""
    assert ssl.HAS_SNI
    with FaultyServer({"starttls": "220 go ahead\r\n250 injected"}, offers=("STARTTLS",), certificate=certificate) as faults:
        with pytest.raises(SmtpError) as caught:
            send(at(faults, "starttls"))
        assert caught.value.phase is Phase.STARTTLS
