"""The settings of the https transport."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from ..config import Duration, Flag, SecretRef, Strict
from . import _hosts, _http


def _https(value: str) -> str:
    if not _hosts.host_of(value):
        raise PydanticCustomError("https_url", "not an https:// address without user name; plain http is not offered")
    return value


HttpsUrl = Annotated[str, AfterValidator(_https)]
Size = Annotated[int, Field(strict=True, gt=0, le=1 << 30)]


class Credential(Strict):
    """Who someone is on the network: ``{domain = "NetworkID", identity = "AN01000000001-T"}``."""

    domain: str = Field(default="NetworkID", min_length=1)
    identity: str = Field(min_length=1)


class Https(Strict):
    """[transport] kind = "https": cXML to a network or a buyer."""

    model_config = ConfigDict(hide_input_in_errors=True)

    kind: Literal["https"] = "https"
    url: HttpsUrl | None = None
    """Where every request goes that ``urls`` does not name. Without it ``profile_url`` is asked, once a day."""
    urls: Mapping[str, HttpsUrl] = {}
    """Pinned address per request: ``{InvoiceDetailRequest = "https://..."}``."""
    profile_url: HttpsUrl | None = None
    """Answers ProfileRequest with the address per request."""
    allowed_hosts: tuple[str, ...] = ()
    """Hosts outside the registrant of ``profile_url`` that it may name. Each is told the shared secret."""
    own: Credential | None = None
    partner: Credential | None = None
    sender: Credential | None = None
    """From, To and Sender of the transport's own requests (profile look-up, poll). ``sender``: as ``own`` if absent."""
    user_agent: str = "einvoice"
    cxml_version: str = Field(default="1.2.071", pattern=r"^[0-9]+(\.[0-9]+){1,3}$")
    secret: SecretRef | None = None
    ca_file: Path | None = None
    """PEM file of the authorities to trust, instead of the system's."""
    ca_adds: Flag = False
    """Trust the system's authorities too. Loosens: any public authority can then speak for the partner."""
    client_certificate: Path | None = None
    client_key: Path | None = None
    client_key_password: SecretRef | None = None
    connect_timeout: Duration = timedelta(seconds=10)
    read_timeout: Duration = timedelta(seconds=60)
    """Longest silence between two bytes."""
    total_timeout: Duration = timedelta(seconds=180)
    """Longest exchange after connecting, drip or not."""
    max_document_bytes: Size = 4 * 1024 * 1024
    max_answer_bytes: Size = 10 * 1024 * 1024
    poll: tuple[Annotated[str, Field(pattern=r"^[A-Za-z]+$")], ...] = ()
    """Messages to fetch by GetPendingRequest: ``["StatusUpdateRequest"]``. Empty: nothing is fetched."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        wrong = list(self._problems())
        if wrong:
            raise PydanticCustomError("https_incomplete", "{told}", {"told": "; ".join(wrong)})
        return self

    def _problems(self) -> Iterator[str]:
        if not (self.url or self.urls or self.profile_url):
            yield "no address: set url, urls or profile_url"
        if (self.profile_url or self.poll) and not (self.own and self.partner):
            yield "profile_url and poll need own and partner, which they name in their requests"
        if self.secret is None and self.client_certificate is None:
            yield "no way to prove who we are: set secret or client_certificate"
        if (self.client_key or self.client_key_password) and not self.client_certificate:
            yield "client_key without client_certificate"
        if self.ca_adds and not self.ca_file:
            yield "ca_adds without ca_file"

    def tls(self) -> _http.Tls:
        return _http.Tls(self.ca_file, self.ca_adds, self.client_certificate, self.client_key)

    def limits(self) -> _http.Limits:
        spans = (self.connect_timeout, self.read_timeout, self.total_timeout)
        connect, read, total = (max(1, int(span.total_seconds())) for span in spans)
        return _http.Limits(connect, read, total, self.max_answer_bytes)
