"""The line, once: intake, decide, check, render, package, deliver, acknowledge. Knows no format or country by name.

``Pipeline`` is what dispatch drives: ``prepare`` makes every byte and touches nothing, ``deliver`` sends stored bytes
and makes none, ``collect`` and ``interpret`` walk the arrows back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from . import formats, orders, rules, transport
from .countries import Decision, Facts, Override, Refusal, decide, unmet
from .countries.law import Laws
from .errors import EInvoiceError, Finding, Severity, UnreadableDocument, fatal
from .exchange import Answer, Document, Envelope, Environment, Identity, Inbound, Part, Receipt, Transport
from .ledger import AckFact, Ledger, Meaning, OrderFact, ProfileRef, Revision, SendPolicy, Transmission
from .ledger.work import Gather, Held, Prepared, Unsealed, Work
from .loss import losses, values_of
from .model import Invoice, Party, digest, is_credit, to_json
from .official import native_packs
from .orders import Order
from .partners import (
    Book,
    House,
    NotRouted,
    Profile,
    Routed,
    preset_of,
    rounding_of,
    route,
    sellers_of,
    unable,
    wish_of,
)
from .rules import against_orders
from .totals import Policy, differences

#: The rule pack that judges every document.
OWN = "einvoice"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the line decides by: the law, the operator's policies and overrides, the profiles in force."""

    laws: Laws
    houses: Mapping[str, House] = field(default_factory=dict)
    overrides: Sequence[Override] = ()
    book: Book = field(default_factory=lambda: Book(()))


@dataclass(frozen=True, slots=True)
class Choice:
    """What was decided for one document, and every finding on the way. ``decision`` is None when routing failed."""

    facts: Facts
    routed: Routed | NotRouted
    decision: Decision | Refusal | None
    findings: tuple[Finding, ...] = ()

    @property
    def sendable(self) -> bool:
        return isinstance(self.decision, Decision) and not fatal(self.findings)


# --- intake -----------------------------------------------------------------------------------------------------------


def submission(invoice: Invoice, environment: Environment, houses: Mapping[str, House]) -> dict[str, Any]:
    """The ledger's arguments that follow from the invoice: its key, its content, its money."""
    facts = facts_of(invoice, environment, date.min)
    totals = invoice.totals
    content = to_json(invoice).encode()
    return {
        "environment": environment,
        "seller": seller_key(facts, houses),
        "type": invoice.type_code or "",
        "number": invoice.number or "",
        "year": invoice.issue_date.year if invoice.issue_date else 0,
        "canonical": content,
        "digest": hashlib.sha256(content).hexdigest(),
        "sameness": digest(invoice),
        "currency": invoice.currency or "",
        "total": (totals.gross or totals.due or Decimal(0)) if totals else Decimal(0),
        "buyer": facts.buyer_name,
        "issue_date": invoice.issue_date,
        "charges": orders.charges(invoice),
    }


def seller_key(facts: Facts, houses: Mapping[str, House]) -> str:
    """The seller's name in the ledger: its entity where a house policy knows it, else what the invoice calls it."""
    known = sellers_of(facts, houses)
    stated = (*facts.seller_vat_ids, *(value for _, value in facts.seller_ids), facts.seller_name)
    return known[0] if len(known) == 1 else next((value for value in stated if value), "")


def identity_findings(invoice: Invoice) -> list[Finding]:
    """Without a number, a type or a seller a document cannot be told from another, and is not taken in."""
    wanted = (("BR-02", "BT-1", "the invoice number", "$.number", invoice.number),
              ("BR-04", "BT-3", "the invoice type code", "$.type_code", invoice.type_code),
              ("BR-03", "BT-2", "the issue date", "$.issue_date", invoice.issue_date),
              ("BR-06", "BT-27", "the seller", "$.seller", invoice.seller))  # fmt: skip
    return [
        Finding(rule, f"{name} is not stated; without it no one can tell this document from another", term=term,
                path=path, fix="state it in the source", clause=f"EN 16931-1 {rule}")
        for rule, term, name, path, value in wanted if not value
    ]  # fmt: skip


def restore(revision: Revision) -> Invoice:
    """The invoice as it was submitted."""
    return Invoice.model_validate_json(revision.canonical)


def facts_of(invoice: Invoice, environment: Environment, on: date) -> Facts:
    """What law and routing see of *invoice*. The buyer's kind and standing come from its profile."""
    seller, buyer = invoice.seller or Party(), invoice.buyer or Party()
    totals = invoice.totals
    end = invoice.period.end if invoice.period else None
    return Facts(
        seller_country=_country(seller),
        buyer_country=_country(buyer),
        issue_date=invoice.issue_date or on,
        kind="credit_note" if is_credit(invoice) else "invoice",
        supply_date=(invoice.delivery.date if invoice.delivery else None) or end or invoice.tax_point_date,
        amount=totals.gross if totals else None,
        net=totals.net if totals else None,
        currency=invoice.currency or "",
        environment=environment.value,
        seller_name=seller.name or "",
        seller_ids=_pairs(seller),
        seller_vat_ids=tuple(filter(None, (seller.vat_id,))),
        seller_network_ids=_network(seller),
        buyer_name=buyer.name or "",
        buyer_ids=_pairs(buyer),
        buyer_vat_ids=tuple(filter(None, (buyer.vat_id,))),
        buyer_network_ids=_network(buyer),
        buyer_numbers=tuple(filter(None, (buyer.account_number,))),
    )


def _country(party: Party) -> str:
    """ISO 3166 code by the address, else by the VAT prefix, which differs for Greece and Northern Ireland."""
    prefix = (party.vat_id or "")[:2]
    stated = party.address.country if party.address else None
    return stated or {"EL": "GR", "XI": "GB"}.get(prefix, prefix if prefix.isalpha() else "")


def _pairs(party: Party) -> tuple[tuple[str, str], ...]:
    stated = (*party.identifiers, *filter(None, (party.legal_id, party.endpoint)))
    found = [(one.scheme or "", one.value) for one in stated if one.value]
    return (*found, *(("TAX", party.tax_id),)) if party.tax_id else tuple(found)


def _network(party: Party) -> tuple[tuple[str, str], ...]:
    return tuple((one.scheme or "", one.value) for one in party.network_ids if one.value)


# --- decide -----------------------------------------------------------------------------------------------------------


def choose(invoice: Invoice, environment: Environment, settings: Settings, on: date) -> Choice:
    """Which profile, law, format and channel *invoice* goes by when it leaves on the day *on*."""
    facts = facts_of(invoice, environment, on)
    routed = route(facts, settings.book, settings.houses, on=on)
    if isinstance(routed, NotRouted):
        return Choice(facts, routed, None, tuple(routed.findings()))
    profile, house = routed.profile, routed.house
    wish = house.wish() if house else None
    decision = decide(
        routed.facts, settings.laws, wish, wish_of(profile, settings.laws), on=on, overrides=settings.overrides
    )
    if isinstance(decision, Refusal):
        refused = Finding("EINV-DECIDE-03", decision.reason, fix=decision.fix)
        return Choice(routed.facts, routed, decision, (refused,))
    return Choice(routed.facts, routed, decision, tuple(unable(profile, decision)))


# --- check ------------------------------------------------------------------------------------------------------------


def checked(invoice: Invoice, choice: Choice) -> list[Finding]:
    """What law, customer, rules and arithmetic say of *invoice* on its way: needs are fatal, sums are warnings.

    The rules are those of the specification it will be written by and of the network it goes to, and our own.
    """
    decision, profile, house = _decided(choice)
    day, kind, preset = choice.facts.issue_date, profile.format.kind, preset_of(profile)
    packs = packs_for(kind, decision.customization or invoice.specification or "", day, preset.rules if preset else ())
    broken = rules.check(invoice, packs, on=day, today=decision.on, syntax=kind, outgoing=True)
    needs = [finding for demand in decision.required
             for finding in unmet([demand.need], lambda id_: values_of(invoice, id_), choice.facts.kind,
                                  decision.family, demand.by)]  # fmt: skip
    return [*broken, *needs, *differences(invoice, Policy(rounding_of(profile, house)))]


def packs_for(syntax: str, specification: str, on: date, network: Sequence[str] = ()) -> tuple[str, ...]:
    """The rule packs for a document: those published for it, those of its *network*, and our own checks."""
    return tuple(dict.fromkeys((*native_packs(syntax, specification, on), *network, OWN)))


def matched(invoice: Invoice, choice: Choice, known: Sequence[Order] | None) -> list[Finding]:
    """What the orders say of *invoice*, as severe as the profile has it.

    known  the orders that it names, of those that are kept; None where none is kept at all. A profile that demands
           orders then finds them unknown, another one nothing.
    """
    _, profile, _ = _decided(choice)
    wanted = profile.content_rules.po_line_match
    if wanted == "off" or (known is None and wanted == "warn"):
        return []
    return against_orders(invoice, known or (), severity=Severity.FATAL if wanted == "hold" else Severity.WARNING)


def kept_orders(
    ledger: Ledger, invoice: Invoice, environment: Environment, before: int | None = None
) -> list[Order] | None:
    """The orders that *invoice* names as the ledger keeps them, open quantities counted; None where nothing is to be
    expected: no such order is there, and this buyer's orders do not come here.

    before  count what earlier documents took, earlier than the one with this id; else all but this number's
    """
    buyer = (invoice.buyer.name if invoice.buyer else None) or ""
    rows, expected = ledger.orders_for(
        orders.numbers(invoice), environment=environment, buyer=buyer, before=before,
        buyer_keys=orders.keys_of(orders.identifiers(invoice.buyer), buyer),
        besides="" if before is not None else invoice.number or "",
    )  # fmt: skip
    found = [orders.counted(Order.model_validate_json(content), taken) for content, taken in rows]
    return found if expected else None


# --- render and package -----------------------------------------------------------------------------------------------


def rendered(
    invoice: Invoice, choice: Choice, ids: Identity, known: Sequence[Order] = ()
) -> tuple[Document, list[Finding], Part | None]:
    """The document in the decided format, and what it could not carry. ``must_carry`` makes a loss fatal.

    With it, where the format combines documents, its part of a transmission; the document then stands in one of its
    own, under numbers that are not its final ones.

    known  orders from which the format may take what it states of an order and *invoice* leaves out; told as well
    """
    decision, profile, _ = _decided(choice)
    if decision.customization:
        stated = {"specification": decision.customization, "process": decision.process or invoice.process}
        invoice = invoice.model_copy(update=stated)
    module = formats.module(profile.format.kind)
    format = module.FORMAT(profile.format)
    invoice, taken = orders.completed(invoice, known, getattr(module, "ORDER_TERMS", ()))
    part: Part | None = format.part(invoice, ids) if hasattr(format, "part") else None
    document: Document = format.write_many([part], ids)[0] if part else format.write(invoice, ids)
    lost = losses(invoice, document, format)
    guarded = {*decision.must_carry}
    found = [*taken, *document.losses, *(_must(loss) if loss.term in guarded else loss for loss in lost)]
    return document, found, part


def _decided(choice: Choice) -> tuple[Decision, Profile, House | None]:
    if not isinstance(choice.decision, Decision) or not isinstance(choice.routed, Routed):
        raise TypeError("only a decided document can be checked and made")
    return choice.decision, choice.routed.profile, choice.routed.house


def _must(loss: Finding) -> Finding:
    if loss.severity is Severity.INFO:
        return loss
    fix = "choose a format that carries it, or drop it from must_carry"
    return Finding("EINV-LOSS-04", f"{loss.message}, and it must be carried", term=loss.term, path=loss.path,
                   expected=loss.expected, fix=fix)  # fmt: skip


def validated(document: Document, profile: Profile) -> tuple[str, list[Finding]]:
    """The official schema's word on the rendered bytes, and findings: an invalid document never leaves.

    A verdict that could not be had holds the document where the profile demands it, and is recorded where not.
    """
    verdict = formats.schema_verdict(document)
    if verdict.status == "not run" and "xsd" in profile.format.verdicts:
        wanted = Finding("EINV-VERDICT-01", "the official schema could not be asked, and the profile demands it",
                         fix="install the official files (einvoice schemas list says which)")  # fmt: skip
        return verdict.status, [wanted, *verdict.findings]
    said = f"{verdict.status}, {verdict.release}" if verdict.release else verdict.status
    return said, list(verdict.findings) if verdict.status == "invalid" else []


#: The orders that one document names, of those that are kept, with what is still open of each; None where none is kept.
OrdersOf = Callable[[Invoice, Revision], Sequence[Order] | None]


class Pipeline:
    """The line as dispatch drives it. Make one per worker: it keeps transports and their connections."""

    def __init__(
        self,
        settings: Settings,
        *,
        resolve: Callable[[str], str],
        profile_at: Callable[[ProfileRef], Profile],
        orders_of: OrdersOf | None = None,
    ) -> None:
        self.settings, self._resolve, self._profile_at = settings, resolve, profile_at
        self._orders_of = orders_of
        self._transports: dict[ProfileRef, Transport] = {}

    def prepare(self, work: Work, *, at: datetime) -> Prepared | Unsealed | Gather | Held:
        """Every byte of one delivery, or why it may not go and who can put it right.

        One that is to travel with others is named so first, and prepared when they are together.
        """
        invoice = restore(work.revision)
        choice = choose(invoice, work.revision.environment, self.settings, at.date())
        if not isinstance(choice.routed, Routed) or not choice.sendable:
            known = _ref(choice.routed) if isinstance(choice.routed, Routed) else None
            return Held(choice.findings, "finance", known)
        profile, ref = choice.routed.profile, _ref(choice.routed)
        batch = _batch(invoice, ref, profile)
        if batch and batch.key != work.batch:
            return batch
        ordered = self._orders_of(invoice, work.revision) if self._orders_of else None
        findings = [*checked(invoice, choice), *matched(invoice, choice, ordered)]
        if fatal(findings):
            return Held(fatal(findings), "finance", ref)
        ids = Identity(f"{work.token}@{_host(choice.facts)}", at, work.revision.environment)
        document, lost, part = rendered(invoice, choice, ids, ordered or ())
        schema, faults = validated(document, profile)
        if fatal([*lost, *faults]):
            return Held(fatal([*lost, *faults]), "finance" if fatal(lost) else "operator", ref)
        record = _record(choice, ref, schema, lost, findings)
        # Also where it is sealed later, under its own numbers: what the channel would refuse is said here.
        envelope = self._transport(ref, profile).pack([document], ids)
        if part:
            first = profile.numbers.first()
            part = replace(part, series=tuple(replace(one, first=first[one.kind]) for one in part.series))
            return Unsealed(part, self._seal(ref, profile, ids), _channel(profile), ref, record, _policy(profile))
        return Prepared([document], envelope, _channel(profile), ref, record, _policy(profile))

    def _seal(
        self, ref: ProfileRef, profile: Profile, ids: Identity
    ) -> Callable[[Sequence[Part], Mapping[str, range]], tuple[Envelope, Sequence[Document]]]:
        """What makes the bytes of a transmission under *ids*, once its control numbers are known."""

        def seal(parts: Sequence[Part], numbers: Mapping[str, range]) -> tuple[Envelope, Sequence[Document]]:
            numbered = replace(ids, numbers={kind: str(taken[0]) for kind, taken in numbers.items()})
            format = formats.module(profile.format.kind).FORMAT(profile.format)
            whole, documents = format.write_many(parts, numbered)
            return self._transport(ref, profile).pack([whole], numbered), documents

        return seal

    def deliver(self, transmission: Transmission, *, at: datetime) -> Receipt:
        """The partner's answer to the stored bytes."""
        profile = self._profile_at(transmission.profile)
        return self._transport(transmission.profile, profile).deliver(transmission.envelope, at=at)

    def collect(self, *, at: datetime) -> Iterator[Inbound]:
        """What partners have for us, from every mailbox once. One that is down does not keep the others from it."""
        down: list[EInvoiceError] = []
        seen: set[str] = set()
        for entry in self.settings.book.entries:
            ref, profile = ProfileRef(entry.profile.id, entry.version), entry.profile
            mailbox = repr(profile.transport)
            asked = {"poll", "folder"} & {*profile.acks.source}
            if entry.state != "live" or not asked or mailbox in seen:
                continue
            seen.add(mailbox)
            try:
                yield from self._transport(ref, profile).collect(at=at)
            except EInvoiceError as error:
                down.append(error)
        if down:
            raise down[0]

    def interpret(self, inbound: Inbound) -> Sequence[AckFact | OrderFact]:
        """What a message states about our documents, and the orders in it."""
        data = inbound.data
        if inbound.media_type.lower().startswith("multipart/"):  # cXML with attachments
            from .transport.inbound import cxml_part

            data = cxml_part(data, inbound.media_type)
        ordered = [order_fact(order) for order in formats.orders(data)]
        facts = [_fact(answer) for answer in formats.answers(data)]
        where = self._environment(inbound.channel)
        return [*ordered, *(fact if fact.environment else replace(fact, environment=where) for fact in facts)]

    def _environment(self, channel: str) -> Environment | None:
        """That of the profile whose mailbox gave a message; None where it came in another way."""
        for entry in self.settings.book.entries:
            if f"{channel}:".startswith(f"{entry.profile.transport.kind}:{entry.profile.id}:"):
                return Environment(entry.profile.environment)
        return None

    def _transport(self, ref: ProfileRef, profile: Profile) -> Transport:
        if ref not in self._transports:
            self._transports[ref] = transport.make(
                profile.transport, name=profile.id, environment=Environment(profile.environment), resolve=self._resolve
            )
        return self._transports[ref]


def _ref(routed: Routed) -> ProfileRef:
    return ProfileRef(routed.profile.id, routed.entry.version)


def _batch(invoice: Invoice, ref: ProfileRef, profile: Profile) -> Gather | None:
    """With whom *invoice* travels; None when it travels alone."""
    format = formats.module(profile.format.kind).FORMAT(profile.format)
    if profile.batch.max < 2 or not hasattr(format, "share"):
        return None
    shared = hashlib.sha256(repr(format.share(invoice)).encode()).hexdigest()[:16]
    return Gather(f"{ref.id}/{ref.version}/{shared}", profile.batch.max, profile.batch.window, ref)


def _record(choice: Choice, ref: ProfileRef, schema: str, lost: list[Finding], found: list[Finding]) -> str:
    """The decision record that is archived with the delivery, as JSON."""
    decision, _, _ = _decided(choice)
    record = decision.as_dict() | {
        "profile": f"{ref.id} version {ref.version}",
        "schema": schema,
        "losses": [loss.as_dict() for loss in lost],
        "findings": [finding.as_dict() for finding in found],
    }
    return json.dumps(record, default=str)


def _host(facts: Facts) -> str:
    return f"{facts.seller_entity or 'seller'}.einvoice"


def _channel(profile: Profile) -> str:
    """The space in which this profile's identities are unique."""
    return f"{profile.transport.kind}:{profile.profile.network or profile.id}"


def _policy(profile: Profile) -> SendPolicy:
    preset = preset_of(profile)
    later = {"functional", "status"} & {*profile.acks.expected}
    if preset:
        proof = tuple(code for code, by in preset.delivered_by.items() if by == "response")
    else:
        proof = () if later else ("*",)
    due = profile.acks.due.of(profile.acks.expected)
    return SendPolicy(proof, profile.retry.unknown == "resend_same", due, profile.retry.max_age)


def _fact(answer: Answer) -> AckFact:
    return AckFact(
        kind=answer.kind, code=answer.code, meaning=Meaning(answer.meaning), remote_id=answer.remote_id,
        payload_id=answer.payload_id, number=answer.number, issue_date=answer.issue_date,
        environment=answer.environment, text=answer.text, file_name=answer.file_name, between=answer.between,
        interchange=answer.interchange, group=answer.group, message=answer.message, duplicate=answer.duplicate,
        payment=answer.payment,
    )  # fmt: skip


def order_fact(order: Order, environment: Environment | None = None) -> OrderFact:
    """The ledger's arguments that follow from an order; *environment* where the order says neither of the two."""
    where = order.environment or environment
    if where is None:
        raise UnreadableDocument("the order says neither test nor production", where=f"order {order.reference}",
                                 fix="ask the buyer to state the deployment mode")  # fmt: skip
    return OrderFact(
        where, orders.key_of(order.seller, order.seller_name), orders.key_of(order.buyer, order.buyer_name),
        order.reference, order.operation, order.model_dump_json(exclude_none=True), order.date, order.currency or "",
        order.payload_id or "", order.version, order.issued_at,
    )  # fmt: skip
