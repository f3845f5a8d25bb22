"""A directory as a channel: documents are put where another program takes them, answers are taken where it puts them.

A file appears whole or not at all, under a name made from the transmission's identity, and never replaces another. A
secret is never written: its place in the bytes stays empty.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from errno import EDQUOT, EFBIG, EIO, ENOSPC, ENOTSUP, EPERM
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from ..config import Duration, Strict
from ..errors import ConfigError
from ..exchange import Document, Envelope, Environment, Identity, Inbound, Outcome, Receipt
from . import ChannelDown, one_of_this_channel

#: file endings by media type; a name follows from the identity, or is the format's where the partner answers to that
_ENDINGS = {
    "text/xml": ".xml",
    "application/xml": ".xml",
    "application/pdf": ".pdf",
    "application/edifact": ".edi",
    "application/edi-x12": ".x12",
    "application/json": ".json",
    "application/pkcs7-mime": ".p7m",
    "application/zip": ".zip",
}
_PASSING = frozenset({ENOSPC, EDQUOT, EFBIG, EIO})
_NO_LINKS = frozenset({EPERM, ENOTSUP})


class Folder(Strict):
    """[transport] kind = "folder"."""

    kind: Literal["folder"] = "folder"
    outbox: Path
    """Where documents are put. It must exist: a directory that vanished is noticed, not made again."""
    taken: Path | None = None
    """Where the partner moves what it took, if it does. What lies there arrived and is not put there again."""
    inbox: Path | None = None
    """Where answers are taken from. A file that was taken moves to ``taken`` below it."""
    settle: Duration = timedelta(seconds=2)
    """A file changed more recently than this may still be being written, and waits."""
    max_bytes: Annotated[int, Field(strict=True, gt=0)] = 100 * 1024 * 1024


class FolderTransport:
    """The channel *name*."""

    def __init__(self, settings: Folder, *, name: str, environment: Environment) -> None:
        self.settings, self.name, self.environment = settings, name, environment

    def pack(self, documents: Sequence[Document], ids: Identity) -> Envelope:
        """The one document under a file name made from its identity. ConfigError: several, or the wrong environment."""
        if len(documents) != 1:
            raise ConfigError(f"{len(documents)} documents for one file", where=self._where, fix="send one at a time")
        document = documents[0]
        ending = _ENDINGS.get(document.media_type.partition(";")[0].strip().lower(), ".bin")
        name = document.name if document.known_by_name else file_name(ids.payload_id) + ending
        envelope = Envelope(ids.payload_id, document.data, document.media_type, name, ids.environment)
        one_of_this_channel(envelope, self.environment, self._where)
        return envelope

    def deliver(self, envelope: Envelope, *, at: datetime) -> Receipt:
        """Accepted: the file is there, whole and on the disk. The same bytes there before: accepted, a duplicate.

        Other bytes under this name: rejected. A full disk: retry. A directory that is not there or not ours to write
        to: the channel waits for a person. Never unknown: what the file system did not confirm is not under the name.
        A partner that took the file away before its receipt was stored (the process died in between) gets the same
        bytes under the same name and control numbers once more, unless ``taken`` shows them, the partner's
        acknowledgement has come meanwhile, or the profile says ``[retry] unknown = "hold"``.
        """
        one_of_this_channel(envelope, self.environment, self._where)
        place = self.settings.outbox / envelope.name
        if place.name != envelope.name or envelope.name.startswith("."):
            raise ConfigError("not a plain file name", where=envelope.id, fix="pack the document with this transport")
        try:
            if self._was_taken(envelope):
                return Receipt(Outcome.ACCEPTED, "TAKEN", f"the partner took {place} before", at, duplicate=True)
            if put(place, envelope.data):
                return Receipt(Outcome.ACCEPTED, "WRITTEN", str(place), at)
            same = _same(place, envelope.data)
        except OSError as error:
            return self._failed(error, at)
        if same:
            return Receipt(Outcome.ACCEPTED, "EXISTS", f"{place} was there with the same bytes", at, duplicate=True)
        return Receipt(Outcome.REJECTED, "EXISTS", f"{place} is there with other bytes", at, duplicate=True)

    def _was_taken(self, envelope: Envelope) -> bool:
        there = self.settings.taken / envelope.name if self.settings.taken else None
        return there is not None and there.is_file() and _same(there, envelope.data)

    def collect(self, *, at: datetime) -> Iterator[Inbound]:
        """Each settled file of the inbox. One is moved away when the caller, having stored it, asks for the next.

        ChannelDown at the end when the directory or a file could not be read, or a file is too large.
        """
        if self.settings.inbox is None:
            return
        faults: list[str] = []
        for path in self._waiting(at, faults):
            try:
                data = path.read_bytes()
            except OSError as error:
                faults.append(f"{path}: {error.strerror}")
                continue
            yield Inbound(f"folder:{self.name}", path.name, data)
            try:
                _take(path, data)
            except OSError as error:
                faults.append(f"{path} cannot be moved to taken/: {error.strerror}")
        if faults:
            raise ChannelDown(Receipt(Outcome.RETRY, "OSError", "; ".join(faults), at), where=self._where)

    @property
    def _where(self) -> str:
        return f"channel {self.name}"

    def _waiting(self, at: datetime, faults: list[str]) -> Iterator[Path]:
        inbox, newest = self.settings.inbox or Path(), (at - self.settings.settle).timestamp()
        try:
            entries = sorted(os.scandir(inbox), key=lambda entry: entry.name)
            regular = [one for one in entries if one.is_file(follow_symlinks=False) and not one.name.startswith(".")]
            sizes = [(one, one.stat(follow_symlinks=False)) for one in regular]
        except OSError as error:
            faults.append(f"{inbox}: {error.strerror}")
            return
        for entry, found in sizes:
            if found.st_size > self.settings.max_bytes:
                faults.append(f"{entry.path}: {found.st_size} bytes, more than {self.settings.max_bytes}")
            elif found.st_mtime <= newest:
                yield Path(entry.path)

    def _failed(self, error: OSError, at: datetime) -> Receipt:
        text = f"{self.settings.outbox}: {error.strerror}"
        return Receipt(Outcome.RETRY, type(error).__name__, text, at, channel_fault=error.errno not in _PASSING)


def file_name(identity: str) -> str:
    """A plain file name for *identity*: the same for the same, another for another.

    >>> file_name("20261123.1@seller.example"), file_name("../etc/passwd")
    ('20261123.1_seller.example-8d494993', '_etc_passwd-7fef78f5')
    """
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", identity).lstrip(".")[:120]
    if plain == identity:
        return plain
    return f"{plain}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"


def put(place: Path, data: bytes) -> bool:
    """True: *place* now holds *data*, flushed to the disk. False: something was there and still is. Raises OSError."""
    part = place.with_name(f".{place.name}.{secrets.token_hex(8)}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o640)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        named = _name_it(part, place)
    finally:
        with suppress(FileNotFoundError):  # it was renamed
            part.unlink()
    _flush_directory(place.parent)
    return named


def _name_it(part: Path, place: Path) -> bool:
    """A hard link refuses to replace, a rename does not; the latter serves file systems that know no links."""
    try:
        os.link(part, place, follow_symlinks=False)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if place.exists():
            return False
        part.rename(place)
    return True


def _flush_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _same(place: Path, data: bytes) -> bool:
    return place.stat().st_size == len(data) and place.read_bytes() == data


def _take(path: Path, data: bytes) -> None:
    """Out of the inbox into ``taken``; another file of that name there keeps its own."""
    taken = path.parent / "taken"
    taken.mkdir(exist_ok=True)
    target = taken / path.name
    if target.exists() and not _same(target, data):
        target = taken / f"{path.name}.{hashlib.sha256(data).hexdigest()[:16]}"
    path.replace(target)


SETTINGS = Folder
TRANSPORT = FolderTransport
