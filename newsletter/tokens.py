"""Links that cannot be forged, and secrets that can be kept.

RULES T1-T7: a salt for each purpose, random ids instead of readable payloads, an age limit on
everything that is timed, keys from oldest to newest, and only hashes in the database.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import timedelta

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

# Inner and outer hash of an HMAC, waiting for the message.
Begun = tuple["hashlib._Hash", "hashlib._Hash"]

# Base 32 (RFC 4648) two letters at a time.
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [first + second for first in _LETTERS for second in _LETTERS]

# T6: a payload is decompressed on loading, 6.5 KB can become 5 MB.
LONGEST = 512


class TokenInvalid(Exception):
    """The token was not made here, or not for this purpose."""


class TokenExpired(TokenInvalid):
    """The token was right once."""


class Tokens:
    """Signs, checks, encrypts. One for each process.

    Args:
        keys: oldest first; the last one signs (T4).
    """

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._keys = list(keys)
        self._derived: dict[str, list[Begun]] = {}
        self._vault = MultiFernet([Fernet(_derive(key, "vault")) for key in reversed(keys)])

    def sign(self, purpose: str, payload: str) -> str:
        """A token that only :meth:`load` with the same purpose accepts (T1)."""
        return self._serializer(purpose).dumps(payload)

    def load(self, purpose: str, token: str, max_age: timedelta) -> str:
        """The payload of a token that is at most ``max_age`` old.

        Raises:
            TokenExpired: it is older.
            TokenInvalid: it was not signed here for this purpose.
        """
        if len(token) > LONGEST:
            raise TokenInvalid
        try:
            payload = self._serializer(purpose).loads(token, max_age=int(max_age.total_seconds()))
        except SignatureExpired as error:
            raise TokenExpired from error
        except BadSignature as error:
            raise TokenInvalid from error
        return str(payload)

    def fingerprints(self, purpose: str, value: str) -> list[str]:
        """Keyed hashes of a value, newest key first: to find it again without storing it (L5)."""
        return [_mac(key, value).hex() for key in self._keys_for(purpose)]

    def short_mac(self, purpose: str, value: str) -> str:
        """Sixteen letters and digits that prove a value came from here; fits a local part (F9)."""
        return _letters(self._keys_for(purpose)[0], value)

    def proves(self, purpose: str, value: str, mac: str) -> bool:
        """Whether :meth:`short_mac` was made here for this value, with a key of today or of before (T4)."""
        return any(hmac.compare_digest(_letters(known, value), mac) for known in self._keys_for(purpose))

    def encrypt(self, text: str) -> str:
        """Text as it may lie in the database (P6)."""
        return self._vault.encrypt(text.encode()).decode()

    def decrypt(self, text: str) -> str:
        """The reverse of :meth:`encrypt`.

        Raises:
            TokenInvalid: the secret key changed without its predecessor staying in the list.
        """
        try:
            return self._vault.decrypt(text.encode()).decode()
        except InvalidToken as error:
            raise TokenInvalid from error

    def _keys_for(self, purpose: str) -> list[Begun]:
        """The keys of a purpose, newest first, begun; a mailing asks for them for every recipient."""
        if purpose not in self._derived:
            self._derived[purpose] = [_begin(_derive(key, purpose)) for key in reversed(self._keys)]
        return self._derived[purpose]

    def _serializer(self, purpose: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self._keys, salt=f"brieftaube.{purpose}")


def _begin(key: bytes) -> Begun:
    """HMAC-SHA256 (RFC 2104) with the key worked in already.

    ``hmac.digest`` would begin anew for every recipient, and give up the interpreter lock for two microseconds of work.
    """
    padded = key.ljust(64, b"\0")
    return hashlib.sha256(bytes(byte ^ 0x36 for byte in padded)), hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))


def _letters(begun: Begun, value: str) -> str:
    number = int.from_bytes(_mac(begun, value)[:10], "big")
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(70, -1, -10)])


def _mac(begun: Begun, value: str) -> bytes:
    inner, outer = begun[0].copy(), begun[1].copy()
    inner.update(value.encode())
    outer.update(inner.digest())
    return outer.digest()


def new_secret() -> str:
    """192 random bits for an address; only :func:`digest` of it is stored (T7, U6)."""
    return secrets.token_urlsafe(24)


def numbered_secret(number: int, random: bytes) -> str:
    """A secret that carries the number of what it belongs to.

    Args:
        random: 16 bytes that nobody can guess.
    """
    return f"{number:x}.{base64.urlsafe_b64encode(random)[:22].decode('ascii')}"


def digest(secret: str) -> str:
    """What is stored of a bearer token: 64 characters.

    Of a numbered secret the number comes first, so that a million of them are written one after the other
    and not all over an index.
    """
    found = hashlib.sha256(secret.encode()).hexdigest()
    number, dot, _ = secret.partition(".")
    if dot and 0 < len(number) <= NUMBER and not number.strip("0123456789abcdef"):
        return number.rjust(NUMBER, "0") + found[: 64 - NUMBER]
    return found


def digest_from(number: int) -> str:
    """Where the digests of a number begin."""
    return f"{number:x}".rjust(NUMBER, "0")


NUMBER = 14


def _derive(key: str, purpose: str) -> bytes:
    raw = hashlib.blake2b(key.encode(), person=purpose.encode()[:16], digest_size=32).digest()
    return base64.urlsafe_b64encode(raw)
