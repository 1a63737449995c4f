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
        return [hmac.new(_derive(key, purpose), value.encode(), hashlib.sha256).hexdigest() for key in reversed(self._keys)]

    def short_mac(self, purpose: str, value: str) -> str:
        """Sixteen letters and digits that prove a value came from here; fits a local part (F9)."""
        digest = hmac.new(_derive(self._keys[-1], purpose), value.encode(), hashlib.sha256).digest()
        return base64.b32encode(digest[:10]).decode().lower()

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

    def _serializer(self, purpose: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self._keys, salt=f"brieftaube.{purpose}")


def new_secret() -> str:
    """192 random bits for an address; only :func:`digest` of it is stored (T7, U6)."""
    return secrets.token_urlsafe(24)


def digest(secret: str) -> str:
    """What is stored of a bearer token."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _derive(key: str, purpose: str) -> bytes:
    raw = hashlib.blake2b(key.encode(), person=purpose.encode()[:16], digest_size=32).digest()
    return base64.urlsafe_b64encode(raw)
