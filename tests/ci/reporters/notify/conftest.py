"""Real servers that hear of a rollout: SMTP, HTTP, one that never answers, one that is not there."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from ci.events import Event, Held, Note, PhaseEntered, RolloutBegan, RolloutEnded
from ci.reporters.notify.channel import Notifiers
from ci.reporters.notify.channels import channels
from ci.state import Job
from fixtures.notify import Notify
from fixtures.release import Release, load_release

EXAMPLE = Path(__file__).parents[4] / "examples" / "rebate-core" / "release.yaml"
IMAGE = "registry.example.com/shop/rebate-core-service@sha256:" + "1f0c" * 16
WHY = "canary error rate 4.8 % (61 of 1,270) is over the objective 1 %; decided after 6 s"


@pytest.fixture(scope="session")
def rollout() -> Callable[..., list[Event]]:
    """Give a rollout's events, from its beginning to its end."""

    def events(outcome: str, why: str = WHY, *between: Event) -> list[Event]:
        began = {"rollout": "3f9c2a", "service": "rebate-core", "image": IMAGE, "steps": [5, 100], "who": "ci@agent-7"}
        return [
            RolloutBegan(at=1_795_000_000.0, **began, target="prod-eu"),
            PhaseEntered(at=1_795_000_000.0, phase="preflight"),
            *between,
            RolloutEnded(at=1_795_000_090.0, outcome=outcome, sentence=why, exit_code=1),
        ]

    return events


@pytest.fixture(scope="session")
def held() -> Held:
    why = "a person has to say `sluicegate promote`"
    return Held(at=1_795_000_050.0, step=5, cause="approval", why=why, limit=3600.0)


@pytest.fixture
def told(job: Callable[..., Job]) -> Callable[..., list[str]]:
    """Tell a rollout to its end; give what was noted of it."""

    def tell(events: list[Event], environ: dict[str, str], *, patience: float = 10.0, **notify: Any) -> list[str]:
        notes: list[Event] = []
        notifiers = Notifiers(channels(job(**notify), environ), notes.append, patience)
        for event in events:
            notifiers.tell(event)
        notifiers.finish()
        return [note.text for note in notes if isinstance(note, Note)]

    return tell


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Job]:
    """Make a rollout whose release file says whom to tell."""

    def make(**notify: Any) -> Job:
        release: Release = load_release(EXAMPLE).model_copy(update={"notify": Notify.model_validate(notify)})
        about = {"rollout": "3f9c2a", "image": IMAGE, "target": "prod-eu", "who": "ci@agent-7"}
        return Job(release=release, file=Path("/src/release.yaml"), reports=tmp_path, **about)

    return make


@dataclass
class Mailbox:
    """What an SMTP server was given; it takes mail only from who logs in with the password."""

    port: int = 0
    password: str = "correct-horse"
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)

    def login(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == self.password.encode(), handled=False)

    async def handle_DATA(  # noqa: N802 - as the server calls it
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        mail = message_from_bytes(envelope.content or b"", policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.recipients.append(envelope.rcpt_tos)
        return "250 OK"

    def address(self, password: str = "") -> str:
        login = f"ci:{password or self.password}@127.0.0.1:{self.port}"
        return f"mailto://{login}?smtp=127.0.0.1&from=ci@example.com&to=team@example.com&mode=insecure"


class AnyPort(Controller):
    """A server that takes a port that is free."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    server = AnyPort(box, "127.0.0.1", 0, authenticator=box.login, auth_require_tls=False, auth_required=True)
    server.start()
    box.port = server.port
    yield box
    server.stop()


@dataclass
class Heard:
    """What an HTTP server was asked."""

    url: str = ""
    status: int = 201
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(body) for *_, body in self.requests]


@pytest.fixture
def server() -> Iterator[Heard]:
    heard = Heard()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            heard.requests.append((self.command, self.path, dict(self.headers), body))
            self.send_response(heard.status)
            self.send_header("content-length", "0")
            self.send_header("location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()

        do_POST = do_PUT = answer  # noqa: N815 - as the server calls it

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    heard.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, args=(0.02,))
    thread.start()
    yield heard
    http.shutdown()
    http.server_close()
    thread.join()


@contextmanager
def listening(*, accepts: bool) -> Iterator[int]:
    """Listen without ever answering, or have a port at which nobody does."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        if accepts:
            yield port
    if not accepts:
        yield port


@pytest.fixture
def port() -> Iterator[Callable[..., int]]:
    with ExitStack() as open_:
        yield lambda *, accepts: open_.enter_context(listening(accepts=accepts))
