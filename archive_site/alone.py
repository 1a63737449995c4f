"""One letter by itself, for those who may read it though the archive does not show it."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from archive_site import themes
from archive_site.pages import Pages
from archive_site.site import Letter, Site
from archive_site.state import State


def alone(site: Site, letter: Letter, archive: str, extra: Path | None = None) -> bytes:
    """The page of a letter that stands in no list.

    Args:
        archive: where its stylesheet and its images can be loaded from.
    """
    state = State(None)
    try:
        root = urlsplit(archive).path
        page = Pages(state, site, themes.load(site.theme, site.accent, extra), extra).letter(letter, listed=False, root=root)
    finally:
        state.close()
    # Its images are not in the archive; the service has them under the names that they have in the text.
    return re.sub(rb"<picture>(?:<source[^>]*>)*(<img[^>]*>)</picture>", lambda found: _plain(found.group(1), root), page)


def _plain(image: bytes, root: str) -> bytes:
    return re.sub(rb' (?:srcset|sizes)="[^"]*"', b"", image).replace(b'src="' + root.encode() + b"media/", b'src="/media/')
