"""``pytest scenarios/lint.py``: a promise a group of rules, for one release and for many."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "rebate-core"


def lint(folder: Path, junit: Path, *releases: Path) -> dict[str, str]:
    """Give what each test says: nothing when it has passed."""
    words = ["-m", "pytest", "scenarios/lint.py", "-p", "no:cacheprovider", f"--junitxml={junit}"]
    named = [word for each in releases for word in ("--release", str(each))]
    subprocess.run([sys.executable, *words, "--manifests", str(folder), *named], cwd=ROOT, check=False, timeout=60)
    failures = {case.get("name"): case.find("failure") for case in ET.parse(junit).iter("testcase")}
    return {name: "" if each is None else each.get("message") for name, each in failures.items()}


def test_the_example_keeps_all_promises_and_a_release_of_another_name_breaks_some(tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text((EXAMPLE / "release.yaml").read_text().replace("service: rebate-core", "service: orders"))
    said = lint(EXAMPLE.parent / "k8s-manifests", tmp_path / "lint.xml", EXAMPLE / "release.yaml", other)
    own = {name: words for name, words in said.items() if "rebate-core/release]" in name}
    assert len(own) == 10
    assert not any(own.values())
    (apart,) = [words for name, words in said.items() if name.startswith("test_versions_are_apart") and name not in own]
    assert "there is no Deployment orders for stable, only rebate-core, rebate-core-canary" in apart
