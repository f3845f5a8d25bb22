"""Is a document valid? Judged by libxml2: the official DTDs when a directory has them, our own schema otherwise."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from lxml import etree

from ..errors import ConfigError

_SCHEMA = "cxml-invoice-detail.xsd"


class Judge:
    """Validates whole cXML documents; ``name`` says by what. Safe to call from several threads."""

    def __init__(self, dtd: Path | None) -> None:
        self._lock = threading.Lock()
        self._dtds: dict[str, etree.DTD] = {}
        self._schema: etree.XMLSchema | None = None
        if dtd is None:
            self._schema = etree.XMLSchema(file=str(own_schema()))
            self.name = _SCHEMA
        else:
            self._dtds = {name: _dtd(dtd, name) for name in ("InvoiceDetail", "cXML")}
            self.name = f"DTD in {dtd.name}"

    def faults(self, root: etree._Element, kind: str) -> list[str]:
        """What makes the document of *root* invalid, ``line N: message`` each; empty when it is valid."""
        with self._lock:
            judge: etree.DTD | etree.XMLSchema
            judge = self._schema or self._dtds["InvoiceDetail" if kind == "InvoiceDetailRequest" else "cXML"]
            if judge.validate(root):
                return []
            entries: Any = judge.error_log
            return [f"line {entry.line}: {entry.message}" for entry in entries]


def own_schema() -> Path:
    """Our own schema: inside the installed package, or in the checkout beside it."""
    package = Path(__file__).parent.parent
    for place in (package / "_schemas" / _SCHEMA, package.parent / "schemas" / _SCHEMA):
        if place.is_file():
            return place
    raise ConfigError("the schema is missing", where=_SCHEMA, fix="install einvoice-engine again")


def _dtd(folder: Path, name: str) -> etree.DTD:
    found = [folder / f"{name}.dtd", *sorted(folder.glob(f"*-{name}.dtd"), reverse=True)]
    for path in found:
        if path.is_file():
            # etree.DTD reads the file and no other; loading it through a document's DOCTYPE fails (SGML-help).
            return etree.DTD(file=str(path))
    raise ConfigError(f"no {name}.dtd", where=str(folder), fix="name the directory of one official cXML release")
