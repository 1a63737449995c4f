"""Why a mail was not taken: from codes and words to a reason, from the reason to a class (RULES B2, S5).

The words come first and the status only where they say nothing: servers write 5.1.1 above "you send too fast" and 5.7.1
above "no such user". The order of the table is the rule: what speaks of the sender or of a list of senders is asked for
before what speaks of the recipient, because a living reader who is thrown away is worse than a dead one who gets
another letter.
"""

import re
from dataclasses import dataclass

# RULES B2. "content" is what they think of our mail, "sender" what they think of us.
CLASS_OF = {
    "unknown-user": "dead",
    "unknown-host": "dead",
    "no-mail-host": "dead",
    "moved": "dead",
    "full": "full",
    "too-long-for-them": "full",
    "disabled": "unclear",
    "expired": "temporary",
    "network": "temporary",
    "system": "temporary",
    "busy": "temporary",
    "held": "temporary",
    "spam": "content",
    "virus": "content",
    "policy": "content",
    "blocked": "content",
    "too-large": "content",
    "content": "content",
    "authentication": "sender",
    "reverse-dns": "sender",
    "relay": "sender",
    "sender-address": "sender",
    "protocol": "sender",
    "unclear": "unclear",
}

# What the sending side has to mend; at the door of a mail server it stops a mailing (D4).
ABOUT_US = {"authentication", "reverse-dns", "relay", "sender-address", "blocked"}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, and which class that is."""

    name: str

    @property
    def kind(self) -> str:
        return CLASS_OF[self.name]


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


# Each is tried on small letters with addresses replaced by "@" and white space by single spaces.
_TABLE: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "busy",
        _any(
            r"too many (?:recipients|connections|messages|mails|emails|concurrent|sessions|errors from|hops this)",
            r"rate[ -]?limit(?!ed due to ip rep)", r"connection (?:rate|frequency)", r"frequency limited", r"receiving mail (?:at a rate|too quickly)",
            r"(?:at|exceeds?) (?:a|the) rate", r"throttl", r"sent? (?:to )?too (?:many|fast|quickly|much)", r"sending too fast",
            r"(?:hourly|daily|sending) (?:limit|quota) (?:exceeded|reached|for)", r"exceeded (?:the|your) (?:hourly|daily|sending)",
            r"unusual rate of", r"too much (?:mail|load)", r"zu viele (?:verbindungen|mails|nachrichten|empf)", r"in zu kurzer zeit", r"too short time",
            r"max(?:imum)? (?:number of )?(?:connections|messages|emails|mails)[^.]{0,30}(?:exceeded|reached|per)",
        ),
    ),
    (
        "authentication",
        _any(
            r"\bd ?marc\b", r"\bdkim\b(?!-sign)", r"\bspf\b", r"sender policy framework", r"unauthenticated",
            r"authenticat(?:ion|ed)[^.]{0,40}(?:required|information|fail|level|check|needed)", r"(?:fails?|pass) (?:to pass )?authentication",
            r"not (?:properly )?authenticated", r"require(?:s|d)? authentication", r"authrequired", r"must (?:first )?(?:be )?authenticate",
            r"does not designate", r"domainkeys", r"not authori[sz]ed to (?:send|use|relay|submit)", r"not (?:allowed|permitted) to send",
            r"sender id \(pra\)", r"arc (?:validation|seal)", r"recipientsrestricted|notauthorized|not.?auth",
        ),
    ),
    (
        "reverse-dns",
        _any(
            r"\bptr\b", r"reverse[ -](?:dns|lookup|hostname|name)", r"\brdns\b", r"\bfcrdns\b", r"ip name lookup failed",
            r"(?:cannot|can ?not|could not|unable to|failed to) (?:find|resolve) (?:your|the)(?: client)? (?:reverse )?(?:host ?name|ip|client)",
            r"mismatch(?:es)? (?:the )?client ip", r"client host ?name", r"helo (?:command )?(?:rejected|name|mismatch|hostname|has|does|is|invalid)",
            r"ehlo[^.]{0,20}(?:rejected|mismatch|invalid)", r"no (?:valid )?(?:reverse|host ?name)[^.]{0,20}(?:for|found|record)", r"invalid (?:helo|ehlo)",
            r"dynamic(?:ally)? (?:assigned |allocated )?ip", r"dial-?up|dynamic (?:hosts|pool|range)", r"generic (?:rdns|hostname|ptr)",
            r"without a valid sender domain", r"unverif[iy]+able sending", r"no dns (?:a|mx)?-?(?:data|record)s? for your",
        ),
    ),
    (
        "relay",
        _any(
            r"relay(?:ing)? (?:access )?(?:is )?(?:denied|not|prohibited|restrict|disallow|reject)", r"(?:not|n't|cannot|unable to|to) relay",
            r"configured to relay", r"denied[^.]{0,20}relay", r"(?:insecure|open) (?:mail )?relay", r"no relay",
            r"not (?:an? )?(?:open|allowed) relay", r"we do(?: not|n't) relay", r"relay(?:ing)? (?:for|through|from)[^.]{0,30}(?:denied|not)",
            r"isn't in my list of allowed rcpthosts|rcpthosts", r"not a gateway", r"unauthorized relay",
        ),
    ),
    (
        "sender-address",
        _any(
            r"sender(?:'s)? (?:address|domain|e-?mail)[^.]{0,40}(?:reject|den|not|invalid|unknown|doesn|fail|block|black|refus)",
            r"domain of sender", r"(?:unrout(?:e)?able|invalid|bad|illegal|unknown|malformed|fake|undeliverable|null|empty) (?:sender|return|from)",
            r"sender (?:verif|denied|reject|unknown|refused|not|is (?:not|on|in|block|black))", r"verif(?:y|ication)[^.]{0,30}sender",
            r"(?:mail ?from|envelope (?:sender|from)|return[- ]path|reverse[- ]path|from: ?(?:header|address|domain)|from (?:header|field))[^.]{0,60}(?:reject|den|not|invalid|refus|fail)",
            r"rejected mail from", r"your (?:e-?mail )?address (?:is|has been) (?:reject|block|not)", r"absender(?:adresse)?[^.]{0,30}(?:abgelehnt|gesperrt|ung)",
            r"bad(?:ly)? (?:formed )?return path", r"callback (?:setup )?fail", r"sender address verification",
        ),
    ),
    (
        "blocked",
        _any(
            r"block(?:ed)?[- ]?list", r"black ?list", r"deny ?list", r"\brbl\b", r"dns ?bl", r"spamhaus", r"spamcop", r"sorbs", r"barracuda ?central|b\.barracuda",
            r"\babusix\b", r"invaluement", r"uceprotect", r"senderscore|sender ?base|talos", r"cloudmark\.com/reset|csi\.cloudmark",
            r"reputation", r"banned", r"block(?:ed)? (?:due|for|because|by|using|at|on|from|ip|your|- see|temporarily)",
            r"(?<!account )(?<!mailbox )(?<!user )\b(?:is|are|been|was|were|temporarily|permanently) blocked\b(?! because its content)",
            r"\b(?:ip|client|host|network|server|connection|connections?|domain)\b[^.]{0,60}(?:blocked|refused by|rejected by|is denied|not welcome|not allowed)",
            r"client host (?:rejected|\[)", r"connection(?:s)? (?:not accepted|rejected)", r"not accepting connections", r"part of their network",
            r"no access from mail server", r"your (?:ip|server|host|network)(?: address)?[^.]{0,30}(?:reject|block|list|den)", r"adresse ip[^.]{0,20}bloqu",
            r"bad (?:dns|ip)\b", r"access denied, banned", r"poor\b[^.]{0,20}(?:score|sender)", r"(?<!not )listed (?:in|at|on|by)", r"mail(?:s)? from [^.]{0,40}(?:is|are) (?:not accepted|refused|block)",
            r"messages from [^ ]+ weren.?t sent", r"\(bl\)|\(nowl\)|\(dial\)", r"service (?:not available|refused)[^.]{0,40}no smtp service", r"unexpected volume or user complaints",
            r"your e-?mail is (?:redundant|rejected)", r"\bpolicy restrictions\b|denied by policy", r"gesperrt(?!es (?:post|konto))", r"550[ -](?:5\.7\.1 )?rejected\.?$",
        ),
    ),
    ("virus", _any(r"\bvirus", r"\bviren\b", r"malware", r"infected", r"\btrojan", r"\bworm\b", r"mcspamsignature")),
    (
        "spam",
        _any(
            r"\bspam", r"\bube\b", r"\buce\b", r"\bbulk\b", r"junk (?:mail|e-?mail)", r"looks like (?:a )?(?:advert|unsolic)", r"unsolicited", r"score[^.]{0,20}(?:exceed|too high)",
            r"phish", r"mail rejete|mail rejected\. ?ofr_506|ofr_506|lpn[^ ]{0,5}_506", r"mta-blocked spam", r"werbe ?mail",
        ),
    ),
    (
        "too-long-for-them",
        _any(r"length exceeds (?:the )?(?:limit|admin)", r"exceeds fixed maximum message size", r"size exceeds (?:the )?(?:limit )?(?:set by|of) (?:the )?recipient"),
    ),
    (
        "too-large",
        _any(
            r"(?:message|mail|e-?mail|content|nachricht)(?: file)? ?(?:size )?(?:is )?(?:too (?:big|large|long)|zu gro)", r"(?<!box )size (?:limit )?(?:exceed|violat)", r"exceeds? (?:the )?(?:max(?:imum)?|size|limit of|our)[^.]{0,30}(?:size|limit|bytes|length)?",
            r"max(?:imum)? (?:message|mail|allowed)? ?size", r"message size", r"line (?:is )?too long", r"line limit", r"too big for",
        ),
    ),
    (
        "full",
        _any(
            r"quota", r"(?:mail ?box|inbox|mail ?folder|account|maildir|user|postfach|briefkasten|boite|bo.te|casella|buz.n)[^.]{0,60}\b(?:full|voll|pleine|piena|lleno)\b", r"\bfull mail ?box",
            r"(?:insufficient|not enough|no|out of|exceeded|over|exceeds?)(?: the| his| its| their| allowed| system)? ?(?:disk|storage|mailbox|mail)[ -]?(?:space|storage|allocation|size|limit)?(?: exceeded| left| available)",
            r"(?:disk|storage|mailbox|space)[^.]{0,30}(?:exceeded|exhausted|limit reached|is over|has been reached)", r"over (?:the )?(?:disk|maximum|allowed)", r"mailbox (?:has )?exceeded", r"exceeded (?:storage|his|their)",
            r"speicher(?:platz|kapazit)", r"mailbox size limit", r"too much (?:mail )?data", r"out of storage", r"mail ?box for user is full", r"overquota",
            r"not enough space", r"mail ?box exceeds", r"exceeds allowed size", r"file too large", r"no space left[^.]{0,20}mailbox",
        ),
    ),
    (
        "disabled",
        _any(
            r"(?:account|user|mail ?box|address|recipient|postfach|konto|compte|mailaccount|e-?mail)[^.]{0,60}(?:disabled|suspended|locked|inactive|deactivated|frozen|deaktiviert|gesperrt|bloqu|is blocked|on hold|expired|not active|not activated|restricted)",
            r"(?:disabled|suspended|locked|inactive|deactivated|frozen) (?:account|user|mail ?box|address|recipient)", r"disableduser", r"temporary locked", r"no longer active", r"not active\b",
            r"account (?:has been |is )?(?:temporarily )?(?:closed|terminated)", r"invalid/inactive user",
        ),
    ),
    (
        "moved",
        _any(
            r"no longer (?:on (?:this )?server|at this|here|works|with|employed|valid|in (?:use|service)|exists?|available|accept|reach)", r"has (?:been )?(?:moved|changed|left)", r"not our (?:user|customer)", r"user (?:not local|moved)|address (?:has )?changed",
            r"unbekannt verzogen", r"arbeitet nicht mehr", r"nicht mehr (?:g.ltig|aktiv|erreichbar|in gebrauch|im unternehmen)", r"replaced by",
        ),
    ),
    (
        "no-mail-host",
        _any(r"null ?mx", r"does not accept (?:mail|e-?mail)", r"not accepting network messages", r"no mail(?:s)? accepted", r"doesn't (?:accept|receive) (?:any )?mail", r"mx record is (?:null|\.)|domain accepts no mail|mx (?:points to|of) (?:\.|0)"),
    ),
    (
        "unknown-user",
        _any(
            r"(?:user|recipient|mail ?box|address|account|alias|addressee|destinataire|empf.nger|e-?mail|benutzer|adresse|usuario|utente|destinatario)(?: name| address| mailbox| account|e-?mail)?(?: here| @)?[^.;]{0,40} ?(?:is |was |are |has |have |could |can |does |did |do |ist |wurde |est )?(?:unknown|not (?:be )?(?:found|known|exist|exists|listed|recogni[sz]ed|a valid|valid|registered)|doesn'?t exist|does ?n.t exist|n'existe pas|inconnu|unbekannt|nicht (?:bekannt|gefunden|vorhanden)|existiert nicht|no existe|desconocid|sconosciuto|inesistente)",
            r"(?:unknown|no such|invalid|nonexist[ae]nt|non-?exist[ae]nt|unbekannte[rn]?|ung.ltige[rn]?|bad|incorrect|illegal|undeliverable|unroutable|unrouteable|not a (?:valid|known)|not our) (?:e-?mail |local |final |virtual |destination )?(?:user|recipient|mail ?box|mail ?address|address|account|person|alias|local ?part|addressee|empf.nger|adresse|benutzer|id here|rcpt|final delivery|user ?id)", r"見つかりません|存在しません|宛先不明|おりません",
            r"recipnotfound|recipientnotfound|recipient ?(?:not ?found|unknown)", r"does(?: not|n't| n.t) (?:exist|have (?:a|an) .{1,60}account)", r"no (?:mail ?box|one|account|user|valid recipients?|recipients?)[^.]{0,20}(?:here|by that name|with that|by this name|found|named|exists?)",
            r"not a (?:registered|valid|known|local)[^.]{0,20}(?:user|recipient|mailbox|account|address)", r"not (?:listed|found) in (?:public|the|our|domino|directory|local|name)", r"there is no (?:such )?(?:user|one|mailbox|account)",
            r"(?:user|recipient|mailbox|address)[^.]{0,20} not (?:found|exist)", r"mailbox not found", r"mailbox (?:is )?unavailable or not", r"(?:could not|couldn't|cannot|can't) (?:find|locate) (?:the |a |any )?(?:user|recipient|mail ?box|account|address)",
            r"wasn.?.?.?t found at the destination", r"name is not recognized", r"the e-?mail account that you tried to reach does not", r"no (?:existe|encontr)", r"no mapping for", r"not known (?:here|at this|to us)",
            r"user not exist", r"user unknown", r"unknown user", r"address (?:is )?(?:unknown|invalid)", r"recipient address rejected: (?:access denied|user|unknown|invalid|undeliverable|no such|not found|unverified)", r"this user", r"rcpt (?:to )?(?:address )?(?:invalid|unknown|not found|does)",
            r"dd (?:requested|this)", r"user '[^']{1,80}' (?:unknown|not)", r"invalid mailbox path", r"destination addresses were unknown",
        ),
    ),
    (
        "unknown-host",
        _any(
            r"(?:host|domain|name server|hostname|domain name|destination)[^.;]{0,40}(?:unknown|not (?:be )?found|does ?n.?.t exist|doesn't exist|does not exist|no such|not exist|invalid|illegal|unbekannt|couldn't be found)",
            r"(?:unknown|no such|invalid|illegal|bad|nonexistent|unrouteable|unroutable|unbekannte) (?:mail )?(?:host|domain|destination (?:host|domain|system)|server name|domainname|dns)", r"nxdomain", r"host or domain name not found", r"couldn't find any host (?:named|by that name)",
            r"no (?:mx|a) (?:or a )?records?", r"all relevant mx records point to non-existent", r"unrouteable (?:mail )?(?:address|domain)", r"name or service not known", r"^[^ ]* ?does not exist$|\b[a-z0-9-]+\.[a-z0-9.-]+ does not exist",
        ),
    ),
    (
        "expired",
        _any(
            r"expired", r"timed? ?out", r"time-?out", r"retry (?:time|timeout)[^.]{0,30}exceeded", r"could not (?:be )?(?:sent?|deliver(?:ed)?)[^.]{0,30}(?:for|within|after) ", r"cannot send (?:message )?(?:for|within)", r"delayed", r"been in the queue", r"unable to deliver[^.]{0,20}(?:in|after|for) \d",
            r"delivery time", r"did not (?:accept our requests|respond)", r"still being retried", r"will (?:be )?(?:continue|retr)", r"too old", r"has not been (?:delivered|collected)", r"undelivered after", r"aborted after", r"giving up", r"failed \d+ attempts",
        ),
    ),
    (
        "network",
        _any(
            r"connect(?:ion)?(?: to)?[^.]{0,50}(?:refused|reset|failed|lost|dropped|closed|broken|unreachable|interrupted)", r"no route to host", r"network (?:is )?(?:error|unreachable)", r"could not find a gateway|no route (?:to|for)", r"name (?:service|server) (?:error|look)", r"(?:host ?name|dns|mx|domain) (?:look ?up|query|resolution)[^.]{0,20}(?:fail|error|problem)", r"dns (?:server )?(?:error|fail|problem|loop)",
            r"lookup failure", r"too many hops", r"loop(?:s|ing)? (?:back|detected)|mail loop|loops back", r"tls (?:is )?(?:not available|required|handshake|negotiation)|starttls", r"unable to (?:connect|contact)", r"could not (?:connect|contact)", r"cannot (?:connect|contact)", r"socket error", r"no smtp connection", r"unreachable", r"hop count exceeded", r"malformed or unexpected name server",
        ),
    ),
    (
        "policy",
        _any(r"polic(?:y|ies)", r"access denied", r"potential(?:ly)? (?:security|unsafe|dangerous)|content presents a potential", r"security (?:reasons|policies|settings)", r"prohibited (?:by|content)", r"not accepted for", r"administrative(?:ly)? (?:prohibition|prohibited|denied)", r"refused by (?:the )?(?:recipient|user|filter)", r"rejected (?:by|due|for|because)", r"message rejected", r"not allowed"),
    ),
    (
        "content",
        _any(r"\bcontent\b", r"duplicate header", r"attachment", r"header", r"message (?:contains|content|refused|blocked)", r"8-?bit", r"malformed (?:message|mime)", r"bare (?:lf|cr)"),
    ),
    (
        "protocol",
        _any(r"syntax error", r"command (?:not|parameter|unrecognized|rejected|out of)", r"(?:improper|bad) (?:sequence|command)", r"not implemented", r"need (?:mail|rcpt|helo)", r"unrecognized (?:command|parameter|address)", r"protocol error", r"invalid (?:command|parameter|argument)", r"rfc ?\d{3,4}"),
    ),
    (
        "system",
        _any(
            r"(?:local|system|internal|server|configuration|config|mail server|temporary|temporarily|software|i/o|processing) (?:config(?:uration)? )?(?:error|problem|failure|unavailable|trouble|deferred)", r"service (?:is )?(?:currently |temporarily )?(?:not available|unavailable|refused)", r"try (?:again )?later|versuch", r"transaction failed", r"(?:unable|could not|cannot|failed) to (?:open|write|lock|create|read|process|store|append|run|exec)",
            r"out of memory|disk (?:is )?full|no space left", r"grey ?list", r"resources", r"command (?:died|failed|output)", r"pipe to", r"exit(?:ed)? (?:code|with|status)", r"deferred", r"mailer error", r"temporary", r"temporarily",
        ),
    ),
    ("held", _any(r"on hold|held for|moderat|quarantin|awaiting")),
)  # fmt: skip

# RFC 3463 and the registry of RFC 5248; what big providers added to it stands where it would mislead otherwise.
_STATUS = {
    "5.1.1": "unknown-user", "5.1.2": "unknown-host", "5.1.3": "unknown-user", "5.1.6": "moved", "5.1.10": "no-mail-host",
    "5.1.7": "sender-address", "5.1.8": "sender-address", "5.2.1": "unknown-user", "5.2.2": "full", "5.2.3": "too-long-for-them",
    "5.3.1": "system", "5.3.2": "system", "5.3.4": "too-large", "5.3.5": "system", "5.4.4": "unknown-host", "5.4.6": "network", "5.4.7": "expired",
    "5.5.3": "busy", "5.6.0": "content", "5.6.1": "content", "5.6.2": "content", "5.6.3": "content", "5.7.0": "policy", "5.7.1": "policy",
    "5.7.13": "disabled", "5.7.17": "moved", "5.7.18": "moved", "5.7.20": "authentication", "5.7.21": "authentication", "5.7.22": "authentication",
    "5.7.23": "authentication", "5.7.24": "authentication", "5.7.25": "reverse-dns", "5.7.26": "authentication", "5.7.27": "sender-address",
    "5.7.28": "busy", "5.7.29": "authentication", "5.7.509": "authentication", "5.7.515": "authentication", "5.7.57": "authentication", "4.2.2": "full", "4.4.1": "network",
    "4.4.7": "expired", "4.3.1": "system", "4.3.2": "busy", "4.7.25": "reverse-dns", "4.7.23": "reverse-dns", "4.7.27": "authentication", "4.7.30": "authentication",
    "5.1.351": "unknown-user", "5.1.0": "unclear", "5.4.310": "unknown-host", "5.4.1": "network", "5.4.300": "expired", "5.4.312": "network", "5.4.316": "expired",
}  # fmt: skip

_ADDRESS = re.compile(r"[\"'<\[(]*[^\s<>\"'()\[\],;:]{1,80}@[^\s<>\"'()\[\],;:]{1,255}[>\"'\])]*")
# Some gateways put a phrase of their own in front: 5.1.0 - Unknown address error 550-'what the server said'.
_FOREIGN = re.compile(r"^\W*[245]\.\d{1,3}\.\d{1,3} - [^']{1,80} \d{3}-'(.{3,1000})'", re.DOTALL)
# What is said before a recipient was named is about the sender, whatever it says (D2).
_AT_SENDER = re.compile(r"(?:after|reply to|response to|>>>)\s+(?:pipelined\s+)?(?:MAIL\b|HELO|EHLO|end of MAIL)", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_CODE = re.compile(r"(?<![\d.])([245]\d\d)(?=[ \-:;,#<]|$)")
_ENHANCED = re.compile(r"(?<![\d.\[])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
LONGEST = 2000  # letters of an explanation that are looked at

# Where these are all that is said of the recipient, the mailbox is not there; with a 5.7 status it is a filter that says so.
_UNAVAILABLE = _any(
    r"mail ?box (?:is )?(?:currently )?(?:unavailable|not available)",
    r"recipient (?:address )?(?:was )?(?:rejected|refused|not accepted)",
    r"address rejected",
    r"invalid (?:or|address)",
    r"user (?:is )?not (?:accept|allow)",
)


def codes_in(text: str) -> tuple[int, str]:
    """The first reply code and the first enhanced status that stand in a text; 0 and nothing where there are none."""
    status = _ENHANCED.search(text)
    code = _CODE.search(text)
    return (int(code[1]) if code else 0), (f"{status[1]}.{int(status[2])}.{int(status[3])}" if status else "")


def plain(text: str) -> str:
    """An explanation as the table reads it: small letters, one line, addresses taken out."""
    return _SPACE.sub(" ", _ADDRESS.sub("@", text[:LONGEST])).strip().lower()


def reason_for(text: str, *, code: int = 0, status: str = "", final: bool = True) -> Reason:
    """Why a mail was not taken.

    Args:
        text: what the server said, as it said it.
        code: the basic reply code, or 0.
        status: the enhanced status (RFC 3463), or nothing.
        final: whether they gave up; nobody is dead while they still try.
    """
    foreign = _FOREIGN.search(text)
    words = plain(foreign[1] if foreign else text)
    said_code, said_status = codes_in(text)
    code = code or said_code
    if said_status and (not status or status.endswith((".0.0", ".0")) or said_status[0] == status[0]):
        status = said_status
    found = _by_words(words, status, code)
    if CLASS_OF[found] == "dead" and (status.endswith((".1.7", ".1.8")) or _AT_SENDER.search(text)):
        found = "sender-address"
    if found == "unknown-host" and re.search(r"try again|temporar|lookup failure", words):
        found = "network"
    if CLASS_OF[found] == "dead" and (not final or _only_for_now(code, status)):
        return Reason("network" if found == "unknown-host" else "system")
    if found == "unclear" and _only_for_now(code, status):
        return Reason("system")
    return Reason(found)


def _only_for_now(code: int, status: str) -> bool:
    # Where the two differ the basic code is trusted (S1).
    return 400 <= code < 500 if code else status.startswith("4.")


def _by_words(words: str, status: str, code: int) -> str:
    known = _STATUS.get(status, "")
    for name, pattern in _TABLE:
        if pattern.search(words):
            return _sharpened(name, known, status, words)
    if _UNAVAILABLE.search(words) and not status.startswith(("5.7", "4.")) and (code in (550, 551, 553) or known == "unknown-user"):
        return "unknown-user"
    if known:
        return known
    if status.startswith(("5.7.", "4.7.")):
        return "policy"
    if status.startswith(("4.4.", "5.4.")):
        return "expired" if status.startswith("4.4.") else "network"
    return "unclear"


def _sharpened(name: str, known: str, status: str, words: str) -> str:
    """Where words that can mean much meet a status that means one thing, the status wins."""
    if known == "full" and name in ("too-large", "content", "policy", "system"):
        return known
    vague = {"policy", "content", "system", "expired", "network", "held", "protocol"}
    if name in vague and known and CLASS_OF[known] != "unclear" and known not in ("policy", "network"):
        if CLASS_OF[known] == "dead" and name in ("expired", "network", "system"):
            # "Message expired, DNS query failed" below 5.1.1 speaks of the way and not of the mailbox.
            return name if status not in ("5.1.1", "5.1.10") else known
        return known
    if name == "system" and "access denied" in words and status.startswith("5.4.1"):
        return "unknown-user"
    return name
