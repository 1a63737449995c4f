"""Who stands behind a domain: several domains of one house are throttled and counted together."""

HOUSES = {
    "gmail": ("gmail.com", "googlemail.com"),
    "gmx": ("gmx.de", "gmx.net", "gmx.at", "gmx.ch", "gmx.com", "web.de", "email.de", "mail.com"),
    "t-online": ("t-online.de", "magenta.de"),
    "microsoft": ("outlook.com", "outlook.de", "hotmail.com", "hotmail.de", "live.com", "live.de", "msn.com"),
    "yahoo": ("yahoo.com", "yahoo.de", "ymail.com", "rocketmail.com", "aol.com", "aol.de"),
    "apple": ("icloud.com", "me.com", "mac.com"),
    "freenet": ("freenet.de",),
    "posteo": ("posteo.de", "posteo.net"),
    "mailbox.org": ("mailbox.org",),
}
NAMES = {
    "gmail": "Gmail", "gmx": "GMX, WEB.DE", "t-online": "T-Online", "microsoft": "Outlook, Hotmail", "yahoo": "Yahoo, AOL",
    "apple": "iCloud", "freenet": "freenet", "posteo": "Posteo",
}  # fmt: skip
HOUSE_OF = {domain: house for house, domains in HOUSES.items() for domain in domains}


def provider_of(domain: str) -> str:
    """The house behind a domain, or the domain itself."""
    return HOUSE_OF.get(domain.lower(), domain.lower())


def name_of(provider: str) -> str:
    """As people call it."""
    return NAMES.get(provider, provider)
