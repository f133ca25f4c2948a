"""A rollout that is taken back tells people by a real SMTP server, and waits for no server that hangs."""

import mailbox
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fixtures.waiting import NotYet, wait

pytestmark = [pytest.mark.long, pytest.mark.live, pytest.mark.xdist_group("live")]


@dataclass
class MailServer:
    """A server, and what it was given."""

    port: int
    folder: Path

    def subjects(self) -> list[str]:
        return sorted(mail["subject"] for mail in mailbox.Maildir(self.folder, create=False))


@pytest.fixture
def mail_server(tmp_path: Path) -> Iterator[MailServer]:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    folder = tmp_path / "mails"
    words = ["-n", "-l", f"127.0.0.1:{port}", "-c", "aiosmtpd.handlers.Mailbox", str(folder)]
    process = subprocess.Popen([sys.executable, "-m", "aiosmtpd", *words])

    def there() -> bool | NotYet:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError as error:
            return NotYet(str(error))
        return True

    wait(there, what="a mail server", timeout=20, interval=0.05)
    yield MailServer(port, folder)
    process.kill()
    process.wait(10)


@pytest.mark.usefixtures("as_before")
def test_a_rollback_is_mailed_while_a_webhook_hangs(
    place: Any, start: Any, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"mailto://127.0.0.1:{mail_server.port}?smtp=127.0.0.1&from=ci@example.com&to=team@example.com"
    monkeypatch.setenv("TEAM_MAIL", f"{address}&mode=insecure")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hangs = f"http://127.0.0.1:{silent.getsockname()[1]}/status"
        notify = f'{{messages: [{{to: TEAM_MAIL}}], webhooks: [{{url: "{hangs}", body: {{state: "{{state}}"}}}}]}}'
        with place.promising(notify=notify):
            rollout = start("bad")
            ended = rollout.end()
        rollout.process.communicate(timeout=30)
    assert (ended["outcome"], ended["exit_code"]) == ("rolled back", 1)
    [measured] = rollout.kinds("rollback_measured")
    assert measured["last_routed"] - measured["verdict"] < 0.5, "nobody waited for the webhook"
    assert mail_server.subjects() == ["rebate-core: rolled back", "rebate-core: started"]
