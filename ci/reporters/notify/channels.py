"""From what a release file says to the channels by which a rollout is told, and what is wrong with them."""

from collections.abc import Iterator, Mapping

from ci.reporters.notify.channel import Channel
from ci.reporters.notify.metrics import MetricsChannel
from ci.reporters.notify.people import PeopleChannel, understood
from ci.reporters.notify.turns import About, Turns
from ci.reporters.notify.webhook import WebhookChannel
from ci.state import Job
from fixtures.notify import Message, Metrics, Notify, Webhook

Place = tuple[str | int, ...]


def channels(job: Job, environ: Mapping[str, str]) -> list[Channel]:
    """Make the channels of a rollout.

    Args:
        job: the rollout.
        environ: has what the release file must not.
    """
    about = About.of_build(job.release.namespace, str(job.file), environ)
    group = {"service": job.release.service, "namespace": job.release.namespace, "target": job.target}

    def channel(name: str, told: Message | Webhook | Metrics) -> Channel:
        match told:
            case Message():
                return PeopleChannel(f"{name} ({told.to})", told, Turns(about), environ)
            case Webhook():
                return WebhookChannel(name, told, Turns(about), environ)
            case Metrics():
                return MetricsChannel(name, told, group, environ)

    return [channel(written(place), told) for place, told in job.release.notify.told.items()]


def written(place: Place) -> str:
    """Write a place under ``notify`` as people do, such as ``notify.messages[0]``."""
    return "notify" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)


def missing(notify: Notify, environ: Mapping[str, str]) -> Iterator[tuple[Place, str]]:
    """Find the environment variables that are not there.

    Args:
        notify: names them.
        environ: the environment.

    Yields:
        The place under ``notify``, and the variable.
    """
    for place, told in notify.told.items():
        yield from ((place, name) for name in sorted(told.variables) if not environ.get(name))


def not_understood(notify: Notify, environ: Mapping[str, str]) -> Iterator[tuple[Place, str]]:
    """Find the environment variables that hold no address.

    Args:
        notify: names them.
        environ: the environment.

    Yields:
        The place under ``notify``, and the variable.
    """
    for place, message in enumerate(notify.messages):
        address = environ.get(message.to)
        if address and understood(address) is None:
            yield ("messages", place, "to"), message.to
