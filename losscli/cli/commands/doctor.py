"""`losscli doctor`: what this machine has for losscli, and what it lacks."""

from __future__ import annotations

from typer import Exit

from losscli.cli import flags
from losscli.cli.commands import Panel, command


@command("doctor", Panel.reference)
def doctor(out: flags.Records = flags.RUNS, form: flags.As = flags.Format.text) -> None:
    """Look at versions, device, cores, terminal, records and extras.

    Exit code 5 where something is wrong that commands would fail by. Its text belongs in every bug report.

    losscli doctor
    """
    from losscli.cli import show
    from losscli.cli.health import checks, pieces

    every = checks(out)
    wrong = sum(check.state == "wrong" for check in every)
    if form is flags.Format.json:
        show.machine({"schema_version": 1, "checks": [check.to_json() for check in every]})
    else:
        show.pieces(pieces(every))
    if wrong:
        raise Exit(5)
