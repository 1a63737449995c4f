"""Which bytes become an image, and what they become (C6). Bytes in, bytes out."""

import io
import warnings
from dataclasses import dataclass

from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from newsletter.errors import Refused
from newsletter.i18n import mark

LARGEST_FILE = 10 * 1024 * 1024
MOST_PIXELS = 40_000_000
WIDEST = 1600  # a mail is 600 px wide, an archive page 700; twice that for dense screens
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


@dataclass(frozen=True)
class Cleaned:
    """An image made anew: no metadata, no second nature."""

    data: bytes
    extension: str
    width: int
    height: int


def clean(data: bytes) -> Cleaned:
    """Decode and encode again, so that only pixels survive: no EXIF, no script, no polyglot.

    Raises:
        Refused: it is no image that mail programs show, or it is too large.
    """
    if len(data) > LARGEST_FILE:
        raise Refused(mark("The file has %(size)s MB; at most %(limit)s are possible."), field="file", size=round(len(data) / 1e6, 1), limit=10)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            with Pillow.open(io.BytesIO(data), formats=FORMATS) as image:
                return _again(image)
    except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError) as error:
        raise _too_many_pixels() from error
    except UnidentifiedImageError as error:
        raise Refused(mark("This is not an image that mail programs show. JPEG, PNG, WebP and GIF work, SVG does not."), field="file") from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise Refused(mark("The image is damaged and cannot be read to its end."), field="file") from error


def _again(image: Pillow.Image) -> Cleaned:
    if image.width * image.height > MOST_PIXELS:
        raise _too_many_pixels()
    # The camera's orientation would get lost with the metadata, so it is applied.
    picture = ImageOps.exif_transpose(image)
    picture.thumbnail((WIDEST, WIDEST * 4))
    see_through = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    if image.format == "GIF" or (image.format == "PNG" and picture.mode in ("P", "1", "L")) or see_through:
        return _encode(picture.convert("RGBA" if see_through else "RGB"), "PNG", "png")
    return _encode(picture.convert("RGB"), "JPEG", "jpg")


def _encode(picture: Pillow.Image, kind: str, extension: str) -> Cleaned:
    # A new canvas: Pillow would otherwise carry some metadata over.
    canvas = Pillow.new(picture.mode, picture.size)
    canvas.paste(picture)
    out = io.BytesIO()
    if kind == "JPEG":
        canvas.save(out, kind, quality=84, optimize=True, progressive=True)
    else:
        canvas.save(out, kind, optimize=True)
    return Cleaned(out.getvalue(), extension, canvas.width, canvas.height)


# A card shows twice as wide as high; for dense screens twice the 552 px of a mail.
CROP = (1104, 552)


def crop(data: bytes, x: int, y: int) -> bytes:
    """The part of an image around a point, as a JPEG for cards.

    Args:
        x, y: the point that stays in sight, in per cent from the left and from the top.
    """
    with Pillow.open(io.BytesIO(data)) as image:
        picture = image.convert("RGB")
        out = io.BytesIO()
        ImageOps.fit(picture, CROP, Pillow.Resampling.LANCZOS, centering=(x / 100, y / 100)).save(out, "JPEG", quality=82, optimize=True, progressive=True)
        return out.getvalue()


def crop_name(name: str, x: int, y: int) -> str:
    """What that part is called: another point is another file, because files may be kept for a year."""
    return f"{name.partition('.')[0]}-{x}-{y}.jpg"


def _too_many_pixels() -> Refused:
    return Refused(mark("The image has more than 40 million pixels. Make it smaller first."), field="file")
