"""Both Deployments run an image of the release's own repository, and one that can not change under its name.

Example:
    >>> taken_apart("registry:5000/shop/app:1.4@sha256:1f")
    ('registry:5000/shop/app', '1.4', 'sha256:1f')
"""

from collections.abc import Iterator

from checks.gate import gate
from checks.manifests.evidence import Manifest, Manifests, Node
from checks.manifests.pods import POD, containers, main_container
from checks.manifests.rule import Flaw, Level, judging, rule
from checks.manifests.words import listed
from checks.verdict import Verdict

LATEST = "latest"


def taken_apart(image: str) -> tuple[str, str, str]:
    """Give repository, tag and digest of a reference; those that are not there are empty.

    Args:
        image: the reference.
    """
    rest, _, digest = image.partition("@")
    colon = rest.rfind(":")
    named = colon > rest.rfind("/")
    return (rest[:colon], rest[colon + 1 :], digest) if named else (rest, "", digest)


@rule(
    "container",
    "it is known which container is the service's",
    why="its image is the one that a release changes",
    remedy="say it in the release file: names: {container: NAME}",
)
def container(manifests: Manifests) -> Iterator[Flaw]:
    """One container is the release's: with a sidecar beside it, an edit could release the sidecar."""
    for each in manifests.deployments:
        if main_container(each, manifests.names) is None:
            known = listed(found["name"].text for found in containers(each))
            wanted = (
                f"no container {manifests.names.container}"
                if manifests.names.container
                else "not exactly one container"
            )
            yield Flaw(each.root[(*POD, "containers")].where, f"{each} has {wanted}; there is {known}")


@rule(
    "image-fixed",
    "every image has a digest, or at least a tag that is not latest",
    why="latest is another image tomorrow: stable and canary run the same one by chance, and a rollback brings it back",
    remedy="write the digest: REPOSITORY@sha256:...",
)
def image_fixed(manifests: Manifests) -> Iterator[Flaw]:
    """No ``latest``, no image without a tag: the story pushes it with each build, so a restarted stable pod is new."""
    for image in (found for each in manifests.deployments for found in _images(each)):
        _, tag, digest = taken_apart(image.text)
        if not digest and tag in ("", LATEST):
            yield Flaw(image.where, f"image {image.text or 'without a name'} may be any")
        elif not digest:
            what = f"tag {tag} can be moved, and a node that has the old image under it keeps that one"
            yield Flaw(image.where, what, Level.NOTE)


def _images(deployment: Manifest) -> Iterator[Node]:
    for part in ("initContainers", "containers"):
        yield from (each["image"] for each in deployment.root[(*POD, part)].entries)


@rule(
    "image-repository",
    "both Deployments run images of the release's repository",
    why="the release writes REPOSITORY@DIGEST into both; another one is another program",
    remedy="mend the image, or `image` in the release file",
)
def image_repository(manifests: Manifests) -> Iterator[Flaw]:
    """Both images come from the release's repository: a canary of another service passes its own health checks."""
    for each in manifests.deployments:
        image = found["image"] if (found := main_container(each, manifests.names)) else None
        if image is not None and (repository := taken_apart(image.text)[0]) != manifests.names.image:
            yield Flaw(image.where, f"{each} runs {repository}, the release is of {manifests.names.image}")


@rule(
    "image-pull",
    "nodes may pull the image",
    why="a new image is on no node, so no pod of the canary ever starts",
    remedy="delete imagePullPolicy: with a digest its default is right",
)
def image_pull(manifests: Manifests) -> Iterator[Flaw]:
    """The image is pulled: with ``Never``, set on somebody's laptop, the deploy waits for pods until its time is up."""
    for each in manifests.deployments:
        found = main_container(each, manifests.names)
        if found is not None and found["imagePullPolicy"].text == "Never":
            yield Flaw(found["imagePullPolicy"].where, f"{each} never pulls its image")


RULES = (container, image_fixed, image_repository, image_pull)


@gate(judging(RULES), evidence="manifests")
def test_images_are_fixed(verdict: Verdict) -> None:
    """Both Deployments run a fixed image of the release's repository."""
    verdict.require()
