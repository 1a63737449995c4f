"""The words of a notice. A fixed plain template: no image, no slogan, nothing to advertise (L3)."""

from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from newsletter.i18n import Speech
from newsletter.resources import directory


def words(kind: str, language: str, **values: object) -> tuple[str, str, str]:
    """Subject, text and HTML of a notice.

    Args:
        kind: the name of the templates in ``templates/mail/notices``.
    """
    values["_"] = Speech(language)
    values["language"] = language
    text = _environment(False).get_template(f"{kind}.txt").render(values)
    html = _environment(True).get_template(f"{kind}.html").render(values)
    subject, _, body = text.partition("\n")
    return subject.strip(), body.strip() + "\n", html


@cache
def _environment(autoescape: bool) -> Environment:
    return Environment(
        loader=FileSystemLoader(directory("templates") / "mail" / "notices"),
        autoescape=autoescape,  # noqa: S701 -- plain text must not be escaped
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
