"""How a letter looks: its layout, colours and type. Contrast is reckoned as WCAG 2.2 §1.4.3 does."""

import colorsys
import re
from dataclasses import dataclass

LAYOUTS = ("letter", "magazine", "digest", "plain")
FONTS = {
    "serif": "'Source Serif 4', Charter, 'Iowan Old Style', Cambria, Georgia, serif",
    "sans": "-apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif",
    "typewriter": "'Courier Prime', 'Courier New', Courier, monospace",
}
SANS = FONTS["sans"]
INK, PAPER = "#1d1b18", "#fbf9f4"
NIGHT, NIGHT_INK = "#191816", "#ebe6db"
ENOUGH, PLENTY = 4.5, 8.0
_COLOUR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True)
class Look:
    """What a publication decides about its mails. Colours are ``#rrggbb``.

    Args:
        logo: the address of an image, or empty.
        logo_width: in pixels, as shown.
        footer: lines of her own above the imprint.
    """

    layout: str = "letter"
    accent: str = "#2f5470"
    paper: str = PAPER
    font: str = "serif"
    logo: str = ""
    logo_width: int = 0
    footer: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        return FONTS.get(self.font, FONTS["serif"])

    @property
    def link(self) -> str:
        """The accent as the colour of a link: darker where it would be too faint on the paper."""
        return readable(self.accent, self.paper, "#000000")

    @property
    def on_accent(self) -> str:
        """What can be read on a button."""
        return "#ffffff" if contrast("#ffffff", self.accent) >= contrast("#000000", self.accent) else "#000000"

    @property
    def night(self) -> str:
        """The accent on a dark ground."""
        return readable(self.accent, NIGHT, "#ffffff", PLENTY)

    @property
    def on_night(self) -> str:
        """What can be read on a button on a dark ground."""
        return "#10202b" if contrast("#10202b", self.night) >= ENOUGH else "#000000"


def is_colour(text: str) -> bool:
    """Whether it is a colour as a colour field gives it."""
    return bool(_COLOUR.fullmatch(text))


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2, “relative luminance”)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The ratio between two colours, from 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def readable(colour: str, ground: str, towards: str, enough: float = ENOUGH) -> str:
    """A colour, mixed with black or white in steps of a twentieth until it can be read on a ground."""
    for step in range(21):
        mixed = mix(colour, towards, step / 20)
        if contrast(mixed, ground) >= enough:
            return mixed
    return towards


def mix(one: str, other: str, part: float) -> str:
    """A colour between two: 0 is the first, 1 the second."""
    values = ((int(one[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(first + (second - first) * part):02x}" for first, second in values)


def inverted(colour: str) -> str:
    """A colour as mail programs turn it that make their own dark mode: lightness is turned over, the hue stays."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    return "#" + "".join(f"{round(part * 255):02x}" for part in colorsys.hls_to_rgb(hue, 1 - light, saturation))
