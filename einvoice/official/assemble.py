"""One Schematron schema from its files: includes put in, abstract patterns written out.

Files come as a mapping from name to bytes, never from a path in the schema, so that what is compiled are the very
bytes whose hash was compared.
"""

from __future__ import annotations

import copy
import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from urllib.parse import unquote

from lxml import etree

from ..errors import ConfigError

SCH = "{http://purl.oclc.org/dsdl/schematron}"
_INCLUDES = (f"{SCH}include", "{http://www.w3.org/2001/XInclude}include")
_PARAMETER = re.compile(r"\$([A-Za-z_][\w.-]*)")
#: An include deeper than this goes round in a circle.
_DEPTH = 10


def parse(name: str, files: Mapping[str, bytes]) -> etree._Element:
    """The root of file *name*; ConfigError where it is missing or not well-formed."""
    try:
        return etree.fromstring(files[name], etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except KeyError as error:
        raise ConfigError("the rule file is missing", where=name, fix="add it with tools/update_sources.py") from error
    except etree.XMLSyntaxError as error:
        raise ConfigError(f"the rule file is not well-formed: {error.msg}", where=name, fix="get it again") from error


def assemble(main: str, files: Mapping[str, bytes], without: Collection[str] = ()) -> etree._Element:
    """The schema that begins with *main*, whole: no include, no abstract pattern is left in it.

    without  includes that may be left out, because their publisher generates them and does not publish them

    Raises ConfigError for a missing file, for another query language than XSLT 2, and for abstract rules.
    """
    schema = parse(main, files)
    if schema.tag != f"{SCH}schema":
        raise ConfigError("is not a Schematron schema", where=main, fix="name the file whose root is schema")
    if (language := schema.get("queryBinding", "xslt")) not in ("xslt2", "xslt3"):
        raise ConfigError(f"is written in {language!r}, not in XSLT 2", where=main, fix="use a newer release")
    _include(schema, main, files, without, 0)
    _instantiate(schema, main)
    if (odd := next(schema.iter(f"{SCH}extends"), None)) is not None:
        raise ConfigError("abstract rules are not known here", where=f"{main} line {odd.sourceline}", fix="report it")
    return schema


def _include(
    parent: etree._Element, name: str, files: Mapping[str, bytes], without: Collection[str], depth: int
) -> None:
    """Puts the root of each included file where it is included. References are relative to the including file."""
    if depth > _DEPTH:
        raise ConfigError("the includes go round in a circle", where=name, fix="get the rule files again")
    for include in list(parent.iter(*_INCLUDES)):
        target = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(include.get("href", ""))))
        holder = include.getparent()
        if holder is None:
            raise ConfigError("an include cannot be the root", where=name, fix="get the rule files again")
        if target in without:
            holder.remove(include)
            continue
        found = parse(target, files)
        _include(found, target, files, without, depth + 1)
        holder.replace(include, found)


def _instantiate(schema: etree._Element, name: str) -> None:
    """Replaces each ``is-a`` pattern by its abstract pattern with the parameters written in."""
    abstract = {one.get("id"): one for one in schema.iter(f"{SCH}pattern") if one.get("abstract") == "true"}
    for one in [one for one in schema.iter(f"{SCH}pattern") if one.get("is-a")]:
        if one.get("is-a") not in abstract:
            where = f"{name} line {one.sourceline}"
            raise ConfigError(f"there is no abstract pattern {one.get('is-a')!r}", where=where, fix="get it again")
        values = {param.get("name", "").strip(): param.get("value", "") for param in one.iter(f"{SCH}param")}
        made = copy.deepcopy(abstract[one.get("is-a")])
        made.attrib.pop("abstract")
        made.set("id", one.get("id", ""))
        for element in made.iter(etree.Element):
            for key, value in element.items():
                element.set(key, _filled(str(value), values))
        holder = one.getparent()
        assert holder is not None
        holder.replace(one, made)
    for pattern in abstract.values():
        holder = pattern.getparent()
        assert holder is not None
        holder.remove(pattern)


def _filled(text: str, values: Mapping[str, str]) -> str:
    """*text* with ``$name`` replaced where *name* is a parameter; other names are variables and stay."""
    return _PARAMETER.sub(lambda match: values.get(match[1], match[0]), text) if "$" in text else text


def elements(parent: etree._Element, *names: str) -> Iterator[etree._Element]:
    """Schematron children of *parent* called one of *names*, in document order."""
    wanted = {f"{SCH}{name}" for name in names}
    return (child for child in parent if child.tag in wanted)
