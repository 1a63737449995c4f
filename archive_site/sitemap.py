"""What search engines and programs are told: sitemaps in shards that stay, robots.txt, redirects for web servers."""

from html import escape

from archive_site import feeds
from archive_site.changes import SHARD
from archive_site.pages import folder_of
from archive_site.site import Site
from archive_site.state import State
from archive_site.visibility import Shown

HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
SPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
# Crawlers that collect texts to train on, and the switches that others offer for it.
AI_CRAWLERS = [
    "AI2Bot",
    "Amazonbot",
    "Applebot-Extended",
    "Bytespider",
    "CCBot",
    "ChatGPT-User",
    "ClaudeBot",
    "cohere-ai",
    "Diffbot",
    "FacebookBot",
    "Google-Extended",
    "GPTBot",
    "Meta-ExternalAgent",
    "OAI-SearchBot",
    "omgili",
    "PerplexityBot",
    "Timpibot",
    "YouBot",
]


def shard(state: State, site: Site, number: int) -> bytes | None:
    """The letters of one block of ids; nothing, if none of them is listed."""
    rows = []
    ids = state.db.execute("SELECT id FROM letters WHERE id >= ? AND id < ? AND shown = ? ORDER BY id", (number * SHARD, (number + 1) * SHARD, Shown.LISTED))
    for (letter_id,) in ids.fetchall():
        letter = state.head(letter_id)
        assert letter is not None
        rows.append(f"<url><loc>{escape(feeds.address(site, letter))}</loc><lastmod>{letter.touched.date().isoformat()}</lastmod></url>")
    return _urls(rows) if rows else None


def lists(state: State, site: Site) -> bytes:
    """The first page of every list, and the pages that are always there."""
    rows = [f"<url><loc>{escape(site.base + folder_of(name))}</loc></url>" for name in state.lists()]
    rows += [f"<url><loc>{escape(site.base)}{page}/</loc></url>" for page in ("about", "authors", "feeds", "imprint", "privacy", "series", "tags")]
    return _urls(rows)


def index(state: State, site: Site) -> bytes:
    """All sitemaps."""
    shards = state.db.execute(f"SELECT DISTINCT id / {SHARD} FROM letters WHERE shown = ? ORDER BY 1", (Shown.LISTED,))  # noqa: S608 -- our own constant
    names = ["lists", *(str(row[0]) for row in shards)]
    rows = "\n".join(f"<sitemap><loc>{escape(site.base)}sitemap-{name}.xml</loc></sitemap>" for name in names)
    return f"{HEAD}<sitemapindex {SPACE}>\n{rows}\n</sitemapindex>\n".encode()


def _urls(rows: list[str]) -> bytes:
    text = "\n".join(rows)
    return f"{HEAD}<urlset {SPACE}>\n{text}\n</urlset>\n".encode()


def robots(site: Site) -> bytes:
    """Who may read what. One switch for everybody who trains on texts; a list of names never ends, so the pages say it, too."""
    rows = ["User-agent: *", "Allow: /"]
    if site.ai_crawlers == "refuse":
        rows += ["Content-Signal: search=yes, ai-train=no", "", *(f"User-agent: {name}" for name in AI_CRAWLERS), "Disallow: /"]
    return ("\n".join([*rows, "", f"Sitemap: {site.base}sitemap.xml"]) + "\n").encode()


def redirects(state: State, site: Site) -> dict[str, bytes]:
    """Where letters lay before, as Netlify and Cloudflare read it (``_redirects``) and as Apache does (``.htaccess``)."""
    rows = state.db.execute(
        "SELECT o.slug, max(l.slug) FROM old_slugs AS o JOIN letters AS l ON l.id = o.letter WHERE l.shown = 'listed' "
        "AND NOT EXISTS (SELECT 1 FROM letters AS other WHERE other.slug = o.slug AND other.shown <> 'hidden') GROUP BY o.slug ORDER BY o.slug"
    ).fetchall()
    path = "/" + site.base.split("/", 3)[3]
    netlify = "".join(f"{path}{old}/* {path}{new}/:splat 301\n" for old, new in rows)
    apache = f"ErrorDocument 404 {path}404.html\nAddType application/feed+json .json\nAddType text/markdown .md\n"
    apache += "".join(f"RedirectMatch 301 ^{path}{old}(/.*)?$ {path}{new}$1\n" for old, new in rows)
    return {"_redirects": netlify.encode(), ".htaccess": apache.encode()}
