"""A history as a person reads it: every write, event and end, in order."""

from dataclasses import astuple

from benchmarks.simulation.outside import canary_weight
from benchmarks.simulation.simulation import History
from benchmarks.simulation.store import Write
from ci.events import Event, Progress, RolloutEnded, as_json
from ci.record import PREFIX

LONGEST = 180
QUIET = (Progress,)


def story(history: History) -> list[str]:
    """Tell it, a line each."""
    lines = [(0.0, f"PLAN {name}: {value}") for name, value in vars(history.plan).items()]
    lines += [
        (write.at, f"{write.who:22} {_told(write)}") for write in history.store.writes if write.who != "controller"
    ]
    lines += [(at, f"{who:22} - {_event(event)}") for at, who, event in history.events if not isinstance(event, QUIET)]
    lines += [(at, f"{commit.who:22} pushes {commit.name}: {commit.subject}") for at, commit in history.git.pushed]
    lines += [(at, f"{'mesh':22} routes {most:g} %, {least:g} %") for at, most, least in map(astuple, history.routes)]
    lines += [(each.at, f"{'pods':22} {each.deployment} {_short(str(each.ready))}") for each in history.pods]
    lines += [(at, f"{'people':22} {what}") for at, what in history.meddled]
    lines += [(end.at, f"{end.who:22} ENDS {_end(end.end)}") for end in history.ends]
    return [f"{at:9.3f} {text[:LONGEST]}" for at, text in sorted(lines, key=lambda each: each[0])]


def outcome(history: History) -> str:
    """Say in a word how the first rollout ended."""
    said = [each.end.outcome for each in history.ends if isinstance(each.end, RolloutEnded)]
    return said[-1] if said else "nothing"


def _told(write: Write) -> str:
    if write.kind == "virtualservices" and write.after:
        notes = write.after["metadata"].get("annotations") or {}
        kept = ("phase", "step", "abort", "commits", "held", "before-min")
        said = " ".join(f"{key}={notes[PREFIX + key]}" for key in kept if notes.get(PREFIX + key))
        return f"{write.verb} VirtualService {write.name} canary={canary_weight(write.after):g} {said}"
    if write.kind == "leases" and write.after:
        return f"{write.verb} Lease holder={write.after['spec'].get('holderIdentity')}"
    if write.kind == "applications" and write.after:
        return f"{write.verb} Application {write.after.get('status')}"
    spec = (write.after or {}).get("spec", {})
    more = f"replicas={spec.get('replicas')} {spec.get('template', '')}"
    return f"{write.verb} {write.kind} {write.name} {_short(more)}"


def _event(event: Event) -> str:
    said = as_json(event)
    kind = said.pop("kind")
    return f"{kind} " + " ".join(
        f"{key}={value}" for key, value in said.items() if key not in ("at", "command", "numbers")
    )


def _end(end: object) -> str:
    return f"{end.outcome} ({end.exit_code}): {end.sentence}" if isinstance(end, RolloutEnded) else repr(end)


def _short(text: str) -> str:
    """Leave out most of a digest."""
    for digit in "0123456789":
        text = text.replace(f"registry.example.com/shop/shop@sha256:{digit * 64}", f"image{digit}")
    return text
