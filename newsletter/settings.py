"""What an installation can be told: ``BRIEFTAUBE_*`` variables or ``brieftaube.toml``.

``SETTINGS`` is the one table; ``docs/settings.md`` is kept complete by a test.
"""

import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from newsletter.errors import SettingsError

PREFIX = "BRIEFTAUBE_"


class Setting(NamedTuple):
    """One thing that can be set. ``help`` is the line in docs/settings.md."""

    name: str
    default: str
    help: str


SETTINGS = (
    Setting("DATA_DIR", "./var", "Where everything lives that is not in the database."),
    Setting("DATABASE_URL", "", "Empty: SQLite in DATA_DIR. Otherwise postgresql://…"),
    Setting("BROKER_URL", "", "Empty: embedded, no server. Otherwise redis://… or amqp://…"),
    Setting("SECRET_KEY", "", "Empty: made on first start and kept in DATA_DIR/secret. Several, oldest first, comma-separated, to rotate."),
    Setting("BASE_URL", "", "The address that people see, without a slash at the end. Empty: http://HOST:PORT."),
    Setting("HOST", "127.0.0.1", "The address to listen on."),
    Setting("PORT", "8000", "The port to listen on."),
    Setting("SMTP_URL", "", "smtp://, smtps:// or smtp+starttls://user:password@host:port. Empty: what the transport page says, or else the built-in catcher."),
    Setting("SMTP_CONNECTIONS", "4", "Connections to the mail servers at a time in one worker, 1 to 64."),
    Setting("SEND_RATE", "0", "Mails in a second that leave at most, all workers and mail servers together. 0: no limit."),
    Setting("BOUNCE_DOMAIN", "", "The domain that bounces come back to. Empty: the host of BASE_URL."),
    Setting(
        "INBOUND",
        "",
        "How mails to BOUNCE_DOMAIN come in: smtp://HOST:PORT or lmtp://HOST:PORT, where `smtpd` listens, or pipe, when another mail server calls "
        "`inbound deliver`. Empty: not at all; then no mail says that one can leave by mail.",
    ),
    Setting("ARCHIVE_DIR", "", "Where public archives are written. Empty: DATA_DIR/archive."),
    Setting("CATCHER_PORT", "0", "The port of the built-in mail catcher. 0: `run` takes a free one."),
    Setting("TRUSTED_PROXIES", "0", "How many reverse proxies stand before the web server."),
    Setting("UNDO_SECONDS", "60", "How long a mailing can be taken back before the first mail leaves."),
    Setting("SIGN_UPS_CALM", "50", "Sign-ups of one publication in ten minutes that are no reason to ask each for a proof of work. More, where more is usual."),
    Setting("SIGN_UPS_PER_HOUR", "1000", "Sign-ups in an hour, all publications together; what comes after them waits in quarantine."),
    Setting("FORGET_AFTER_DAYS", "7", "Days after which a sign-up that nobody confirmed is deleted, 3 to 14."),
    Setting("PROOF_YEARS", "3", "Years, to the end of the year, for which the proof of a consent is kept after somebody left; claims lapse then."),
    Setting(
        "SPAMD",
        "127.0.0.1:783",
        "Where SpamAssassin's daemon listens: host:port, or its socket. It is asked before a letter leaves, if it is there.",
    ),
    Setting("LOG_FORMAT", "text", "text or json. Logs go to standard error."),
)


@dataclass(frozen=True)
class Settings:
    """The settings of one process, checked."""

    data_dir: Path
    database_url: str
    broker_url: str
    secret_keys: tuple[str, ...]
    base_url: str
    host: str
    port: int
    smtp_url: str
    smtp_connections: int
    send_rate: float
    bounce_domain: str
    archive_dir: Path
    catcher_port: int
    trusted_proxies: int
    undo_seconds: int
    log_format: str
    sign_ups_calm: int = 50
    sign_ups_per_hour: int = 1000
    forget_after_days: int = 7
    proof_years: int = 3
    spamd: str = ""
    inbound: str = ""

    @property
    def embedded(self) -> bool:
        """Whether the worker looks at the database by itself, without a broker."""
        return not self.broker_url

    @property
    def open_door(self) -> bool:
        """Whether mail to BOUNCE_DOMAIN comes in; what nobody reads is not advertised (U8)."""
        return bool(self.inbound)

    @property
    def catcher_url(self) -> str:
        """Where the built-in mail catcher listens: the setting, or the port that it wrote down itself."""
        return f"smtp://127.0.0.1:{self.catcher_port or _noted_port(self.data_dir) or 2525}"

    @property
    def secure(self) -> bool:
        """Whether people reach this installation through TLS."""
        return self.base_url.startswith("https://")


def load(environ: Mapping[str, str] | None = None, **overrides: object) -> Settings:
    """Read, check and complete the settings; make DATA_DIR and the secret key when they are missing.

    Args:
        environ: the process environment, or a stand-in.
        overrides: settings by lower-case name, stronger than everything else.

    Raises:
        SettingsError: one sentence that says which setting is wrong and what it wants.
    """
    given = _gather(os.environ if environ is None else environ, overrides)
    data_dir = Path(given["DATA_DIR"]).expanduser().absolute()
    _make_writable(data_dir)
    host, port = given["HOST"], _number(given, "PORT", 0, 65535)
    base_url = (given["BASE_URL"] or f"http://{_for_url(host)}:{port}").rstrip("/")
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.path:
        raise SettingsError("BASE_URL must look like https://news.example.org, without a path.")
    if given["LOG_FORMAT"] not in ("text", "json"):
        raise SettingsError("LOG_FORMAT must be text or json.")
    _check_smtp_url(given["SMTP_URL"])
    return Settings(
        data_dir=data_dir,
        database_url=_database_url(given["DATABASE_URL"], data_dir),
        broker_url=_broker_url(given["BROKER_URL"]),
        secret_keys=_secret_keys(given["SECRET_KEY"], data_dir),
        base_url=base_url,
        host=host,
        port=port,
        smtp_url=given["SMTP_URL"],
        smtp_connections=_number(given, "SMTP_CONNECTIONS", 1, 64),
        send_rate=_rate(given["SEND_RATE"]),
        bounce_domain=given["BOUNCE_DOMAIN"] or _mail_host(parts.hostname),
        archive_dir=Path(given["ARCHIVE_DIR"] or data_dir / "archive").expanduser().absolute(),
        catcher_port=_number(given, "CATCHER_PORT", 0, 65535),
        trusted_proxies=_number(given, "TRUSTED_PROXIES", 0, 9),
        undo_seconds=_number(given, "UNDO_SECONDS", 0, 3600),
        log_format=given["LOG_FORMAT"],
        sign_ups_calm=_number(given, "SIGN_UPS_CALM", 1, 10_000_000),
        sign_ups_per_hour=_number(given, "SIGN_UPS_PER_HOUR", 1, 100_000_000),
        forget_after_days=_number(given, "FORGET_AFTER_DAYS", 3, 14),
        proof_years=_number(given, "PROOF_YEARS", 0, 30),
        spamd=given["SPAMD"],
        inbound=_inbound(given["INBOUND"]),
    )


def _gather(environ: Mapping[str, str], overrides: Mapping[str, object]) -> dict[str, str]:
    given = {setting.name: setting.default for setting in SETTINGS}
    file = Path(environ.get(PREFIX + "CONFIG", "brieftaube.toml"))
    if file.is_file():
        try:
            given |= {name.upper(): str(value) for name, value in tomllib.loads(file.read_text("utf-8")).items()}
        except (tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{file} cannot be read: {error}.") from error
    given |= {name: environ[PREFIX + name] for name in given if PREFIX + name in environ}
    given |= {name.upper(): str(value) for name, value in overrides.items() if value is not None}
    unknown = sorted(set(given) - {setting.name for setting in SETTINGS})
    if unknown:
        raise SettingsError(f"There is no setting called {unknown[0]}. docs/settings.md lists them all.")
    return given


def _make_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}-{secrets.token_hex(4)}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SettingsError(f"DATA_DIR {folder} cannot be written: {error.strerror or error}.") from error


def _number(given: Mapping[str, str], name: str, low: int, high: int) -> int:
    try:
        value = int(given[name])
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise SettingsError(f"{name} must be a whole number from {low} to {high}, not “{given[name]}”.")
    return value


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 10_000:
        raise SettingsError(f"SEND_RATE must be a number from 0 to 10000, not “{text}”.")
    return rate


def _database_url(url: str, data_dir: Path) -> str:
    if not url:
        return f"sqlite:///{data_dir / 'brieftaube.db'}"
    if url.startswith(("postgresql://", "postgres://")):
        return "postgresql+psycopg://" + url.partition("://")[2]
    if url.startswith(("sqlite:///", "postgresql+psycopg://")):
        return url
    raise SettingsError("DATABASE_URL must begin with postgresql:// or sqlite:///.")


def _broker_url(url: str) -> str:
    if url and not url.startswith(("redis://", "rediss://", "amqp://", "amqps://")):
        raise SettingsError("BROKER_URL must begin with redis:// or amqp://, or be empty.")
    return url


def _check_smtp_url(url: str) -> None:
    if url and (urlsplit(url).scheme not in ("smtp", "smtps", "smtp+starttls") or not urlsplit(url).hostname):
        raise SettingsError("SMTP_URL must look like smtp+starttls://user:password@host:587.")


def _inbound(text: str) -> str:
    if text in ("", "pipe"):
        return text
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("smtp", "lmtp") and bool(parts.hostname) and parts.port is not None and not parts.path.strip("/")
    except ValueError:
        good = False
    if not good:
        raise SettingsError("INBOUND must look like lmtp://127.0.0.1:2424 or smtp://0.0.0.0:25, or be pipe, or empty.")
    return text


def _secret_keys(text: str, data_dir: Path) -> tuple[str, ...]:
    if text:
        return tuple(key.strip() for key in text.split(",") if key.strip())
    file = data_dir / "secret"
    try:
        # O_EXCL decides which of two processes that start at the same moment makes the key.
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        key = file.read_text("utf-8").strip()
        if not key:
            raise SettingsError(f"{file} is empty. Delete it, or put the secret key back.") from None
        return tuple(key.split())
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        key = secrets.token_urlsafe(48)
        stream.write(key + "\n")
    return (key,)


def _noted_port(data_dir: Path) -> int:
    try:
        return int((data_dir / "catcher.port").read_text("ascii"))
    except (OSError, ValueError):
        return 0


def _for_url(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 -- only compared; a browser cannot open the wildcard address
        return "localhost"
    return f"[{host}]" if ":" in host else host


def _mail_host(host: str) -> str:
    # An address literal is no mail domain; mail to it stays on this machine anyway.
    return host if any(letter.isalpha() for letter in host) and ":" not in host else "localhost"
