"""`losscli lint`: misuse of losses in scripts, notebooks and folders, found without running them."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Exit, Option

from losscli.cli import flags
from losscli.cli.commands import Panel, command

Paths = Annotated[list[str], Argument(metavar="PATHS...", help="Scripts, notebooks, folders.", show_default=False)]
Codes = list[str] | None


@command("lint", Panel.catch)
def lint(
    paths: Paths,
    form: flags.AsCode = flags.CodeFormat.text,
    select: Annotated[Codes, Option("--select", metavar="CODES", help="Only these rules; repeatable.")] = None,
    ignore: Annotated[Codes, Option("--ignore", metavar="CODES", help="Not these rules; repeatable.")] = None,
    everything: Annotated[bool, Option("--all", help="Show infos, too.")] = False,
    fix: Annotated[bool, Option("--fix", help="Make the edits that keep every value.")] = False,
    diff: Annotated[bool, Option("--diff", help="Show these edits, and make none.")] = False,
    statistics: Annotated[bool, Option("--statistics", help="Count findings by rule.")] = False,
) -> None:
    """Find misuse of losses in PyTorch code, without running it.

    The exit code is 1 where something is found, 2 for wrong usage. `# noqa: LC001` at a line's end silences a rule there;
    [tool.losscli.lint] in pyproject.toml takes select, ignore and exclude.

    losscli lint train.py notebooks/

    losscli lint . --format sarif > losses.sarif

    losscli lint . --select log-of-softmax --diff
    """
    from losscli.cli import linting

    choice = linting.Choice(paths, select or [], ignore or [], everything)
    result = linting.fixed(choice) if fix and not diff else linting.looked(choice)
    linting.show(result, form.value, diff, statistics)
    raise Exit(1 if result.findings else 0)
