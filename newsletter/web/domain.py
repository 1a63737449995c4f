"""The page of the sender domain: what the world sees of it, and what to enter where. It needs transports and publications."""

from flask import Blueprint, request, url_for

from newsletter.accounts.access import role
from newsletter.errors import Refused
from newsletter.http import Reply, now, page, process, see_other, session, writing
from newsletter.i18n import mark
from newsletter.mail.addresses import parse
from newsletter.publications import keys
from newsletter.publications.domain import look
from newsletter.publications.models import Publication
from newsletter.transports.queries import in_use

views = Blueprint("domain", __name__)


@views.get("/admin/<slug>/domain")
@role("owner")
def show(publication: Publication) -> Reply:
    name = parse(publication.from_address).domain
    rows = keys.keys_of(session(), name)
    used = in_use(session(), process().settings, process().tokens)
    checks = look(
        process().resolver,
        name,
        bounce_domain=process().settings.bounce_domain,
        keys=keys.published(rows),
        mail_host="" if used.is_catcher else used.server.host,
    )
    return page("publications/domain.html", domain=name, checks=checks, keys=rows, used=used)


@views.post("/admin/<slug>/domain/<any(make, use, forget):step>")
@role("owner")
def act(publication: Publication, step: str) -> Reply:
    name = parse(publication.from_address).domain
    goal = url_for("domain.show", slug=publication.slug)
    try:
        with writing() as writer:
            if step == "make":
                keys.add_keys(writer, process().tokens, domain=name, now=now())
            elif step == "use":
                keys.use_keys(writer, domain=name, now=now())
            else:
                keys.forget_key(writer, key_id=request.form.get("key", 0, type=int), domain=name)
    except Refused as error:
        return see_other(goal, error.message, **error.values)
    said = {
        "make": mark("The keys are made. They sign as soon as their records are published and you say so."),
        "use": mark("The new keys sign from now on."),
        "forget": "",
    }
    return see_other(goal, said[step])
