"""What the network checks before it looks at business content, in its order; the first fault is the answer."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .cxml import Message, Status, parse, split
from .options import Options
from .validity import Judge

_MEDIA = ("text/xml", "application/xml")
KINDS = {"InvoiceDetailRequest": "invoice", "ProfileRequest": "profile", "GetPendingRequest": "pending"}


@dataclass(frozen=True, slots=True)
class Post:
    """A POST as it came. ``base`` is scheme and host as the caller wrote them; ``size`` what the body really had."""

    base: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    size: int

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers.items() if key.casefold() == name), "")


@dataclass(frozen=True, slots=True)
class Gate:
    """What the checks compare with."""

    options: Options
    judge: Judge
    secret: str


def open_post(post: Post, options: Options) -> Message | Status:
    """The message in *post*, or the status that says why there is none: content type, size, well-formedness."""
    content_type = post.header("content-type")
    media = content_type.partition(";")[0].strip().casefold()
    if media not in (*_MEDIA, "multipart/related"):
        return Status(406, "Not Acceptable", f"Content-Type {media or '(none)'}: send text/xml or multipart/related")
    if post.size > options.max_bytes:
        return Status(406, "Not Acceptable", f"{post.size} bytes; at most {options.max_bytes} are accepted")
    if media in _MEDIA:
        return parse(post.body)
    parts = split(post.body, content_type)
    return parts if isinstance(parts, Status) else parse(*parts)


def refusal(message: Message, gate: Gate) -> Status | None:
    """The first fault of a well-formed *message*; None when the request may be carried out."""
    return next((status for check in _CHECKS if (status := check(message, gate)) is not None), None)


def _credentials(message: Message, gate: Gate) -> Status | None:
    supplier, sender, own = message.supplier.network_id, message.sender.network_id, gate.options.own
    if supplier not in own or sender != supplier:
        return Status(
            401,
            "Unauthorized",
            f"Invalid or unrecognized sender credentials: From {supplier or '(none)'}, Sender {sender or '(none)'} "
            "(ANERR-10000000000000000000001)",
        )
    return None


def _secret(message: Message, gate: Gate) -> Status | None:
    given = message.sender.secret or ""
    if hmac.compare_digest(given.encode(), gate.secret.encode()):
        return None
    # The secret that was given is not repeated: a mistyped one is often a right one elsewhere.
    return Status(
        401, "Unauthorized", "Invalid or unrecognized sender credentials: shared secret (ANERR-10000000000000000000002)"
    )


def _environment(message: Message, gate: Gate) -> Status | None:
    identities = {message.supplier.network_id, message.sender.network_id, message.buyer.network_id}
    suffixes = {identity.endswith("-T") for identity in identities}
    if len(suffixes) > 1:
        return Status(403, "Forbidden", "test identities (-T) and production identities in one message")
    if suffixes != {message.deployment_mode == "test"}:
        names = ", ".join(sorted(identities))
        return Status(403, "Forbidden", f"deploymentMode {message.deployment_mode} with the identities {names}")
    return None


def _recipient(message: Message, gate: Gate) -> Status | None:
    buyer = message.buyer.network_id
    if buyer not in gate.options.to:
        return Status(
            403, "Forbidden", f"To {buyer or '(none)'} is not a trading partner of {message.supplier.network_id}"
        )
    systems = message.buyer.identities.get("systemid", ())
    if systems and gate.options.system_id not in systems:
        return Status(403, "Forbidden", f"To has no system {', '.join(systems)}")
    return None


def _supported(message: Message, gate: Gate) -> Status | None:
    if message.kind not in KINDS:
        return Status(450, "Not Implemented", f"{message.kind or 'an empty Request'} is not served here")
    return None


def _valid(message: Message, gate: Gate) -> Status | None:
    faults = gate.judge.faults(message.root, message.kind)
    if faults:
        return Status(406, "Not Acceptable", f"not valid by {gate.judge.name}: {'; '.join(faults[:20])}")
    return None


_CHECKS: tuple[Callable[[Message, Gate], Status | None], ...] = (
    _credentials,
    _secret,
    _environment,
    _recipient,
    _supported,
    _valid,
)
