"""Where the reports of a rollout lead for more: the pages of its commits, its image and its Application.

Rules:
    1. What the release file's ``links`` says is taken as it is.
    2. What it leaves out is found where the host's name says what runs there. A guess could lead nowhere, so there is
       none: Argo CD's address stands in no other key, and many registries have no page at all.
    3. Where the target puts another host in the place of the release file's, there is no page to lead to.

Example:
    >>> commit_page("git@gitlab.example.com:shop/k8s-manifests.git")
    'https://gitlab.example.com/shop/k8s-manifests/-/commit/{commit}'
"""

import re
from collections.abc import Callable, Mapping

from fixtures.errors import InputError
from fixtures.image_reference import HUB, parse
from fixtures.release import Release

REMOTE = re.compile(
    r"(?:https?://|ssh://)?(?:[\w.-]+@)?(?P<host>[\w.-]+)(?P<port>:\d+(?=/))?[:/](?P<path>.+?)(?:\.git)?/?"
)
# By a word in the host's name: where a repository of that name has its commits.
GIT_HOSTS: Mapping[str, str] = {
    "gitlab": "/-/commit/{commit}",
    "bitbucket": "/commits/{commit}",
    "github": "/commit/{commit}",
    "gitea": "/commit/{commit}",
    "forgejo": "/commit/{commit}",
    "codeberg": "/commit/{commit}",
    "dev.azure": "/commit/{commit}",
}
REGISTRIES: Mapping[str, str] = {
    HUB: "https://hub.docker.com/r/{name}",
    "ghcr.io": "https://ghcr.io/{name}",
    "quay.io": "https://quay.io/repository/{name}/manifest/{digest}",
}


def links(release: Release, image: str, rewrite: Callable[[str], str]) -> dict[str, str]:
    """Give the addresses that are known.

    Args:
        release: what is released.
        image: the new image, by digest.
        rewrite: of the target: the address that really answers for one in the release file.

    Returns:
        For ``commit`` an address in which ``{commit}`` stands for the hash, for ``image`` and ``application`` one as it
        is; what is not known is not in it.
    """
    repository, given = release.gitops.repository, release.links
    commit = given.commit or (commit_page(repository) if rewrite(repository) == repository else "")
    page = given.image or (image_page(image) if rewrite(image) == image else "")
    found = {
        "commit": commit,
        "image": page.replace("{digest}", image.rpartition("@")[2]),
        "application": given.application or "",
    }
    return {name: address for name, address in found.items() if address}


def commit_page(repository: str) -> str:
    """Give the page of a repository's commits.

    Args:
        repository: the Git remote: http, https or ssh.

    Returns:
        An address with ``{commit}`` in it; "" where the host's name does not say how its pages are called.
    """
    found = REMOTE.fullmatch(repository)
    page = next((each for word, each in GIT_HOSTS.items() if found and word in found["host"]), "")
    if not found or not page:
        return ""
    # The port of ssh is not that of the pages.
    origin = f"https://{found['host']}" + (found["port"] or "" if repository.startswith("https://") else "")
    if own := re.fullmatch(r"scm/([^/]+)/([^/]+)", found["path"]):  # Bitbucket in a data centre
        return f"{origin}/projects/{own[1]}/repos/{own[2]}{page}"
    return f"{origin}/{found['path']}{page}"


def image_page(image: str) -> str:
    """Give the page of an image.

    Args:
        image: by digest.

    Returns:
        An address; "" where the registry is not known to have one.
    """
    try:
        found = parse(image)
    except InputError:  # a record that somebody has edited: a rollback does not stop for a link
        return ""
    return REGISTRIES.get(found.host, "").format(name=found.name, digest=found.digest)
