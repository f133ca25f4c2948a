"""VirtualServices become Envoy's routes; a real Envoy says whether it would take them."""

import json
import subprocess

import pytest

from fixtures.sandbox.binaries import ENVOY, find
from fixtures.sandbox.controllers.istiod.clusters import check_rule, clusters, envoy_cluster, envoy_endpoints
from fixtures.sandbox.controllers.istiod.hosts import check_gateway, check_virtual_service, route_configuration
from fixtures.sandbox.controllers.istiod.words import NotSupported, duration

HOST = "shop.production.svc.cluster.local"
STABLE, CANARY = f"outbound|80|stable|{HOST}", f"outbound|80|canary|{HOST}"


def virtual_service(*rules, name="shop", hosts=("shop.example.com",), gateways=("edge",), made="2026-01-01", **more):
    metadata = {"name": name, "namespace": "production", "resourceVersion": "77", "creationTimestamp": made}
    spec = {"hosts": list(hosts), "gateways": list(gateways), "http": list(rules), **more}
    return {"metadata": metadata, "spec": {key: value for key, value in spec.items() if value}}


def delegate(*rules, name="weights"):
    return virtual_service(*rules, name=name, hosts=(), gateways=())


def gateway(*hosts, name="edge", namespace="production", **spec):
    server = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": list(hosts) or ["*"]}
    spec = {"selector": {"istio": "ingressgateway"}, "servers": [server], **spec}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


def to(subset, weight=None, **more):
    return {"destination": {"host": "shop", "subset": subset}, **({} if weight is None else {"weight": weight}), **more}


def translate(*virtual_services, gateways=None):
    for each in virtual_services:
        check_virtual_service(each, list(virtual_services), lambda _: 80)
    return route_configuration(list(virtual_services), gateways or [gateway()], lambda _: 80)


def routes(*rules):
    (host,) = translate(virtual_service(*rules))["virtual_hosts"]
    return host["routes"]


def test_several_destinations_are_split_and_weight_0_is_left_out():
    (route,) = routes({"route": [to("stable", 95), to("canary", 5)]})
    assert route["route"]["weighted_clusters"] == {
        "clusters": [{"name": STABLE, "weight": 95}, {"name": CANARY, "weight": 5}]
    }
    (route,) = routes({"route": [to("stable", 100), to("canary", 0)]})
    assert route["route"]["weighted_clusters"] == {"clusters": [{"name": STABLE, "weight": 100}]}


def test_one_destination_takes_all_whatever_its_weight():
    (route,) = routes({"route": [to("canary", 0)]})
    assert route["route"]["cluster"] == CANARY


def test_there_are_two_retries_unless_the_rule_says_otherwise():
    policies = [
        routes({"route": [to("stable")], **retries})[0]["route"].get("retry_policy", {}).get("num_retries")
        for retries in ({}, {"retries": {"attempts": 0}}, {"retries": {"attempts": 5}})
    ]
    assert policies == [2, None, 5]


def test_status_codes_to_retry_on_are_given_as_codes():
    retries = {"attempts": 1, "retryOn": "5xx,503", "perTryTimeout": "250ms"}
    policy = routes({"route": [to("stable")], "retries": retries})[0]["route"]["retry_policy"]
    assert (policy["retry_on"], policy["retriable_status_codes"]) == ("5xx,retriable-status-codes", [503])
    assert policy["per_try_timeout"] == "0.250s"


def test_there_is_no_timeout_unless_the_rule_sets_one():
    assert routes({"route": [to("stable")]})[0]["route"]["timeout"] == "0s"
    assert routes({"route": [to("stable")], "timeout": "1m30s"})[0]["route"]["timeout"] == "90s"


def test_every_route_tells_the_version_of_what_it_was_made_from():
    (route,) = routes({"route": [to("stable")]})
    assert {"key": "x-route-generation", "value": "77"} in [each["header"] for each in route["response_headers_to_add"]]


def test_each_match_is_a_route_in_order_up_to_the_first_that_matches_everything():
    rules = [
        {
            "name": "some",
            "match": [{"uri": {"prefix": "/a"}}, {"uri": {"exact": "/b"}, "name": "b"}],
            "route": [to("canary")],
        },
        {"name": "all", "route": [to("stable")]},
        {"name": "never", "match": [{"uri": {"prefix": "/c"}}], "route": [to("canary")]},
    ]
    assert [(each["name"], each["match"]) for each in routes(*rules)] == [
        ("some", {"prefix": "/a", "case_sensitive": True}),
        ("some.b", {"path": "/b", "case_sensitive": True}),
        ("all", {"prefix": "/"}),
    ]


def test_headers_match_exactly_by_prefix_by_regex_and_by_presence():
    headers = {"a": {"exact": "1"}, "b": {"prefix": "2"}, "c": {"regex": "3.*"}, "d": {}}
    (route,) = routes(
        {"match": [{"headers": headers, "withoutHeaders": {"e": {}, "f": {"exact": "6"}}}], "route": [to("stable")]}
    )
    assert route["match"]["headers"] == [
        {"name": "a", "string_match": {"exact": "1"}},
        {"name": "b", "string_match": {"prefix": "2"}},
        {"name": "c", "string_match": {"safe_regex": {"regex": "3.*"}}},
        {"name": "d", "present_match": True},
        {"name": "e", "present_match": True, "invert_match": True},
        {"name": "f", "string_match": {"exact": "6"}, "invert_match": True, "treat_missing_header_as_empty": True},
    ]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"route": [to("stable")], "fault": {}}, "fault"),
        ({"route": [to("stable")], "corsPolicy": {}}, "corsPolicy"),
        ({"route": [to("stable", 1, wieght=3)]}, "wieght"),
        ({"match": [{"queryParams": {}}], "route": [to("stable")]}, "queryParams"),
        ({"route": [to("stable", 0), to("canary", 0)]}, "total destination weight = 0"),
        ({"name": "empty"}, "needs a route"),
        ({"route": [to("stable")], "timeout": "soon"}, "no duration"),
        ({"match": [{"uri": {"regex": "/.*"}}], "rewrite": {"uri": "/"}, "route": [to("stable")]}, "rewrite"),
        ({"match": [{"port": 443}], "route": [to("stable")]}, "port or gateway"),
    ],
)
def test_what_is_not_done_here_is_refused_with_its_place(rule, said):
    with pytest.raises(NotSupported, match=said):
        routes(rule)


def test_a_virtual_service_for_sidecars_alone_is_refused():
    with pytest.raises(NotSupported, match="sidecars"):
        translate(virtual_service({"route": [to("stable")]}, gateways=("mesh",)))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"selector": {"istio": "eastwest"}}, "selects no gateway"),
        ({"servers": [{"port": {"number": 443, "protocol": "HTTPS"}, "hosts": ["*"]}]}, "HTTPS on 443"),
        ({"servers": [{"port": {"number": 80, "protocol": "HTTP"}, "hosts": ["*"], "tls": {}}]}, "tls"),
    ],
)
def test_a_gateway_that_is_not_ours_is_refused(spec, said):
    with pytest.raises(NotSupported, match=said):
        check_gateway(gateway(**spec))


@pytest.mark.parametrize(
    ("hosts", "offered", "domains"),
    [
        (("shop.example.com",), ("shop.example.com",), ["shop.example.com"]),
        (("shop.example.com",), ("*.example.com",), ["shop.example.com"]),
        (("*.example.com",), ("shop.example.com",), ["shop.example.com"]),
        (("shop.example.com",), ("*",), ["shop.example.com"]),
        (("shop.example.com",), ("other.example.com",), []),
        (("shop.example.com",), ("production/*",), ["shop.example.com"]),
        (("shop.example.com",), ("staging/*",), []),
        (("shop.example.com",), ("./*",), ["shop.example.com"]),
    ],
)
def test_a_host_is_served_when_a_gateway_that_is_named_offers_it(hosts, offered, domains):
    found = translate(virtual_service({"route": [to("stable")]}, hosts=hosts), gateways=[gateway(*offered)])
    assert [domain for each in found["virtual_hosts"] for domain in each["domains"]] == domains


def test_a_gateway_that_is_not_named_does_not_count():
    found = translate(virtual_service({"route": [to("stable")]}, gateways=("other",)))
    assert found["virtual_hosts"] == []


def test_two_virtual_services_of_one_host_stand_in_the_order_of_their_creation_and_catch_alls_last():
    part = {"match": [{"uri": {"prefix": "/a"}}], "route": [to("stable")]}
    young = virtual_service({"name": "young", **part}, made="2026-02", name="a")
    old = virtual_service({"name": "old", **part}, {"name": "all", "route": [to("stable")]}, made="2026-01", name="b")
    (host,) = translate(young, old)["virtual_hosts"]
    assert [each["name"] for each in host["routes"]] == ["old", "young", "all"]


def test_a_delegate_gives_the_routes_and_the_root_what_they_leave_open():
    root = virtual_service(
        {"name": "root", "match": [{"uri": {"prefix": "/api"}}], "timeout": "5s", "delegate": {"name": "weights"}}
    )
    inner = delegate(
        {"name": "a", "match": [{"uri": {"prefix": "/api/v2"}}], "route": [to("canary")]},
        {"name": "b", "timeout": "1s", "route": [to("stable")]},
    )
    (host,) = translate(root, inner)["virtual_hosts"]
    assert [(each["name"], each["match"], each["route"]["timeout"]) for each in host["routes"]] == [
        ("root-a", {"prefix": "/api/v2", "case_sensitive": True}, "5s"),
        ("root-b", {"prefix": "/api", "case_sensitive": True}, "1s"),
    ]


def test_a_delegate_outside_of_what_the_root_matches_is_refused():
    root = virtual_service({"match": [{"uri": {"prefix": "/api"}}], "delegate": {"name": "weights"}})
    with pytest.raises(NotSupported, match="outside"):
        translate(root, delegate({"match": [{"uri": {"prefix": "/other"}}], "route": [to("stable")]}))


def test_a_delegate_that_is_not_there_has_no_routes():
    (host,) = translate(virtual_service({"delegate": {"name": "missing"}}))["virtual_hosts"]
    assert host["routes"] == []


@pytest.mark.parametrize(
    ("text", "expected"), [("5s", "5s"), ("500ms", "0.500s"), ("1m", "60s"), ("1h0m1s", "3601s"), ("0s", "0s")]
)
def test_durations_are_as_envoy_reads_them(text, expected):
    assert duration(text, "") == expected


SERVICE = {
    "metadata": {"name": "shop", "namespace": "production"},
    "spec": {"selector": {"app": "shop"}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
}
RULE = {
    "metadata": {"name": "shop", "namespace": "production"},
    "spec": {
        "host": "shop",
        "subsets": [
            {"name": "stable", "labels": {"version": "stable"}},
            {"name": "canary", "labels": {"version": "canary"}},
        ],
    },
}


def pod(version, ready=True, **metadata):
    name = f"shop-{version}-abc-x"
    labels = {"app": "shop", "version": version, "pod-template-hash": "abc"}
    owner = {"kind": "ReplicaSet", "name": f"shop-{version}-abc", "controller": True, "uid": "1"}
    return {
        "metadata": {"name": name, "namespace": "production", "labels": labels, "ownerReferences": [owner], **metadata},
        "spec": {"containers": [{"ports": [{"name": "http", "containerPort": 8080}]}]},
        "status": {"podIP": "127.9.9.9", "conditions": [{"type": "Ready", "status": "True" if ready else "False"}]},
    }


def endpoints(cluster, *pods):
    found = envoy_endpoints(cluster, pods)["endpoints"]
    return [each["metadata"]["filter_metadata"]["istio"]["pod"] for group in found for each in group["lb_endpoints"]]


def test_a_service_gives_a_cluster_and_one_more_for_each_subset():
    assert [each.name for each in clusters([SERVICE], [RULE])] == [f"outbound|80||{HOST}", STABLE, CANARY]


def test_endpoints_are_the_ready_pods_of_the_subset_that_are_not_about_to_go():
    _, stable, canary = clusters([SERVICE], [RULE])
    pods = [pod("stable"), pod("canary")]
    assert (endpoints(stable, *pods), endpoints(canary, *pods)) == (["shop-stable-abc-x"], ["shop-canary-abc-x"])
    assert endpoints(stable, pod("stable", ready=False)) == []
    assert endpoints(stable, pod("stable", deletionTimestamp="2026-01-01T00:00:00Z")) == []
    assert endpoints(stable, pod("stable", namespace="staging")) == []


def test_an_endpoint_says_whose_it_is_and_where():
    _, stable, _ = clusters([SERVICE], [RULE])
    (group,) = envoy_endpoints(stable, [pod("stable")])["endpoints"]
    (endpoint,) = group["lb_endpoints"]
    about = endpoint["metadata"]["filter_metadata"]["istio"]
    assert (about["workload"], about["version"], about["service_host"]) == ("shop-stable", "stable", HOST)
    assert endpoint["endpoint"]["address"]["socket_address"] == {"address": "127.9.9.9", "port_value": 8080}


def test_a_rule_that_is_not_done_here_is_refused():
    with pytest.raises(NotSupported, match="outlierDetection"):
        check_rule({**RULE, "spec": {**RULE["spec"], "trafficPolicy": {"outlierDetection": {}}}})


def test_a_real_envoy_takes_all_that_is_written(tmp_path):
    everything = virtual_service(
        {
            "match": [
                {"uri": {"regex": "/r.*"}, "ignoreUriCase": True, "method": {"exact": "GET"}},
                {"headers": {"a": {"exact": "1"}, "b": {}}, "withoutHeaders": {"c": {"prefix": "x"}}, "name": "h"},
            ],
            "route": [
                to("stable", 95, headers={"request": {"set": {"a": "b"}, "remove": ["c"]}}),
                to("canary", 5, headers={"response": {"add": {"d": "e"}}}),
            ],
            "timeout": "2s",
            "retries": {"attempts": 3, "retryOn": "5xx,503", "perTryTimeout": "500ms"},
            "mirror": {"host": "shop", "subset": "canary"},
            "mirrorPercentage": {"value": 12.5},
        },
        {"match": [{"uri": {"prefix": "/p"}}], "rewrite": {"uri": "/q", "authority": "x"}, "route": [to("stable")]},
        {
            "match": [{"uri": {"exact": "/x"}}],
            "redirect": {"uri": "/y", "authority": "z", "scheme": "https", "redirectCode": 308},
        },
        {
            "match": [{"uri": {"prefix": "/s"}}],
            "rewrite": {"uriRegexRewrite": {"match": "/s/(.*)", "rewrite": "/\\1"}},
            "route": [to("stable")],
        },
        {"route": [to("stable", 100), to("canary", 0)], "headers": {"response": {"set": {"x": "y"}}}},
    )
    found = clusters([SERVICE], [RULE])
    configuration = {
        "static_resources": {
            "clusters": [
                _static(envoy_cluster(each, "/dev/null"), envoy_endpoints(each, [pod("stable")])) for each in found
            ],
            "listeners": [_listener({**translate(everything), "validate_clusters": True})],
        }
    }
    (tmp_path / "envoy.json").write_text(json.dumps(configuration))
    done = subprocess.run(
        [find(ENVOY), "--mode", "validate", "--config-path", tmp_path / "envoy.json"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "OK" in done.stdout, done.stderr


def _static(cluster, assignment):
    """Give a cluster with its endpoints in it: what a validating Envoy reads as a whole."""
    rest = {key: value for key, value in cluster.items() if key not in ("@type", "eds_cluster_config")}
    return {
        **rest,
        "type": "STATIC",
        "load_assignment": {key: value for key, value in assignment.items() if key != "@type"},
    }


def _listener(route_config):
    kind = "type.googleapis.com/envoy.extensions.filters"
    manager = {
        "@type": f"{kind}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "test",
        "route_config": {key: value for key, value in route_config.items() if key != "@type"},
        "http_filters": [{"name": "router", "typed_config": {"@type": f"{kind}.http.router.v3.Router"}}],
    }
    address = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
    return {
        "name": "test",
        "address": address,
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
