"""Signing up by program: the same desk and the same shield as the form, in JSON."""

from flask import Blueprint, request

from newsletter.broker import ring
from newsletter.http import Reply, links, now, open_to_all, process, tell, without_csrf
from newsletter.notices.actors import send_notice
from newsletter.shield import work
from newsletter.shield.policy import WAIT, WORK_BITS
from newsletter.subscriptions import policy
from newsletter.subscriptions.openapi import DOCUMENT
from newsletter.subscriptions.views import desk, may_post, setting_of, wish_of

views = Blueprint("api", __name__)


@views.post("/api/v1/publications/<slug>/subscribe")
@open_to_all
@without_csrf
def subscribe(slug: str) -> Reply:
    """The same for programs, as JSON. It passes the same shield as the form, layer by layer (A1)."""
    given = request.get_json(silent=True)
    if not isinstance(given, dict):
        return {"error": "Send a JSON object."}, 400  # type: ignore[return-value]
    fields = given.get("answers", {}) if isinstance(given.get("answers", {}), dict) else {}
    typed = {name: str(value) for name, value in given.items() if name != "answers"} | {f"field-{name}": str(value) for name, value in fields.items()}
    setting = setting_of(slug, typed.get("form", "")[:60])
    if setting.form.state == "closed" or not may_post(setting):
        return {"error": "This form does not take sign-ups from here."}, 403  # type: ignore[return-value]
    wish, errors = wish_of(setting, typed)
    if wish is None:
        return {"errors": tell(errors)}, 422  # type: ignore[return-value]
    desk().ask(wish)
    if wish.outcome == "work":
        challenge = work.challenge(process().tokens)
        return {"error": "Send it again with a proof of work.", "work": challenge, "bits": WORK_BITS, "or_wait_seconds": int(WAIT.total_seconds())}, 429  # type: ignore[return-value]
    if wish.notice_id:
        ring(send_notice, wish.notice_id)
    return {"state": "check-mail", "valid_until": (now() + policy.CONFIRM_WITHIN).isoformat(timespec="seconds")}, 202  # type: ignore[return-value]


@views.get("/api/v1/openapi.json")
@open_to_all
def openapi() -> Reply:
    """What programs may do here, as OpenAPI 3.1."""
    return DOCUMENT | {"servers": [{"url": links().base}]}  # type: ignore[return-value]
