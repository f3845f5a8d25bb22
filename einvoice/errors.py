"""Findings are values about an invoice; exceptions stop one document, or the start.

EInvoiceError
├── ConfigError          a profile, policy, country or settings file; carries every problem
├── UnreadableDocument   bytes that are not a readable invoice
├── InvalidInvoice       fatal findings where an invoice was needed
├── SigningError         a key, a certificate, a time stamp
└── LedgerError          the ledger cannot be opened, or refuses what was asked
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class Severity(StrEnum):
    FATAL = "fatal"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing noticed about one invoice or one file.

    rule   a published rule id (``BR-CO-15``) or ours (``EINV-READ-01``); never changes its meaning
    term   the business term, ``BT-112``; empty when none applies
    path   where in the model, ``$.totals.gross``
    place  where in the source: XPath, segment or key, with line when known
    """

    rule: str
    message: str
    severity: Severity = Severity.FATAL
    term: str = ""
    path: str = ""
    place: str = ""
    found: str = ""
    expected: str = ""
    fix: str = ""
    clause: str = ""

    @property
    def fatal(self) -> bool:
        return self.severity is Severity.FATAL

    def at(self, place: str) -> Finding:
        """The same finding with its place in the source."""
        return replace(self, place=place)

    def as_dict(self) -> dict[str, str]:
        """Non-empty fields by name, for JSON."""
        return {name: str(getattr(self, name)) for name in self.__slots__ if getattr(self, name)}

    def __str__(self) -> str:
        where = " ".join(part for part in (self.term, self.path) if part)
        head = f"{self.rule} {where}: " if where else f"{self.rule}: "
        told = f"{_sentence(self.message)} Fix: {_sentence(self.fix)}" if self.fix else self.message
        place = f" [{self.place}]" if self.place else ""
        clause = f" ({self.clause})" if self.clause else ""
        return f"{head}{told}{clause}{place}"


def _sentence(text: str) -> str:
    """*text* with the full stop that the next sentence needs.

    >>> _sentence("the file is empty"), _sentence("Is it there?")
    ('the file is empty.', 'Is it there?')
    """
    return text if text.endswith((".", "!", "?", ":")) else f"{text}."


def fatal(findings: Iterable[Finding]) -> list[Finding]:
    """Those of *findings* that forbid sending."""
    return [finding for finding in findings if finding.fatal]


class EInvoiceError(Exception):
    """What happened, where, and what to do next, in one line for people."""

    def __init__(self, message: str, *, where: str = "", fix: str = "", findings: Sequence[Finding] = ()) -> None:
        self.message, self.where, self.fix, self.findings = message, where, fix, tuple(findings)
        super().__init__(str(self))

    def __str__(self) -> str:
        head = f"{self.where}: " if self.where else ""
        return f"{head}{_sentence(self.message)} Fix: {self.fix}" if self.fix else f"{head}{self.message}"

    def as_dict(self) -> dict[str, object]:
        return {
            "error": type(self).__name__,
            "message": self.message,
            "where": self.where,
            "fix": self.fix,
            "findings": [finding.as_dict() for finding in self.findings],
        }


class ConfigError(EInvoiceError):
    """Settings that cannot be used; ``findings`` holds every problem of the file at once."""

    def __str__(self) -> str:
        lines = [super().__str__(), *(f"  {finding}" for finding in self.findings)]
        return "\n".join(lines)


class UnreadableDocument(EInvoiceError):
    """Bytes that are not an invoice in any readable format."""


class InvalidInvoice(EInvoiceError):
    """An invoice with fatal findings where a sendable one was needed."""


class SigningError(EInvoiceError):
    """A key, certificate or time stamp that cannot be used."""


class LedgerError(EInvoiceError):
    """The ledger cannot be opened, or refuses what was asked of it."""
