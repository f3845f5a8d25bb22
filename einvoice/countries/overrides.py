"""Named overrides of the law: an operator's own risk, with a reason, a name and an end, and loud in every decision."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from ..config import Strict, load
from .conditions import Case
from .facts import Dropped
from .law import Channel, CountryCode, Key, PdfRole, Segment, Signature

LONGEST = timedelta(days=366)


class Override(Strict):
    """Documents that fit go in one of ``formats`` by one of ``channels``, whatever the country's rules say.

    An empty list of countries, segments or profiles means any. In production the seller countries are named and
    the override lasts a year at most.
    """

    id: Key
    reason: str = Field(min_length=10)
    approved_by: str = Field(min_length=2)
    environment: Literal["test", "production"]
    from_: date = Field(alias="from")
    until: date
    seller_countries: tuple[CountryCode, ...] = ()
    buyer_countries: tuple[CountryCode, ...] = ()
    segments: tuple[Segment, ...] = ()
    profiles: tuple[str, ...] = ()
    formats: tuple[str, ...] = Field(min_length=1)
    channels: tuple[Channel, ...] = Field(min_length=1)
    pdf: PdfRole = "courtesy"
    signature: Signature = Signature()

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.until < self.from_:
            raise ValueError(f"until {self.until} is before from {self.from_}")
        if self.environment == "production" and not self.seller_countries:
            raise ValueError("in production an override names its seller_countries")
        if self.environment == "production" and self.until - self.from_ > LONGEST:
            raise ValueError("in production an override lasts a year at most; renew it with a new reason")
        return self

    def cited(self) -> str:
        return f"override of the law until {self.until}, approved by {self.approved_by}: {self.reason}"

    def fits(self, case: Case) -> bool:
        facts = case.facts
        return (
            self.environment == facts.environment
            and (not self.seller_countries or facts.seller_country in self.seller_countries)
            and (not self.buyer_countries or facts.buyer_country in self.buyer_countries)
            and (not self.segments or facts.buyer_kind in self.segments)
            and (not self.profiles or case.profile.name in self.profiles)
        )


class OverrideFile(Strict):
    version: Literal[1] = Field(alias="schema")
    override: tuple[Override, ...]


def load_overrides(path: Path) -> tuple[Override, ...]:
    """The overrides in a file. Raises ConfigError with every problem."""
    return load(path, OverrideFile).override


def matching(overrides: Sequence[Override], case: Case) -> tuple[list[Override], list[Dropped]]:
    """Those in force for the case on its day, and a note on each that has ended or not begun."""
    fitting = [override for override in overrides if override.fits(case)]
    live = [override for override in fitting if override.from_ <= case.on <= override.until]
    ended = [override for override in fitting if override not in live]
    return live, [Dropped(f"override {item.id}", f"in force only {item.from_} to {item.until}") for item in ended]
