"""The Argo CD stand-in on the running cluster and real Git: the order of an Application's status, and its lies."""

import pytest

from fixtures.cluster import APPLICATIONS, DEPLOYMENTS, SERVICES

pytestmark = pytest.mark.xdist_group("controllers")

APPLICATION = ("argocd", "rebate-core-prod")
DEPLOYMENTS_FILE = "bases/rebate-core/deployments.yaml"
REFRESH = {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}}


class Argo:
    """The Application of the example, as a person with kubectl handles it."""

    def __init__(self, world):
        self.world = world
        self.client = world.client

    def read(self):
        return self.client.get(APPLICATIONS, *APPLICATION)

    def patch(self, change):
        return self.client.merge_patch(APPLICATIONS, *APPLICATION, change)

    def refresh(self, how="normal"):
        """Ask for a comparison with Git and wait until it has been done."""
        self.patch({"metadata": {"annotations": {"argocd.argoproj.io/refresh": how}}})
        self.world.until(lambda: not self.read()["metadata"].get("annotations"), "the end of the refresh")

    def settled(self, commit=""):
        application = self.read()
        status, operation = application["status"], application["status"].get("operationState") or {}
        return (
            status["sync"]["status"] == "Synced"
            and status["sync"]["revision"] in (commit or status["sync"]["revision"])
            and status["health"]["status"] == "Healthy"
            and "operation" not in application
            and operation.get("phase") in ("Succeeded", "Failed")
        )

    def sync(self, commit):
        self.refresh()
        self.world.until(lambda: self.settled(commit), f"{commit} synced and healthy")

    def conditions(self):
        return {each["type"]: each["message"] for each in self.read()["status"].get("conditions", [])}


@pytest.fixture
def argo(deployed):
    """Have the Application settled; afterwards Git is as it was, and so is the cluster."""
    argo = Argo(deployed)
    deployed.until(argo.settled, "the Application to be settled")
    before = deployed.git.git("rev-parse", "HEAD")
    spec = argo.read()["spec"]
    yield argo
    argo.patch({"spec": {**spec, "ignoreDifferences": None}})
    deployed.git.git("read-tree", "-u", "--reset", before)
    argo.sync(deployed.git.push("as before"))


def canary_to(image):
    """Give the edit that changes the canary's image, the last one in the file."""

    def edit(text):
        head, word, tail = text.rpartition("image: ")
        return head + word + image + "\n" + tail.partition("\n")[2]

    return edit


def replicas(count):
    return lambda text: text.replace("spec:\n  progress", f"spec:\n  replicas: {count}\n  progress", 1)


def image_of(world, name):
    return world.client.get(DEPLOYMENTS, "production", name)["spec"]["template"]["spec"]["containers"][0]["image"]


def test_the_status_after_a_push_comes_in_the_order_of_the_real_one(argo, deployed):
    old = argo.read()["status"]["sync"]["revision"]
    new = deployed.git.edit(DEPLOYMENTS_FILE, canary_to(deployed.images.v2))
    seen = argo.read()["status"]
    assert (seen["sync"], seen["health"]["status"]) == (seen["sync"] | {"status": "Synced", "revision": old}, "Healthy")
    since = deployed.client.snapshot(APPLICATIONS, "argocd")[1]
    argo.patch(REFRESH)
    rows = []
    for _, application in deployed.client.watch(APPLICATIONS, "argocd", since, seconds=10):
        status, operation = application["status"], application["status"].get("operationState") or {}
        rows.append(
            (
                "refresh"
                if "annotations" in application["metadata"] and application["metadata"]["annotations"]
                else "",
                "operation" if "operation" in application else "",
                status["sync"]["status"],
                "new" if status["sync"]["revision"] == new else "old",
                operation.get("phase"),
            )
        )
        if rows[-1] == ("", "", "Synced", "new", "Succeeded"):
            break
    order = [
        ("refresh", "", "Synced", "old", "Succeeded"),
        ("refresh", "operation", "Synced", "old", None),
        ("", "operation", "OutOfSync", "new", "Running"),
        ("", "", "Synced", "new", "Succeeded"),
    ]
    assert [row for row in rows if row in order] == order
    deployed.until(lambda: argo.settled(new), "all of it")
    assert [each["revision"] for each in argo.read()["status"]["history"]][-1] == new
    assert image_of(deployed, "rebate-core-canary") == deployed.images.v2


def test_without_a_refresh_a_push_is_not_seen(argo, deployed):
    deployed.git.edit(DEPLOYMENTS_FILE, canary_to(deployed.images.v2))
    deployed.client.scale(
        DEPLOYMENTS, "production", "rebate-core", 2
    )  # a live change has it compare, with the old commit
    deployed.until(lambda: len(deployed.ready("stable")) == 2, "two stable pods")
    deployed.until(argo.settled, "Synced and Healthy, at the old commit")
    assert argo.read()["status"]["sync"]["revision"] != deployed.git.git("rev-parse", "HEAD")


def test_a_push_during_a_sync_waits_for_the_next_refresh(argo, deployed):
    first = deployed.git.edit(DEPLOYMENTS_FILE, canary_to(deployed.images.v2))
    argo.refresh()
    deployed.git.edit(DEPLOYMENTS_FILE, canary_to(deployed.images.v1))
    deployed.until(argo.settled, "the first commit synced and healthy")
    assert argo.read()["status"]["sync"]["revision"] == first
    assert image_of(deployed, "rebate-core-canary") == deployed.images.v2


def test_a_commit_that_changes_no_object_moves_the_revision_only(argo, deployed):
    before = argo.read()["status"]
    commit = deployed.git.edit("bases/rebate-core/deployments.yaml", lambda text: text + "# a remark\n")
    argo.refresh()
    after = argo.read()["status"]
    assert (after["sync"]["status"], after["sync"]["revision"]) == ("Synced", commit)
    assert (after["history"], after["operationState"]) == (before["history"], before["operationState"])


def test_replicas_that_git_does_not_name_survive_a_sync(argo, deployed):
    deployed.client.scale(DEPLOYMENTS, "production", "rebate-core-canary", 3)
    argo.sync(deployed.git.edit(DEPLOYMENTS_FILE, canary_to(deployed.images.v2)))
    assert deployed.client.get(DEPLOYMENTS, "production", "rebate-core-canary")["spec"]["replicas"] == 3


@pytest.mark.parametrize(("options", "afterwards"), [([], 2), (["RespectIgnoreDifferences=true"], 3)])
def test_replicas_in_git_are_reset_by_the_next_sync_unless_ignoring_is_respected(argo, deployed, options, afterwards):
    ignore = {"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}
    policy = argo.read()["spec"]["syncPolicy"]
    argo.patch({"spec": {"ignoreDifferences": [ignore], "syncPolicy": {**policy, "syncOptions": options}}})
    argo.sync(deployed.git.edit(DEPLOYMENTS_FILE, replicas(2)))
    deployed.client.scale(DEPLOYMENTS, "production", "rebate-core", 3)
    deployed.until(lambda: len(deployed.ready("stable")) == 3, "three pods: ignored, so not healed")
    argo.sync(deployed.git.edit(DEPLOYMENTS_FILE, canary_to(deployed.images.v2)))
    assert deployed.client.get(DEPLOYMENTS, "production", "rebate-core")["spec"]["replicas"] == afterwards


def test_a_live_change_is_healed_at_once_and_the_second_time_later(argo, deployed):
    change = {"spec": {"selector": {"app": "another"}}}

    def selected():
        return deployed.client.get(SERVICES, "production", "rebate-core")["spec"]["selector"]["app"]

    def attempts():
        return argo.read()["status"]["operationState"]["operation"]["sync"].get("autoHealAttemptsCount")

    argo.sync(deployed.git.edit(DEPLOYMENTS_FILE, canary_to(deployed.images.v2)))
    history = argo.read()["status"]["history"]
    for attempt in (1, 2):
        deployed.client.merge_patch(SERVICES, "production", "rebate-core", change)
        deployed.until(lambda: selected() == "rebate-core", "Git's selector", timeout=6)
        deployed.until(argo.settled, "the end of the healing")
        assert attempts() == attempt
    assert argo.read()["status"]["history"] == history


def test_what_git_drops_is_pruned(argo, deployed):
    deployed.git.edit(
        "bases/rebate-core/extra.yaml",
        lambda _: "apiVersion: v1\nkind: Service\nmetadata: {name: extra}\nspec: {ports: [{port: 80}]}\n",
    )
    argo.sync(deployed.git.git("rev-parse", "HEAD"))
    assert deployed.client.get(SERVICES, "production", "extra")
    (deployed.git.clone / "bases/rebate-core/extra.yaml").unlink()
    argo.sync(deployed.git.push("drop the extra Service"))
    assert "extra" not in [each["metadata"]["name"] for each in deployed.client.list(SERVICES, "production")]


def test_broken_yaml_is_a_comparison_error_beside_a_healthy_past(argo, deployed):
    deployed.git.edit("bases/rebate-core/broken.yaml", lambda _: "kind: [Service\n")
    argo.refresh()
    status = argo.read()["status"]
    assert (status["sync"]["status"], status["sync"]["revision"]) == ("Unknown", "main")
    assert (status["health"]["status"], status["operationState"]["phase"]) == ("Healthy", "Succeeded")
    assert "broken.yaml" in argo.conditions()["ComparisonError"]


def test_kustomize_is_refused_with_a_sentence(argo, deployed):
    deployed.git.edit("bases/rebate-core/kustomization.yaml", lambda _: "resources: [service.yaml]\n")
    argo.refresh()
    assert "plain YAML only" in argo.conditions()["ComparisonError"]


def test_an_empty_path_is_a_sync_error_and_nothing_is_deleted(argo, deployed):
    for path in (deployed.git.clone / "bases" / "rebate-core").iterdir():
        path.unlink()
    (deployed.git.clone / "bases" / "rebate-core" / "README.md").write_text("nothing\n")
    deployed.git.push("all gone")
    argo.refresh()
    status = argo.read()["status"]
    assert (status["sync"]["status"], status["operationState"]["phase"]) == ("OutOfSync", "Succeeded")
    assert "wipe out all resources" in argo.conditions()["SyncError"]
    assert image_of(deployed, "rebate-core") == deployed.images.v1


def test_an_object_that_is_refused_keeps_the_operation_running_until_it_is_ended(argo, deployed):
    commit = deployed.git.edit(
        "bases/rebate-core/wrong.yaml",
        lambda _: "apiVersion: v1\nkind: Service\nmetadata: {name: Wrong_Name}\nspec: {ports: [{port: 80}]}\n",
    )
    argo.refresh()

    def operation():
        return argo.read()["status"].get("operationState") or {}

    deployed.until(lambda: operation().get("retryCount") == 1, "the first retry to be planned")
    assert operation()["phase"] == "Running"
    assert operation()["finishedAt"]
    assert operation()["syncResult"]["revision"] == commit
    assert argo.conditions() == {}
    argo.patch({"status": {"operationState": {"phase": "Terminating"}}})  # argocd app terminate-op
    deployed.until(lambda: operation().get("phase") == "Failed", "the end of the operation")
    argo.refresh()
    assert commit in argo.conditions()["SyncError"]
