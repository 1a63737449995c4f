"""Brieftaube: a newsletter service that its owner runs herself.

The packages in the order of the data flow::

    accounts        editors, roles, log-in, sessions, the first start
    transports      how mail leaves this machine
    publications    what one subscribes to: sender, imprint, language, time zone
    channels        where people come from, the links that say so, who follows them, how large audiences are
    forms           sign-up forms, and every wording of a consent
    growth          who came and who went, counted as it happens
    shield          what keeps machines out: limits, proof of work, quarantine
    notices         transactional mail: confirmations and the like
    subscriptions   sign-up, double opt-in, consent, leaving, suppression
    segments        parts of a list by rules, and tags
    media           images, re-encoded and kept
    issues          writing, revisions, preview, schedule
    preflight       what speaks against sending: findings, reasons, remedies (pure)
    manuscripts     letters from elsewhere: Markdown, Substack, Ghost, Buttondown, Mailchimp
    rendering       Markdown -> Document -> mail, web, feed, text        (pure)
    mail            one message: addresses, bytes, SMTP, replies         (pure but for transports)
    sms             text messages to those who wanted them
    announcements   posts about issues elsewhere, and what they brought
    federation      what other servers are told and say: Fediverse, WebSub, webmentions
    archive         published issues -> archive_site -> a folder of files -> targets
    deliveries      mailings, the ledger, the sender, the sweep
    bounces         what mail servers and people say against a letter, and what follows
    conversations   people who write back, and their answers
    inbound         the doors for mails that come in, and what they are
    imports         lists from elsewhere, and the list written out
    people          one person's story, what she decides herself, and how she is forgotten
    radar           how much hangs on platforms of others: measured and explained
    drills          a rehearsed outage, and its protocol
    bench           how fast it is, beside the limit
    demo            a complete publication to look at
    catcher         the development mail server and its mailbox
    commands        what can be done from the console
    web             create_app, errors, security headers, design system, health
"""

__version__ = "0.1.0"
