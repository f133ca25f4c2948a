"""Argo CD brings the release's commits to the cluster, and leaves alone what the release moves there.

What it does with a live weight or a live scale was seen on 3.6.1:

=====================================  =========================  ==========================================
the Application                        a live change              the next sync of any commit
=====================================  =========================  ==========================================
selfHeal                               undone within 0.2 to 1.4 s  -
ignoreDifferences on it                stays                      is set back to what Git says
and RespectIgnoreDifferences=true      stays                      a scalar (replicas) stays, as wanted; of a list
                                                                  (``spec.http``) no field is applied any more
=====================================  =========================  ==========================================
"""

from collections.abc import Iterator
from enum import Enum

from checks.gate import gate
from checks.manifests.evidence import Manifest, Manifests, Node
from checks.manifests.rule import Flaw, Level, judging, rule
from checks.manifests.words import listed
from checks.verdict import Verdict

RESPECT = "RespectIgnoreDifferences=true"
TRACKED = "argocd.argoproj.io/tracking-id"
DEFAULT_BRANCH = ("", "HEAD")


class Ignored(Enum):
    """How an Application ignores a field: not at all, for itself, in syncs too, or by who wrote it."""

    NOT = "not"
    COMPARED = "compared"
    RESPECTED = "respected"
    BY_MANAGER = "by manager"


def ignored(application: Manifest, object_: Manifest, pointer: str) -> Ignored:
    """Say how an Application ignores a field of an object.

    Args:
        application: of Argo CD.
        object_: the object that it applies.
        pointer: the field, such as ``/spec/replicas``.
    """
    found = [each for each in application.root["spec", "ignoreDifferences"].entries if _is_about(each, object_)]
    if any(each["managedFieldsManagers"].entries for each in found):
        return Ignored.BY_MANAGER
    if not any(_names(each, pointer) for each in found):
        return Ignored.NOT
    options = [each.text for each in application.root["spec", "syncPolicy", "syncOptions"].entries]
    return Ignored.RESPECTED if RESPECT in options else Ignored.COMPARED


def _is_about(entry: Node, object_: Manifest) -> bool:
    named = entry["name"].text in ("", object_.name)
    return entry["kind"].text in (object_.kind, "*") and named


def _names(entry: Node, pointer: str) -> bool:
    """Say whether an entry names the field, something around it, or something in it."""
    pointers = [each.text for each in entry["jsonPointers"].entries]
    paths = ["/" + each.text.strip(". ").split("[")[0].replace(".", "/") for each in entry["jqPathExpressions"].entries]
    return any(
        f"{each}/".startswith(f"{pointer}/") or f"{pointer}/".startswith(f"{each}/") for each in pointers + paths
    )


def _automated(application: Manifest) -> bool:
    automated = application.root["spec", "syncPolicy", "automated"]
    return automated.value is not None and automated["enabled"].value is not False


@rule(
    "application",
    "the Argo CD Application syncs the release's folder by itself",
    why="the release commits an image there and waits for it to run",
    remedy="set path, targetRevision and syncPolicy.automated of the Application, or gitops in the release file",
)
def application(manifests: Manifests) -> Iterator[Flaw]:
    """The Application is there, follows branch and folder, and syncs alone: else each deploy runs out of time."""
    names, found = manifests.names, manifests.application
    if found is None:
        level = Level.FAIL if manifests.whole else Level.UNSEEN
        yield Flaw(names.application, f"there is no Application {names.application} here", level)
        return
    spec = found.root["spec"]
    sources = spec["sources"].entries or (spec["source"],)
    if names.path not in [each["path"].text.strip("/") for each in sources]:
        yield Flaw(sources[0]["path"].where, f"{found} does not follow {names.path}")
    for each in sources:
        if each["path"].text.strip("/") == names.path and each["targetRevision"].text not in (
            *DEFAULT_BRANCH,
            names.branch,
        ):
            yield Flaw(
                each["targetRevision"].where, f"{found} follows {each['targetRevision'].text}, not {names.branch}"
            )
    if not _automated(found):
        yield Flaw(spec["syncPolicy"].where, f"{found} waits for somebody to sync it by hand")


WEIGHTS = {
    Ignored.NOT: "the sync of the release's own commits sets back every weight",
    Ignored.COMPARED: "the weights are ignored in comparing only: the sync of the release's own commit, in the middle "
    "of the promotion, sets back what Git says",
    Ignored.RESPECTED: "the weights are respected, and with them all of spec.http: no later change in Git of a "
    "timeout, a retry or a match is applied any more, without a word",
    Ignored.BY_MANAGER: "what the weights' writer has written is ignored: after one canary it owns all of spec.http, "
    "and no change of it in Git is applied any more",
}


@rule(
    "weights-and-argocd",
    "Argo CD does not apply the VirtualService whose weights are moved",
    why="a weight is moved in the cluster, and Argo CD's work is to undo such changes",
    remedy="move the VirtualService (or a delegate that has only the weights) out of the folder, and apply it once",
)
def weights_and_argocd(manifests: Manifests) -> Iterator[Flaw]:
    """The VirtualService is not in the synced folder: the story's canary was set back to 0 % half a second later."""
    found = manifests.application
    for each in manifests.virtual_services if found else ():
        tracker = each.root["metadata", "annotations", TRACKED].text.partition(":")[0]
        if found and (each.synced or tracker == manifests.names.application):
            how = ignored(found, each, "/spec/http")
            heals = how is Ignored.NOT and found.root["spec", "syncPolicy", "automated", "selfHeal"].value is True
            happens = WEIGHTS[how] + (", and self-heal does it within a second" if heals else "")
            yield Flaw(each.root["spec", "http"].where, f"{found} applies {each}: {happens}")
        elif tracker:
            what = f"Application {tracker} applies {each}: if it heals itself, it sets back every weight"
            yield Flaw(each.root["metadata", "annotations", TRACKED].where, what, Level.NOTE)


@rule(
    "replicas-and-argocd",
    "no sync writes the replicas of either Deployment",
    why="a release scales the canary and an HPA scales stable, and a sync in the middle sets both back to Git's number",
    remedy="name /spec/replicas in ignoreDifferences of the Application, and RespectIgnoreDifferences=true in its "
    "syncOptions; where `replicas` is deleted from the manifest without those, the sync that does it sets one pod",
)
def replicas_and_argocd(manifests: Manifests) -> Iterator[Flaw]:
    """Replicas are not in Git, or ignored *and* respected: else a sync cuts down what takes all traffic."""
    found = manifests.application
    for each in manifests.deployments:
        replicas = each.root["spec", "replicas"]
        if replicas.value is None or found is None:
            continue
        how = ignored(found, each, "/spec/replicas")
        if how is not Ignored.RESPECTED:
            but = f", although {found} ignores them: that counts in comparing only" if how is Ignored.COMPARED else ""
            scaler = listed(each.name for each in autoscalers(manifests, each.name))
            hpa = f" and what HorizontalPodAutoscaler {scaler} has set" if scaler != listed([]) else ""
            yield Flaw(replicas.where, f"each sync sets {each} to {replicas.value} pods{but}{hpa}")


def autoscalers(manifests: Manifests, deployment: str) -> Iterator[Manifest]:
    """Give the HorizontalPodAutoscalers of a Deployment.

    Args:
        manifests: of the release.
        deployment: its name.
    """
    for each in manifests.of("HorizontalPodAutoscaler"):
        target = each.root["spec", "scaleTargetRef"]
        if target["kind"].text == "Deployment" and target["name"].text == deployment:
            yield each


@rule(
    "one-scaler",
    "one alone gives the canary its replicas",
    why="an HPA takes away the pods that the release adds before a weight rises: they have no load yet",
    remedy="delete the HPA of the canary, or write `scale: manual` into the release file",
)
def one_scaler(manifests: Manifests) -> Iterator[Flaw]:
    """The canary has no HPA while the driver scales it: between two steps its pods would be taken away again."""
    names = manifests.names
    for each in autoscalers(manifests, names.canary) if names.scaled_by_driver else ():
        yield Flaw(
            each.root["spec", "scaleTargetRef"].where, f"{each} scales the canary {names.canary}, as the release does"
        )


RULES = (application, weights_and_argocd, replicas_and_argocd, one_scaler)


@gate(judging(RULES), evidence="manifests")
def test_argocd_leaves_the_release_alone(verdict: Verdict) -> None:
    """Argo CD follows the release's commits, and undoes neither weights nor replicas."""
    verdict.require()
