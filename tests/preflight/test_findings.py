"""Every finding of the last look has a letter that brings it about and one that does not (RULES §6)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.issues.models import Issue
from newsletter.issues.policy import findings as text_findings
from newsletter.mail.addresses import parse
from newsletter.mail.message import Letter, Sender, compose
from newsletter.mail.spamd import Report
from newsletter.preflight import letter, remedies
from newsletter.preflight.policy import Facts, find
from newsletter.preflight.reasons import WHY
from newsletter.publications.domain import Check
from newsletter.publications.models import Publication
from newsletter.rendering.document import make_document
from newsletter.rendering.look import Look
from newsletter.rendering.mail import Frame, final, to_mail
from newsletter.rendering.showcase import CARDS, PICTURES, SNIPPETS
from tests.support import cast

NOW = datetime(2026, 11, 17, 8, tzinfo=UTC)
LEAVE = "https://briefe.example/u/abcdefghijklmnop"
BODY = "{{ anrede }},\n\ndie erste Bohne ist da, und wir haben sie gewogen, getrocknet und gezählt.\n\n[Zum Katalog](https://saatgarten.example/katalog){ .button }\n\nHerzlich\nMira"


def publication(**more: str) -> Publication:
    return Publication(**(cast.VALUES | {"imprint_company": "", "mail_layout": "letter"} | more))


def text(subject: str = "Die erste Bohne", preheader: str = "Sie ist krumm.", markdown: str = BODY, size: int = 10_000, **more: str) -> set[str]:
    """What is found in a text."""
    issue = Issue(subject=subject, preheader=preheader, markdown=markdown)
    document = make_document(markdown, "de", PICTURES, SNIPPETS, CARDS)
    return {one.id for one in text_findings(issue, publication(**more), document, size)}


def mail(markdown: str = BODY, look: Look | None = None) -> tuple[str, str]:
    """Both bodies of a letter."""
    frame = Frame(
        "de",
        "Der Saatbrief",
        "",
        "Nr. 1",
        "Weil du es wolltest.",
        "Abbestellen",
        "Pause",
        "Archiv",
        "https://a.example/",
        ("Mira Lindner · Bautzen",),
        look or Look(),
    )
    parts = final(
        to_mail(make_document(markdown, "de", PICTURES), "Die erste Bohne", "Vorschau", frame, lambda path: f"https://briefe.example{path}"),
        {"greeting": "Hallo Ada"},
        LEAVE,
    )
    return parts.html, parts.text


def raw(change: Callable[[bytes], bytes] = bytes, leave: str = LEAVE, html: str = "", plain: str = "") -> bytes:
    bodies = mail()
    sent = Letter(
        sender=Sender("Mira", parse("mira@saatgarten.example"), None, "saatbrief.saatgarten.example", "Der Saatbrief"), recipient=parse("ada@example.org"),
        subject="Die erste Bohne", html=html or bodies[0], text=plain or bodies[1], reference="x", leave_url=leave, archive_url="https://a.example/",
    )  # fmt: skip
    return change(compose(sent, NOW))


def facts(**more: object) -> Facts:
    """A letter to which there is nothing to say."""
    html, plain = mail()
    clean = Facts(
        now=NOW, html=html, plain=plain, raw=raw(), base="https://briefe.example", from_address="mira@saatgarten.example", readers=200, last_audience=190,
        last_letter=NOW - timedelta(days=30), one_click=200, domain=(Check("SPF", "good", ""), Check("DKIM", "good", ""), Check("DMARC", "good", "")),
        providers={"gmail": 40}, scheduled=NOW + timedelta(hours=1), spam=Report(0.4, ()),
    )  # fmt: skip
    return replace(clean, **more)


def seen(**more: object) -> set[str]:
    return {one.id for one in find(facts(**more))}


def bodies(markdown: str, look: Look | None = None) -> dict[str, str]:
    html, plain = mail(markdown, look)
    return {"html": html, "plain": plain}


def signed(names: str) -> bytes:
    return b"DKIM-Signature: v=1; a=rsa-sha256; h=" + names.encode() + b"; b=x\r\n" + raw()


LINK = "[Der Katalog](https://saatgarten.example/)"
# Each finding: what brings it about, and nearly the same without it.
CASES: dict[str, tuple[Callable[[], set[str]], Callable[[], set[str]]]] = {
    "attribute-broken": (lambda: text(markdown=f"{LINK}{{ .knopf }}"), lambda: text(markdown=f"{LINK}{{ .button }}")),
    "card-unknown": (lambda: text(markdown="::: ausgabe nie-erschienen"), lambda: text(markdown="::: ausgabe der-erste-reif")),
    "columns-many": (lambda: text(markdown="::: spalten\na\n\n|||\n\nb\n\n|||\n\nc\n:::"), lambda: text(markdown="::: spalten\na\n\n|||\n\nb\n:::")),
    "container-lost": (lambda: text(markdown="<div>\n::: hinweis\nx\n:::"), lambda: text(markdown="::: hinweis\nx\n:::")),
    "container-nested": (lambda: text(markdown="::: hinweis\n::: hinweis\nx\n:::\n:::"), lambda: text(markdown="::: nur-mail\n::: hinweis\nx\n:::\n:::")),
    "container-open": (lambda: text(markdown="::: hinweis\nx"), lambda: text(markdown="::: hinweis\nx\n:::")),
    "container-stray": (lambda: text(markdown="x\n\n:::"), lambda: text(markdown="x\n\n---")),
    "container-unknown": (lambda: text(markdown="::: hinweisss\nx"), lambda: text(markdown="::: hinweis\nx\n:::")),
    "heading-order": (lambda: text(markdown="### Tief\n\nx"), lambda: text(markdown="## Flach\n\n### Tief\n\nx")),
    "image-alt": (lambda: text(markdown="![](/media/0000000000000000.png)"), lambda: text(markdown="![Bohnen](/media/0000000000000000.png)")),
    "image-alt-file": (lambda: text(markdown="![IMG_1234](/media/0000000000000000.png)"), lambda: text(markdown="![Vier Bohnen](/media/0000000000000000.png)")),
    "image-alt-long": (lambda: text(markdown=f"![{'Bohne ' * 50}](/media/0000000000000000.png)"), lambda: text(markdown=f"![{'Bohne ' * 20}](/media/0000000000000000.png)")),
    "image-foreign": (lambda: text(markdown="![a](https://b.example/x.png)"), lambda: text(markdown="![a](/media/0000000000000000.png)")),
    "image-missing": (lambda: text(markdown="![a](/media/1111111111111111.png)"), lambda: text(markdown="![a](/media/0000000000000000.png)")),
    "imprint-missing": (lambda: text(imprint_street=""), text),
    "link-http": (lambda: text(markdown="[Seite](http://saatgarten.example/)"), lambda: text(markdown="[Seite](https://saatgarten.example/)")),
    "link-phishing": (lambda: text(markdown="[bank.example](https://dieb.example/)"), lambda: text(markdown="[www.bank.example](https://bank.example/)")),
    "link-placeholder": (lambda: text(markdown="[Seite](https://example.com/)"), lambda: text(markdown="[Seite](https://saatgarten.example/)")),
    "link-private": (lambda: text(markdown="[Seite](http://localhost:8000/)"), lambda: text(markdown="[Seite](https://saatgarten.example/)")),
    "link-shortened": (lambda: text(markdown="[Seite](https://bit.ly/x)"), lambda: text(markdown="[Seite](https://saatgarten.example/x)")),
    "link-unusable": (lambda: text(markdown="[Seite](javascript:x)"), lambda: text(markdown="[Seite](mailto:mira@saatgarten.example)")),
    "link-words": (lambda: text(markdown="Klick [hier](https://saatgarten.example/)"), lambda: text(markdown="Im [Katalog](https://saatgarten.example/)")),
    "links-many": (lambda: text(markdown=f"{LINK} " * 61), lambda: text(markdown=f"{LINK} " * 60)),
    "mail-large": (lambda: text(size=81_000), lambda: text(size=79_000)),
    "mail-too-large": (lambda: text(size=101_000), lambda: text(size=99_000)),
    "merge-in-link": (lambda: text(markdown="[a](https://saatgarten.example/{{ vorname }})"), lambda: text(markdown="[{{ vorname|du }}](https://saatgarten.example/)")),
    "merge-unknown": (lambda: text(subject="Hallo {{ vorame }}"), lambda: text(subject="Hallo {{ vorname|du }}")),
    "name-characters": (lambda: text(name="Brief\nBcc: x"), text),
    "nested-too-deep": (lambda: text(markdown=">" * 50 + " x"), lambda: text(markdown=">> x")),
    "poll-broken": (lambda: text(markdown="::: umfrage\n- a\n- b\n:::"), lambda: text(markdown="::: umfrage Was?\n- a\n- b\n:::")),
    "preheader-empty": (lambda: text(preheader=" "), text),
    "sender-characters": (lambda: text(from_name="Mira\r\nBcc: x"), text),
    "snippet-unknown": (lambda: text(markdown="::: baustein nix"), lambda: text(markdown="::: baustein gruss")),
    "subject-answer": (lambda: text(subject="AW: Dein Konto"), lambda: text(subject="Reif auf dem Kohl")),
    "subject-capitals": (lambda: text(subject="JETZT ALLES KAUFEN"), lambda: text(subject="NABU und BUND zählen")),
    "subject-characters": (lambda: text(subject="A =?UTF-8?Q?=0A?= Bcc"), text),
    "subject-emoji": (lambda: text(subject="Bohnen 🌱🌱🌱"), lambda: text(subject="Bohnen 👩‍🌾🌱")),
    "subject-empty": (lambda: text(subject=" "), text),
    "subject-exclaims": (lambda: text(subject="Jetzt! Sofort!"), lambda: text(subject="Jetzt!")),
    "subject-long": (lambda: text(subject="x" * 61), lambda: text(subject="x" * 60)),
    "text-empty": (lambda: text(markdown=" "), text),
    "text-too-long": (lambda: text(markdown="Zeile\n" * 50_000), text),
    "base-private": (lambda: seen(base="http://localhost:8000"), lambda: seen(base="http://localhost:8000", for_real=False)),
    "bulk-near": (lambda: seen(providers={"gmail": 4000}), lambda: seen(providers={"gmail": 3999})),
    "consent-missing": (lambda: seen(without_consent=1), seen),
    "contrast-dark": (lambda: seen(html='<html lang="de"><body bgcolor="#ffff00"><p style="color:#000000">Text genug</p></body></html>'), seen),
    "contrast-light": (lambda: seen(**bodies(BODY, Look(paper="#777777"))), lambda: seen(**bodies(BODY, Look(paper="#ffffff")))),
    "dkim-header": (lambda: seen(raw=signed("from:to:list-unsubscribe")), lambda: seen(raw=signed("from:list-unsubscribe:list-unsubscribe-post"))),
    "domain-dkim": (lambda: seen(domain=(Check("DKIM", "bad", "x"),)), lambda: seen(domain=(Check("DKIM", "weak", "x"),))),
    "domain-dmarc": (lambda: seen(domain=(Check("DMARC", "bad", "x"),)), lambda: seen(domain=(Check("DMARC", "unknown", "x"),))),
    "domain-spf": (lambda: seen(domain=(Check("SPF", "bad", "x"),)), lambda: seen(domain=(Check("SPF", "good", "x"),))),
    "duration-long": (lambda: seen(readers=200, per_second=0.02), lambda: seen(readers=200, per_second=1.0)),
    "lang-missing": (lambda: seen(html=mail()[0].replace('lang="de"', "")), seen),
    "link-dead": (lambda: seen(dead_links=(("https://weg.example/", "404"),)), seen),
    "list-silent": (lambda: seen(last_letter=NOW - timedelta(days=549)), lambda: seen(last_letter=NOW - timedelta(days=547))),
    "moment-past": (lambda: seen(scheduled=NOW), lambda: seen(scheduled=NOW + timedelta(minutes=1))),
    "reply-to-missing": (lambda: seen(from_address="noreply@saatgarten.example"), lambda: seen(from_address="noreply@saatgarten.example", reply_to="mira@saatgarten.example")),
    "sender-freemail": (lambda: seen(from_address="mira@gmx.de"), lambda: seen(from_address="mira@gmx.de", for_real=False)),
    "spam-score": (lambda: seen(spam=Report(3.0, ("MIME_HTML_ONLY",))), lambda: seen(spam=None)),
    "t-online": (lambda: seen(providers={"t-online": 1}, own_host="mail.saatgarten.example"), lambda: seen(providers={"t-online": 1})),
    "text-little": (lambda: seen(**bodies("![Bohnen](/media/0000000000000000.png)")), lambda: seen(**bodies("![Bohnen](/media/0000000000000000.png)\n\n" + "Ein ganzer Satz. " * 40))),
    "text-part-differs": (lambda: seen(plain="ganz andere Worte, die niemand sonst geschrieben hätte, in diesem Brief " * 3), seen),
    "text-part-empty": (lambda: seen(raw=raw(plain=" ")), seen),
    "unsubscribe-answer": (lambda: seen(one_click=302), lambda: seen(one_click=None)),
    "unsubscribe-header": (lambda: seen(raw=raw(lambda data: data.replace(b"List-Unsubscribe=One-Click", b"x"))), seen),
    "unsubscribe-https": (lambda: seen(raw=raw(leave="http://briefe.example/u/abcdefghijklmnop")), seen),
    "unsubscribe-link": (lambda: seen(raw=raw(html="<p>kein Weg hinaus</p>")), seen),
    "volume-jump": (lambda: seen(readers=601, last_audience=200), lambda: seen(readers=600, last_audience=200)),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(WHY))
def test_every_finding_has_a_letter_that_brings_it_about_and_one_that_does_not(name: str) -> None:
    bad, good = CASES[name]
    assert name in bad()
    assert name not in good()


def test_there_is_a_reason_for_every_finding_and_a_case_for_every_reason() -> None:
    assert set(CASES) == set(WHY)


def test_every_id_that_the_code_knows_has_a_reason() -> None:
    import re
    from pathlib import Path

    import newsletter

    root = Path(newsletter.__file__).parent
    source = "\n".join(path.read_text("utf-8") for folder in ("rendering", "preflight", "issues") for path in (root / folder).glob("*.py"))
    ids = set(re.findall(r'Finding\(\s*"([a-z-]+)"', source)) | set(re.findall(r'_finding\("([a-z-]+)"', source))
    assert ids <= set(WHY), ids - set(WHY)


def test_a_clean_letter_shows_nothing() -> None:
    assert text() == set()
    assert seen() == set()


def test_a_letter_with_pictures_and_few_words_says_the_same_in_both_parts() -> None:
    """The descriptions of pictures stand in the text part alone, and are no difference."""
    source = "\n\n".join(f"![Bild Nummer {word} aus dem Garten](/media/0000000000000000.png)" for word in ("eins", "zwei", "drei", "vier"))
    assert "text-part-differs" not in seen(**bodies(f"Kurz.\n\n{source}"))


def test_errors_stand_first_and_hints_last() -> None:
    found = find(facts(one_click=500, last_letter=NOW - timedelta(days=600), per_second=0.001))
    assert [one.level for one in found] == sorted((one.level for one in found), key=["error", "warning", "hint"].index)


def test_what_was_accepted_by_typing_the_domain_is_a_warning() -> None:
    (found,) = find(facts(domain=(Check("SPF", "bad", "x"),), accepted=frozenset({"SPF"})))
    assert (found.id, found.level) == ("domain-spf", "warning")


@pytest.mark.parametrize(("subject", "number"), [("👨‍👩‍👧‍👦", 1), ("👍🏽", 1), ("a → b ™", 0), ("🌱🌻🌱", 3)])
def test_a_family_is_one_picture(subject: str, number: int) -> None:
    assert letter.emoji_in(subject) == number


@pytest.mark.parametrize(
    ("words", "better"),
    [
        (remedies.Words("Hallo {{ vorame }}", "x", "{{vorame|du}} und {{ vorame }}"), remedies.Words("Hallo {{ vorname }}", "x", "{{vorname|du}} und {{ vorname }}")),
        (remedies.Words("S", "x", "a\n\n[Seite](http://saatgarten.example/x)"), remedies.Words("S", "x", "a\n\n[Seite](https://saatgarten.example/x)")),
        (remedies.Words("S", "x", "::: hinweiss A\nx\n:::"), remedies.Words("S", "x", "::: hinweis A\nx\n:::")),
        (remedies.Words("S", "x", "::: hinweis A\nx\n"), remedies.Words("S", "x", "::: hinweis A\nx\n:::\n")),
        (remedies.Words("S", "x", "a\n\n:::\n\nb"), remedies.Words("S", "x", "a\n\n\nb")),
        (remedies.Words("S", "x", "[a b](https://saatgarten.example){ .knopf }"), remedies.Words("S", "x", "[a b](https://saatgarten.example)")),
        (remedies.Words("S", "x", "### Titel\n\nx"), remedies.Words("S", "x", "## Titel\n\nx")),
        (remedies.Words("AW: Re: Bohnen", "x", "x"), remedies.Words("Bohnen", "x", "x")),
        (remedies.Words("Jetzt! Sofort!!", "x", "x"), remedies.Words("Jetzt! Sofort", "x", "x")),
        (remedies.Words("S", "", "{{ anrede }},\n\nheute Morgen lag *Reif* auf dem Kohl. Und mehr."), remedies.Words("S", "heute Morgen lag Reif auf dem Kohl.", "{{ anrede }},\n\nheute Morgen lag *Reif* auf dem Kohl. Und mehr.")),
    ],
    ids=lambda words: words.subject + words.markdown[:16],
)  # fmt: skip
def test_a_button_mends_what_was_found_and_nothing_else(words: remedies.Words, better: remedies.Words) -> None:
    issue = Issue(subject=words.subject, preheader=words.preheader, markdown=words.markdown)
    found = text_findings(issue, publication(), make_document(words.markdown, "de"), 1000)
    mended = next(one for one in (remedies.mend(words, finding) for finding in found) if one is not None)
    assert mended == better


def test_a_long_description_is_shortened_at_a_word() -> None:
    words = remedies.Words("S", "x", f"![{'Bohne ' * 60}](/media/0000000000000000.png)")
    (found,) = (one for one in make_document(words.markdown, "de", PICTURES).findings if one.id == "image-alt-long")
    assert remedies.mend(words, found).markdown == f"![{('Bohne ' * 40).strip()} …](/media/0000000000000000.png)"


def test_what_only_a_person_can_decide_has_no_button() -> None:
    (found,) = make_document("[hier](https://saatgarten.example/)", "de").findings
    assert remedies.mend(remedies.Words("", "", ""), found) is None
    assert remedies.label(found) == ""
