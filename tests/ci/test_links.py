"""A link leads to a page that is there, or there is none."""

from pathlib import Path

import pytest

from ci.links import commit_page, image_page, links
from fixtures.release import Links, Release, load_release

EXAMPLE = Path(__file__).parents[2] / "examples" / "rebate-core" / "release.yaml"
DIGEST = "sha256:" + "1f0c" * 16
GIVEN = {
    "commit": "https://git.example.com/shop/k8s-manifests/commit/{commit}",
    "image": "https://registry.example.com/ui/rebate-core-service/{digest}",
    "application": "https://argocd.example.com/applications/argocd/rebate-core-prod",
}


def release(repository: str = "", **given: str) -> Release:
    known = load_release(EXAMPLE)
    gitops = known.gitops.model_copy(update={"repository": repository or known.gitops.repository})
    return known.model_copy(update={"gitops": gitops, "links": Links(**given)})


@pytest.mark.parametrize(
    ("repository", "page"),
    [
        ("https://github.com/shop/k8s.git", "https://github.com/shop/k8s/commit/{commit}"),
        ("git@github.com:shop/k8s.git", "https://github.com/shop/k8s/commit/{commit}"),
        ("https://gitlab.example.com/a/b/k8s", "https://gitlab.example.com/a/b/k8s/-/commit/{commit}"),
        ("ssh://git@gitlab.example.com:2222/a/k8s.git", "https://gitlab.example.com/a/k8s/-/commit/{commit}"),
        ("https://gitea.example.com:3000/shop/k8s.git/", "https://gitea.example.com:3000/shop/k8s/commit/{commit}"),
        ("https://bitbucket.org/shop/k8s.git", "https://bitbucket.org/shop/k8s/commits/{commit}"),
        (
            "ssh://git@bitbucket.example.com:7999/scm/SHOP/k8s.git",
            "https://bitbucket.example.com/projects/SHOP/repos/k8s/commits/{commit}",
        ),
        ("https://git.example.com/github/k8s.git", ""),
        ("nonsense", ""),
    ],
)
def test_the_page_of_a_commit_is_found_where_the_host_tells_what_it_is(repository: str, page: str) -> None:
    assert commit_page(repository) == page


@pytest.mark.parametrize(
    ("image", "page"),
    [
        (f"quay.io/shop/app@{DIGEST}", f"https://quay.io/repository/shop/app/manifest/{DIGEST}"),
        (f"ghcr.io/shop/app@{DIGEST}", "https://ghcr.io/shop/app"),
        (f"shop/app@{DIGEST}", "https://hub.docker.com/r/shop/app"),
        (f"registry.example.com/shop/app@{DIGEST}", ""),
        ("edited by hand", ""),
    ],
)
def test_the_page_of_an_image_is_found_where_the_registry_has_pages(image: str, page: str) -> None:
    assert image_page(image) == page


def test_what_the_release_file_says_is_taken_and_the_digest_put_in() -> None:
    found = links(release(**GIVEN), f"registry.example.com/shop/app@{DIGEST}", lambda address: address)
    assert found == {**GIVEN, "image": f"https://registry.example.com/ui/rebate-core-service/{DIGEST}"}


def test_where_the_target_has_another_host_there_is_no_page() -> None:
    ours, image = release("https://github.com/shop/k8s.git"), f"quay.io/shop/app@{DIGEST}"
    assert set(links(ours, image, lambda address: address)) == {"commit", "image"}
    assert links(ours, image, lambda address: f"http://127.0.0.1:81/{address}") == {}
