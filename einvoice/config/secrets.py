"""Secrets are references to where they are kept; :func:`resolve` fetches one, and nothing shows it."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from ..errors import ConfigError, Finding, Severity

_REFERENCE = r"(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|keyring:[^/]+/.+|pkcs11:.+)"


def _reference(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(_REFERENCE, value):
        return value
    raise PydanticCustomError(
        "secret_inline", 'not a reference to a secret; write where it is kept: "env:NAME", "file:PATH"'
    )


#: Where a secret is kept. The value itself is refused, and never shown.
SecretRef = Annotated[
    str, BeforeValidator(_reference), WithJsonSchema({"type": "string", "pattern": f"^{_REFERENCE}$"})
]


def is_reference(text: str) -> bool:
    """True when *text* has the form of a reference to a secret."""
    return re.fullmatch(_REFERENCE, text) is not None


def resolve(ref: str, base: Path | None = None) -> str:
    """The secret that *ref* names, without a trailing line end. *base*: the directory relative paths start from.

    Raises ConfigError when it is absent, empty or of a kind this version cannot fetch; the value is never shown.
    """
    kind, _, name = ref.partition(":")
    if not is_reference(ref):
        raise ConfigError("a secret is given as a value", fix='write where it is kept: "env:NAME" or "file:PATH"')
    if kind == "env":
        value = os.environ.get(name, "")
    elif kind == "file":
        value = _secret_file(ref, (base or Path()) / name)
    else:
        raise ConfigError(f"{kind}: references are not read by this version", where=ref, fix="use env: or file:")
    if not value:
        raise ConfigError("the secret is not set, or empty", where=ref, fix=_HOW[kind])
    return value


_HOW = {
    "env": "set the environment variable for the process that sends",
    "file": "write the secret to that file, readable by its owner only",
}


def _secret_file(ref: str, path: Path) -> str:
    try:
        return path.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        what = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
    raise ConfigError(f"the secret's file cannot be read: {what}", where=ref, fix=_HOW["file"])


def check_secret(ref: str, base: Path | None = None, where: str = "") -> list[Finding]:
    """What is wrong with a reference on this machine: absent, or a file that others may read. Shows no value."""
    place = where or ref
    try:
        resolve(ref, base)
    except ConfigError as error:
        return [Finding("EINV-CONF-07", f"{ref}: {error.message}", Severity.WARNING, place=place, fix=error.fix)]
    if not ref.startswith("file:"):
        return []
    mode = ((base or Path()) / ref.removeprefix("file:")).stat().st_mode
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        message = f"{ref}: the file can be read by other users ({stat.filemode(mode)})"
        return [Finding("EINV-CONF-08", message, Severity.WARNING, place=place, fix="chmod 600")]
    return []
