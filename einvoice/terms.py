"""The register of business terms: id, place in the model, kind, name.

BT and BG ids are those of EN 16931-1. ``EX-nnn`` is what the mission needs beyond it. A place is a
path into :class:`einvoice.model.Invoice`; ``[]`` marks a repeated step. An id never changes its meaning.

>>> term("BT-131").path, term("BT-131").kind
('lines[].net_amount', 'amount')
>>> at("lines[].net_amount").id
'BT-131'
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product


@dataclass(frozen=True, slots=True)
class Term:
    """One leaf of the model.

    kind  text code id date time amount price quantity percent binary flag
    """

    id: str
    path: str
    kind: str
    name: str


#: Groups by id: the path of the model object that holds them.
GROUPS = {
    "BG-1": "notes[]",
    "BG-3": "preceding[]",
    "BG-4": "seller",
    "BG-5": "seller.address",
    "BG-6": "seller.contact",
    "BG-7": "buyer",
    "BG-8": "buyer.address",
    "BG-9": "buyer.contact",
    "BG-10": "payee",
    "BG-11": "tax_representative",
    "BG-12": "tax_representative.address",
    "BG-13": "delivery",
    "BG-14": "period",
    "BG-15": "delivery.address",
    "BG-16": "payment.means[]",
    "BG-17": "payment.means[].account",
    "BG-18": "payment.means[].card",
    "BG-19": "payment.means[].debit",
    "BG-20": "allowances[]",
    "BG-21": "charges[]",
    "BG-22": "totals",
    "BG-23": "tax_breakdown[]",
    "BG-24": "attachments[]",
    "BG-25": "lines[]",
    "BG-26": "lines[].period",
    "BG-27": "lines[].allowances[]",
    "BG-28": "lines[].charges[]",
    "BG-29": "lines[].price",
    "BG-30": "lines[].taxes[]",
    "BG-31": "lines[].item",
    "BG-32": "lines[].item.attributes[]",
}

_DOCUMENT = """
BT-1    number                              id       Invoice number
BT-2    issue_date                          date     Invoice issue date
BT-3    type_code                           code     Invoice type code
BT-5    currency                            code     Invoice currency code
BT-6    tax_currency                        code     VAT accounting currency code
BT-7    tax_point_date                      date     Value added tax point date
BT-8    tax_point_code                      code     Value added tax point date code
BT-9    due_date                            date     Payment due date
BT-10   buyer_reference                     text     Buyer reference
BT-11   project_reference                   id       Project reference
BT-12   contract.id                         id       Contract reference
BT-13   purchase_order.id                   id       Purchase order reference
BT-14   sales_order_reference               id       Sales order reference
BT-15   receiving_advice_reference          id       Receiving advice reference
BT-16   despatch_advice_reference           id       Despatch advice reference
BT-17   tender_reference                    id       Tender or lot reference
BT-18   invoiced_object.value               id       Invoiced object identifier
BT-18-1 invoiced_object.scheme              code     Invoiced object identifier scheme
BT-19   accounting_reference                text     Buyer accounting reference
BT-20   payment.terms                       text     Payment terms
BT-21   notes[].subject_code                code     Invoice note subject code
BT-22   notes[].text                        text     Invoice note
BT-23   process                             text     Business process type
BT-24   specification                       id       Specification identifier
BT-25   preceding[].id                      id       Preceding invoice reference
BT-26   preceding[].issue_date              date     Preceding invoice issue date
BT-70   delivery.name                       text     Deliver to party name
BT-71   delivery.location.value             id       Deliver to location identifier
BT-71-1 delivery.location.scheme            code     Deliver to location identifier scheme
BT-72   delivery.date                       date     Actual delivery date
BT-73   period.start                        date     Invoicing period start date
BT-74   period.end                          date     Invoicing period end date
BT-75   delivery.address.line_1             text     Deliver to address line 1
BT-76   delivery.address.line_2             text     Deliver to address line 2
BT-165  delivery.address.line_3             text     Deliver to address line 3
BT-77   delivery.address.city               text     Deliver to city
BT-78   delivery.address.postcode           text     Deliver to post code
BT-79   delivery.address.subdivision        text     Deliver to country subdivision
BT-80   delivery.address.country            code     Deliver to country code
BT-81   payment.means[].code                code     Payment means type code
BT-82   payment.means[].text                text     Payment means text
BT-83   payment.remittance                  text     Remittance information
BT-84   payment.means[].account.id          id       Payment account identifier
BT-85   payment.means[].account.name        text     Payment account name
BT-86   payment.means[].account.bic         id       Payment service provider identifier
BT-87   payment.means[].card.number         text     Payment card primary account number, last digits
BT-88   payment.means[].card.holder         text     Payment card holder name
BT-89   payment.means[].debit.mandate       id       Mandate reference identifier
BT-90   payment.creditor_id                 id       Bank assigned creditor identifier
BT-91   payment.means[].debit.account       id       Debited account identifier
BT-92   allowances[].amount                 amount   Document level allowance amount
BT-93   allowances[].base                   amount   Document level allowance base amount
BT-94   allowances[].percent                percent  Document level allowance percentage
BT-95   allowances[].taxes[].category       code     Document level allowance VAT category code
BT-96   allowances[].taxes[].rate           percent  Document level allowance VAT rate
BT-97   allowances[].reason                 text     Document level allowance reason
BT-98   allowances[].reason_code            code     Document level allowance reason code
BT-99   charges[].amount                    amount   Document level charge amount
BT-100  charges[].base                      amount   Document level charge base amount
BT-101  charges[].percent                   percent  Document level charge percentage
BT-102  charges[].taxes[].category          code     Document level charge VAT category code
BT-103  charges[].taxes[].rate              percent  Document level charge VAT rate
BT-104  charges[].reason                    text     Document level charge reason
BT-105  charges[].reason_code               code     Document level charge reason code
BT-106  totals.lines                        amount   Sum of invoice line net amount
BT-107  totals.allowances                   amount   Sum of allowances on document level
BT-108  totals.charges                      amount   Sum of charges on document level
BT-109  totals.net                          amount   Invoice total amount without VAT
BT-110  totals.tax                          amount   Invoice total VAT amount
BT-111  totals.tax_accounting               amount   Invoice total VAT amount in accounting currency
BT-112  totals.gross                        amount   Invoice total amount with VAT
BT-113  totals.prepaid                      amount   Paid amount
BT-114  totals.rounding                     amount   Rounding amount
BT-115  totals.due                          amount   Amount due for payment
BT-116  tax_breakdown[].base                amount   VAT category taxable amount
BT-117  tax_breakdown[].amount              amount   VAT category tax amount
BT-118  tax_breakdown[].category            code     VAT category code
BT-119  tax_breakdown[].rate                percent  VAT category rate
BT-120  tax_breakdown[].exemption_reason    text     VAT exemption reason text
BT-121  tax_breakdown[].exemption_code      code     VAT exemption reason code
BT-122  attachments[].id                    id       Supporting document reference
BT-123  attachments[].description           text     Supporting document description
BT-124  attachments[].uri                   text     External document location
BT-125  attachments[].content               binary   Attached document
BT-125-1 attachments[].mime                 code     Attached document mime code
BT-125-2 attachments[].filename             text     Attached document filename
BT-126  lines[].id                          id       Invoice line identifier
BT-127  lines[].note                        text     Invoice line note
BT-128  lines[].object.value                id       Invoice line object identifier
BT-128-1 lines[].object.scheme              code     Invoice line object identifier scheme
BT-129  lines[].quantity                    quantity Invoiced quantity
BT-130  lines[].unit                        code     Invoiced quantity unit of measure code
BT-131  lines[].net_amount                  amount   Invoice line net amount
BT-132  lines[].order.line                  id       Referenced purchase order line reference
BT-133  lines[].accounting_reference        text     Invoice line buyer accounting reference
BT-134  lines[].period.start                date     Invoice line period start date
BT-135  lines[].period.end                  date     Invoice line period end date
BT-136  lines[].allowances[].amount         amount   Invoice line allowance amount
BT-137  lines[].allowances[].base           amount   Invoice line allowance base amount
BT-138  lines[].allowances[].percent        percent  Invoice line allowance percentage
BT-139  lines[].allowances[].reason         text     Invoice line allowance reason
BT-140  lines[].allowances[].reason_code    code     Invoice line allowance reason code
BT-141  lines[].charges[].amount            amount   Invoice line charge amount
BT-142  lines[].charges[].base              amount   Invoice line charge base amount
BT-143  lines[].charges[].percent           percent  Invoice line charge percentage
BT-144  lines[].charges[].reason            text     Invoice line charge reason
BT-145  lines[].charges[].reason_code       code     Invoice line charge reason code
BT-146  lines[].price.net                   price    Item net price
BT-147  lines[].price.discount              price    Item price discount
BT-148  lines[].price.gross                 price    Item gross price
BT-149  lines[].price.base_quantity         quantity Item price base quantity
BT-150  lines[].price.base_unit             code     Item price base quantity unit of measure
BT-151  lines[].taxes[].category            code     Invoiced item VAT category code
BT-152  lines[].taxes[].rate                percent  Invoiced item VAT rate
BT-153  lines[].item.name                   text     Item name
BT-154  lines[].item.description            text     Item description
BT-155  lines[].item.seller_id              id       Item seller's identifier
BT-156  lines[].item.buyer_id               id       Item buyer's identifier
BT-157  lines[].item.standard_id.value      id       Item standard identifier
BT-157-1 lines[].item.standard_id.scheme    code     Item standard identifier scheme
BT-158  lines[].item.classifications[].code code     Item classification identifier
BT-158-1 lines[].item.classifications[].scheme  code Item classification scheme
BT-158-2 lines[].item.classifications[].version text Item classification scheme version
BT-159  lines[].item.origin_country         code     Item country of origin
BT-160  lines[].item.attributes[].name      text     Item attribute name
BT-161  lines[].item.attributes[].value     text     Item attribute value

EX-1    issue_time                          time     Issue time, with zone where stated
EX-2    language                            code     Language of the document
EX-3    uuid                                id       Universal identifier of the document
EX-4    operation                           code     new or delete: a cancellation of an earlier transmission
EX-5    information_only                    flag     Sent for information, not for payment
EX-6    header_invoice                      flag     Summarises orders at header level, without item lines
EX-7    copy_of_original                    flag     A copy, not the original
EX-8    line_level_credit                   flag     A credit or debit note that corrects single lines
EX-10   contract.date                       date     Contract date
EX-11   contract.payload_id                 id       Network id of the contract document
EX-12   purchase_order.date                 date     Purchase order date
EX-13   purchase_order.payload_id           id       Network id of the purchase order document
EX-14   purchase_order.release              id       Release number of a blanket order
EX-15   references[].kind                   code     Further reference, UNCL1153 or the syntax's own word
EX-16   references[].id                     id       Further reference, number
EX-17   references[].date                   date     Further reference, date
EX-18   preceding[].payload_id              id       Network id of the preceding invoice
EX-19   preceding[].type_code               code     Type of the preceding document
EX-20   preceding[].reason                  text     Reason of the correction
EX-21   exchange_rates[].source             code     Exchange rate, from currency
EX-22   exchange_rates[].target             code     Exchange rate, to currency
EX-23   exchange_rates[].rate               quantity Exchange rate
EX-24   exchange_rates[].date               date     Exchange rate date
EX-25   extensions[].name                   text     Named value that no other term holds, name
EX-26   extensions[].value                  text     Named value that no other term holds, value
EX-27   despatch.date                       date     Despatch date
EX-28   despatch.carrier                    text     Carrier
EX-29   despatch.tracking                   id       Tracking or shipment number
EX-30   payment.net_days                    quantity Days until payment is due
EX-31   payment.instalments[].due_date      date     Instalment due date
EX-32   payment.instalments[].amount        amount   Instalment amount
EX-33   payment.instalments[].percent       percent  Instalment percentage
EX-34   payment.discounts[].percent         percent  Early payment discount percentage
EX-35   payment.discounts[].amount          amount   Early payment discount amount
EX-36   payment.discounts[].days            quantity Early payment discount, within days of the issue date
EX-37   payment.discounts[].until           date     Early payment discount, until
EX-38   payment.discounts[].base            amount   Early payment discount base amount
EX-39   payment.discounts[].means_codes[]   code     Early payment discount only when paid by these means, UNCL4461
EX-40   payment.discounts[].excluded_kinds[] text    Kinds of business the discount does not apply to
EX-41   payment.late_interest               percent  Interest on late payment, per year
EX-42   payment.prepaid[].type              code     Prepayment or third party payment, type
EX-43   payment.prepaid[].amount            amount   Prepayment or third party payment, amount
EX-44   payment.prepaid[].date              date     Prepayment date
EX-45   payment.prepaid[].reference         text     Prepayment or third party payment, reference
EX-46   payment.means[].key                 code     Payment means in words: ach_credit, p_card, pad ...
EX-47   payment.means[].limit               amount   Highest amount payable by this means
EX-48   payment.means[].account.routing     id       Bank routing: ABA, transit, BSB or sort code
EX-49   payment.means[].account.bank        text     Bank name
EX-50   payment.means[].card.network        code     Payment card network
EX-51   payment.means[].account.scheme      code     Payment account identifier scheme
EX-52   payment.means[].remittance          text     Remittance information of this means, where they differ
EX-60   allowances[].role                   code     Allowance role: discount, freight, early_payment ...
EX-61   charges[].role                      code     Charge role: freight, handling, special, insurance ...
EX-62   lines[].allowances[].role           code     Line allowance role
EX-63   lines[].charges[].role              code     Line charge role
EX-70   totals.withheld                     amount   Sum of withheld taxes
EX-71   totals.paid_by_buyer                amount   Tax the buyer pays to the state (split payment)
EX-72   totals.before_discount              amount   Total with tax before a settlement discount
EX-73   totals.discount                     amount   Settlement discount as issued
EX-74   totals.shipping                     amount   Shipping charge as issued
EX-75   totals.special_handling             amount   Special handling charge as issued
EX-80   lines[].parent                      id       Line this line belongs to
EX-81   lines[].kind                        code     Line kind: item, service, detail, group, information
EX-82   lines[].order.id                    id       Purchase order of the line
EX-83   lines[].order.date                  date     Purchase order date of the line
EX-84   lines[].order.payload_id            id       Network id of the line's purchase order
EX-85   lines[].contract.id                 id       Contract of the line
EX-86   lines[].contract.payload_id         id       Network id of the line's contract
EX-87   lines[].contract.date               date     Contract date of the line
EX-88   lines[].despatch_reference          id       Despatch advice of the line
EX-89   lines[].despatch_line               id       Despatch advice line
EX-90   lines[].receiving_reference         id       Receiving advice of the line
EX-91   lines[].delivery_date               date     Delivery date of the line
EX-92   lines[].gross_amount                amount   Line amount with tax
EX-93   lines[].tax_amount                  amount   Sum of the line's taxes
EX-112  lines[].subtotal                    amount   Quantity times price, before line allowances and charges
EX-94   lines[].extensions[].name           text     Line value that no other term holds, name
EX-95   lines[].extensions[].value          text     Line value that no other term holds, value
EX-96   lines[].item.manufacturer_id        id       Manufacturer's part number
EX-97   lines[].item.manufacturer           text     Manufacturer name
EX-98   lines[].item.auxiliary_id           id       Seller's auxiliary part number
EX-99   lines[].item.serials[]              id       Serial numbers
EX-100  lines[].item.batches[]              id       Batch or lot numbers
EX-101  lines[].price_adjustment            flag     The line adjusts a price, not a quantity
EX-102  lines[].order.release               id       Release number of the line's blanket order
EX-103  lines[].distributions[].name        text     Accounting distribution, name
EX-104  lines[].distributions[].amount      amount   Accounting distribution, amount
EX-105  lines[].distributions[].segments[].id    id   Accounting segment, code
EX-106  lines[].distributions[].segments[].type  text Accounting segment, type
EX-107  lines[].distributions[].segments[].description text Accounting segment, description
EX-108  attachments[].content_id            id       Content-ID of an attachment that travels beside the document
EX-109  attachments[].type_code             code     Document type code of an attachment
EX-110  lines[].item.information            text     Further information on the item
EX-111  lines[].order.sales_order           id       Sales order of the line
EX-420  series                              id       Series of the invoice number, its leading part
EX-421  preceding[].series                  id       Series of the preceding invoice's number, its leading part
EX-422  preceding[].reason_code             code     Reason code of the correction
EX-423  preceding[].method                  code     Method of the correction
EX-424  preceding[].period.start            date     Tax period that is corrected, start
EX-425  preceding[].period.end              date     Tax period that is corrected, end
EX-536  attachments[].scheme                code     Scheme of a supporting document's number
EX-500  sales_order_date                    date     Sales order date
EX-501  lines[].delivery_note.id            id       Delivery note of the line
EX-502  lines[].delivery_note.line          id       Delivery note line
EX-503  lines[].delivery_note.date          date     Delivery note date of the line
EX-504  lines[].quotation.id                id       Quotation of the line
EX-505  lines[].quotation.line              id       Quotation line
EX-506  lines[].quotation.date              date     Quotation date of the line
EX-507  lines[].documents[].id              id       Supporting document of the line
EX-508  lines[].documents[].line            id       Supporting document, line in it
EX-509  lines[].documents[].type_code       code     Supporting document, type
EX-510  lines[].documents[].scheme          code     Supporting document, identifier scheme
EX-511  lines[].documents[].name            text     Supporting document, name
EX-512  lines[].packages                    quantity Number of packages
EX-513  lines[].packages_unit               code     Kind of package
EX-514  lines[].price.discount_reason       text     Item price discount reason
EX-515  lines[].price.discount_parts[].amount price  One of several item price discounts
EX-516  lines[].price.discount_parts[].reason text   One of several item price discounts, reason
EX-517  lines[].item.components[].name      text     Item of a set, name
EX-518  lines[].item.components[].seller_id id       Item of a set, seller's identifier
EX-519  lines[].item.components[].standard_id.value  id   Item of a set, standard identifier
EX-520  lines[].item.components[].standard_id.scheme code Item of a set, standard identifier scheme
EX-521  lines[].item.components[].quantity  quantity Item of a set, quantity
EX-522  lines[].item.components[].unit      code     Item of a set, unit of measure
EX-523  payment.prepaid[].reference_date    date     Prepayment, date of the document it was asked by
EX-524  payment.discounts[].since           date     Early payment discount, day from which the days count
EX-525  payment.further_terms[].text        text     Further payment terms
EX-526  payment.further_terms[].due_date    date     Further payment terms, due date
EX-527  payment.further_terms[].amount      amount   Further payment terms, part of the amount
EX-528  payment.further_terms[].discounts[].percent  percent  Further payment terms, discount percentage
EX-529  payment.further_terms[].discounts[].amount   amount   Further payment terms, discount amount
EX-530  payment.further_terms[].discounts[].days     quantity Further payment terms, discount within days
EX-531  payment.further_terms[].discounts[].until    date     Further payment terms, discount until
EX-532  payment.further_terms[].discounts[].since    date     Further payment terms, day from which the days count
EX-533  payment.further_terms[].discounts[].base     amount   Further payment terms, discount base amount
EX-534  payment.further_terms[].discounts[].means_codes[] code Further payment terms, discount only by these means
EX-535  payment.further_terms[].discounts[].excluded_kinds[] text Further payment terms, excluded kinds of business
EX-113  national_type                       code     Type of the document in a national list: TD24 ...
EX-114  references[].item                   id       Further reference, item in the document referred to
EX-115  references[].agreement              id       Further reference, order or framework agreement code
EX-116  references[].cup                    id       Further reference, public investment project code (CUP)
EX-117  references[].cig                    id       Further reference, public tender code (CIG)
EX-118  references[].lines[]                id       Further reference, lines of the invoice it concerns
EX-119  payment.means[].amount              amount   Amount payable by this means
EX-120  payment.means[].due_date            date     Due date of the amount payable by this means
EX-121  payment.means[].extensions[].name   text     Value of a means that no other term holds, name
EX-122  payment.means[].extensions[].value  text     Value of a means that no other term holds, value
EX-123  attachments[].compression           code     Compression of the attached document
EX-124  lines[].extensions[].number         quantity Line value that no other term holds, number
EX-125  lines[].extensions[].date           date     Line value that no other term holds, date
"""

#: Fields of a tax row beyond category and rate, by the group that holds it; EX number of the first.
_TAX = """
scheme           code     Tax scheme: VAT, GST, HST, PST, QST, SALES, WITHHOLDING ...
jurisdiction     text     Tax jurisdiction
effect           code     charged, withheld, paid_by_buyer or informative
base             amount   Taxable amount as issued
amount           amount   Tax amount as issued
exemption_reason text     Exemption reason text
exemption_code   code     Exemption reason code
certificate      id       Exemption certificate
tax_point_date   date     Tax point date
description      text     Description of the tax
causal           code     Reason code of a withholding
category         code     Tax category code
rate             percent  Tax rate
category_name    text     Name of the tax category
purpose          code     What is taxed where not the goods: shippingTax, specialHandlingTax, duty ...
surcharge_rate   percent  Equivalence surcharge rate
surcharge_amount amount   Equivalence surcharge amount
nature           code     Why no tax is charged, in a national list: N3.1 ...
chargeability    code     When the tax falls due: I immediately, D when paid
ancillary        amount   Ancillary costs in the taxable amount
rounding         amount   Rounding of the taxable amount
"""
_TAX_HOLDERS = {"lines[].taxes[]": 3000, "allowances[].taxes[]": 3050, "charges[].taxes[]": 3100,
                "tax_breakdown[]": 3150, "lines[].allowances[].taxes[]": 3200, "lines[].charges[].taxes[]": 3250,
                "payment.prepaid[].taxes[]": 3300}  # fmt: skip

#: Leaves of a party, and their ids as seller, buyer, payee and tax representative; "-" takes an EX number.
_PARTY = """
name                             text  name                       BT-27   BT-44   BT-59   BT-62
trading_name                     text  trading name               BT-28   BT-45   -       -
identifiers[].value              id    identifier                 BT-29   BT-46   BT-60   -
identifiers[].scheme             code  identifier scheme          BT-29-1 BT-46-1 BT-60-1 -
legal_id.value                   id    legal registration         BT-30   BT-47   BT-61   -
legal_id.scheme                  code  legal registration scheme  BT-30-1 BT-47-1 BT-61-1 -
vat_id                           id    VAT identifier             BT-31   BT-48   -       BT-63
tax_id                           id    tax registration           BT-32   -       -       -
tax_id_scheme                    code  tax registration scheme    -       -       -       -
legal_info                       text  additional legal info      BT-33   -       -       -
endpoint.value                   id    electronic address         BT-34   BT-49   -       -
endpoint.scheme                  code  electronic address scheme  BT-34-1 BT-49-1 -       -
address.line_1                   text  address line 1             BT-35   BT-50   -       BT-64
address.line_2                   text  address line 2             BT-36   BT-51   -       BT-65
address.line_3                   text  address line 3             BT-162  BT-163  -       BT-164
address.city                     text  city                       BT-37   BT-52   -       BT-66
address.postcode                 text  post code                  BT-38   BT-53   -       BT-67
address.subdivision              text  country subdivision        BT-39   BT-54   -       BT-68
address.country                  code  country code               BT-40   BT-55   -       BT-69
contact.name                     text  contact point              BT-41   BT-56   -       -
contact.phone                    text  contact telephone          BT-42   BT-57   -       -
contact.email                    text  contact e-mail             BT-43   BT-58   -       -
contact.fax                      text  contact fax                -       -       -       -
tax_registrations[].scheme       code  further tax, scheme        -       -       -       -
tax_registrations[].id           id    further tax, number        -       -       -       -
tax_registrations[].jurisdiction text  further tax, jurisdiction  -       -       -       -
network_ids[].scheme             code  network id, network        -       -       -       -
network_ids[].value              id    network id                 -       -       -       -
address.country_name             text  country name               -       -       -       -
address.subdivision_code         code  country subdivision code   -       -       -       -
address.attention[]              text  attention lines            -       -       -       -
address.id                       id    address identifier         -       -       -       -
accounts[].id                    id    bank account               -       -       -       -
accounts[].scheme                code  bank account scheme        -       -       -       -
accounts[].name                  text  bank account name          -       -       -       -
accounts[].bic                   id    bank identifier            -       -       -       -
accounts[].routing               id    bank routing               -       -       -       -
accounts[].bank                  text  bank name                  -       -       -       -
regime                           code  tax regime                 -       -       -       -
contact.id                       id    contact identifier         -       -       -       -
address.building                 text  building number            -       -       -       -
contact.url                      text  contact web address        -       -       -       -
share_capital                    amount share capital             -       -       -       -
account_number                   id    customer number given by the other party - - - -
address.name                     text  name of the address        -       -       -       -
contact.department               text  department                 -       -       -       -
"""
#: The name of a natural person by its parts, for each role; EX number of the first.
_PERSON = """
given_name         text given name
family_name        text family name
second_family_name text second family name
"""
_FIRST_PERSON = 430
#: Roles of a party: first EX number of the role, and the column of its BT ids.
_ROLES = {"seller": (1000, 0), "buyer": (1100, 1), "payee": (1200, 2), "tax_representative": (1300, 3),
          "remit_to": (1400, None), "bill_to": (1500, None), "sold_to": (1600, None), "ship_from": (1700, None),
          "issuer": (1800, None), "other_parties[].party": (1900, None)}  # fmt: skip

#: Leaves of the delivery that EN 16931 has no term for.
_DELIVERY = """
EX-2000 delivery.address.country_name     text Deliver to country name
EX-2001 delivery.address.subdivision_code code Deliver to country subdivision code
EX-2002 delivery.address.attention[]      text Deliver to attention lines
EX-2003 delivery.address.id               id   Deliver to address identifier
EX-2004 delivery.address.building         text Deliver to building number
EX-2005 delivery.contact.name             text Deliver to contact
EX-2006 delivery.contact.phone            text Deliver to telephone
EX-2007 delivery.contact.email            text Deliver to e-mail
EX-2008 delivery.contact.fax              text Deliver to fax
EX-2009 delivery.contact.id               id   Deliver to contact identifier
EX-2010 delivery.contact.url              text Deliver to web address
EX-2011 delivery.address.name             text Deliver to name of the address
EX-2012 delivery.contact.department       text Deliver to department
EX-2013 other_parties[].role              code Role of a further party
EX-2014 delivery.endpoint.value           id   Deliver to electronic address
EX-2015 delivery.endpoint.scheme          code Deliver to electronic address scheme
EX-2016 delivery.vat_id                   id   Deliver to VAT identifier
EX-2020 lines[].deliver_to.name           text Line deliver to name
EX-2021 lines[].deliver_to.location.value id   Line deliver to location identifier
EX-2022 lines[].deliver_to.location.scheme code Line deliver to location identifier scheme
EX-2023 lines[].deliver_to.address.line_1 text Line deliver to address line 1
EX-2024 lines[].deliver_to.address.line_2 text Line deliver to address line 2
EX-2025 lines[].deliver_to.address.line_3 text Line deliver to address line 3
EX-2026 lines[].deliver_to.address.city   text Line deliver to city
EX-2027 lines[].deliver_to.address.postcode text Line deliver to post code
EX-2028 lines[].deliver_to.address.subdivision text Line deliver to country subdivision
EX-2029 lines[].deliver_to.address.country code Line deliver to country code
EX-2030 lines[].deliver_to.address.country_name text Line deliver to country name
EX-2031 lines[].deliver_to.address.subdivision_code code Line deliver to country subdivision code
EX-2032 lines[].deliver_to.address.attention[] text Line deliver to attention lines
EX-2033 lines[].deliver_to.address.id     id   Line deliver to address identifier
EX-2034 lines[].deliver_to.address.building text Line deliver to building number
EX-2035 lines[].deliver_to.address.name   text Line deliver to name of the address
"""


def _rows(table: str) -> list[Term]:
    rows = []
    for line in table.strip().splitlines():
        if line:
            id_, path, kind, name = line.split(None, 3)
            rows.append(Term(id_, path, kind, name))
    return rows


def _party_rows() -> list[Term]:
    rows = []
    for role, (first, column) in _ROLES.items():
        label = role.removeprefix("other_parties[].").replace("_", " ").capitalize()
        for offset, line in enumerate(_PARTY.strip().splitlines()):
            words = line.split()
            ids, (path, kind), name = words[-4:], words[:2], " ".join(words[2:-4])
            given = "-" if column is None else ids[column]
            rows.append(
                Term(f"EX-{first + offset}" if given == "-" else given, f"{role}.{path}", kind, f"{label} {name}")
            )
    return rows


def _person_rows() -> list[Term]:
    rows = []
    lines = [line.split(None, 2) for line in _PERSON.strip().splitlines()]
    for number, (role, (path, kind, name)) in enumerate(product(_ROLES, lines), _FIRST_PERSON):
        label = role.removeprefix("other_parties[].").replace("_", " ").capitalize()
        rows.append(Term(f"EX-{number}", f"{role}.{path}", kind, f"{label} {name}"))
    return rows


def _tax_rows(taken: set[str]) -> list[Term]:
    rows = []
    for holder, first in _TAX_HOLDERS.items():
        for offset, line in enumerate(_TAX.strip().splitlines()):
            path, kind, name = line.split(None, 2)
            if f"{holder}.{path}" not in taken:
                rows.append(Term(f"EX-{first + offset}", f"{holder}.{path}", kind, name))
    return rows


def _register() -> dict[str, Term]:
    rows = _rows(_DOCUMENT) + _rows(_DELIVERY) + _party_rows() + _person_rows()
    rows += _tax_rows({row.path for row in rows})
    return {row.id: row for row in rows}


TERMS = _register()
_BY_PATH = {row.path: row for row in TERMS.values()}


def term(id_: str) -> Term:
    """The term with this id; KeyError when there is none."""
    return TERMS[id_]


def at(path: str) -> Term:
    """The term at this model path (steps repeated are marked ``[]``); KeyError when there is none."""
    return _BY_PATH[path]
