"""A faulty way to a sandbox's API server: a reverse proxy on loopback, in a thread of its own.

Whoever uses the proxy's target (``sandbox:FOLDER``) reaches the same sandbox as before; only calls to the API server
take the faulty way. A death can be set on one of the writes, before the server hears of it or after it was made.

Example:
    >>> with FaultyApi(sandbox.state, folder / "faulty") as api:      # doctest: +SKIP
    ...     api.begin(Faults(seed=3, refused=0.5))
    ...     subprocess.run(["sluicegate", "run", "release.yaml", "--target", api.target])
"""

import asyncio
import json
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from weakref import WeakSet

import trustme
from aiohttp import ClientResponse, ClientSession, ClientTimeout, TCPConnector, web

from benchmarks.robustness.faults import Fault, Faults, fate
from fixtures.errors import SluicegateError
from fixtures.sandbox.access import Access, publish
from fixtures.sandbox.files import write_json

STARTS = 10.0  # seconds
KEEP_ALIVE = 600.0  # seconds: a client that is kept warm for an emergency must not find its connection closed
LIMIT = 4 * 1024 * 1024  # bytes of a request
RESET = struct.pack("ii", 1, 0)  # close() then sends RST instead of FIN
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


@dataclass(frozen=True)
class Death:
    """What happens at one of the writes.

    Attributes:
        write: which one, counted from 1 since it was set.
        made: whether the server makes the write first.
        strike: kills; called in the proxy's thread.
    """

    write: int
    made: bool
    strike: Callable[[], None]


class FaultyApi:
    """The proxy.

    Args:
        state: the sandbox's folder.
        folder: for the proxy's own files; not there yet.
    """

    def __init__(self, state: Path, folder: Path) -> None:
        self.target = f"sandbox:{folder.absolute()}"
        self._upstream = json.loads((state / "api.json").read_text())
        self._info = json.loads((state / "sandbox.json").read_text())
        self._folder = folder
        self._thread = threading.Thread(target=asyncio.run, args=[self._live()], name="faulty API", daemon=True)
        self._open: WeakSet[asyncio.Transport] = WeakSet()
        self._listens, self._leave = threading.Event(), asyncio.Event()
        self.begin(Faults())

    def begin(self, faults: Faults) -> None:
        """Let these faults happen from now on, and no others; nobody is to die any more."""
        self._faults, self._began = faults, time.monotonic()
        self._calls: Counter[tuple[str, str]] = Counter()
        self.done: list[tuple[Fault, str]] = []  # what went wrong with which call
        self.set(None)

    def set(self, death: Death | None) -> None:
        """Let a death happen; writes are counted from now on."""
        self._death, self._writes = death, 0

    def __enter__(self) -> Self:
        """Listen on a free port, and write the target's files."""
        self._folder.mkdir(mode=0o700)
        self._thread.start()
        if not self._listens.wait(STARTS):
            raise SluicegateError("the faulty API did not come up", where=str(self._folder))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, and every call with it."""
        self._loop.call_soon_threadsafe(self._leave.set)
        self._thread.join()

    async def _live(self) -> None:
        """Serve until it is to end."""
        self._loop = asyncio.get_running_loop()
        context = ssl.create_default_context(cafile=self._upstream["ca"])
        connector = TCPConnector(ssl=context, limit=0, keepalive_timeout=KEEP_ALIVE)
        self._session = ClientSession(connector=connector, timeout=ClientTimeout(total=None), auto_decompress=False)
        application = web.Application(client_max_size=LIMIT)
        application.router.add_route("*", "/{path:.*}", self._serve)
        runner = web.AppRunner(application, access_log=None, keepalive_timeout=KEEP_ALIVE, shutdown_timeout=0.1)
        await runner.setup()
        authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=_tls(authority)).start()
        self._publish(runner.addresses[0][1], authority.cert_pem.bytes())
        self._listens.set()
        await self._leave.wait()
        await runner.cleanup()
        for transport in self._open:
            transport.abort()  # a client that keeps its connection warm does not answer when TLS takes its leave
        await connector.close(abort_ssl=True)
        await self._session.close()

    def _publish(self, port: int, authority: bytes) -> None:
        """Write what makes the folder a target: the sandbox's own words, but for the way to its API server."""
        tokens = self._upstream["admin_token"], self._upstream["reader_token"]
        publish(self._folder, Access(f"https://127.0.0.1:{port}", authority, *tokens))
        ways = {name: str(self._folder / name) for name in ("kubeconfig", "gates_kubeconfig")}
        write_json(self._folder / "sandbox.json", self._info | ways)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        """Do to a call what its fate is."""
        if request.transport:
            self._open.add(request.transport)
        body = await request.read()
        fault = self._fate(request)
        await asyncio.sleep(self._faults.latency)
        if away := self._partition() or (KEEP_ALIVE if fault is Fault.HUNG else 0.0):
            await asyncio.sleep(away)
            return _reset(request)
        if fault is Fault.REFUSED:
            return _status(500, "InternalError", "it has been told to fail")
        if fault is Fault.THROTTLED:
            return _status(429, "TooManyRequests", "it has been told to be busy", {"Retry-After": "1"})
        return await self._made(request, body, lost=fault is Fault.LOST)

    async def _made(self, request: web.Request, body: bytes, *, lost: bool) -> web.StreamResponse:
        """Pass a call on, if nobody dies of it."""
        death = self._dies(request)
        if death and not death.made:
            death.strike()
            return _reset(request)
        async with self._forward(request, body) as answer:
            if not death and not lost:
                return await _passed_on(request, answer)
            await answer.read()
        if death:
            death.strike()
        return _reset(request)

    def _fate(self, request: web.Request) -> Fault:
        call = request.method, request.path
        fault = fate(self._faults, *call, self._calls[call])
        self._calls[call] += 1
        if fault is not Fault.NONE:
            self.done.append((fault, " ".join(call)))
        return fault

    def _partition(self) -> float:
        """Give how long the network is still away, seconds; 0 when it is there."""
        now = time.monotonic() - self._began
        return max((end - now for begin, end in self._faults.partitions if begin <= now < end), default=0.0)

    def _dies(self, request: web.Request) -> Death | None:
        """Count a write; give the death that is set on it."""
        self._writes += request.method != "GET"
        if self._death and request.method != "GET" and self._writes == self._death.write:
            return self._death
        return None

    def _forward(self, request: web.Request, body: bytes) -> "asyncio.Future[ClientResponse]":
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
        url = self._upstream["url"] + request.raw_path
        return self._session.request(request.method, url, headers=headers, data=body, allow_redirects=False)


def _tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", key_type=trustme.KeyType.ECDSA).configure_cert(context)
    return context


async def _passed_on(request: web.Request, answer: ClientResponse) -> web.StreamResponse:
    """Pass an answer on as it comes: a watch is one that goes on."""
    headers = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
    response = web.StreamResponse(status=answer.status, headers=headers)
    await response.prepare(request)
    async for chunk in answer.content.iter_any():
        await response.write(chunk)
    await response.write_eof()
    return response


def _status(code: int, reason: str, message: str, headers: dict[str, str] | None = None) -> web.Response:
    """Give what a Kubernetes API server says when it fails."""
    said = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
    return web.json_response({**said, "reason": reason, "message": message}, status=code, headers=headers)


def _reset(request: web.Request) -> web.Response:
    """Reset the connection; what is answered after that reaches nobody."""
    if request.transport is not None:
        connection: socket.socket = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        request.transport.abort()
    return web.Response()
