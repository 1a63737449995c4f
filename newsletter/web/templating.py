"""What every template can say and show."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from babel.dates import format_date
from flask import Flask, g, url_for
from markupsafe import Markup, escape

from newsletter.accounts.access import development, may
from newsletter.accounts.queries import publications_of
from newsletter.conversations.queries import people_waiting
from newsletter.deliveries import tide
from newsletter.http import session
from newsletter.i18n import Speech


def attach(app: Flask) -> None:
    """Add functions and filters."""
    env = app.jinja_env
    env.trim_blocks = env.lstrip_blocks = True
    env.globals.update(
        _=_say, _m=_say_marked, n_=_plural, asset=_asset, may=may, development=development, share=_share, zone_options=_zone_options, cadences_for=_cadences_for
    )
    env.filters.update(
        number=lambda value: _speech().number(value),
        day=lambda value: _speech().day(value),
        short_day=lambda value: _speech().short_day(value),
        weekday=lambda value: _speech().weekday(value),
        clock=lambda value, pattern="H:mm": _speech().time(value, pattern),
        moment=lambda value: _speech().moment(value),
        month=lambda value: _speech().month(value),
        weekday_name=lambda value, width="wide": format_date(value, "EEEE" if width == "wide" else "EEEEEE", locale=_speech().locale),
        span=lambda much: _speech().span(much),
        after=lambda much: _speech().after(much),
        listing=lambda words: _speech().listing(words),
        translated=_say,
        euros=lambda cents: _speech().euros(cents),
        decimal=lambda value, places=2: _speech().decimal(value, places),
        breakable=_breakable,
        reason=lambda value: _speech().reason(value),
    )

    @app.context_processor
    def values() -> dict[str, Any]:
        mine = publications_of(session(), g.editor.id) if g.get("editor") else []
        frozen = bool(mine) and tide.is_frozen(session())
        here = g.get("publication")
        waits = people_waiting(session(), here.id) if here is not None and g.get("editor") and may("editor") else 0
        return {"waits": waits, "frozen": frozen, "speech": _speech(), "me": g.get("editor"), "here": g.get("publication"), "mine": mine}


def _speech() -> Speech:
    return g.get("speech") or Speech("de")


def _say(sentence: str, **values: object) -> str:
    return _speech()(sentence, **values)


def _say_marked(sentence: str, **values: object) -> Markup:
    """A sentence with markup of ours in it; the values are escaped."""
    return Markup(_speech()(sentence)) % {name: escape(value) for name, value in values.items()}  # noqa: S704 -- the sentence is ours


def _plural(one: str, many: str, count: int, **values: object) -> str:
    return _speech().plural(one, many, count, **values)


def _share(part: float, whole: float) -> str:
    """A width in per cent, for our SVG."""
    return f"{100 * part / whole if whole else 0:.2f}%"


def _zone_options(zones: tuple[str, ...], present: str) -> list[tuple[str, str]]:
    """The usual zones, and the present one if it is another."""
    return [(zone, zone.replace("_", " ")) for zone in dict.fromkeys([*zones, present or zones[0]])]


def _cadences_for(cadences: Mapping[str, str]) -> list[tuple[str, str]]:
    """Rhythms as the options of a form."""
    return [(key, _say(words)) for key, words in cadences.items()]


def _breakable(address: str) -> Markup:
    """A mail address that may break after the @."""
    local, at, domain = address.partition("@")
    return Markup("{}{}<wbr>{}").format(local, at, domain)


@cache
def _asset(name: str) -> str:
    """The address of a static file, changed whenever the file changes, so that it can be kept for ever."""
    return url_for("static", filename=name, v=_version(name))


@cache
def _version(name: str) -> str:
    return hashlib.sha256((Path(__file__).with_name("static") / name).read_bytes()).hexdigest()[:10]
