"""Reading Git: real repositories on disk."""

import subprocess

import pytest

from fixtures.sandbox.controllers.argocd.source import Repositories, SourceError

URL = "https://git.example.com/shop.git"
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: %s}\n"


class Origin:
    """A repository that is written by this test."""

    def __init__(self, folder):
        self.folder = folder
        self.git("init", "--quiet", "-b", "main", str(folder), at="/")

    def git(self, *arguments, at=None):
        who = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
        command = ["git", *who, "-C", str(at or self.folder), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.strip()

    def commit(self, **files):
        for name, text in files.items():
            path = self.folder / "base" / name.replace("_", ".")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", "change")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def origin(tmp_path):
    return Origin(tmp_path / "origin")


@pytest.fixture
def repositories(tmp_path, origin):
    return Repositories(tmp_path / "copies", {URL: f"file://{origin.folder}"})


def names(things):
    return [each["metadata"]["name"] for each in things]


def test_the_objects_of_a_folder_are_read_at_a_commit(origin, repositories):
    first = origin.commit(a_yaml=SERVICE % "a" + "---\n" + SERVICE % "b", README_md="not read")
    second = origin.commit(c_json='{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "c"}}')
    assert names(repositories.manifests(URL, first, "base")) == ["a", "b"]
    assert names(repositories.manifests(URL, second, "base/")) == ["a", "b", "c"]


def test_a_kustomization_names_the_files_and_sets_images(origin, repositories):
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{image: app}, {image: app-log:1}]}\n"
    text = "resources: [a.yaml]\nimages: [{name: app, newName: r:5/app, digest: sha256:1}]\n"
    commit = origin.commit(a_yaml=pod, b_yaml=SERVICE % "b", kustomization_yaml=text)
    (found,) = repositories.manifests(URL, commit, "base")
    assert [each["image"] for each in found["spec"]["containers"]] == ["r:5/app@sha256:1", "app-log:1"]


def test_a_branch_a_tag_and_head_are_resolved(origin, repositories):
    commit = origin.commit(a_yaml=SERVICE % "a")
    origin.git("tag", "v1")
    origin.git("branch", "other")
    assert {repositories.commit(URL, name, fresh=True) for name in ("main", "v1", "other", "HEAD", commit)} == {commit}


def test_a_branch_is_remembered_until_somebody_asks_for_a_fresh_answer(origin, repositories):
    first = origin.commit(a_yaml=SERVICE % "a")
    assert repositories.commit(URL, "main", fresh=True) == first
    second = origin.commit(a_yaml=SERVICE % "b")
    assert repositories.commit(URL, "main", fresh=False) == first
    assert repositories.commit(URL, "main", fresh=True) == second
    assert repositories.commit(URL, "main", fresh=False) == second


def test_a_forced_push_is_followed(origin, repositories):
    repositories.manifests(URL, origin.commit(a_yaml=SERVICE % "a"), "base")
    origin.git("commit", "--quiet", "--amend", "-m", "rewritten")
    commit = repositories.commit(URL, "main", fresh=True)
    assert names(repositories.manifests(URL, commit, "base")) == ["a"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a_yaml", "apiVersion: v1\nkind: [Service\nmetadata: {name: a}\n", "a.yaml"),
        ("a_yaml", SERVICE % "a" + "---\njust text\n", "Object 'Kind' is missing"),
        ("a_json", "{}\n", "Object 'Kind' is missing"),
        ("a_yaml", "apiVersion: v1\nkind: Service\n", "metadata.name is missing"),
        ("kustomization_yaml", "namePrefix: x\n", "knows no namePrefix in a kustomization"),
        ("kustomization_yaml", "resources: [../b]\n", "builds on files beside it only, not ../b"),
        ("Chart_yaml", "name: a\n", "builds no Helm charts"),
        (
            "a_yaml",
            SERVICE.replace("{name: %s}", "{name: a, annotations: {argocd.argoproj.io/hook: Sync}}"),
            "argocd.argoproj.io/hook",
        ),
    ],
)
def test_what_can_not_be_read_is_said(origin, repositories, name, text, said):
    commit = origin.commit(**{name: text})
    with pytest.raises(SourceError, match=said.replace(".", r"\.")):
        repositories.manifests(URL, commit, "base")


@pytest.mark.parametrize("text", ["kind: [Service\n", "just text\n", "replicas: 4\n"])
def test_a_file_that_does_not_look_like_a_manifest_is_passed_over(origin, repositories, text):
    commit = origin.commit(a_yaml=text, b_yaml=SERVICE % "b")
    assert names(repositories.manifests(URL, commit, "base")) == ["b"]


def test_yaml_is_read_as_kubernetes_reads_it(origin, repositories):
    commit = origin.commit(a_yaml=SERVICE % "a" + "data: {on: yes, mode: 010, text: 'yes'}\n")
    (thing,) = repositories.manifests(URL, commit, "base")
    assert thing["data"] == {True: True, "mode": 8, "text": "yes"}


def test_a_missing_path_branch_or_repository_is_said(origin, repositories, tmp_path):
    commit = origin.commit(a_yaml=SERVICE % "a")
    with pytest.raises(SourceError, match="app path does not exist"):
        repositories.manifests(URL, commit, "elsewhere")
    with pytest.raises(SourceError, match="unable to resolve 'nightly'"):
        repositories.commit(URL, "nightly", fresh=True)
    with pytest.raises(SourceError, match="git ls-remote failed"):
        Repositories(tmp_path / "x", {}).commit(f"file://{tmp_path}/nothing", "main", fresh=True)


def test_an_address_can_not_run_a_command(tmp_path):
    repositories = Repositories(tmp_path / "copies", {})
    for url in (f"ext::touch {tmp_path}/hacked", f"--upload-pack=touch {tmp_path}/hacked"):
        with pytest.raises(SourceError):
            repositories.commit(url, "main", fresh=True)
    assert not (tmp_path / "hacked").exists()
