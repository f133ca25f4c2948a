"""Where the report leads for more. A journal may have been written by anybody: only http and https are followed.

Example:
    >>> Pages(commits="https://git.example.com/shop/commit/{commit}").commit("3f2a91c0")
    'https://git.example.com/shop/commit/3f2a91c0'
    >>> followed("javascript:alert(1)")
    ''
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ci.reporters.report.rollout import Rollout

WEB = re.compile(r"https?://[^\s\\]+")
HASH = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True)
class Pages:
    """Addresses, each "" where none is known.

    Attributes:
        image: of the image; ``application``: of the Application in Argo CD.
        commits: of any commit, with ``{commit}`` in the place of its hash.
    """

    image: str = ""
    application: str = ""
    commits: str = ""

    def commit(self, commit: str) -> str:
        """Give the page of one commit.

        Args:
            commit: its hash.
        """
        return self.commits.replace("{commit}", commit) if HASH.fullmatch(commit) else ""


def pages(rollout: Rollout) -> Pages:
    """Give the addresses that the rollout's journal knows.

    Args:
        rollout: whose.
    """
    known: Mapping[str, str] = rollout.began.links if rollout.began else {}
    image, application, commits = (followed(known.get(name, "")) for name in ("image", "application", "commit"))
    return Pages(image, application, commits)


def followed(address: object) -> str:
    """Give an address back if a browser may follow it, else ""."""
    return address if isinstance(address, str) and WEB.fullmatch(address) else ""
