"""A release's manifests in little YAML, all in order; a test spoils one line of them and sees which rule says so."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from checks.manifests.evidence import Manifests, Names
from checks.manifests.lint import RULES
from checks.manifests.rule import Finding, Level, findings
from fixtures.manifest_yaml import read

FOLDER = "bases/shop"
NAMES = Names("prod", "shop", "shop", "shop-canary", ("shop",), "registry/team/shop", FOLDER, "shop-prod")
GOOD = {
    f"{FOLDER}/stable.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop, version: stable}}
  template:
    metadata: {labels: {app: shop, version: stable}}
    spec:
      containers:
        - name: app
          image: registry/team/shop@sha256:1f
          ports: [{name: web, containerPort: 8080}]
          readinessProbe: {httpGet: {path: /ready, port: web}}
          resources: {requests: {cpu: 100m, memory: 64Mi}}
""",
    f"{FOLDER}/service.yaml": """\
apiVersion: v1
kind: Service
metadata: {name: shop}
spec:
  selector: {app: shop}
  ports: [{name: http, port: 80, targetPort: web}]
""",
    "traffic/shop.yaml": """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: shop, namespace: prod}
spec:
  host: shop.prod.svc.cluster.local
  subsets:
    - {name: stable, labels: {version: stable}}
    - {name: canary, labels: {version: canary}}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: public, namespace: prod}
spec:
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*.example.com"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: prod}
spec:
  hosts: [shop.example.com]
  gateways: [public]
  http:
    - name: primary
      timeout: 5s
      retries: {attempts: 0}
      route:
        - destination: {host: shop.prod.svc.cluster.local, subset: stable}
          weight: 100
        - destination: {host: shop.prod.svc.cluster.local, subset: canary}
          weight: 0
""",
    "application.yaml": """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop-prod, namespace: argocd}
spec:
  source: {repoURL: https://git/shop.git, path: bases/shop, targetRevision: main}
  ignoreDifferences: []
  syncPolicy:
    automated: {prune: true, selfHeal: true}
    syncOptions: [CreateNamespace=true]
""",
}
GOOD[f"{FOLDER}/canary.yaml"] = (
    GOOD[f"{FOLDER}/stable.yaml"].replace("{name: shop}", "{name: shop-canary}").replace("stable", "canary")
)


@dataclass(frozen=True)
class Linted:
    """What all rules found."""

    found: tuple[Finding, ...]

    def rules(self, level: Level = Level.FAIL) -> list[str]:
        return [each.rule.id for each in self.found if each.flaw.level is level]

    def of(self, rule: str) -> Finding:
        (finding,) = [each for each in self.found if each.rule.id == rule]
        return finding


@pytest.fixture(scope="session")
def texts() -> Callable[..., dict[str, str]]:
    """Give the files with some lines spoilt: ``texts(("traffic/shop.yaml", "timeout: 5s", ""))``."""

    def spoil(*edits: tuple[str, str, str], without: tuple[str, ...] = ()) -> dict[str, str]:
        changed = {name: text for name, text in GOOD.items() if name not in without}
        for name, old, new in edits:
            full = name if name in GOOD else f"{FOLDER}/{name}"
            before = changed.get(full, "")
            assert before.count(old) == 1 or not before, f"{old!r} stands {before.count(old)} times in {full}"
            changed[full] = before.replace(old, new) if before else new
        return changed

    return spoil


@pytest.fixture(scope="session")
def gathered() -> Callable[..., Manifests]:
    """Make the evidence of files, as the fixtures do."""

    def make(files: dict[str, str], *, names: Names = NAMES, whole: bool = False) -> Manifests:
        read_files = [read(text, name, synced=name.startswith(FOLDER)) for name, text in files.items()]
        found = tuple(each for some, _ in read_files for each in some)
        return Manifests(names, found, tuple(each for _, why in read_files for each in why), whole)

    return make


@pytest.fixture(scope="session")
def good(texts, gathered) -> Manifests:
    """The good manifests."""
    return gathered(texts())


@pytest.fixture(scope="session")
def lint(texts, gathered) -> Callable[..., Linted]:
    """Look with all rules at the good manifests with some lines spoilt."""

    def look(*edits: tuple[str, str, str], without: tuple[str, ...] = (), **facts: object) -> Linted:
        return Linted(findings(RULES, gathered(texts(*edits, without=without), **facts)))

    return look
