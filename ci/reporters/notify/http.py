"""One request to a server that is told, with a limit for everything and words without a secret."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from ci.reporters.notify.channel import NotDelivered

LIMIT = 5.0  # seconds to connect, and again between two pieces of the answer
FIRST_REFUSAL = 300


def send(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Send it; a redirection is not followed, it would take the headers along.

    Args:
        method: such as ``POST``.
        url: where to; nothing of it but its host is ever said.
        body: of the request.
        headers: of the request.

    Raises:
        NotDelivered: when the server does not take it.
    """
    import requests  # noqa: PLC0415 - only a release file that names a server needs it

    host = urlsplit(url).netloc
    try:
        limits = (LIMIT, LIMIT)
        answer = requests.request(
            method, url, data=body, headers=dict(headers), timeout=limits, allow_redirects=False, stream=True
        )
        answer.close()  # what it says besides its status may be endless, and is of no use
    except requests.Timeout as error:
        raise NotDelivered(f"{host} does not answer within {LIMIT:g} s") from error
    except requests.ConnectionError as error:
        raise NotDelivered(f"{host} can not be reached") from error
    except (requests.RequestException, ValueError) as error:
        raise NotDelivered(f"no request to {host} can be made of it ({type(error).__name__})") from error
    if answer.status_code >= FIRST_REFUSAL:
        raise NotDelivered(f"{host} answers {answer.status_code} {answer.reason}")
