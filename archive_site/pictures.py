"""Images in several sizes and formats, made once and kept by their content."""

import hashlib
import io
import re
from collections.abc import Iterator
from functools import lru_cache
from html import escape
from pathlib import Path

from PIL import Image, UnidentifiedImageError

WIDTHS = (480, 768, 1200)
# What an issue's column is wide; on a phone, the screen without its edges.
SIZES = "(min-width: 46rem) 43rem, 92vw"
IMAGE = re.compile(r'<img\s[^>]*?src="/media/([A-Za-z0-9_-]{1,60})\.(jpg|png|gif|webp)"[^>]*>')
# AVIF at speed 8 takes no longer than WebP and is smaller. One thread, because several may cut an image differently.
FORMATS: dict[str, dict[str, object]] = {
    "avif": {"format": "AVIF", "quality": 55, "speed": 8, "max_threads": 1},
    "webp": {"format": "WEBP", "quality": 78, "method": 4},
    "jpg": {"format": "JPEG", "quality": 80, "optimize": True, "progressive": True},
}
VERSION = "1"


class ImageBroken(Exception):
    """An image cannot be read. One sentence says why."""


def widths(original: int) -> list[int]:
    """The widths in which an image is offered, its own among them."""
    return [*(width for width in WIDTHS if width < original), original]


def variants(name: str, data: bytes, cache: Path) -> Iterator[tuple[str, bytes]]:
    """Everything that is made of an image: its name and its bytes, the original first.

    Raises:
        ImageBroken: Pillow cannot read it.
    """
    yield name, data
    stem, _, extension = name.rpartition(".")
    key = hashlib.blake2b(data, digest_size=16).hexdigest()
    try:
        with Image.open(io.BytesIO(data)) as opened:
            original = opened.width
        picture: Image.Image | None = None
        for width in widths(original):
            for kind in ("avif", "webp", *(["jpg"] if extension == "jpg" and width != original else [])):
                file = cache / f"{key}-{width}-{VERSION}.{kind}"
                if not file.is_file():
                    # To decode an image takes as long as to read twenty that were made before.
                    picture = picture or _decoded(data)
                    keep(file, _encoded(picture, width, kind))
                yield f"{stem}-{width}.{kind}", file.read_bytes()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise ImageBroken(f"{name} is no image: {error}") from error


def _decoded(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as opened:
        return opened.convert("RGBA" if opened.mode in ("RGBA", "LA", "PA") or "transparency" in opened.info else "RGB")


def _encoded(picture: Image.Image, width: int, kind: str) -> bytes:
    height = max(1, round(picture.height * width / picture.width))
    out = io.BytesIO()
    smaller = picture if width == picture.width else picture.resize((width, height), Image.Resampling.LANCZOS)
    smaller.save(out, **FORMATS[kind])  # type: ignore[arg-type]
    return out.getvalue()


def keep(file: Path, data: bytes) -> None:
    """Put something into the cache. Losing it costs time only, so it is not forced to the disk."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.tmp")
    temporary.write_bytes(data)
    temporary.replace(file)


@lru_cache(maxsize=4)  # the check asks for the same text as the page
def offer(html: str, root: str) -> str:
    """Let a page choose: every image of ours becomes a ``picture`` with its sizes. The place it takes is known before it loads."""
    return IMAGE.sub(lambda found: _picture(found, root), html)


def _picture(found: re.Match[str], root: str) -> str:
    stem, extension = found.group(1), found.group(2)
    size = re.search(r'\swidth="(\d+)"', found.group(0))
    source = f"{root}media/{stem}"
    tag = re.sub(r'src="[^"]*"', lambda _: f'src="{source}.{extension}"', found.group(0))
    if size is None or not int(size.group(1)):
        return tag
    offered = widths(int(size.group(1)))
    rows = []
    for kind in ("avif", "webp"):
        row = ", ".join(f"{source}-{width}.{kind} {width}w" for width in offered)
        rows.append(f'<source type="image/{kind}" srcset="{row}" sizes="{SIZES}">')
    if extension == "jpg" and len(offered) > 1:
        row = ", ".join(f"{source}-{width}.jpg {width}w" for width in offered[:-1]) + f", {source}.jpg {offered[-1]}w"
        tag = tag.replace("<img ", f'<img srcset="{row}" sizes="{SIZES}" decoding="async" ', 1)
    return f"<picture>{''.join(rows)}{tag}</picture>"


def absolute(html: str, base: str, address: str) -> str:
    """The same text with addresses that work anywhere, for feeds and books."""
    html = re.sub(r'(src|href)="/media/', lambda found: f'{found.group(1)}="{escape(base)}media/', html)
    return re.sub(r'href="#', lambda _: f'href="{escape(address)}#', html)


def size_of(file: Path) -> tuple[int, int]:
    """Width and height of an image in a file, or zeros."""
    try:
        with Image.open(file) as image:
            return image.size
    except (OSError, ValueError, SyntaxError):
        return 0, 0
