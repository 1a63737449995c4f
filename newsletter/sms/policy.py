"""Phone numbers, parts, prices, and how a gateway is asked. Without I/O."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from newsletter.errors import Refused
from newsletter.i18n import mark

HERE = "{base}"  # this installation's own address, in that of a gateway
CODE_FOR = timedelta(minutes=10)
TRIES = 5
CODES_A_DAY = 3
LONGEST = 612  # four parts
ATTEMPTS = 6
LEASE = timedelta(minutes=5)
# Where messages cost what people expect. Fraudsters have codes sent to numbers far away that they earn money with.
REGIONS = {
    "DE", "AT", "CH", "LI", "LU", "BE", "NL", "FR", "IT", "ES", "PT", "DK", "SE", "NO", "FI", "IS", "IE", "GB", "PL", "CZ", "SK", "HU", "SI", "HR", "RO",
    "BG", "GR", "CY", "MT", "EE", "LV", "LT",
}  # fmt: skip
HOME = {"de": "DE", "en": "GB"}

# GSM 03.38: what fits into seven bits; the second row costs two places each.
_GSM = frozenset("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà")
_GSM_TWICE = frozenset("^{}\\[~]|€\f")
_SPELLED = str.maketrans({"„": '"', "“": '"', "”": '"', "‚": "'", "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "\u00a0": " ", "\u202f": " "})


def number(text: str, language: str) -> str:
    """A number as the whole world writes it (E.164), from any form that people use.

    Args:
        language: of the publication; a number without a country is one of its.

    Raises:
        Refused: it is no mobile number, or lies where messages are expensive.
    """
    import phonenumbers  # its tables are large, and few processes ever need them

    wrong = Refused(mark("This is no mobile number that can get text messages. Write it like 0170 1234567 or +43 660 1234567."), field="number")
    cleaned = text.strip().replace("(0)", "").removeprefix("tel:")
    if len(cleaned) > 40 or sum(sign.isdigit() for sign in cleaned) < 6 or any(sign.isalpha() for sign in cleaned):
        raise wrong
    try:
        found = phonenumbers.parse(cleaned, HOME.get(language, "DE"))
    except phonenumbers.NumberParseException as error:
        raise wrong from error
    mobile = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
    if not phonenumbers.is_valid_number(found) or phonenumbers.number_type(found) not in mobile:
        raise wrong
    if phonenumbers.region_code_for_number(found) not in REGIONS:
        raise Refused(mark("We send text messages within Europe only."), field="number")
    return str(phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164))


def masked(number: str) -> str:
    """Enough of a number to recognise one's own."""
    return f"{number[:4]} … {number[-3:]}"


@dataclass(frozen=True)
class Size:
    """How long a message is: signs as the network counts them, parts, and how many signs are left in the last one."""

    signs: int
    parts: int
    left: int
    unicode: bool


def size(text: str) -> Size:
    """GSM 03.38 and 03.40: 160 signs of seven bits or 70 of sixteen; in several parts seven or three of them go to the join."""
    wide = any(sign not in _GSM and sign not in _GSM_TWICE for sign in text)
    signs = len(text.encode("utf-16-le")) // 2 if wide else sum(2 if sign in _GSM_TWICE else 1 for sign in text)
    single, joined = (70, 67) if wide else (160, 153)
    parts = 1 if signs <= single else -(-signs // joined)
    return Size(signs, parts, (single if parts == 1 else parts * joined) - signs, wide)


def spelled(text: str) -> str:
    """The text with typographic signs in the form that fits into seven bits: the same words for less than half the price."""
    return text.translate(_SPELLED).strip()


def cost(recipients: int, parts: int, price: int) -> int:
    """Thousandths of a euro."""
    return recipients * parts * price


def pause(attempts: int) -> timedelta | None:
    """How long until the next try of what has surely not been sent; None: that was the last."""
    return timedelta(seconds=15 * 4 ** (attempts - 1)) if attempts < ATTEMPTS else None


@dataclass(frozen=True)
class Request:
    """What a gateway is asked."""

    method: str
    address: str
    headers: dict[str, str]
    body: bytes | None


def request(address: str, shape: str, headers: dict[str, str], body: str, *, to: str, text: str, sender: str, key: str) -> Request:
    """A template with its places filled. A value is put in where a whole value belongs, so that no text can change the request.

    Args:
        body: JSON, or fields as ``name=value&name=value``; in its values ``{to}``, ``{text}``, ``{from}`` and ``{id}`` are filled.

    Raises:
        Refused: the template cannot be read, or has no place for the number or the text.
    """
    places = {"{to}": to, "{digits}": to.lstrip("+"), "{text}": text, "{from}": sender, "{id}": key}
    if ("{to}" not in body and "{digits}" not in body) or "{text}" not in body:
        raise Refused(mark("The template needs a place for the number, {to}, and one for the text, {text}."), field="body")
    if shape == "json":
        try:
            filled = json.dumps(_filled(json.loads(body), places), ensure_ascii=False).encode()
        except ValueError as error:
            raise Refused(mark("The template is no JSON."), field="body") from error
        return Request("POST", address, {"Content-Type": "application/json"} | headers, filled)
    pairs = [(name, str(_filled(value, places))) for name, value in parse_qsl(body.strip(), keep_blank_values=True)]
    if shape == "query":
        return Request("GET", f"{address}{'&' if '?' in address else '?'}{urlencode(pairs)}", headers, None)
    return Request("POST", address, {"Content-Type": "application/x-www-form-urlencoded"} | headers, urlencode(pairs).encode())


def _filled(value: Any, places: dict[str, str]) -> Any:
    if isinstance(value, str):
        # One pass: what was filled in is not looked through for places again.
        parts, rest = [], value
        while rest:
            at, place = min(((rest.find(name), name) for name in places if name in rest), default=(-1, ""))
            if at < 0:
                parts.append(rest)
                break
            parts += [rest[:at], places[place]]
            rest = rest[at + len(place) :]
        return "".join(parts)
    if isinstance(value, dict):
        return {key: _filled(part, places) for key, part in value.items()}
    return [_filled(part, places) for part in value] if isinstance(value, list) else value


def headers_from(text: str) -> dict[str, str]:
    """Lines like ``Authorization: Bearer …``.

    Raises:
        Refused: a line is none.
    """
    found = {}
    for line in text.replace("\r", "").splitlines():
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        if not colon or not name.strip().replace("-", "").isalnum() or not value.strip().isprintable() or name.strip().lower() in ("host", "content-length"):
            raise Refused(mark("Each header stands on a line of its own, like “Authorization: Bearer abc”."), field="headers")
        found[name.strip()] = value.strip()
    return found
