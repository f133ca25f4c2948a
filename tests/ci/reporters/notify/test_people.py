"""Mail, on a real SMTP server that wants a password."""

from typing import Any

import pytest

pytestmark = [
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),  # Apprise asks for it
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS"),  # on loopback it does no harm
]

JENKINS = {"JOB_NAME": "shop/rebate", "BUILD_NUMBER": "42", "BUILD_URL": "https://jenkins.example.com/job/shop/42/"}


def test_a_rollback_is_mailed_with_its_reason_and_the_builds_console(told: Any, rollout: Any, mailbox: Any) -> None:
    environ = {"TEAM_MAIL": mailbox.address(), **JENKINS}
    assert told(rollout("rolled back"), environ, messages=[{"to": "TEAM_MAIL", "on": ["rolled_back"]}]) == []
    [mail] = mailbox.mails
    assert mailbox.recipients == [["team@example.com"]]
    assert mail["subject"] == "rebate-core: rolled back (shop/rebate #42)"
    text = mail.get_body(("plain",)).get_content()
    assert text.splitlines()[0] == "canary error rate 4.8 % (61 of 1,270) is over the objective 1 %; decided after 6 s"
    assert "console  https://jenkins.example.com/job/shop/42/console" in text
    assert "image    rebate-core-service@sha256:1f0c1f0c1f0c" in text
    assert "took     1 min 30 s" in text


def test_every_turn_is_mailed_unless_the_file_says_which(told: Any, rollout: Any, held: Any, mailbox: Any) -> None:
    environ = {"TEAM_MAIL": mailbox.address()}
    told(rollout("promoted", "rebate-core runs it", held), environ, messages=[{"to": "TEAM_MAIL"}])
    assert [mail["subject"] for mail in mailbox.mails] == [
        "rebate-core: started",
        "rebate-core: held",
        "rebate-core: promoted",
    ]


def test_a_hold_says_what_can_be_done_now_and_where(told: Any, rollout: Any, held: Any, mailbox: Any) -> None:
    environ = {"TEAM_MAIL": mailbox.address()}
    told(rollout("promoted", "", held), environ, messages=[{"to": "TEAM_MAIL", "on": ["held"]}])
    text = mailbox.mails[0].get_body(("plain",)).get_content()
    assert "HELD at 5 %" in text
    assert "  sluicegate promote /src/release.yaml --target prod-eu" in text


def test_a_foreign_sentence_is_text_in_every_part_of_the_mail(told: Any, rollout: Any, mailbox: Any) -> None:
    evil = "pod says <img src=x onerror=alert(1)>\r\nBcc: eve@example.com\x1b[2J"
    environ = {"TEAM_MAIL": mailbox.address()}
    told(rollout("rolled back", evil), environ, messages=[{"to": "TEAM_MAIL", "on": ["rolled_back"]}])
    [mail] = mailbox.mails
    html = mail.get_body(("html",))
    assert "<img" not in (html.get_content() if html else "")
    assert mail["bcc"] is None
    assert "\x1b" not in mail.get_body(("plain",)).get_content()
    assert mailbox.recipients == [["team@example.com"]]


def test_a_wrong_password_is_said_once_without_the_password(
    told: Any, rollout: Any, held: Any, mailbox: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    environ = {"TEAM_MAIL": mailbox.address(password="wrong-horse")}
    [note] = told(rollout("promoted", "", held), environ, messages=[{"to": "TEAM_MAIL"}])
    assert note.startswith("notify.messages[0] (TEAM_MAIL) was not told, the rollout goes on: ")
    assert "horse" not in note + "".join(capfd.readouterr())
    assert mailbox.mails == []


def test_a_server_that_is_not_there_is_named(told: Any, rollout: Any, port: Any) -> None:
    address = f"mailto://ci:horse@127.0.0.1:{port(accepts=False)}?smtp=127.0.0.1&from=ci@example.com&mode=insecure"
    [note] = told(rollout("promoted"), {"TEAM_MAIL": address}, messages=[{"to": "TEAM_MAIL"}])
    assert "127.0.0.1" in note
    assert "horse" not in note


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({}, "the environment has no TEAM_MAIL"),
        ({"TEAM_MAIL": "nonsense://s3cret-token"}, "TEAM_MAIL is no address that Apprise knows"),
    ],
)
def test_an_address_that_is_none_is_said_without_it(
    told: Any, rollout: Any, environ: dict[str, str], why: str, capfd: pytest.CaptureFixture[str]
) -> None:
    [note] = told(rollout("promoted"), environ, messages=[{"to": "TEAM_MAIL"}])
    assert note.endswith(why)
    assert "s3cret" not in "".join(capfd.readouterr())


def test_an_address_that_is_missing_is_said_before_it_is_needed(told: Any, rollout: Any) -> None:
    [note] = told(rollout("rolled back")[:1], {}, messages=[{"to": "TEAM_MAIL", "on": ["rolled_back"]}])
    assert note.endswith("the environment has no TEAM_MAIL")
