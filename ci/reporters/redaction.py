"""Takes secrets out of texts before they reach a file, a screen or a cluster.

Jenkins masks the console only: journal, JUnit files and archived reports are ours to keep clean. Taken out are

* user and password of a URL (``https://user:password@host`` keeps the host);
* what follows ``Authorization:`` and its relatives, and what follows ``Bearer`` or ``Basic``;
* JSON web tokens, and values of parameters such as ``token=`` or ``password=``;
* the value of every environment variable whose name says that it is a secret, wherever it turns up.

Example:
    >>> redact = Redactor({"REGISTRY_PASSWORD": "correct horse"})
    >>> redact("push to https://ci:hunter2@git.example.com/shop.git failed: 'correct horse' refused")
    "push to https://***@git.example.com/shop.git failed: '***' refused"
"""

import re
from collections.abc import Collection, Iterator, Mapping
from urllib.parse import quote, quote_plus

HIDDEN = "***"
SHORTEST = 6  # characters: a shorter value ("1", "true") would blot out half a log and is no secret

NAME = re.compile(r"(?i)token|secret|passw(or)?d|passphrase|api_?key|private_?key|access_?key|credential")
PLACE = re.compile(r"(?i)(file|path|dir|sock|askpass|command)$")  # names where a secret is, not the secret

# Each begins where a word begins, so that a long foreign text takes linear time.
START = r"(?<![\w-])"
URL = r"(?<=://)[^\s/?#'\"<>]+@"
HEADER = r"((?i:(?:proxy-)?authorization|x-[\w-]*token|private-token|(?:set-)?cookie)['\"]?\s*[:=]\s*['\"]?)[^'\"\r\n]+"
SCHEME = r"((?i:bearer|basic)\s+)(?=\S*[A-Z0-9=])[\w.~+/=-]{8,}"
WEB = r"()eyJ[\w-]+\.[\w-]+\.[\w-]*"
PARAMETER = r"([\w-]*(?i:secret|passw(?:or)?d|api_?key)['\"]?\s*[=:]\s*['\"]?)[^\s&'\",;]{3,}"
QUOTED = r"([\w-]*(?i:token)(?:=|['\"]?\s*[=:]\s*['\"]))[^\s&'\",;]{3,}"

PATTERNS = (
    (re.compile(URL), f"{HIDDEN}@"),
    *((re.compile(START + each), rf"\g<1>{HIDDEN}") for each in (HEADER, SCHEME, WEB, PARAMETER, QUOTED)),
)


class Redactor:
    """Redacts texts, knowing the secrets of one environment.

    Args:
        environ: variables; those whose names look like secrets are.
        also: names of others that are.
    """

    def __init__(self, environ: Mapping[str, str], also: Collection[str] = ()) -> None:
        values = {spelling for value in secrets_of(environ, also) for spelling in _spellings(value)}
        longest_first = sorted(values, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def __call__(self, text: str) -> str:
        """Give the text with every secret in it replaced by ``***``."""
        text = self._known.sub(HIDDEN, text)
        for pattern, replacement in PATTERNS:
            text = pattern.sub(replacement, text)
        return text


def secrets_of(environ: Mapping[str, str], also: Collection[str] = ()) -> Iterator[str]:
    """Give the values that are secrets, going by their variables' names.

    Args:
        environ: variables and values.
        also: names of variables that are secrets whatever their names say.

    Yields:
        Each value, and for one of several lines (a private key) each line; none shorter than six characters.
    """
    for name, value in environ.items():
        if name in also or (NAME.search(name) and not PLACE.search(name)):
            yield from (part for part in {value, *value.splitlines()} if len(part.strip()) >= SHORTEST)


def _spellings(value: str) -> set[str]:
    """A secret in a URL is percent-encoded, in a log line stripped."""
    return {value, value.strip(), quote(value, safe=""), quote_plus(value)}
