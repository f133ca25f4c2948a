"""Gates of this service's own: named in release.yaml, run with every step, while the traffic is watched."""

import requests


def test_the_canary_knows_its_health(canary_url: str) -> None:
    """The canary's own word, asked directly and not through the mesh."""
    answer = requests.get(canary_url + "/healthz", timeout=5)
    assert answer.ok, f"the canary's health page answers {answer.status_code}"
