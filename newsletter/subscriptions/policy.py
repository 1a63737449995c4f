"""How often somebody may ask, and how long things last. Decided without I/O."""

from datetime import timedelta

CONFIRM_WITHIN = timedelta(hours=72)  # L4
FORGET_AFTER = timedelta(days=7)  # L4
ASK_AGAIN_AFTER = timedelta(minutes=10)

# A1: opt-in mails for one mailbox, over all publications and spellings.
PER_MAILBOX = ((timedelta(hours=24), 2), (timedelta(days=30), 3))
PER_NETWORK = (timedelta(hours=1), 30)
EVERYBODY = (timedelta(hours=1), 1000)
ALREADY_NOTICE = timedelta(hours=24)

# A2, A1: a person needs longer than this between seeing a page and pressing its button.
TOO_QUICK = timedelta(seconds=2)

# What a form asks for unless the founder wrote her own words.
CONSENT = {
    "de": "Ich möchte „{name}“ per E-Mail bekommen. Das kann ich jederzeit widerrufen, mit einem Klick in jeder Mail.",
    "en": "I would like to get “{name}” by mail. I can withdraw that at any time, with one click in every mail.",
}
BUTTON = {"de": "Brief bestellen", "en": "Get the letter"}
