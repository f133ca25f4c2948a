"""The turns of a rollout that people are told of, each as a message that says all they need.

Example:
    >>> turns = Turns(About(namespace="production", file="release.yaml"))
    >>> told = {"rollout": "3f9c2a", "service": "rebate-core", "image": "r/rebate@sha256:1", "steps": [5, 100]}
    >>> turns.of(RolloutBegan(at=0.0, **told, who="ci@agent", target="prod-eu"))
    >>> ended = RolloutEnded(at=9.0, outcome="rolled back", sentence="canary error rate 4.8 % ...", exit_code=1)
    >>> turns.of(ended).title
    'rebate-core: rolled back'
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ci.events import Event, Held, PhaseEntered, RolloutBegan, RolloutEnded
from ci.phases import Phase
from ci.reporters.figures import day, seconds, short_image
from ci.reporters.sentences import sentence, spoken_steps
from ci.reporters.strings import harmless, mapped, readable
from fixtures.notify import Turn

SHORT = 140  # characters that GitHub takes as the description of a commit's state


@dataclass(frozen=True)
class About:
    """What a message says besides what happened.

    Attributes:
        namespace: of the service.
        file: the release file, as it stands in commands.
        job: what the build is called, where one is going on.
        console: where its log can be read.
    """

    namespace: str
    file: str
    job: str = ""
    console: str = ""

    @classmethod
    def of_build(cls, namespace: str, file: str, environ: Mapping[str, str]) -> "About":
        """Take the build from the variables that Jenkins sets.

        Args:
            namespace: of the service.
            file: the release file.
            environ: the environment.
        """
        job = " #".join(filter(None, (environ.get("JOB_NAME", ""), environ.get("BUILD_NUMBER", ""))))
        build = environ.get("BUILD_URL", "")
        return cls(namespace, file, readable(job), readable(f"{build.rstrip('/')}/console") if build else "")


@dataclass(frozen=True)
class Message:
    """What is told at a turn; all of it is safe to show.

    Attributes:
        turn: which.
        title: one line.
        body: plain text, some lines.
        facts: by the names that a webhook may ask for.
    """

    turn: Turn
    title: str
    body: str
    facts: Mapping[str, str] = field(default_factory=dict)


class Turns:
    """Makes messages of events.

    Args:
        about: what each of them says.
    """

    def __init__(self, about: About) -> None:
        self._about = about
        self._began: RolloutBegan | None = None
        self._step = 0

    def of(self, event: Event) -> Message | None:
        """Give the message for an event; None when it is no turn.

        Args:
            event: the next one of a rollout.
        """
        event = mapped(event, harmless)
        if isinstance(event, RolloutBegan):
            self._began = event
        return self._turn(event, self._began) if self._began else None

    def _turn(self, event: Event, began: RolloutBegan) -> Message | None:
        match event:
            case PhaseEntered():
                self._step = event.step or 0
                # Only here a rollout starts: a recovery begins, too, and goes only back.
                if event.phase == Phase.PREFLIGHT.value:
                    steps = f"steps {spoken_steps(began.steps)}" if began.steps else "steps as preflight finds them"
                    return self._message(began, Turn.STARTED, f"{short_image(began.image)} to {began.target}, {steps}")
            case Held():
                return self._message(began, Turn.HELD, sentence(event), commands=("promote", "resume", "abort"))
            case RolloutEnded():
                turn = Turn(event.outcome.replace(" ", "_"))
                commands = ("status", "recover") if turn is Turn.INCOMPLETE else ()
                return self._message(began, turn, event.sentence, commands=commands, took=event.at - began.at)
            case _:
                pass
        return None

    def _message(
        self, began: RolloutBegan, turn: Turn, words: str, *, commands: Sequence[str] = (), took: float = 0.0
    ) -> Message:
        about = self._about
        lines = {
            "image": short_image(began.image),
            "where": f"{about.namespace} on {began.target}",
            "rollout": f"{began.rollout} by {began.who}, since {day(began.at)}",
            "took": seconds(took) if took else "",
            "console": about.console,
        }
        body = [readable(words), "", *(f"{name:8} {value}" for name, value in lines.items() if value)]
        body += ["", "What can be done now:"] if commands else []
        body += [f"  sluicegate {verb} {about.file} --target {began.target}" for verb in commands]
        title = f"{began.service}: {turn.value.replace('_', ' ')}" + (f" ({about.job})" if about.job else "")
        return Message(turn, title, "\n".join(body), self._facts(began, turn, readable(words)))

    def _facts(self, began: RolloutBegan, turn: Turn, words: str) -> dict[str, str]:
        return {
            "service": began.service,
            "namespace": self._about.namespace,
            "image": began.image,
            "rollout": began.rollout,
            "target": began.target,
            "who": began.who,
            "turn": turn.value,
            "step": str(self._step),
            "sentence": words,
            "short": words if len(words) <= SHORT else f"{words[: SHORT - 1]}…",
        }
