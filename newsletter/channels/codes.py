"""QR codes of links (ISO/IEC 18004), for screens and for print."""

import io
from dataclasses import dataclass

import segno

# Width on paper in centimetres: a business card, a flyer, a poster.
SIZES = {"card": 2, "flyer": 4, "poster": 12}
DPI = 300
QUIET = 4  # modules of white around it; readers need them (ISO/IEC 18004, 6.3.8)


@dataclass(frozen=True)
class Code:
    """One QR code. A quarter of it may be scratched or covered (level Q) and it can still be read."""

    address: str

    def svg(self, centimetres: float) -> bytes:
        """As a drawing of that width; printers scale it as they like."""
        found = segno.make(self.address, error="q", micro=False)
        out = io.BytesIO()
        width = found.symbol_size(border=QUIET)[0]
        found.save(out, kind="svg", border=QUIET, scale=round(centimetres * 10 / width, 4), unit="mm", light="#fff", dark="#000", title=self.address)
        return out.getvalue()

    def png(self, centimetres: float) -> bytes:
        """As a picture with 300 dots to the inch at that width; at least four dots for each module."""
        found = segno.make(self.address, error="q", micro=False)
        out = io.BytesIO()
        width = found.symbol_size(border=QUIET)[0]
        found.save(out, kind="png", border=QUIET, scale=max(4, round(centimetres / 2.54 * DPI / width)), dpi=DPI)
        return out.getvalue()
