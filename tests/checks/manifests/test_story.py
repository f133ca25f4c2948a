"""The team of the story, as it was: one Deployment, edited by sed, latest, the VirtualService under self-heal."""

import pytest

from checks.manifests.evidence import Names
from checks.manifests.lint import RULES
from checks.manifests.rule import findings, judging
from checks.verdict import Outcome

IMAGE = "registry.example.com/shop/rebate-core-service"
NAMES = Names(
    "production", "rebate-core", "rebate-core", "rebate-core-canary", ("rebate-core",), IMAGE, "bases/shop", "app"
)
STORY = {
    "bases/shop/deployment.yaml": f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: rebate-core}}
spec:
  replicas: 3
  selector: {{matchLabels: {{app: rebate-core}}}}
  template:
    metadata: {{labels: {{app: rebate-core}}}}
    spec:
      containers:
        - name: app
          image: {IMAGE}:latest
""",
    "bases/shop/service.yaml": """\
kind: Service
metadata: {name: rebate-core}
spec:
  selector: {app: rebate-core}
  ports: [{port: 80, targetPort: 8080}]
""",
    "bases/shop/traffic.yaml": """\
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata: {name: rebate-core}
spec:
  hosts: [rebate-core]
  http:
    - route:
        - {destination: {host: rebate-core, subset: stable}, weight: 95}
        - {destination: {host: rebate-core, subset: canary}, weight: 5}
---
apiVersion: networking.istio.io/v1beta1
kind: DestinationRule
metadata: {name: rebate-core}
spec:
  host: rebate-core
  subsets: [{name: stable, labels: {version: stable}}, {name: canary, labels: {version: canary}}]
""",
    "application.yaml": """\
kind: Application
metadata: {name: app, namespace: argocd}
spec:
  source: {path: bases/shop, targetRevision: HEAD}
  syncPolicy:
    automated: {prune: true, selfHeal: true, allowEmpty: false}
    syncOptions: [CreateNamespace=true, PrunePropagationPolicy=foreground]
  ignoreDifferences: [{group: apps, kind: Deployment, jsonPointers: [/spec/replicas]}]
""",
}


@pytest.mark.parametrize(
    ("rule", "where", "words"),
    [
        ("two-deployments", "bases/shop", "no Deployment rebate-core-canary for canary, only rebate-core"),
        ("version-label", "deployment.yaml:8", "have no label version"),
        ("subset-pods", "traffic.yaml:16", "subset stable selects the pods of none"),
        ("at-rest", "traffic.yaml:9", "the canary has weight 5"),
        ("timeout", "traffic.yaml:7", "the route has no timeout"),
        ("retries", "traffic.yaml:7", "does not say how often it retries"),
        ("weights-and-argocd", "traffic.yaml:6", "self-heal does it within a second"),
        ("replicas-and-argocd", "deployment.yaml:5", "to 3 pods, although Application app ignores them"),
        ("image-fixed", "deployment.yaml:12", f"{IMAGE}:latest may be any"),
        ("readiness", "deployment.yaml:11", "has no readiness probe"),
        ("resources", "deployment.yaml:11", "requests no cpu and no memory"),
        ("port-protocol", "service.yaml:5", "port 80 has no name"),
    ],
)
def test_each_thing_that_hurt_is_named(rule, where, words, gathered) -> None:
    found = findings(RULES, gathered(STORY, names=NAMES))
    finding = next(each for each in found if each.rule.id == rule)
    assert where in finding.flaw.where
    assert words in finding.flaw.what


def test_a_failed_gate_says_all_of_it_the_mistakes_only(gathered) -> None:
    verdict = judging(RULES)(gathered(STORY, names=NAMES))
    assert verdict.outcome is Outcome.FAIL
    first, *rest = verdict.sentence.splitlines()
    assert first.startswith("12 mistakes in the manifests: bases/shop: there is no Deployment rebate-core-canary")
    assert len(rest) == 11
    assert verdict.numbers["mistakes"] == 12
