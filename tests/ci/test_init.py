"""From one Deployment to a service that is ready for a canary: only lines are added, and lint finds nothing."""

import difflib
import shutil
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from checks.verdict import Outcome
from ci.adopt.found import look
from ci.adopt.propose import Given, Proposal, propose
from ci.lint import lint
from fixtures.errors import InputError

STORY = Path(__file__).parents[2] / "examples" / "story"
FOLDER = "bases/rebate-core"
GIVEN = Given(path=FOLDER, host="rebate.example.com")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return Path(shutil.copytree(STORY, tmp_path / "checkout"))


def proposed(checkout: Path, given: Given = GIVEN) -> Proposal:
    return propose(look(checkout, given.path), given)


def edit(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


def objects(text: str) -> list[Any]:
    return [each for each in YAML(typ="safe", pure=True).load_all(text) if each is not None]


def test_what_is_proposed_passes_lint(checkout: Path) -> None:
    proposed(checkout).write(checkout)
    found = lint(checkout / "release.yaml", checkout, None)
    assert (found.outcome, [each.flaw.what for each in found.findings]) == (Outcome.PASS, [])


def test_what_is_there_gets_lines_and_loses_none(checkout: Path) -> None:
    proposal = proposed(checkout)
    assert {str(path) for path in proposal.before} == {f"{FOLDER}/deployment.yaml", "application.yaml"}
    for path, before in proposal.before.items():
        changes = list(difflib.ndiff(before.splitlines(), proposal.after[path].splitlines()))
        assert not [line for line in changes if line.startswith("- ")]


def test_nothing_is_written_before_a_person_has_seen_it(checkout: Path) -> None:
    before = {path: path.read_bytes() for path in checkout.rglob("*.yaml")}
    assert "+++ b/traffic/rebate-core.yaml" in proposed(checkout).diff()
    assert {path: path.read_bytes() for path in checkout.rglob("*.yaml")} == before


def test_who_calls_todays_service_never_meets_the_canary(checkout: Path) -> None:
    after = proposed(checkout).after
    [canary] = objects(after[Path(FOLDER) / "rebate-core-canary.yaml"])
    labels = canary["spec"]["template"]["metadata"]["labels"]
    assert labels["app"] != "rebate-core", "that is what today's Service selects"
    assert canary["spec"]["selector"]["matchLabels"].items() <= labels.items()
    [versions] = objects(after[Path(FOLDER) / "rebate-core-versions.yaml"])
    [stable] = objects(after[Path(FOLDER) / "deployment.yaml"])
    for pods in (labels, stable["spec"]["template"]["metadata"]["labels"]):
        assert versions["spec"]["selector"].items() <= pods.items()
    assert stable["spec"]["selector"] == {"matchLabels": {"app": "rebate-core"}}, "a selector can not be changed"


PODS = "      labels:\n        app: rebate-core\n"
SELECTOR = "    matchLabels:\n      app: rebate-core\n"
NAMED = "metadata:\n  name: rebate-core\n"
LAYOUTS = {
    "labels between braces": [(PODS, "      labels: {app: rebate-core}\n")],
    "a namespace of its own": [(NAMED, "metadata:\n  namespace: production\n  name: rebate-core\n")],
    "another document before it": [
        ("# The service", "kind: ConfigMap\nmetadata: {name: settings}\n---\n# The service")
    ],
    "no replicas": [("  replicas: 3   # the autoscaler's business since last year\n", "")],
    "two labels in its selector": [(SELECTOR, SELECTOR + "      tier: web\n"), (PODS, PODS + "        tier: web\n")],
}


@pytest.mark.parametrize("changes", LAYOUTS.values(), ids=LAYOUTS)
def test_it_is_read_however_it_is_laid_out(checkout: Path, changes: list[tuple[str, str]]) -> None:
    edit(checkout / FOLDER / "deployment.yaml", *changes)
    proposed(checkout).write(checkout)
    assert lint(checkout / "release.yaml", checkout, None).outcome is Outcome.PASS


OPTIONS = "    syncOptions:\n      - CreateNamespace=true\n      - PrunePropagationPolicy=foreground\n"
IGNORES = (
    "  ignoreDifferences:\n    - group: apps\n      kind: Deployment\n      jsonPointers:\n        - /spec/replicas\n"
)
APPLICATIONS = {
    "options between brackets": (OPTIONS, "    syncOptions: [CreateNamespace=true]\n"),
    "no options": (OPTIONS, ""),
    "nothing ignored": (IGNORES, ""),
    "something else ignored": (IGNORES, IGNORES.replace("/spec/replicas", "/spec/paused")),
}


@pytest.mark.parametrize(("old", "new"), APPLICATIONS.values(), ids=APPLICATIONS)
def test_the_application_leaves_replicas_alone_afterwards(checkout: Path, old: str, new: str) -> None:
    edit(checkout / "application.yaml", (old, new))
    proposed(checkout).write(checkout)
    assert lint(checkout / "release.yaml", checkout, None).outcome is Outcome.PASS


def test_an_application_elsewhere_is_spoken_of(checkout: Path) -> None:
    (checkout / "application.yaml").unlink()
    with pytest.raises(InputError, match="says a namespace"):
        proposed(checkout)
    edit(checkout / FOLDER / "deployment.yaml", *LAYOUTS["a namespace of its own"])
    with pytest.raises(InputError, match="say it with --repository"):
        proposed(checkout)
    given = Given(path=FOLDER, host="rebate.example.com", repository="https://git.example.com/shop/k8s.git")
    assert "your Application is not here: give it RespectIgnoreDifferences=true" in " ".join(
        proposed(checkout, given).steps
    )


def test_a_gateway_that_is_there_is_used(checkout: Path) -> None:
    given = Given(path=FOLDER, host="rebate.example.com", gateway="istio-system/shop")
    made = objects(proposed(checkout, given).after[Path("traffic/rebate-core.yaml")])
    assert [each["kind"] for each in made] == ["DestinationRule", "VirtualService"]
    assert made[1]["spec"]["gateways"] == ["istio-system/shop"]


def test_where_a_second_version_is_already_it_is_left_to_a_person(checkout: Path) -> None:
    text = (checkout / FOLDER / "deployment.yaml").read_text().replace("rebate-core", "rebate-core-next")
    (checkout / FOLDER / "next.yaml").write_text(text)
    with pytest.raises(InputError, match="one Deployment here, and there is Deployment rebate-core .*rebate-core-next"):
        look(checkout, FOLDER)


def test_no_file_is_written_over(checkout: Path) -> None:
    proposal = proposed(checkout)
    (checkout / "release.yaml").write_text("mine\n")
    before = (checkout / FOLDER / "deployment.yaml").read_text()
    with pytest.raises(InputError, match="there already"):
        proposal.write(checkout)
    assert (checkout / FOLDER / "deployment.yaml").read_text() == before
