"""The program: an Ariba network on loopback, started, its ready line printed, stopped."""

from __future__ import annotations

import argparse
import json
import secrets
import signal
import ssl
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import TextIO

from ..errors import ConfigError
from .behaviours import Wire, page
from .checks import Post
from .clock import Clock
from .control import Control
from .network import Network
from .options import Options, from_json
from .server import Call, Server
from .store import Store


class AribaSandbox:
    """A running network: a context manager. Raises ConfigError for options, rules or scenarios that cannot be used."""

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        with ExitStack() as stack:
            self.dir = self.options.dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="einvoice-")))
            context = _tls(self.dir, self.options.host)
            self.store = Store(self.dir / "sandbox.sqlite" if self.options.dir else None)
            stack.callback(self.store.close)
            self.clock = Clock(timedelta(seconds=float(self.store.meta("ahead_seconds", "0"))))
            self.network = Network(self.options, self.store, self.clock)
            self.token = secrets.token_urlsafe(24)
            self._control = Control(self.network, self.clock, self.token)
            self._server = Server(self.options.host, self.options.port, context, self._answer, self.options.max_bytes)
            self._stack = stack.pop_all()

    @property
    def url(self) -> str:
        # A wildcard is listened on, not connected to.
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.options.host, self.options.host)  # noqa: S104
        port = self._server.server_address[1]
        return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"

    @property
    def ca_file(self) -> Path:
        return self.dir / "ca.pem"

    def ready(self) -> dict[str, object]:
        """What a client needs to know. The secret is in it only when it was generated here."""
        return {
            "sandbox": "ariba",
            "url": f"{self.url}/cxml/invoice",
            "profile_url": f"{self.url}/cxml",
            "control_url": f"{self.url}/control",
            "control_token": self.token,
            "ca_file": str(self.ca_file),
            "secret": None if self.options.secret_ref else self.network.secret,
            "own": list(self.options.own),
            "to": list(self.options.to),
            "system_id": self.options.system_id,
            "environment": self.options.environment,
            "validated_by": self.network.judge.name,
        }

    def start(self) -> AribaSandbox:
        self.clock.start()
        self._server.start()
        return self

    def stop(self) -> None:
        self.clock.stop()
        self._server.stop()
        self.store.set_meta("ahead_seconds", str(self.clock.offset.total_seconds()))
        self._stack.close()

    def __enter__(self) -> AribaSandbox:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def _answer(self, call: Call) -> Wire:
        path = call.path.partition("?")[0]
        if path == "/healthz":
            return Wire(200, b"ok\n", 3, {"Content-Type": "text/plain"})
        if path == "/control" or path.startswith("/control/"):
            return self._control.answer(call)
        if path != "/cxml" and not path.startswith("/cxml/"):
            return page(404, "Not Found")
        if call.method != "POST":
            return page(405, "Method Not Allowed", Allow="POST")
        return self.network.receive(Post(call.base, path, call.headers, call.body, call.size))


def _tls(folder: Path, host: str) -> ssl.SSLContext:
    try:
        from .tls import server_context
    except ModuleNotFoundError as error:
        fix = 'pip install "einvoice-engine[sandbox]"'
        raise ConfigError(f"the sandbox needs the package {error.name}", fix=fix) from error
    return server_context(folder, host)


def serve(options: Options, out: TextIO | None = None) -> int:
    """Runs until SIGINT or SIGTERM; prints the ready line, one JSON object, on *out*. Returns the exit code."""
    done = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda number, frame: done.set())
    with AribaSandbox(options) as sandbox:
        print(json.dumps(sandbox.ready()), file=out or sys.stdout, flush=True)
        done.wait()
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m einvoice.sandbox``: 0 after a signal, 2 for options that cannot be used, 3 when it cannot start."""
    given = vars(_parser().parse_args(arguments))
    try:
        return serve(from_json({name: value for name, value in given.items() if value is not None}, Options, "options"))
    except ConfigError as error:
        print(f"einvoice sandbox: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"einvoice sandbox: cannot start: {error}. Fix: choose another --port or --dir", file=sys.stderr)
        return 3


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="einvoice sandbox", description="A supplier network on this machine, for tests. See docs/sandbox.md."
    )
    add = parser.add_argument
    add("--host", help="address to listen on (127.0.0.1)")
    add("--port", type=int, help="port; 0, the default, takes a free one and says which")
    add("--dir", help="keeps the CA and every byte there; without it both go at the end")
    add("--dtd", help="directory of an official cXML release; without it our own schema judges")
    add("--scenario", help="a scenario file, or the name of one that ships")
    add("--rules", help="TOML with the rules of the buyers")
    add("--secret-ref", help="env:NAME or file:PATH of the shared secret; generated and printed when not given")
    add("--own", action="append", help="a supplier's identity; may be given several times")
    add("--to", action="append", help="a buyer's identity; may be given several times")
    add("--system-id", help="the buyers' systemID")
    add("--environment", choices=["test", "production"], help="test: identities end in -T")
    add("--max-bytes", type=int, help="largest request")
    return parser
