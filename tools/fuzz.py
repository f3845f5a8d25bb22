"""[SECONDS] [READER ...] [--repeat FILE] every reader under a coverage-guided fuzzer (atheris), a process for each.

SECONDS (60) are for each reader: the formats by name, their acknowledgements (``x12.answers``), format detection, or
``module:function`` of your own. Seeds are fixtures/ and the official files (EINVOICE_REFERENCE). What is found stays in
var/fuzz/READER: the corpus, which the next run begins with, and failures: an exception that is no EInvoiceError, more
than --hang seconds on one input, more than --memory MiB. The last line is ``fuzz: passed/total``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from einvoice import formats
from einvoice.errors import EInvoiceError

ROOT = Path(__file__).resolve().parent.parent
#: Larger seeds make the fuzzer slow and reach no other code.
LARGEST = 32 * 1024
#: So many of the smallest seeds are enough for one reader.
MOST = 300
_XML = ("ubl", "cii", "cxml")
#: A cXML acknowledgement; no other file holds one.
_STATUS = b"""<cXML payloadID="9@network.example" timestamp="2026-11-24T09:30:00+00:00"><Header/>\
<Request deploymentMode="test"><StatusUpdateRequest><DocumentReference payloadID="1@seller.example"/>\
<Status code="423" text="Rejected" xml:lang="en">unit price</Status><InvoiceStatus type="rejected">\
<InvoiceIDInfo invoiceID="INV-7" invoiceDate="2026-11-20T00:00:00+00:00"/><PartialAmount><Money currency="EUR">1.00\
</Money></PartialAmount><Comments xml:lang="en">differs from the order</Comments></InvoiceStatus>\
</StatusUpdateRequest></Request></cXML>"""


@dataclass(frozen=True, slots=True)
class Result:
    """What a reader came to: inputs tried, features of its code that were reached, files that it failed on."""

    reader: str
    inputs: int
    covered: int
    failures: tuple[Path, ...]
    problem: str = ""

    @property
    def passed(self) -> bool:
        return not self.failures and not self.problem


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for a reader, seconds for one input, MiB of memory."""

    seconds: int
    hang: int
    memory: int


def readers() -> list[str]:
    """Every reader there is."""
    names = formats.names()
    answering = [f"{name}.answers" for name in names if hasattr(formats.module(name), "answers")]
    return [*names, *answering, "detect"]


def documents(reference: Path | None) -> Iterator[tuple[str, bytes]]:
    """(format, bytes) of every document that is small enough; hostile ones are of every XML format."""
    yield "cxml", _STATUS
    for path in sorted((ROOT / "fixtures" / "invoices").glob("*.toml")):
        yield "json", json.dumps(tomllib.loads(path.read_text("utf-8")), default=date.isoformat).encode()
    for folder in (ROOT / "fixtures", *([reference] if reference and reference.is_dir() else [])):
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or path.stat().st_size > LARGEST or path.suffix in (".md", ".toml", ".xsd", ".sch"):
                continue
            data = path.read_bytes()
            if "hostile" in path.parts:
                yield from ((name, data) for name in _XML)
                continue
            try:
                yield formats.detect(data), data
            except EInvoiceError:
                continue  # no document


def answered(data: bytes) -> bool:
    """Whether *data* is an acknowledgement: an invoice beside it leads the fuzzer nowhere."""
    try:
        return bool(formats.answers(data))
    except EInvoiceError:
        return False


def seed(folder: Path, reader: str, found: Sequence[tuple[str, bytes]]) -> list[str]:
    """The option that names the dictionary of the seeds, which are put into *folder*; none without seeds."""
    name, _, part = reader.partition(".")
    mine = sorted({data for format, data in found if format == name or name == "detect"}, key=len)
    mine = [data for data in mine if part != "answers" or answered(data)][:MOST]
    folder.mkdir(parents=True, exist_ok=True)
    for data in mine:
        (folder / hashlib.sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)
    words = {word for data in mine for word in re.findall(rb"[A-Za-z][A-Za-z0-9:.-]{2,30}", data)}
    dictionary = folder.with_name("words.dict")
    dictionary.write_text("".join(f'"{word.decode()}"\n' for word in sorted(words)[:2000]), "ascii")
    return [f"-dict={dictionary}"] if words else []


def fuzz(reader: str, home: Path, limits: Limits, found: Sequence[tuple[str, bytes]]) -> Result:
    """*reader* under the fuzzer for its seconds. What it failed on before is tried first."""
    place = home / reader.replace(":", ".")
    corpus, failures = place / "corpus", place / "failures"
    words = seed(corpus, reader, found)
    if failures.is_dir():
        for path in failures.iterdir():
            shutil.copy(path, corpus / f"was-{path.name}")
        shutil.rmtree(failures)
    failures.mkdir()
    command = [
        *(sys.executable, "-m", "tools._fuzz_reader", reader, str(failures)),
        *(f"-max_total_time={limits.seconds}", f"-timeout={limits.hang}", f"-rss_limit_mb={limits.memory}"),
        *(*words, f"-max_len={LARGEST}", f"-artifact_prefix={failures}/", "-print_final_stats=1"),
        str(corpus),
    ]
    log = place / "log"
    with log.open("wb") as out:
        # Loading the corpus may take longer than the time given; a hang of the whole is nobody's to wait for.
        wait = limits.seconds * 2 + limits.hang + 120
        try:
            done = subprocess.run(command, cwd=ROOT, stdout=out, stderr=out, check=False, timeout=wait)
            problem = f"exit {done.returncode}, see {log}" if done.returncode else ""
        except subprocess.TimeoutExpired:
            problem = f"still running after {wait} s, see {log}"
    text = log.read_text("utf-8", "replace")
    kept = tuple(sorted(failures.iterdir()))
    return Result(reader, _last(r"number_of_executed_units:\s*(\d+)", text) or _last(r"#(\d+)\s", text),
                  _last(r"cov: (\d+)", text), kept, "" if kept else problem)  # fmt: skip


def _last(pattern: str, text: str) -> int:
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def repeat(path: Path) -> int:
    """Gives the file to the reader whose failure it is; the traceback, if there is one, is the answer."""
    from tools._fuzz_reader import take

    reader = path.resolve().parent.parent.name
    known = reader if reader in readers() else ":".join(reader.rsplit(".", 1))
    try:
        take(known)(path.read_bytes())
    except EInvoiceError as error:
        print(f"{known}: {error}")
        return 0
    print(f"{known}: read without a fault")
    return 0


def report(results: Sequence[Result]) -> int:
    """The table and the verdict; the exit code."""
    width = max(len(one.reader) for one in results)
    print(f"{'reader':<{width}} {'inputs':>9} {'covered':>8} {'failures':>8}")
    for one in results:
        print(
            f"{one.reader:<{width}} {one.inputs:>9} {one.covered:>8} {len(one.failures) or int(bool(one.problem)):>8}"
        )
    for one in results:
        for path in one.failures:
            print(f"{one.reader}: {path.name}\n  again: ./run fuzz --repeat {path}")
        if one.problem:
            print(f"{one.reader}: {one.problem}")
    passed = sum(one.passed for one in results)
    print(f"fuzz: {passed}/{len(results)}")
    return 0 if results and passed == len(results) else 1


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./run fuzz", description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("words", nargs="*", metavar="SECONDS | READER", help="60 seconds for every reader unless given")
    add("--repeat", type=Path, metavar="FILE", help="what its reader does with one failure")
    add("--dir", type=Path, default=ROOT / "var" / "fuzz", help="where corpora and failures stay")
    add("--hang", type=int, default=10, metavar="SECONDS", help="on one input (10)")
    add("--memory", type=int, default=2048, metavar="MIB", help="of one reader (2048)")
    add("--jobs", type=int, default=os.cpu_count() or 1, help="readers at the same time")
    given = parser.parse_args(arguments)
    if given.repeat:
        return repeat(given.repeat)
    seconds = next((int(word) for word in given.words if word.isdigit()), 60)
    wanted = [word for word in given.words if not word.isdigit()] or readers()
    unknown = [word for word in wanted if ":" not in word and word not in readers()]
    if unknown:
        print(
            f"fuzz: no reader {unknown[0]!r}. Fix: one of {', '.join(readers())}, or module:function", file=sys.stderr
        )
        return 2
    place = os.environ.get("EINVOICE_REFERENCE") or ROOT.parent / "shared" / "reference"
    found = list(documents(Path(place)))
    limits = Limits(seconds, given.hang, given.memory)
    with ThreadPoolExecutor(given.jobs) as pool:
        results = list(pool.map(lambda one: fuzz(one, given.dir, limits, found), wanted))
    return report(results)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
