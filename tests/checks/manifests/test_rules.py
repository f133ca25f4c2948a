"""Each rule, by a line that breaks it and nothing else; and by its neighbours that are right."""

from dataclasses import replace

import pytest

from checks.manifests.evidence import Unread
from checks.manifests.lint import RULES
from checks.manifests.routes import at_rest
from checks.manifests.rule import Level, findings

HOST = "shop.prod.svc.cluster.local"
VS, APP = "traffic/shop.yaml", "application.yaml"
SPLIT = "        - destination: {host: shop.prod.svc.cluster.local, subset: canary}\n          weight: 0\n"
TIMEOUT = "      timeout: 5s\n"
PROBE = "          readinessProbe: {httpGet: {path: /ready, port: web}}\n"
TESTERS = (
    "    - {{match: [{{headers: {{tester: {{exact: a}}}}}}], route: [{{destination: {{host: {}, subset: {}}}}}]}}\n"
)
HPA = (
    "kind: HorizontalPodAutoscaler\n"
    "metadata: {{name: scaler}}\n"
    "spec: {{scaleTargetRef: {{kind: Deployment, name: {}}}}}\n"
)
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {{name: other}}\nspec: {{type: {}, selector: {{app: shop}}}}\n"

BROKEN = [
    # the rule (and those that it can not be broken without), file, what stands there, what instead, the finding's words
    ("yaml", "more.yaml", "", "kind: Service\nspec: [1", "bases/shop/more.yaml:2: this is not YAML"),
    ("duplicate-keys", "stable.yaml", "- name: app", "- name: app\n          image: old", "stands in line 11 already"),
    ("yaml-1.1", "stable.yaml", "spec:\n  sel", "spec:\n  minReadySeconds: 010\n  sel", "010 is read as 8"),
    ("text", "stable.yaml", "version: stable}}\n    spec", "version: stable, on: 1.10}}\n    spec", "the number 1.1"),
    ("yaml-1.1", VS, "weight: 100", "weight: 0144", "0144 is read as 100"),
    ("text", "stable.yaml", PROBE, PROBE + "          args: [8080]\n", "8080 is read as the number 8080"),
    ("text", "more.yaml", "", "kind: ConfigMap\nmetadata: {name: c}\ndata: {A: 1}", "the number 1"),
    ("text", "more.yaml", "", "kind: Secret\nmetadata: {name: s}\nstringData: {A: on}", "on is read as true"),
    (
        "text",
        VS,
        "  http:\n",
        "  http:\n" + TESTERS.format(HOST, "stable").replace("exact: a", "exact: 1"),
        "text is needed",
    ),
    ("text", "stable.yaml", PROBE, PROBE + "          env: [{name: DEBUG, value: yes}]\n", "yes is read as true"),
    ("two-deployments", "canary.yaml", "shop-canary", "shop-canry", "did you mean shop-canry?"),
    ("two-deployments", "more.yaml", "", "kind: Deployment\nmetadata: {name: shop}", "is there already"),
    (
        "selectors-apart",
        "canary.yaml",
        "{matchLabels: {app: shop, version: canary}}",
        "{matchLabels: {app: shop}}",
        "too",
    ),
    (
        "version-label selectors-apart subset-pods",
        "canary.yaml",
        "labels: {app: shop, version: canary}",
        "labels: {app: shop, track: canary}",
        "no label",
    ),
    ("destination-rule", VS, "  host: shop.prod", "  host: shopp.prod", "only for shopp.prod.svc.cluster.local"),
    ("destination-rule subset-known", VS, "name: canary, labels", "name: canry, labels", "did you mean canry?"),
    ("subset-pods", VS, "labels: {version: canary}", "labels: {app: shop}", "selects the pods of shop, shop-canary"),
    ("subset-pods", VS, "labels: {version: canary}", "labels: {version: v2}", "selects the pods of none"),
    ("subset-known", VS, "  http:\n", "  http:\n" + TESTERS.format(HOST, "canry"), "did you mean canary?"),
    (
        "virtual-service",
        VS,
        "VirtualService\nmetadata: {name: shop",
        "VirtualService\nmetadata: {name: shp",
        "mean shp?",
    ),
    ("split", VS, SPLIT, "", "no route of VirtualService shop goes to"),
    ("weights", VS, "weight: 100", "weight: -100", "-100 is no weight"),
    ("weights", VS, "weight: 100", "weight: 99.5", "99.5 is no weight"),
    ("weights", VS, "weight: 100", "weight: 0", "all weights are 0"),
    ("at-rest", VS, "weight: 0\n", "weight: 5\n", "the canary has weight 5"),
    (
        "catch-all-last",
        VS,
        "    - name: primary",
        "    - {name: all, redirect: {uri: /}}\n    - name: primary",
        "route primary is never reached: all takes",
    ),
    (
        "catch-all-last",
        VS,
        "    - name: p",
        "    - {match: [{name: a, uri: {prefix: /}}], redirect: {}}\n    - name: p",
        "never",
    ),
    ("catch-all-last", VS, "    - name: p", "    - {match: [{name: a}], redirect: {}}\n    - name: p", "never reached"),
    ("gateways", VS, '["*.example.com"]', "[xexample.com]", "no server of Gateway prod/public has a host"),
    ("split", VS, SPLIT, SPLIT + SPLIT.replace("shop.prod", "old.other"), "no route of VirtualService shop goes to"),
    ("hosts", VS, "hosts: [shop.example.com]", "hosts: [shop.example.com, shpo]", "shpo is a short name"),
    ("gateways", VS, '["*.example.com"]', '["*.example.org"]', "no server of Gateway prod/public has a host"),
    ("timeout", VS, TIMEOUT, "", "the route has no timeout"),
    ("timeout", VS, "timeout: 5s", "timeout: 0s", "timeout 0s means none"),
    ("retries", VS, "      retries: {attempts: 0}\n", "", "does not say how often it retries"),
    ("application", APP, "path: bases/shop", "path: bases/other", "does not follow bases/shop"),
    ("application", APP, "targetRevision: main", "targetRevision: v1.4", "follows v1.4, not main"),
    ("application", APP, "    automated: {prune: true, selfHeal: true}\n", "", "by hand"),
    (
        "replicas-and-argocd",
        "stable.yaml",
        "spec:\n  sel",
        "spec:\n  replicas: 3\n  sel",
        "sets Deployment shop to 3 pods",
    ),
    ("one-scaler", "hpa.yaml", "", HPA.format("shop-canary"), "scales the canary shop-canary"),
    (
        "container",
        "stable.yaml",
        "      containers:\n",
        "      containers:\n        - image: r/s:1\n",
        "not exactly one",
    ),
    ("image-fixed", "stable.yaml", "@sha256:1f", ":latest", "registry/team/shop:latest may be any"),
    ("image-fixed", "stable.yaml", "@sha256:1f", "", "registry/team/shop may be any"),
    (
        "image-fixed image-repository",
        "stable.yaml",
        "image: registry/team/shop@sha256:1f",
        "tty: true",
        "without a name",
    ),
    ("image-repository", "canary.yaml", "team/shop@", "team/shop-canary@", "runs registry/team/shop-canary"),
    ("image-pull", "stable.yaml", PROBE, PROBE + "          imagePullPolicy: Never\n", "never pulls"),
    ("readiness", "stable.yaml", PROBE, "", "Deployment shop has no readiness probe"),
    ("liveness", "stable.yaml", PROBE, PROBE + PROBE.replace("readiness", "liveness"), "as impatiently"),
    ("resources", "canary.yaml", "cpu: 100m, ", "", "requests no cpu"),
    ("mesh-service", "service.yaml", "{app: shop}", "{app: shop, version: stable}", "pods of Deployment shop-canary"),
    ("mesh-service", "service.yaml", "  selector: {app: shop}\n", "", "pods of Deployment shop"),
    ("mesh-service", "service.yaml", "name: shop", "name: shopp", "did you mean shopp?"),
    ("past-the-weights", "service.yaml", "spec:", "spec:\n  type: LoadBalancer", "open to the outside (LoadBalancer)"),
    (
        "past-the-weights",
        "more.yaml",
        "",
        SERVICE.format("NodePort"),
        "Service other selects both versions and is open",
    ),
    ("port-protocol", "service.yaml", "name: http, ", "", "port 80 has no name"),
    ("port-protocol", "service.yaml", "name: http, ", "name: tcp-http, ", "port 80 is called tcp-http"),
    ("port-routed", "service.yaml", "[{", "[{name: http-b, port: 81, targetPort: web}, {", "does not say which"),
    ("port-routed", VS, "subset: canary}", "subset: canary, port: {number: 8080}}", "has no port 8080, only 80"),
    (
        "target-port",
        "canary.yaml",
        "name: web, ",
        "name: http, ",
        "no container of Deployment shop-canary has a port web",
    ),
    ("target-port", "service.yaml", "targetPort: web", "targetPort: 9090", "has a port 9090, only web, 8080"),
    ("known-keys", VS, "weight: 0\n", "wieght: 0\n", "Istio knows no wieght here; did you mean weight?"),
    ("known-keys", VS, "timeout: 5s", "timeout: 5s\n      retires: {}", "did you mean retries?"),
    ("known-keys", VS, "servers: [", "colour: red\n  servers: [", "known are selector, servers"),
]


@pytest.mark.parametrize(("rules", "file", "old", "new", "words"), BROKEN)
def test_one_broken_line_is_found_where_it_is_and_nothing_else(rules, file, old, new, words, lint) -> None:
    linted = lint((file, old, new))
    assert set(linted.rules()) == set(rules.split())
    finding = next(each for each in linted.found if each.rule.id == rules.split()[0])
    assert words in f"{finding.flaw.where}: {finding.flaw.what}"
    assert finding.why
    assert finding.remedy


ADVICE = [
    (
        "gateways",
        VS,
        "{name: public, namespace: prod}",
        "{name: public, namespace: other}",
        "did you mean other/public?",
    ),
    ("yaml-1.1", "stable.yaml", "spec:\n  sel", "spec:\n  paused: off\n  sel", "off is read as false"),
    (
        "at-rest",
        VS,
        "  http:\n",
        "  http:\n" + TESTERS.format(HOST, "canary"),
        "route spec.http[0] goes to the canary alone",
    ),
    ("hosts", VS, f"{{host: {HOST}, subset: stable", "{host: shop, subset: stable", f"shop is short for {HOST}"),
    ("hosts", VS, "  http:\n", "  http:\n" + TESTERS.format("legacy.prod.svc.cluster.local", "x"), "no Service legacy"),
    ("gateways", VS, "gateways: [public]", "gateways: [public, istio-system/edge]", "no Gateway istio-system/edge"),
    ("retries", VS, "attempts: 0", "attempts: 2", "tried 2 times more"),
    ("image-fixed", "stable.yaml", "@sha256:1f", ":1.4", "tag 1.4 can be moved"),
    ("resources", "canary.yaml", "cpu: 100m", "cpu: 50m", "different resources"),
    ("past-the-weights", "more.yaml", "", SERVICE.format("ClusterIP"), "Service other selects both versions"),
]


@pytest.mark.parametrize(("rule", "file", "old", "new", "words"), ADVICE)
def test_what_is_only_unwise_is_a_note(rule, file, old, new, words, lint) -> None:
    linted = lint((file, old, new))
    assert not linted.rules()
    assert linted.rules(Level.NOTE) == [rule]
    assert words in linted.of(rule).flaw.what


RIGHT = [
    (
        VS,
        "    - name: p",
        "    - {match: [{uri: {prefix: /}, method: {exact: PUT}}], redirect: {uri: /}}\n    - name: p",
    ),
    (VS, "{name: public, namespace: prod}", "{name: public}"),
    ("hpa.yaml", "", HPA.format("shop-canary").replace("Deployment", "StatefulSet")),
    ("stable.yaml", PROBE, PROBE + "          livenessProbe: {httpGet: {path: /alive, port: web}}\n"),
    (
        "canary.yaml",
        "{matchLabels: {app: s",
        "{matchExpressions: [{key: x, operator: DoesNotExist}], matchLabels: {app: s",
    ),
    (
        "canary.yaml",
        "{matchLabels: {app: shop, version: canary}}",
        "{matchExpressions: [{key: version, operator: NotIn, values: [stable]}]}",
    ),
    ("more.yaml", "", "kind: Widget\nmetadata: {name: w}\ndata: {A: 1, exactly: 2}"),
    ("more.yaml", "", "kind: ConfigMap\nmetadata: {name: c}\nimmutable: true\nbinaryData: {}"),
    ("stable.yaml", "spec:\n  sel", "spec:\n  paused: oFF\n  sel"),
    ("stable.yaml", PROBE, PROBE + "          options: [{value: 5}]\n"),
    (VS, "  http:\n", "  http:\n" + TESTERS.format(HOST, "''")),
    ("stable.yaml", "      containers:", "      volumes: [{configMap: {defaultMode: 0644}}]\n      containers:"),
    ("stable.yaml", PROBE, PROBE + '          env: [{name: CODE, value: "010"}]\n'),
    ("canary.yaml", "{matchLabels: {app", "{matchExpressions: [{key: app, operator: Exists}], matchLabels: {app"),
    (
        "canary.yaml",
        "{matchLabels: {app: shop, version: canary}}",
        "{matchExpressions: [{key: version, operator: In, values: [canary]}]}",
    ),
    (VS, "\n          weight: 0", ""),
    (VS, "weight: 100", "weight: 1"),
    (VS, "    - name: primary", "    - {match: [{uri: {prefix: /old}}], redirect: {uri: /}}\n    - name: primary"),
    (VS, "hosts: [shop.example.com]", 'hosts: ["*.example.com", "*"]'),
    (VS, "gateways: [public]", "gateways: [prod/public, mesh]"),
    (VS, '["*.example.com"]', '["*"]'),
    (VS, '["*.example.com"]', "[prod/shop.example.com]"),
    (APP, "targetRevision: main", "targetRevision: HEAD"),
    (APP, "  source: {", "  sources: [{repoURL: https://git/values.git, path: x, targetRevision: v1}, {"),
    ("hpa.yaml", "", HPA.format("shop")),
    (
        "stable.yaml",
        PROBE,
        PROBE + "          livenessProbe: {httpGet: {path: /ready, port: web}, failureThreshold: 9}\n",
    ),
    ("service.yaml", "targetPort: web", "targetPort: 8080"),
    ("service.yaml", "name: http,", "name: web, appProtocol: kubernetes.io/h2c,"),
    ("service.yaml", "[{", "[{name: metrics, port: 9000, targetPort: 8080}, {"),
    ("more.yaml", "", "kind: Service\nmetadata: {name: other}\nspec: {selector: {app: shop, version: stable}}"),
    ("more.yaml", "", "kind: Deployment\nmetadata: {name: shop, namespace: elsewhere}"),
    ("more.yaml", "", "kind: VirtualService\nmetadata: {name: others}\nspec: {http: [{route: []}]}"),
]


@pytest.mark.parametrize(("file", "old", "new"), RIGHT)
def test_what_is_right_is_left_alone(file, old, new, lint) -> None:
    edits = [(file, old, new)]
    if "sources" in new:
        edits.append((APP, "targetRevision: main}", "targetRevision: main}]"))
    if "metrics" in new:  # which port is meant has to be said then
        edits += [(VS, f"subset: {each}}}", f"subset: {each}, port: {{number: 80}}}}") for each in ("stable", "canary")]
    assert not lint(*edits).found


def test_manifests_in_order_are_clean(lint) -> None:
    assert not lint().found
    assert not lint(whole=True).found


@pytest.mark.parametrize(
    ("missing", "rules"),
    [
        (VS, ["destination-rule", "virtual-service"]),
        (APP, ["application"]),
        ("bases/shop/service.yaml", ["mesh-service"]),
    ],
)
def test_what_no_file_has_fails_only_where_the_cluster_was_asked_too(missing, rules, lint) -> None:
    alone, with_cluster = lint(without=(missing,)), lint(without=(missing,), whole=True)
    assert (alone.rules(), alone.rules(Level.UNSEEN)) == ([], rules)
    assert with_cluster.rules() == rules


LEGACY = "legacy.prod.svc.cluster.local"


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("  http:\n", "  http:\n" + TESTERS.format(LEGACY, "x"), "hosts"),
        ("gateways: [public]", "gateways: [public, istio-system/edge]", "gateways"),
    ],
)
def test_what_is_nowhere_in_the_cluster_fails(old, new, rule, lint) -> None:
    linted = lint((VS, old, new), whole=True)
    assert linted.rules() == [rule]


@pytest.mark.parametrize(
    ("host", "service"), [(LEGACY, "legacy"), ("legacy.elsewhere.svc.cluster.local", "any"), ("api.example.com", "any")]
)
def test_routes_to_other_services_are_other_people_s(host, service, lint) -> None:
    there = ("more.yaml", "", f"kind: Service\nmetadata: {{name: {service}}}\nspec: {{selector: {{app: legacy}}}}")
    assert not lint((VS, "  http:\n", "  http:\n" + TESTERS.format(host, "x")), there, whole=True).found


def test_only_the_port_that_is_routed_to_has_to_say_its_protocol(lint) -> None:
    both = [(VS, f"subset: {each}}}", f"subset: {each}, port: {{number: 80}}}}") for each in ("stable", "canary")]
    ports = "[{name: db, port: 9000, targetPort: 8080}, {"
    assert not lint(*both, ("service.yaml", "[{", ports)).found
    assert lint(*both, ("service.yaml", "[{name: http, ", ports)).rules() == ["port-protocol"]


def test_a_port_need_not_be_declared_to_be_open(lint) -> None:
    silent = [
        (file, "          ports: [{name: web, containerPort: 8080}]\n", "") for file in ("stable.yaml", "canary.yaml")
    ]
    by_number = lint(*silent, ("service.yaml", "targetPort: web", "targetPort: 8080"))
    assert (by_number.rules(), set(by_number.rules(Level.NOTE))) == ([], {"target-port"})
    assert set(lint(*silent).rules()) == {"target-port"}


def test_a_canary_that_shares_a_route_with_another_service_is_not_alone(lint) -> None:
    shared = TESTERS.format(HOST, "canary").replace("canary}}]", "canary}}, {destination: {host: api.example.com}}]")
    assert not lint((VS, "  http:\n", "  http:\n" + shared)).found


def test_a_gateway_may_serve_a_part_of_the_hosts(lint) -> None:
    edits = (
        (VS, '["*.example.com"]', "[shop.example.com]"),
        (VS, "hosts: [shop.example.com]\n  g", 'hosts: ["*.example.com"]\n  g'),
    )
    assert not lint(*edits).found


@pytest.mark.parametrize(
    ("wrong", "synced", "level"),
    [(True, True, Level.FAIL), (False, True, Level.UNSEEN), (True, False, Level.NOTE), (False, False, Level.NOTE)],
)
def test_a_file_that_was_not_read_counts_by_who_can_not_read_it_and_where_it_lies(wrong, synced, level, good) -> None:
    unread = Unread("a.yaml", "it is too large", wrong=wrong, synced=synced, remedy="make two of it")
    (found,) = findings(RULES, replace(good, unread=(unread,)))
    assert (found.rule.id, found.flaw.level, found.remedy) == ("yaml", level, "make two of it")


def test_a_route_to_the_canary_without_a_match_takes_everybody(lint) -> None:
    everybody = TESTERS.format(HOST, "canary").replace("match: [{headers: {tester: {exact: a}}}], ", "")
    assert lint((VS, "  http:\n", "  http:\n" + everybody)).rules() == ["at-rest", "catch-all-last"]


def test_weights_of_a_live_virtual_service_are_not_git_at_rest(lint, texts, gathered) -> None:
    manifests = gathered(texts((VS, "weight: 0\n", "weight: 25\n")))
    live = [replace(each, lines={}) if each.kind == "VirtualService" else each for each in manifests.found]
    assert findings([at_rest], manifests)
    assert not findings([at_rest], replace(manifests, found=tuple(live)))
