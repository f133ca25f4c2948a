"""How objects end: finalizers, grace, owners."""

import time
from collections.abc import Callable
from typing import Any

import pytest

Json = dict[str, Any]


@pytest.fixture
def gone(api: Any) -> Callable[[str], bool]:
    """Whether an object goes soon; the real garbage collector needs a moment."""

    def gone(where: str) -> bool:
        ends = time.monotonic() + 10
        while api.ask("GET", where)[0] != 404:
            if time.monotonic() > ends:
                return False
            time.sleep(0.05)
        return True

    return gone


def owned(name: str, owner: Json) -> Json:
    kind = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"]}
    return {"metadata": {"name": name, "ownerReferences": [{**kind, "uid": owner["metadata"]["uid"]}]}}


class Ends:
    """How objects end."""

    def test_what_is_deleted_is_gone(self, api: Any, deployment: Json) -> None:
        uid = api.create("deployments", deployment)["metadata"]["uid"]
        answer = api.delete("deployments/web")
        assert (answer["kind"], answer["status"], answer["details"]["uid"]) == ("Status", "Success", uid)
        assert api.ask("GET", "deployments/web")[0] == 404

    def test_a_delete_may_name_whom_it_means(self, api: Any) -> None:
        api.create("configmaps", {"metadata": {"name": "x"}})
        code, status = api.ask("DELETE", "configmaps/x", {"preconditions": {"uid": "another"}})
        assert (code, status["reason"]) == (409, "Conflict")
        assert "the UID in the precondition (another) does not match" in status["message"]
        api.get("configmaps/x")

    def test_a_finalizer_holds_an_object_until_it_is_taken_out(self, api: Any) -> None:
        api.create("configmaps", {"metadata": {"name": "x", "finalizers": ["example.com/hold"]}})
        first, second = api.delete("configmaps/x"), api.delete("configmaps/x")
        assert first["metadata"]["deletionTimestamp"]
        assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
        api.patch("configmaps/x", {"data": {"still": "writable"}})
        api.patch("configmaps/x", {"metadata": {"finalizers": None}})
        assert api.ask("GET", "configmaps/x")[0] == 404

    def test_a_pod_on_a_node_goes_when_its_kubelet_says_so(self, api: Any, pod: Json) -> None:
        pod["spec"]["nodeName"] = "node-1"
        api.create("pods", pod)
        going = api.delete("pods/web-1")
        assert going["metadata"]["deletionGracePeriodSeconds"] == 5
        api.patch("pods/web-1/status", {"status": {"phase": "Running"}})
        assert api.delete("pods/web-1")["metadata"]["deletionTimestamp"] == going["metadata"]["deletionTimestamp"]
        assert api.delete("pods/web-1", gracePeriodSeconds=0)["kind"] == "Pod"
        assert api.ask("GET", "pods/web-1")[0] == 404

    def test_a_pod_on_no_node_goes_at_once(self, api: Any, pod: Json) -> None:
        api.create("pods", pod)
        assert api.delete("pods/web-1")["kind"] == "Pod"
        assert api.ask("GET", "pods/web-1")[0] == 404

    @pytest.mark.parametrize("policy", ["Background", "Foreground"])
    def test_what_an_object_owned_goes_with_it(self, api: Any, gone: Callable[[str], bool], policy: str) -> None:
        top = api.create("configmaps", {"metadata": {"name": "top"}})
        middle = api.create("configmaps", owned("middle", top))
        api.create("configmaps", owned("bottom", middle))
        api.delete("configmaps/top", propagationPolicy=policy)
        assert gone("configmaps/middle")
        assert gone("configmaps/bottom")

    def test_what_two_of_the_dead_owned_goes_once(self, api: Any, gone: Callable[[str], bool]) -> None:
        top = api.create("configmaps", {"metadata": {"name": "top"}})
        middle = api.create("configmaps", owned("a-middle", top))
        bottom = owned("bottom", top)
        bottom["metadata"]["ownerReferences"] += owned("", middle)["metadata"]["ownerReferences"]
        api.create("configmaps", bottom)
        api.delete("configmaps/top")
        assert gone("configmaps/a-middle")
        assert gone("configmaps/bottom")

    def test_an_object_with_another_owner_stays(self, api: Any, gone: Callable[[str], bool]) -> None:
        one, two = (api.create("configmaps", {"metadata": {"name": name}}) for name in ("one", "two"))
        shared = owned("shared", one)
        shared["metadata"]["ownerReferences"] += owned("", two)["metadata"]["ownerReferences"]
        api.create("configmaps", shared)
        api.delete("configmaps/one")
        api.get("configmaps/shared")
        api.delete("configmaps/two")
        assert gone("configmaps/shared")

    def test_an_orphan_stays_and_is_nobodys(self, api: Any, gone: Callable[[str], bool]) -> None:
        api.create("configmaps", owned("child", api.create("configmaps", {"metadata": {"name": "parent"}})))
        api.delete("configmaps/parent", propagationPolicy="Orphan")
        assert gone("configmaps/parent")
        assert not api.get("configmaps/child")["metadata"].get("ownerReferences")

    def test_what_comes_after_its_owner_is_gone_goes_too(self, api: Any, gone: Callable[[str], bool]) -> None:
        dead = api.create("configmaps", {"metadata": {"name": "dead"}})
        api.delete("configmaps/dead")
        api.create("configmaps", owned("late", dead))
        assert gone("configmaps/late")

    def test_a_namespace_takes_all_with_it_and_default_stays(
        self, api: Any, gone: Callable[[str], bool], deployment: Json
    ) -> None:
        api.create("deployments", deployment)
        api.delete(f"/api/v1/namespaces/{api.namespace}")
        assert gone(f"/api/v1/namespaces/{api.namespace}")
        assert gone("deployments/web")
        code, status = api.ask("DELETE", "/api/v1/namespaces/default")
        assert (code, status["message"]) == (
            403,
            'namespaces "default" is forbidden: this namespace may not be deleted',
        )

    def test_a_collection_is_deleted_by_selector(self, api: Any) -> None:
        for name, color in (("a", "blue"), ("b", "green")):
            api.create("configmaps", {"metadata": {"name": name, "labels": {"color": color}}})
        api.delete("configmaps", labelSelector="color=blue")
        assert api.ask("GET", "configmaps/a")[0] == 404
        api.get("configmaps/b")


class TestEndsOnTheStandIn(Ends):
    @pytest.fixture
    def server(self, stand_in: Any) -> Any:
        return stand_in


@pytest.mark.xdist_group("real")
class TestEndsOnARealServer(Ends):
    @pytest.fixture
    def server(self, real: Any) -> Any:
        return real
