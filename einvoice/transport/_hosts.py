"""Which hosts may be told a secret: the one configured, those of the same registrant, and those named."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

#: Below a country's domain these are not a registrant's own: example.co.uk is one, co.uk is none.
_SECOND_LEVEL = frozenset(
    ("ac", "asso", "co", "com", "edu", "go", "gob", "gouv", "gov", "gv", "ltd", "ne", "net", "nom", "or", "org", "plc")
)


def host_of(url: str) -> str:
    """The host of an https URL, lower case; empty when *url* is none, names a user, or has no valid port."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "https" and parts.username is None and (parts.port is None or parts.port > 0)
    except ValueError:
        return ""
    return (parts.hostname or "").rstrip(".").lower() if usable else ""


def registrable(host: str) -> str:
    """What one registrant holds: the last two labels, three below a country's common second level; an address whole.

    There is no public suffix list behind it: a host that a provider gives to many customers counts as one registrant.
    For such a partner name the endpoint (``url``), which leaves nothing to discover.

    >>> registrable("service.ariba.com"), registrable("edi.example.co.uk"), registrable("127.0.0.1")
    ('ariba.com', 'example.co.uk', '127.0.0.1')
    """
    try:
        return str(ip_address(host.strip("[]")))
    except ValueError:
        labels = host.split(".")
    size = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL else 2
    return ".".join(labels[-size:])


def may_be_told(url: str, configured: str, allowed: tuple[str, ...]) -> bool:
    """Whether *url*, given by a partner, may be sent to.

    >>> may_be_told("https://certservice.ariba.com/x", "https://service.ariba.com/y", ())
    True
    >>> may_be_told("https://ariba.com.example/x", "https://service.ariba.com/y", ())
    False
    """
    host, ours = host_of(url), host_of(configured)
    return bool(host) and (host == ours or host in allowed or registrable(host) == registrable(ours))
