"""An interchange of many invoices made on disk and read one invoice at a time: memory above start and time per MB.

``python -m bench.stream`` makes 100 MB with 100,000 invoices in EDIFACT, X12 and JSON Lines and prints a line for each;
``python -m bench.stream FILE`` is the reading process, which prints what it took as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from einvoice import formats
from einvoice.model import Invoice, to_json

from . import edi

INVOICES, MEGABYTES, LIMIT = 100_000, 100, 64
_LINES = 2


def make(path: Path, kind: str, invoices: int = INVOICES, size: int = MEGABYTES * 1_000_000) -> None:
    """Writes *invoices* to *path*, together at least *size* bytes: each has its own number, notes fill it up."""
    write = {"edifact": _edifact, "x12": _x12, "json": _json}[kind]
    notes = 1
    while _each(write, _filled(notes)) * invoices < size:
        notes += 1
    with path.open("wb") as out:
        out.writelines(write(_filled(notes), invoices))


def _each(write: Callable[[Invoice, int], Iterator[bytes]], invoice: Invoice) -> int:
    one, two = (len(b"".join(write(invoice, count))) for count in (1, 2))
    return two - one


def _filled(notes: int) -> Invoice:
    """Invoice INV-000000 with so many notes, none of them longer than NTE holds."""
    text = {"text": "Delivered in full and accepted without reserve"}
    raw = edi.in_x12(_LINES).model_dump(exclude_defaults=True)
    return Invoice.model_validate({**raw, "number": "INV-000000", "notes": [text] * notes})


def _numbered(data: bytes, index: int) -> bytes:
    return data.replace(b"INV-000000", b"INV-%06d" % index)


def _edifact(invoice: Invoice, count: int) -> Iterator[bytes]:
    part = edi.EDIFACT.part(invoice, edi.IDS)
    yield b"UNB+UNOC:3+4000001000005:14+4000001000012:14+261102:0930+263'"
    for index in range(1, count + 1):
        yield b"UNH+%d+INVOIC:D:96A:UN'%sUNT+%d+%d'" % (index, _numbered(part.data, index), part.count + 2, index)
    yield b"UNZ+%d+263'" % count


def _x12(invoice: Invoice, count: int) -> Iterator[bytes]:
    whole, part = edi.X12_810.write(invoice, edi.IDS).data, edi.X12_810.part(invoice, edi.IDS)
    yield whole[: whole.index(b"ST*")]
    for index in range(1, count + 1):
        yield b"ST*810*%06d~%sSE*%d*%06d~" % (index, _numbered(part.data, index), part.count + 2, index)
    yield b"GE*%d*263~IEA*1*000000263~" % count


def _json(invoice: Invoice, count: int) -> Iterator[bytes]:
    line = f"{to_json(invoice)}\n".encode()
    for index in range(1, count + 1):
        yield _numbered(line, index)


# --- reading ----------------------------------------------------------------------------------------------------------


def _status(name: str) -> int:
    """KiB that the kernel states of this process: VmRSS now, VmHWM at most so far."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def read(path: Path) -> dict[str, float]:
    """Invoices read, CPU seconds, and MiB at the peak above what the process held before."""
    start, begun, count, numbers = _status("VmRSS"), time.process_time(), 0, set()
    for one in formats.read_file(path):
        if one.problem is not None:
            raise one.problem
        count += 1
        if count % 1000 == 0:
            numbers.add(one.invoice.number)
    return {
        "invoices": count, "different": len(numbers), "seconds": time.process_time() - begun,
        "mib": max(0, _status("VmHWM") - start) / 1024,
    }  # fmt: skip


def measured(path: Path) -> dict[str, float]:
    """What :func:`read` says of *path*, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.stream", str(path)], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    told: dict[str, float] = json.loads(done.stdout)
    return told


def main(arguments: list[str], kinds: tuple[str, ...] = ("edifact", "x12", "json")) -> int:
    if arguments:
        print(json.dumps(read(Path(arguments[0]))))
        return 0
    fits: list[bool] = []
    for kind in kinds:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, kind)
            make(path, kind)
            size, told = path.stat().st_size / 1_000_000, measured(path)
            fits.append(told["mib"] <= LIMIT and told["invoices"] == INVOICES)
            print(f"{kind:<8} {size:6.1f} MB  {told['invoices']:.0f} invoices  {told['mib']:5.1f} MiB above start "
                  f"(limit {LIMIT})  {told['seconds'] / size:.2f} s CPU per MB", flush=True)  # fmt: skip
    return 0 if all(fits) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
