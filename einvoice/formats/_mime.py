"""multipart/related bodies (RFC 2387) as bytes: a root part and what travels beside it, by Content-ID.

Nothing is re-serialised: a part comes back as the bytes that went in. Lines of headers end in CR LF (RFC 2046 5.1.1).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.header import decode_header, make_header
from email.utils import encode_rfc2231

from ..errors import UnreadableDocument

_BOUNDARY = re.compile(rb"--([0-9A-Za-z'()+_,./:=? -]{1,70})\r?\n")
#: Parts of one message; more are no invoice with its supporting documents.
_MOST = 500
_HEADER = re.compile(r"([!-9;-~]+):[ \t]*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its bytes as they were before any transfer encoding, and what its headers say of them."""

    data: bytes
    media_type: str
    id: str = ""
    """Content-ID without its angle brackets."""
    filename: str = ""
    description: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def is_multipart(head: bytes) -> bool:
    """True when *head* begins as the body of a multipart message does, with its boundary."""
    return _BOUNDARY.match(head) is not None


def join(parts: Sequence[Part]) -> tuple[bytes, str]:
    """(body, media type) of *parts*, the first being the root. The boundary follows from the content: the same parts
    always make the same bytes."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.data)
    boundary = f"part-{digest.hexdigest()[:40]}"
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + _head(part) + part.data + b"\r\n" for part in parts)
    root = parts[0]
    media_type = f'multipart/related; type="{root.media_type.partition(";")[0]}"; start="<{root.id}>"'
    return body + b"--" + boundary.encode() + b"--\r\n", f'{media_type}; boundary="{boundary}"'


def _head(part: Part) -> bytes:
    lines = [f"Content-Type: {part.media_type}", f"Content-ID: <{part.id}>", "Content-Transfer-Encoding: binary"]
    if part.filename:
        name = part.filename.replace("\\", "_").replace('"', "_")
        plain = f'filename="{name}"' if name.isascii() else f"filename*={encode_rfc2231(name, 'utf-8')}"
        lines.append(f"Content-Disposition: attachment; {plain}")
    return "".join(f"{_one_line(line)}\r\n" for line in lines).encode() + b"\r\n"


def _one_line(text: str) -> str:
    """*text* without the line ends and controls by which data could end a header."""
    return "".join(char if char >= " " and char != "\x7f" else " " for char in text)


def split(data: bytes) -> list[Part]:
    """The parts of a body that begins with its boundary; UnreadableDocument when it is cut or no such body."""
    found = _BOUNDARY.match(data)
    if found is None:
        raise UnreadableDocument("the body does not begin with a MIME boundary", where="first line")
    mark = b"--" + found[1]
    pieces = re.split(rb"\r?\n" + re.escape(mark) + rb"(?=--|[ \t]*\r?\n)", b"\n" + data)
    if not pieces[-1].startswith(b"--"):
        raise UnreadableDocument("the MIME message is cut: its last boundary is missing", where="end of the file",
                                 fix="fetch the message again")  # fmt: skip
    if len(pieces) - 2 > _MOST:
        raise UnreadableDocument(f"the MIME message has {len(pieces) - 2} parts, {_MOST} are read",
                                 fix="send fewer supporting documents")  # fmt: skip
    if len(pieces) < 3:
        raise UnreadableDocument("the MIME message has no part", where="first line", fix="send it again")
    return [_part(piece, number) for number, piece in enumerate(pieces[1:-1], 1)]


def _part(piece: bytes, number: int) -> Part:
    head, blank, body = re.sub(rb"^[ \t]*\r?\n", b"", piece, count=1).partition(b"\r\n\r\n")
    if not blank:
        head, blank, body = re.sub(rb"^[ \t]*\r?\n", b"", piece, count=1).partition(b"\n\n")
    if not blank:
        raise UnreadableDocument("a part has no blank line after its headers", where=f"part {number}")
    headers = dict(_headers(head.decode("utf-8", "replace")))
    disposition = headers.get("content-disposition", "")
    return Part(
        data=_decoded(body, headers.get("content-transfer-encoding", ""), number),
        media_type=headers.get("content-type", "application/octet-stream"),
        id=headers.get("content-id", "").strip().strip("<>"),
        filename=_filename(disposition) or _parameter(headers.get("content-type", ""), "name"),
        description=headers.get("content-description", ""),
        headers=headers,
    )


def _headers(head: str) -> list[tuple[str, str]]:
    unfolded = re.sub(r"\r?\n[ \t]+", " ", head)
    matches = (_HEADER.fullmatch(line.strip("\r")) for line in unfolded.split("\n"))
    return [(match[1].lower(), match[2].strip()) for match in matches if match]


def _decoded(body: bytes, encoding: str, number: int) -> bytes:
    kind = encoding.strip().lower()
    if kind in ("", "binary", "8bit", "7bit"):
        return body
    if kind == "quoted-printable":
        return binascii.a2b_qp(body)
    if kind != "base64":
        raise UnreadableDocument(f"a part is encoded as {encoding[:40]!r}", where=f"part {number}",
                                 fix="send it binary or in base64")  # fmt: skip
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error:
        raise UnreadableDocument("a part is not the base64 that it says", where=f"part {number}",
                                 fix="send it again") from None  # fmt: skip


def _filename(disposition: str) -> str:
    extended = re.search(r"filename\*=([\w-]*)'[^']*'([^;\s]+)", disposition)
    if extended:
        from urllib.parse import unquote

        try:
            return unquote(extended[2], extended[1] or "utf-8", "replace")
        except LookupError:
            return extended[2]
    return _parameter(disposition, "filename")


def _parameter(text: str, name: str) -> str:
    found = re.search(rf';\s*{name}=(?:"([^"]*)"|([^;\s]+))', text, re.IGNORECASE)
    value = (found[1] if found[1] is not None else found[2]) if found else ""
    try:
        return str(make_header(decode_header(value)))
    except (LookupError, ValueError):
        return value
