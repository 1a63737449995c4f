"""Reading mails that nobody promised to write well (RFC 5322, RFC 2045).

The standard library's parser needs a millisecond for an ordinary bounce, keeps every part in several copies and raises
on some of what really arrives. This one cuts bytes at boundaries, knows limits, and never raises.
"""

import base64
import binascii
import codecs
import quopri
import re
from dataclasses import dataclass, field
from email.header import decode_header
from functools import lru_cache
from urllib.parse import unquote_to_bytes

DEPTH = 30
PARTS = 500
HEADER = 256 * 1024  # bytes of one header that are looked at
FIELDS = 1000

_FIELD = re.compile(rb"^([!-9;-~]{1,100})[ \t]*:[ \t]*(.*(?:\n[ \t].*)*)", re.MULTILINE)
_FOLD = re.compile(r"\s*\n[ \t]+|\s+")
_PARAMETER = re.compile(r""";\s*([\w!#$%&'*+.^`{|}~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]*))""")
_EXTENDED = re.compile(r"([\w!#$&+.^`{|}~-]+)\*(?:(\d+)(\*?))?$")


class Fields:
    """The header of a part: values by name, unfolded, in the order in which they stand."""

    __slots__ = ("_values",)

    def __init__(self, block: bytes) -> None:
        self._values: dict[str, list[str]] = {}
        for number, found in enumerate(_FIELD.finditer(block[:HEADER])):
            if number >= FIELDS:
                break
            name = found[1].decode("ascii").lower()
            self._values.setdefault(name, []).append(_raw(found[2]))

    def get(self, name: str) -> str:
        """The first value of a field as it was written, or nothing."""
        values = self._values.get(name)
        return values[0] if values else ""

    def all(self, name: str) -> list[str]:
        """All values of a field."""
        return self._values.get(name, [])

    def words(self, name: str) -> str:
        """The first value of a field with its encoded words decoded (RFC 2047)."""
        return decoded(self.get(name))

    def names(self) -> list[str]:
        """The names of all fields, in small letters."""
        return list(self._values)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __len__(self) -> int:
        return len(self._values)


@dataclass(slots=True)
class Part:
    """One part of a mail, or the mail itself.

    Attributes:
        kind: the content type in small letters, "text/plain" where nothing sensible is said.
        body: the bytes as they were sent, line breaks as "\\n".
        parts: what a multipart or an attached mail consists of.
    """

    fields: Fields
    kind: str
    parameters: dict[str, str]
    body: bytes
    parts: list["Part"] = field(default_factory=list)

    def walk(self) -> list["Part"]:
        """This part and all below it, in the order in which they stand."""
        found, waiting = [], [self]
        while waiting:
            part = waiting.pop()
            found.append(part)
            waiting.extend(reversed(part.parts))
        return found

    def content(self) -> bytes:
        """The body without its transfer encoding; damaged encodings give what can be read of them."""
        how = self.fields.get("content-transfer-encoding").strip().lower()
        if how == "base64":
            return _base64(self.body)
        if how == "quoted-printable":
            return quopri.decodestring(self.body)
        if how in ("x-uuencode", "uuencode", "x-uue"):
            return _uu(self.body)
        return self.body

    def text(self) -> str:
        """The content as text. Unknown and wrong charsets give replacement characters, never an error."""
        return in_charset(self.content(), self.parameters.get("charset", ""))

    @property
    def name(self) -> str:
        """The file name, from either field that may carry it (RFC 2183, RFC 2231)."""
        disposition = parameters(self.fields.get("content-disposition"))
        return decoded(disposition.get("filename") or self.parameters.get("name", ""))

    @property
    def disposition(self) -> str:
        """ "attachment", "inline" or nothing."""
        return self.fields.get("content-disposition").partition(";")[0].strip().lower()


class _Count:
    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = PARTS


def read(raw: bytes) -> Part:
    """A mail's parts. Line breaks of any kind, NULs and an mbox line before the header are endured."""
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"\0" in raw:
        raw = raw.replace(b"\0", b"")
    raw = raw.lstrip(b"\n \t\xef\xbb\xbf")
    if raw.startswith((b"From ", b">From ")):
        raw = raw.partition(b"\n")[2]
    return _part(raw, 0, _Count(), "text/plain")


def _part(raw: bytes, depth: int, count: _Count, usual: str) -> Part:
    count.left -= 1
    head, _, body = raw.partition(b"\n\n") if not raw.startswith(b"\n") else (b"", b"", raw[1:])
    fields = Fields(head)
    said = fields.get("content-type")
    kind = said.partition(";")[0].strip().lower() if said else usual
    if "/" not in kind:
        kind = "text/plain"
    part = Part(fields, kind, parameters(said), body)
    if depth >= DEPTH:
        return part
    if kind.startswith("multipart/"):
        inner = "message/rfc822" if kind == "multipart/digest" else "text/plain"
        for piece in _pieces(body, part.parameters.get("boundary") or _guessed(head, body)):
            if count.left <= 0:
                break
            part.parts.append(_part(piece, depth + 1, count, inner))
    elif kind in ("message/rfc822", "message/global") and count.left > 0:
        part.parts.append(_part(part.content().lstrip(b"\n"), depth + 1, count, "text/plain"))
    return part


def _guessed(head: bytes, body: bytes) -> str:
    """The boundary where the field that names it is broken: some write it on a line that is not indented."""
    named = re.search(rb"boundary=\"?([^\"\n;]{1,100})", head, re.IGNORECASE) or re.search(rb"^--(\S[^\n]{0,100})$", body[:5000], re.MULTILINE)
    return named[1].decode("utf-8", "replace").strip() if named else ""


def _pieces(body: bytes, boundary: str) -> list[bytes]:
    """What stands between the boundaries; a missing last one means up to the end (a mail that was cut)."""
    if not boundary:
        return []
    mark = b"--" + boundary.encode("utf-8", "replace")
    pieces = (b"\n" + body).split(b"\n" + mark)
    found: list[bytes] = []
    for piece in pieces[1:]:
        if piece.startswith(b"--"):
            break
        line, _, rest = piece.partition(b"\n")
        # A longer boundary that begins alike is another one.
        if line.strip():
            if found:
                found[-1] += b"\n" + mark + piece
            continue
        found.append(rest)
        if len(found) >= PARTS:
            break
    return found


def parameters(value: str) -> dict[str, str]:
    """The parameters of a structured field, continued and encoded ones put together (RFC 2231)."""
    if ";" not in value:
        return {}
    found: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for match in _PARAMETER.finditer(value[:20_000]):
        name = match[1].lower()
        text = re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else match[3]
        extended = _EXTENDED.match(name)
        if extended is None:
            found.setdefault(name, text)
        else:
            coded = bool(extended[3]) or extended[2] is None
            pieces.setdefault(extended[1], {}).setdefault(int(extended[2] or 0), (text, coded))
    for name, some in pieces.items():
        found[name] = _joined([some[number] for number in sorted(some)])
    return found


def _joined(some: list[tuple[str, bool]]) -> str:
    charset, raw = "utf-8", b""
    for number, (told, coded) in enumerate(some):
        text = told
        if coded and number == 0 and told.count("'") >= 2:
            charset, _, text = told.split("'", 2)
        raw += unquote_to_bytes(text) if coded else text.encode("utf-8", "replace")
    return in_charset(raw, charset)


def decoded(value: str) -> str:
    """Encoded words as text (RFC 2047); what cannot be decoded stays as it is."""
    if "=?" not in value:
        return value
    try:
        pieces = decode_header(value)
    except Exception:  # noqa: BLE001
        # The standard library gives up in several ways (ValueError, HeaderParseError, binascii.Error).
        return value
    words = "".join(in_charset(word, charset or "") if isinstance(word, bytes) else word for word, charset in pieces)
    return _FOLD.sub(" ", words).strip()


def in_charset(raw: bytes, charset: str) -> str:
    """Bytes as text. UTF-8 is tried where nothing usable is named, then what Windows writes."""
    codec = _codec(charset.strip().strip("\"'").lower()[:40])
    if codec:
        try:
            return raw.decode(codec, "replace")
        except (UnicodeError, ValueError):
            pass
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


# Codecs of Python that are no charsets, or that would unpack what was packed.
_NO_CHARSETS = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}


@lru_cache(maxsize=200)
def _codec(charset: str) -> str:
    if not charset or charset in ("us-ascii", "ascii", "unknown-8bit", "8bit", "default"):
        return ""
    try:
        known = codecs.lookup(charset)
    except (LookupError, ValueError):
        return ""
    text = getattr(known, "_is_text_encoding", True)
    return known.name if text and known.name.replace("-", "_") not in _NO_CHARSETS else ""


def _raw(value: bytes) -> str:
    # ISO-2022 looks like ASCII and is not.
    text = in_charset(value, "iso-2022-jp" if b"\x1b$" in value else "")
    return _FOLD.sub(" ", text).strip() if "\n" in text else text.strip()


def _base64(raw: bytes) -> bytes:
    letters = re.sub(rb"[^A-Za-z0-9+/]", b"", raw.partition(b"=")[0])
    try:
        return base64.b64decode(letters[: len(letters) // 4 * 4] + _last(letters))
    except (binascii.Error, ValueError):
        return b""


def _last(letters: bytes) -> bytes:
    rest = letters[len(letters) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


def _uu(raw: bytes) -> bytes:
    found = b""
    for line in raw.partition(b"\n")[2].splitlines():
        if line in (b"end", b"`", b""):
            break
        try:
            found += binascii.a2b_uu(line)
        except binascii.Error:
            continue
    return found
