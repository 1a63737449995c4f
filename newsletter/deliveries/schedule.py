"""Scheduled issues: started on time, asked about when late."""

import logging

from newsletter.deliveries import actions
from newsletter.deliveries.preflight import refuse_errors
from newsletter.errors import Refused
from newsletter.issues.actions import unschedule
from newsletter.issues.composition import compose
from newsletter.issues.models import Issue
from newsletter.issues.policy import LATE
from newsletter.process import Process
from newsletter.publications.queries import get

log = logging.getLogger(__name__)


def start_scheduled(process: Process, issue_id: int) -> None:
    """Start an issue whose hour has come.

    When the hour was missed by far, because the machine was off, the issue becomes a draft again and the
    dashboard asks: a birthday greeting must not go out two days late by itself (I12).
    """
    now = process.clock()
    with process.writing() as session:
        issue = session.get(Issue, issue_id)
        if issue is None or issue.state != "scheduled" or issue.scheduled_at is None or issue.scheduled_at > now:
            return
        if now - issue.scheduled_at > LATE:
            log.warning("issue %s was due at %s and is not started by itself", issue_id, issue.scheduled_at)
            issue.become("draft")  # scheduled_at stays and tells the dashboard what was missed
            return
    try:
        # The DNS is asked before the transaction, so that nobody waits for it.
        with process.reading() as session:
            issue = session.get_one(Issue, issue_id)
            publication = get(session, issue.publication_id)
            refuse_errors(process, session, publication, issue, compose(session, publication, issue, process.links, now))
        with process.writing() as session:
            issue = session.get_one(Issue, issue_id)
            publication = get(session, issue.publication_id)
            # The undo window was the time until now; whoever planned it expects the hour to be kept.
            actions.start(session, process.links, publication=publication, issue=issue, undo=_NONE, now=now)
    except Refused as error:
        log.warning("issue %s could not be started: %s", issue_id, error)
        with process.writing() as session:
            issue = session.get_one(Issue, issue_id)
            if issue.state == "scheduled":
                unschedule(session, issue)


_NONE = LATE - LATE
