"""Schematron to XSLT: each pattern a mode, each rule a template, the first rule that fits a node wins.

What comes out reports in SVRL, as the compiled stylesheets of the publishers do, so that one reader serves both. An
assertion that crashes (a type error, a bad number) is reported as such where it stands, and the others still run.
Phases are not regarded: all patterns run, as in the compiled forms.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from lxml import etree

from ..errors import ConfigError
from .assemble import assemble, elements

#: Changes with every change of what comes out, so that cached stylesheets of before are not used.
VERSION = "3"
XSL, SVRL, OWN = "http://www.w3.org/1999/XSL/Transform", "http://purl.oclc.org/dsdl/svrl", "urn:einvoice:official"
_XSD = "http://www.w3.org/2001/XMLSchema"
_ERR = "http://www.w3.org/2005/xqt-errors"
#: What a rule file may bring along in XSLT, and what may stand in it: nothing that reads or writes files.
_TOP = {"function", "key", "variable"}
_INNER = {"param", "variable", "sequence", "value-of", "choose", "when", "otherwise", "if", "for-each", "text"}
_DOCUMENT = re.compile(r"""document\(\s*(['"])([^'"]+)\1\s*\)""")
#: An id in front of the text, where an assertion has none of its own: ``[SI-INV-R000]-This ...``.
_ID = re.compile(r"^\s*\[([A-Za-z][\w.-]+)\]")
#: Where a node stands, by the positions of elements: cheap to work out, exact to find again.
_LOCATION = (
    "string-join(($node/ancestor-or-self::*/concat('/*[', count(preceding-sibling::*) + 1, ']'), "
    "if ($node instance of attribute()) then concat('/@', name($node)) else ()), '')"
)


def stylesheet(
    main: str,
    files: Mapping[str, bytes],
    *,
    without: Collection[str] = (),
    data: Mapping[str, bytes] | None = None,
    ids_in_text: bool = False,
    guarded: bool = False,
) -> bytes:
    """The XSLT of the schema that begins with *main*.

    without  includes that may be left out
    data     XML documents that the rules look into (code lists), by the name they use; they become part of the result
    ids_in_text  rules go by the id in front of the text, ``[BR-NL-34] The use of ...``
    guarded  each assertion by itself: one that crashes is reported and the others still run, at some cost

    Raises ConfigError where the schema cannot be compiled, with file and line.
    """
    schema = assemble(main, files, without)
    return _Sheet(schema, main, dict(data or {}), ids_in_text, guarded).render()


class _Sheet:
    """The stylesheet of one schema while it is made."""

    def __init__(self, schema: etree._Element, main: str, data: dict[str, bytes], in_text: bool, guarded: bool) -> None:
        self.schema, self.main, self.data, self.in_text, self.guarded = schema, main, data, in_text, guarded
        known = {str(prefix): uri for prefix, uri in schema.nsmap.items() if prefix}
        known |= {one.get("prefix", ""): one.get("uri", "") for one in elements(schema, "ns")}
        usual = {"xs": _XSD, "xsd": _XSD}  # publishers' compilers declare both, and some rule files rely on it
        own = {"xsl": XSL, "svrl": SVRL, "own": OWN, "err": _ERR}
        self.root = etree.Element(f"{{{XSL}}}stylesheet", {"version": "3.0"}, nsmap={**usual, **known, **own})
        self.root.set("exclude-result-prefixes", "#all")
        self.patterns = list(elements(schema, "pattern"))
        lets = [one for pattern in self.patterns for one in elements(pattern, "let")]
        self.shared = Counter(one.get("name") for one in lets)

    def render(self) -> bytes:
        self._carried()
        at = self._sub(self.root, "function", name="own:at")
        self._sub(at, "param", name="node")
        self._sub(at, "sequence", select=_LOCATION)
        for let in elements(self.schema, "let"):
            self._let(self.root, let)
        body = self._sub(self.root, "template", match="/")
        output = self._literal(body, "schematron-output")
        for number, pattern in enumerate(self.patterns):
            self._pattern(pattern, f"p{number}", output)
        self._documents()
        return etree.tostring(self.root, encoding="utf-8", xml_declaration=True)

    # -- what the schema brings

    def _carried(self) -> None:
        """Functions and keys, which are XSLT already."""
        for child in self.schema.iter(etree.Element):
            name = etree.QName(child)
            parent = child.getparent()
            if name.namespace != XSL or (parent is not None and etree.QName(parent).namespace == XSL):
                continue
            inner = {etree.QName(one).localname for one in child.iterdescendants(f"{{{XSL}}}*")}
            if name.localname not in _TOP or not inner <= _INNER:
                raise ConfigError(f"xsl:{name.localname} is not allowed in a rule file",
                                  where=f"{self.main} line {child.sourceline}", fix="report it")  # fmt: skip
            self.root.append(copy.deepcopy(child))

    def _documents(self) -> None:
        """Code lists that rules look up with ``document('name')`` become global variables."""
        names: dict[str, str] = {}
        for element in self.root.iter(etree.Element):
            for key, value in element.items():
                if "document(" in str(value):
                    element.set(key, _DOCUMENT.sub(lambda match: f"${self._document(match[2], names)}", str(value)))

    def _document(self, file: str, names: dict[str, str]) -> str:
        if file not in names:
            if file not in self.data:
                raise ConfigError(f"the rules look into {file}, which is not there", where=self.main,
                                  fix=f"put {file} beside the rule file")  # fmt: skip
            names[file] = f"own:document-{len(names)}"
            holder = self._sub(self.root, "variable", name=names[file])
            parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
            holder.append(etree.fromstring(self.data[file], parser))
        return names[file]

    # -- patterns and rules

    def _pattern(self, pattern: etree._Element, mode: str, output: etree._Element) -> None:
        rules = [rule for rule in elements(pattern, "rule") if rule.get("abstract") != "true"]
        own = [let for let in elements(pattern, "let") if self.shared[let.get("name")] > 1]
        for let in elements(pattern, "let"):
            if let not in own:
                self._let(self.root, let)
        if not rules:
            return
        self._sub(self.root, "mode", name=mode, **{"on-no-match": "deep-skip"})
        # deep-skip goes on from a document to its root element, which comes by itself already
        self._sub(self.root, "template", match="/", mode=mode, priority="-1")
        contexts = " ".join(rule.get("context", "") for rule in rules)
        nodes = ["/", "//*", *(["//@*"] if "@" in contexts else []), *(["//text()"] if "text()" in contexts else [])]
        self._sub(output, "apply-templates", select=" | ".join(nodes), mode=mode)
        for position, rule in enumerate(rules):
            self._rule(rule, own, mode, len(rules) - position)

    def _rule(self, rule: etree._Element, outer: list[etree._Element], mode: str, priority: int) -> None:
        template = self._sub(self.root, "template", match=rule.get("context", ""), mode=mode, priority=str(priority))
        if not self.guarded:
            self._lets(template, rule, outer)
        for one in elements(rule, "assert", "report"):
            if not self.guarded:
                self._assertion(template, one, rule)
                continue
            attempt = self._sub(template, "try")
            self._lets(attempt, rule, outer)  # in here, so that one that crashes takes only this assertion with it
            self._assertion(attempt, one, rule)
            crash = self._said(self._sub(attempt, "catch"), "error", one, rule)
            self._sub(crash, "value-of", select="concat(local-name-from-QName($err:code), ' ', $err:description)")

    def _lets(self, parent: etree._Element, rule: etree._Element, outer: list[etree._Element]) -> None:
        for let in outer:  # a name that several patterns use: worked out from the document, as outside a rule
            self._let(parent, let, f"(/)/({let.get('value')})")
        for let in elements(rule, "let"):
            self._let(parent, let)

    def _assertion(self, parent: etree._Element, one: etree._Element, rule: etree._Element) -> None:
        test, asserted = one.get("test", ""), etree.QName(one).localname == "assert"
        condition = self._sub(parent, "if", test=f"not({test})" if asserted else test)
        said = self._said(condition, "failed-assert" if asserted else "successful-report", one, rule)
        _text(one, self._literal(said, "text"), self)

    def _said(self, parent: etree._Element, name: str, one: etree._Element, rule: etree._Element) -> etree._Element:
        said = self._literal(parent, name) if name != "error" else etree.SubElement(parent, f"{{{OWN}}}error")
        said.set("id", _plain(_id(one, self.in_text)))
        said.set("flag", _plain(_flag(one, rule)))
        said.set("location", "{own:at(.)}")
        return said

    def _let(self, parent: etree._Element, let: etree._Element, value: str = "") -> None:
        self._sub(parent, "variable", name=let.get("name", ""), select=value or let.get("value", ""))

    def _sub(self, parent: etree._Element, tag: str, **attributes: str) -> etree._Element:
        return etree.SubElement(parent, f"{{{XSL}}}{tag}", attributes)

    def _literal(self, parent: etree._Element, tag: str) -> etree._Element:
        return etree.SubElement(parent, f"{{{SVRL}}}{tag}")


def _plain(text: str) -> str:
    """*text* in an attribute of a literal result element, where braces would be an expression."""
    return text.replace("{", "{{").replace("}", "}}")


def _text(one: etree._Element, to: etree._Element, sheet: _Sheet) -> None:
    """The words of an assertion: text as it is, ``value-of`` and ``name`` worked out."""
    to.text = one.text
    for child in one.iterchildren():
        if isinstance(child.tag, str):
            kind = etree.QName(child).localname
            if kind == "value-of":
                sheet._sub(to, "value-of", select=child.get("select", "''"), separator=" ")
            elif kind == "name":
                sheet._sub(to, "value-of", select=f"name({child.get('path', '.')})")
            else:
                sheet._sub(to, "text").text = "".join(str(text) for text in child.itertext())
            to[-1].tail = child.tail
        elif child.tail:
            sheet._sub(to, "text").text = child.tail


def _id(one: etree._Element, in_text: bool) -> str:
    head = _ID.match("".join(str(text) for text in one.itertext()))
    stated = one.get("id", "")
    return head[1] if head and (in_text or not stated) else stated


def _flag(one: etree._Element, rule: etree._Element) -> str:
    """As published, on the assertion or its rule; without any an assertion is an error (ISO/IEC 19757-3)."""
    return one.get("flag") or one.get("role") or rule.get("flag") or rule.get("role") or "fatal"


def ids(
    main: str, files: Mapping[str, bytes], *, without: Collection[str] = (), ids_in_text: bool = False
) -> Iterator[tuple[str, str]]:
    """(id, severity as published) of every assertion of the schema, in order; an id may come more than once."""
    for pattern in elements(assemble(main, files, without), "pattern"):
        for rule in elements(pattern, "rule"):
            yield from ((_id(one, ids_in_text), _flag(one, rule)) for one in elements(rule, "assert", "report"))
