"""Uploads (C6)."""

import io
import struct
import zlib

import pytest
from PIL import Image
from PIL.Image import Exif

from newsletter.errors import Refused
from newsletter.media.policy import LARGEST_FILE, WIDEST, clean


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), mode: str = "RGB", **more: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 128 if mode in ("L", "P") else None).save(out, kind, **more)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_usual_images_are_taken_and_made_anew(kind: str) -> None:
    cleaned = clean(picture(kind, mode="P" if kind == "GIF" else "RGB"))
    assert (cleaned.width, cleaned.height) == (40, 30)
    assert cleaned.extension in ("jpg", "png")
    Image.open(io.BytesIO(cleaned.data)).verify()


def test_large_images_are_made_smaller() -> None:
    assert clean(picture("JPEG", (4000, 3000))).width == WIDEST


def test_where_a_photo_was_taken_is_forgotten_and_its_orientation_applied() -> None:
    exif = Exif()
    exif[0x0112] = 6
    exif[0x8825] = {1: "N", 2: (51.0, 10.0, 0.0)}
    exif[0x010E] = "secret"
    cleaned = clean(picture("JPEG", (40, 30), exif=exif))
    assert (cleaned.width, cleaned.height) == (30, 40)
    assert not Image.open(io.BytesIO(cleaned.data)).getexif()
    assert b"secret" not in cleaned.data


def test_a_polyglot_loses_its_second_nature() -> None:
    cleaned = clean(picture("PNG") + b"<script>alert(1)</script>PK\x03\x04<?php")
    assert b"<script>" not in cleaned.data
    assert b"<?php" not in cleaned.data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<!doctype html><script>alert(1)</script>",
        b"<?php system($_GET[0]);",
        b"GIF89a<script>alert(1)</script>",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 40,
    ],
)
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        clean(data)


def test_a_truncated_image_is_refused() -> None:
    data = picture("JPEG", (400, 300))
    with pytest.raises(Refused, match="damaged"):
        clean(data[: len(data) // 2])


def bomb(width: int, height: int) -> bytes:
    """A small file that claims to be huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (10_000, 6_000)])
def test_bombs_and_sixty_megapixels_are_refused_unopened(width: int, height: int) -> None:
    with pytest.raises(Refused, match="40 million"):
        clean(bomb(width, height))


def test_more_than_ten_megabytes_are_refused() -> None:
    with pytest.raises(Refused, match="MB"):
        clean(b"\x89PNG" + b"\0" * LARGEST_FILE)


def test_a_transparent_picture_stays_transparent() -> None:
    assert clean(picture("PNG", mode="RGBA")).extension == "png"
