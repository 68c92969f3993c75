"""Every way a command can end: its exit code, what is said, and that nobody sees a traceback who did not ask for one."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
import typer

from losscli.cli import app
from losscli.cli.commands import commands
from losscli.cli.signals import Terminated
from losscli.errors import DataError, MachineError, Place, Problem, SpecError

Run = Callable[..., tuple[int, str, str]]
TWO = [Problem("lr must be > 0", Place("a.yaml", 3, 5), "use 1e-3"), Problem("no such loss")]


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command that raises, in this process: its exit code, stdout and stderr."""

    def run(error: BaseException, *flags: str) -> tuple[int, str, str]:
        def fail(*arguments: object, **options: object) -> None:
            raise error

        monkeypatch.setattr(app, "app", fail)
        code = app.run(["train", *flags])
        return (code, *capsys.readouterr())

    return run


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (SpecError("bad spec"), 2, "error: bad spec\n"),
        (DataError("bad data", cure="mend it"), 3, "error: bad data\n  try: mend it\n"),
        (MachineError("no disk"), 5, "error: no disk\n"),
        (SpecError(TWO), 2, "error: lr must be > 0\n  at:  a.yaml:3:5\n  try: use 1e-3\nerror: no such loss\n"),
        (typer.Exit(1), 1, ""),
        (typer.BadParameter("not a number"), 2, "error: Invalid value: not a number\n"),
        (KeyboardInterrupt(), 130, "error: interrupted\n"),
        (Terminated(), 143, "error: terminated\n"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 141, ""),
        (OSError(errno.ENOSPC, "No space left on device"), 5, "error: the machine refuses: No space left on device\n"),
        (
            PermissionError(13, "Permission denied", "a\x1b"),
            5,
            r"error: the machine refuses: Permission denied: 'a\x1b'",
        ),
        (MemoryError(), 5, "error: the memory is not enough\n"),
        (ModuleNotFoundError("No module named 'jinja2'", name="jinja2.x"), 5, "error: the package jinja2 is missing\n"),
        (
            ModuleNotFoundError("No module named 'html.entities'; 'html' is not a package", name="html.entities"),
            5,
            "error: something called html in this folder or on PYTHONPATH hides Python's own module html",
        ),
        (ImportError("no", name="losscli.pipeline"), 70, "error: sorry, this is a bug in losscli: ImportError: no\n"),
        (ValueError("oops\nsecond line"), 70, "error: sorry, this is a bug in losscli: ValueError: oops\n"),
        (RecursionError(), 70, "error: sorry, this is a bug in losscli: RecursionError:\n"),
    ],
)
def test_each_error_has_its_code_and_words(ended: Run, error: BaseException, code: int, said: str) -> None:
    found, out, err = ended(error)
    assert found == code
    assert out == ""
    assert err.startswith(said) if said else err == ""
    assert "Traceback" not in err


def test_a_bug_says_what_to_do(ended: Run) -> None:
    assert "try: run it again with --debug" in ended(ZeroDivisionError("division by zero"))[2]


def test_debug_shows_the_traceback_and_keeps_the_code(ended: Run) -> None:
    code, _, err = ended(SpecError("bad spec"), "--debug")
    assert code == 2
    assert "Traceback" in err
    assert "SpecError: bad spec" in err


def test_sigterm_ends_with_143_and_its_handler_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(app, "app", lambda *arguments, **options: os.kill(os.getpid(), signal.SIGTERM))
    assert app.run([]) == 143
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trian"], "Did you mean 'train'?"),
        (["train", "--lrr", "1"], "--lr"),
        (["train", "a.yaml", "b.yaml"], "unexpected extra argument"),
        (["train", "--format", "xml"], "Invalid value for '--format': 'xml' is not one of 'text', 'json'"),
        (["compare", "--seeds"], "--seeds"),
    ],
)
def test_a_wrong_command_line_is_2_with_a_suggestion(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert app.run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert "--help shows what there is" in err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("train --loss focal --loss brier", "--loss: losscli train takes one, and 2 are given\n  try: losscli compare"),
        ("compare --epochs 3 --epochs 5", "--epochs: losscli compare takes one, and 2 are given\n  try: give it once"),
        (
            "train --data a --data b --data c",
            "--data: losscli train takes one, and 3 are given\n  try: several files are one",
        ),
    ],
)
def test_a_flag_of_one_value_is_not_given_twice(capsys: pytest.CaptureFixture[str], line: str, said: str) -> None:
    assert app.run(line.split()) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], []])
def test_help_lists_every_command(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert app.run(arguments) == 0
    out = capsys.readouterr().out
    assert {"compare", "train", "verify"} <= set(commands.names())
    assert all(f"  {name} " in out for name in commands.names())


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    from importlib.metadata import version

    assert app.run(["--version"]) == 0
    assert capsys.readouterr().out == f"losscli {version('losscli')}\n"


def test_help_loads_nothing_heavy() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "losscli", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert {"losscli", "typer"} <= loaded
    assert not loaded & {"torch", "numpy", "pydantic", "pyarrow", "sklearn", "scipy", "rich", "yaml", "plotille"}


def _losscli(line: str) -> subprocess.CompletedProcess[str]:
    script = line.replace("losscli", f"{sys.executable} -m losscli", 1)
    # Unbuffered streams would hide that Python flushes once more on its way out.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, env=environment)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_stdout_is_5() -> None:
    done = _losscli("losscli --version > /dev/full")
    assert done.returncode == 5
    assert done.stderr == "error: the machine refuses: No space left on device\n"


@pytest.mark.skipif(os.name != "posix", reason="needs bash")
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("losscli --help | true; exit ${PIPESTATUS[0]}", 141),
        ("losscli --help >&-", 0),
        ("losscli trian 2>&-", 2),
        ("losscli trian 2>/dev/full", 2),
    ],
)
def test_streams_that_nobody_reads_are_no_bug(line: str, code: int) -> None:
    done = _losscli(line)
    assert done.returncode in ((0, 141) if code == 141 else (code,))  # a pipe may still take it all
    assert done.stderr == ""


def test_ctrl_c_while_it_is_being_imported_leaves_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "typer").mkdir()
    (tmp_path / "typer" / "__init__.py").write_text("raise KeyboardInterrupt\n")
    start = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from losscli.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", start], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr, done.stdout) == (130, "error: interrupted\n", "")


WITHIN_C = """
import os, signal, sys
inside = []

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "torch.distributed" and not inside:
            sys.setprofile(look)

def look(frame, event, what):
    if event == "c_call" and what.__name__ == "_c10d_init":
        inside.append(1)
    elif event == "call" and inside:  # Python that it calls
        sys.setprofile(None)
        os.kill(os.getpid(), signal.{number})

sys.meta_path.insert(0, Finder())
sys.argv = ["losscli", "train", "--task", "binary", "--smoke", "--no-record"]
from losscli.__main__ import main
main()
"""


@pytest.mark.skipif(os.name != "posix", reason="needs alarms")
@pytest.mark.parametrize(
    ("name", "code", "said"), [("SIGINT", 130, "interrupted"), ("SIGHUP", 129, "the terminal is gone")]
)
def test_a_signal_where_torch_cannot_take_an_error_is_no_crash(name: str, code: int, said: str) -> None:
    """Within the function in C++ that makes torch.distributed, which calls Python and takes no error from it."""
    script = WITHIN_C.format(number=name)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr, done.stdout) == (code, f"error: {said}\n", "")


@pytest.fixture
def half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Callable[..., None]]]:
    """A command that imports a module of this text and goes on for good; the module is then in `sys.modules`."""

    def make(text: str) -> Callable[..., None]:
        (tmp_path / "half.py").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)

        def command(*arguments: object, **options: object) -> None:
            import_module("half")
            while True:
                time.sleep(0.01)

        return command

    yield make
    sys.modules.pop("half", None)


@pytest.mark.skipif(os.name != "posix", reason="needs alarms")
@pytest.mark.parametrize("times", [1, 3])
def test_a_signal_while_a_module_is_imported_waits_for_its_end(
    half: Callable[[str], Callable[..., None]], monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    kill = "import os, signal\n" + "os.kill(os.getpid(), signal.SIGTERM)\n" * times
    monkeypatch.setattr(app, "app", half(kill + "import colorsys  # while it waits\nwhole = True\n"))
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGALRM)]
    assert app.run([]) == 143
    assert sys.modules["half"].whole
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGALRM)] == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


@pytest.mark.skipif(os.name != "posix", reason="needs alarms")
def test_a_signal_is_heard_where_the_command_ends_with_the_import(
    half: Callable[[str], Callable[..., None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    half("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n")
    monkeypatch.setattr(app, "app", lambda *arguments, **options: import_module("half") and None)
    assert app.run([]) == 143


@pytest.mark.skipif(os.name != "posix", reason="needs alarms")
def test_an_import_that_hangs_is_not_waited_for(
    half: Callable[[str], Callable[..., None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from losscli.cli import signals

    monkeypatch.setattr(signals, "PATIENCE", 0.1)
    monkeypatch.setattr(app, "app", half("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\nwhile True: pass\n"))
    assert app.run([]) == 143


def test_the_installed_command_is_the_module() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert project["project"]["scripts"] == {"losscli": "losscli.__main__:main"}
