"""The entry point: finds the verb, imports its module, and turns every end into an exit status."""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

from ringfence import __version__
from ringfence.cli import program
from ringfence.errors import RingfenceError

VERBS: Final = {
    "matrix": "who can reach whom, on what?",
    "explain": "why can, or can't, A reach B? which policy, which rule, which line?",
    "lint": "what is wrong or suspicious in these policies?",
    "exposure": "what faces the outside, and what is unprotected?",
    "infer": "who talks to whom? a draft of the intents from the manifests alone, each arrow with its evidence",
    "generate": "which policies allow what these intents say, and nothing else?",
    "check": "is everything that is wanted possible, and nothing else? intents, or a stored matrix, against policies",
    "diff": "what does this change open, and what does it close?",
    "prove": "does the kernel do with every packet what the policies say? predict, measure, compare",
    "lab": "run it for real here: a pretend cluster on this machine, without root",
    "snapshot": "what is in the cluster now? one file that the other verbs read, without secrets",
    "doctor": "does this cluster enforce its policies, and by which network plugin? asked of real traffic",
    "apply": "what would these policies change in the cluster? put them in place without cutting what may stay",
    "probe": "does the cluster do with real connections what its policies say? twins of its pods try them",
    "cleanup": "what did a run leave in the cluster? and away with it",
    "rbac": "which rights in the cluster does a verb need? the least of them, as a role to apply",
}
"""Each verb and the question it answers; its module is ``ringfence.cli.<verb>``."""
PURE: Final = ("matrix", "explain", "lint", "diff", "exposure", "infer", "check")
"""Verbs that leave nothing behind: no process, no thread, no file that is not closed."""
CHANGING: Final = ("doctor", "apply", "probe", "cleanup")
"""Verbs that do something to a cluster, or are asked whether it is safe: what nobody read of them is no success."""
UNTOLD: Final = 3
CRASH: Final = 70
EPILOG: Final = (
    "exit status: 0 clean; 1 a denial, a difference or a workload without protection under --exit-code, an error that "
    "lint found, an intent that no policy can hold, a check that is not clean, or a cluster that does not enforce; 2 "
    "usage, or input of which something had to be left out; 3 the environment, or nothing proven; 70 a fault of "
    "ringfence itself"
)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence and say where help is."""

    def error(self, message: str) -> NoReturn:
        """Print one sentence and exit with 2."""
        self.exit(2, f"{self.prog}: {message}; run '{self.prog} --help'\n")


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """The whole parser; with *only*, just that verb's options are loaded."""
    top = Parser(
        prog=program.name(),
        description="Network policy for Kubernetes, proven: the exact traffic matrix of any set of manifests.",
        epilog=EPILOG,
    )
    top.add_argument("--version", action="version", version=f"ringfence {__version__}")
    verbs = top.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=Parser)
    for verb, question in VERBS.items():
        sub = verbs.add_parser(verb, help=question, description=question.capitalize())
        if only is None or only == verb:
            importlib.import_module(f"ringfence.cli.{verb}").configure(sub)
    return top


def _parse(words: list[str], verb: str) -> argparse.Namespace:
    """The arguments; paths and the flow may stand before, between and behind options, a command behind ``--``."""
    top = parser(verb)
    words, command = _cut(_with_settings(words, verb, top))
    args, more = top.parse_known_args(words)
    if "command" in args:
        args.command = command
    elif command is not None:
        more += command
    called = f"{program.name()} {args.verb}"
    strange = [word for word in more if word.startswith("-") and word != "-"]
    if strange:
        top.exit(2, f"{called}: unrecognized arguments: {' '.join(strange)}; run '{called} --help'\n")
    if more:
        if not hasattr(args, "words") and not hasattr(args, "paths"):
            top.exit(2, f"{called}: unexpected {more[0]}; run '{called} --help'\n")
        (args.words if hasattr(args, "words") else args.paths).extend(more)
    return args


def _with_settings(words: list[str], verb: str, top: argparse.ArgumentParser) -> list[str]:
    """*words* with what a settings file says of other options. Raises: UsageError for a wrong file."""
    from ringfence.cli import config  # noqa: PLC0415 (the version needs none)

    found = config.settings() if verb and not {"-h", "--help"} & {*words} else None
    if found is None:
        return words
    (verbs,) = (action for action in top._actions if isinstance(action, argparse._SubParsersAction))
    told, at = config.given(words), words.index(verb) + 1
    more = [word for word in config.words(verb, verbs.choices[verb], found) if word.partition("=")[0] not in told]
    return [*words[:at], *more, *words[at:]]


def _open_streams() -> None:
    """Put nothing in the place of a standard stream that was closed, so that no other file is taken for it."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number is the one that was looked for
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115 (open as long as the program)


def _cut(words: list[str]) -> tuple[list[str], list[str] | None]:
    """*words* before the first ``--``, and those behind it."""
    if "--" not in words:
        return words, None
    at = words.index("--")
    return words[:at], words[at + 1 :]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status; never a traceback for what a user can cause."""
    if argv is None:
        # One run makes no cycles worth collecting, and passing over a large cluster again and again is slow.
        gc.disable()
        _open_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    verb = next((word for word in words if not word.startswith("-")), "")
    parsed = False  # what helps is no answer
    try:
        args = _parse(words, verb if verb in VERBS else "")
        parsed = True
        if argv is None and hasattr(args, "kubeconfig") and (args.verb not in PURE or args.live):
            from ringfence.cli.ending import orderly  # noqa: PLC0415 (for a cluster alone)

            orderly()
        status = importlib.import_module(f"ringfence.cli.{args.verb}").run(args)
        sys.stdout.flush()
    except RingfenceError as problem:
        print(f"{program.name()}: {program.own_words(str(problem), VERBS)}", file=sys.stderr)
        return problem.exit_status
    except BrokenPipeError:
        # The reader of our output has had enough, as with `| head`; there is nobody left to tell.
        from ringfence.cli.common import silence  # noqa: PLC0415 (--help needs nothing of it)

        silence()
        return UNTOLD if parsed and verb in CHANGING else 0
    except KeyboardInterrupt:
        return 130
    except Exception as fault:
        if os.environ.get("RINGFENCE_DEBUG"):
            raise
        where = f"{type(fault).__name__}: {fault}"
        remedy = "set RINGFENCE_DEBUG=1 for the trace and report it"
        print(f"{program.name()}: a fault of ringfence itself ({where}); {remedy}", file=sys.stderr)
        return CRASH
    if argv is None and args.verb in PURE and not args.live:  # where files of keys wait to be removed at the end
        _leave(int(status))
    return int(status)


def _leave(status: int) -> NoReturn:
    """End at once: taking a large cluster apart, object by object, would take a tenth of the whole run."""
    sys.stderr.flush()
    os._exit(status)
