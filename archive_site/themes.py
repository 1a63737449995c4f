"""Themes: a folder of ``templates/archive`` with one stylesheet, and templates where it wants others than the common ones."""

import colorsys
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

COMMON = "common"
READABLE = 4.5  # WCAG 1.4.3


class ThemeMissing(Exception):
    """There is no such theme. One sentence says so."""


@dataclass(frozen=True)
class Theme:
    """One theme in the colours of one publication.

    Args:
        css: the whole stylesheet.
        fonts: what it loads, by file name.
        colours: its tokens in the light, without the two hyphens.
    """

    name: str
    css: bytes
    fonts: dict[str, Path]
    colours: dict[str, str]
    card_font: Path

    @property
    def stylesheet(self) -> str:
        """The name changes with the content, so that browsers may keep it for ever."""
        return f"{self.name}-{hashlib.blake2b(self.css, digest_size=4).hexdigest()}.css"


@cache
def folder() -> Path:
    """Where the themes are."""
    beside = Path(__file__).resolve().parent.parent / "templates" / "archive"
    # A checkout has the templates beside the package, a wheel inside it.
    return beside if (beside.parent.parent / "pyproject.toml").exists() else Path(str(resources.files("archive_site"))) / "_templates"


def names(extra: Path | None = None) -> list[str]:
    """Every theme that there is."""
    return sorted({path.parent.name for place in _places(extra) for path in place.glob("*/theme.css")})


def load(name: str, accent: str = "", extra: Path | None = None) -> Theme:
    """A theme.

    Args:
        accent: a colour as ``#rrggbb`` that takes the place of its own, made lighter or darker until it can be read.
        extra: a folder with more themes; it need not be there.

    Raises:
        ThemeMissing: there is none of this name.
    """
    home = next((place / name for place in _places(extra) if re.fullmatch(r"[a-z0-9-]+", name) and (place / name / "theme.css").is_file()), None)
    if home is None:
        raise ThemeMissing(f"There is no theme “{name}”. There are: {', '.join(names(extra))}.")
    own = (home / "theme.css").read_text("utf-8")
    light, dark = _tokens(own)
    css = (folder() / COMMON / "base.css").read_text("utf-8") + own
    if accent:
        css += _in_colour(accent, light, dark)
    wanted = dict.fromkeys(re.findall(r'url\("?([A-Za-z0-9._-]+\.woff2)"?\)', css))
    fonts = {file: path for file in wanted if (path := _font(home, file)).is_file()}
    card_font = next(iter(fonts.values()), folder() / COMMON / "fonts" / "source-serif-4.woff2")
    return Theme(name, css.encode(), fonts, light | ({"accent": readable(accent, light["paper"])} if accent else {}), card_font)


@cache
def environment(name: str, extra: Path | None = None) -> Environment:
    """Its templates: its own first, then the common ones."""
    places = [place / one for one in (name, COMMON) for place in _places(extra)]
    # Ours do not change while a process lives; those of others may, while somebody works on them.
    mine = extra is not None and (extra / name).is_dir()
    return Environment(loader=FileSystemLoader(places), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, auto_reload=mine)


def render(theme: str, template: str, extra: Path | None, /, **values: Any) -> bytes:
    """A page."""
    return (environment(theme, extra).get_template(f"{template}.html").render(**values).strip() + "\n").encode()


def _places(extra: Path | None) -> list[Path]:
    return [*([extra] if extra else []), folder()]


def _font(home: Path, file: str) -> Path:
    return own if (own := home / file).is_file() else folder() / COMMON / "fonts" / file


def _tokens(css: str) -> tuple[dict[str, str], dict[str, str]]:
    light, _, dark = css.partition("prefers-color-scheme: dark")
    first, second = (dict(reversed(re.findall(r"--([\w-]+):\s*(#[0-9a-fA-F]{6})\b", part))) for part in (light, dark.partition("@media")[0]))
    return first, first | second


def _in_colour(accent: str, light: dict[str, str], dark: dict[str, str]) -> str:
    rows = []
    for tokens in (light, dark):
        main = readable(accent, tokens["paper"])
        strong = readable(accent, tokens["paper"], 7)
        rows.append(f":root {{ --accent: {main}; --accent-strong: {strong}; --on: {on(main)}; }}")
    return f"\n{rows[0]}\n@media (prefers-color-scheme: dark) {{ {rows[1]} }}\n"


def contrast(one: str, other: str) -> float:
    """How far two colours differ for the eye (WCAG 2.2, 1 to 21)."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def readable(colour: str, paper: str, least: float = READABLE) -> str:
    """The nearest colour of the same hue that can be read on a paper."""
    hue, light, saturation = colorsys.rgb_to_hls(*_rgb(colour))
    step = -0.01 if _luminance(paper) > 0.18 else 0.01
    while contrast(colour, paper) < least and 0 <= light + step <= 1:
        light = min(1.0, max(0.0, light + step))
        colour = "#" + "".join(f"{round(part * 255):02x}" for part in colorsys.hls_to_rgb(hue, light, saturation))
    return colour


def on(colour: str) -> str:
    """Black or white, whichever can be read on a colour."""
    return max(("#ffffff", "#000000"), key=lambda other: contrast(colour, other))


def _rgb(colour: str) -> tuple[float, float, float]:
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def _luminance(colour: str) -> float:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
