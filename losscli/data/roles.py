"""The columns of a table by what they are for: features, targets, weight, exposure; and what names rows and is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from losscli.data.columns import SPLITS
from losscli.data.dataset import ColumnStory
from losscli.data.delimited import choose_column
from losscli.data.exposure import Exposure, exposure_of
from losscli.data.gather import Raw, RawColumns
from losscli.data.ids import Identity, identity, left_out, shortened
from losscli.data.infer import ColumnInference, ColumnOptions, infer
from losscli.data.store import Store
from losscli.errors import DataError, Finding, counted, listed, setting, shown
from losscli.tasks import Column
from losscli.tasks.labels import place_of

if TYPE_CHECKING:
    from losscli.data.tabular import Tabular


@dataclass
class Roles:
    """Columns by what they are for, in the order of the file."""

    source: Tabular
    gathered: RawColumns
    store: Store | None = None
    features: dict[str, Column] = field(default_factory=dict)
    targets: dict[str, Column] = field(default_factory=dict)
    keys: dict[str, Column] = field(default_factory=dict)
    weight: Column | None = None
    ids: dict[str, tuple[Column, Identity]] = field(default_factory=dict)
    exposure: Exposure | None = None
    stories: dict[str, ColumnStory] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    padded: dict[str, ColumnInference] = field(default_factory=dict)  # columns with blanks around values
    id_findings: dict[str, tuple[Finding, ...]] = field(default_factory=dict)  # moot where they are left out

    def sort(self) -> None:
        """Snapshot at every column; `DataError` with what is wrong in any of them."""
        source, problems = self.source, []
        for name in self.gathered.names:
            raw = self.gathered.columns.get(name)
            if raw is None:
                why = "data.drop" if name in source.drop else "data.types says ignore"
                self.stories[name] = ColumnStory(name, "not read", "left out", why, None, 0)
                continue
            try:
                self._place(name, raw)
            except DataError as refused:
                problems += refused.problems
        if problems:
            raise DataError(problems)
        for name in source.drop:  # a part of a date, if it is one
            if self.stories.get(name.rpartition(".")[0], self.stories[self.gathered.names[0]]).kind != "date":
                choose_column(name, self.gathered.names, "data.drop", source.paths[0])
        self.targets = {name: self.targets[name] for name in source.targets}  # in the order that the spec names them
        self._leave_out_ids()
        self._tell_unnamed()
        self._tell_padded()

    def _place(self, name: str, raw: Raw) -> None:
        source = self.source
        options = source.column_options(name, self.gathered.rows)
        if name in source.split.columns:
            self.keys[name] = self._key(name, raw, options)
            role = SPLITS
            if not source.split.feature or name in (*source.drop, *source.targets):
                self.stories[name] = ColumnStory(name, "key", role, "data.split names it", None, 0)
                if name not in source.targets:
                    return
        inferred = infer(raw, options)
        role = self._role(name) or inferred.story.role
        self.findings += inferred.findings
        if inferred.padded:
            self.padded[name] = inferred
        self.stories[name] = replace(inferred.story, role=role)
        if name in source.targets:
            self.targets |= inferred.columns
        elif name == source.weight:
            self.weight = _numbers(name, inferred.columns, "weight")
        elif name == source.offset_name:
            numbers = _numbers(name, inferred.columns, "offset" if source.exposure is None else "exposure")
            self.exposure = exposure_of(name, numbers, source.exposure is None)
            self.findings += self.exposure.findings()
        elif (named := self._identity(name, inferred)) and not named.kept:
            self.ids[name] = inferred.columns[name], named
            self.id_findings[name] = inferred.findings
        else:
            clashes = [part for part in inferred.columns if part != name and part in self.gathered.names]
            if clashes:
                raise DataError(
                    f"the part {shown(clashes[0])} of a date is called like a column", cure="rename that column"
                )
            columns = {part: column for part, column in inferred.columns.items() if part not in source.drop}
            self.features |= columns if self.store is None else _stored(columns, self.store)

    def _role(self, name: str) -> str | None:
        """What the spec says that a column is for."""
        source = self.source
        if name in source.targets:
            return "target"
        return {source.weight: "weight", source.offset_name: source.offset_key}.get(name)

    def _key(self, name: str, raw: Raw, options: ColumnOptions) -> Column:
        """A column that splits the rows, of however many values: its texts, or days where the spec says that it is a date."""
        if name == self.source.split.time and options.kind == "date":
            return infer(raw, options).columns[f"{name}.days"]
        return infer(raw, replace(options, kind="category", most_levels=None)).columns[name]

    def _tell_unnamed(self) -> None:
        """What a column without a name is called, if it is used."""
        for name in self.gathered.unnamed:
            if self.stories[name].role != "left out":
                message = f"a column without a name is called {shown(name)}"
                cure = f"{setting('drop', f'[{name}]')} if it is an index"
                self.findings.append(Finding("unnamed", "info", message, cure))

    def _tell_padded(self) -> None:
        """Blanks around values and names say nothing, and were taken off: ' x' and 'x' are one."""
        parts, shows = [], True
        for name, column in self.padded.items():
            text = column.example if shows else None  # one example is enough
            example = f" ({shown(text)} is {shown(text.strip())})" if text else ""
            shows = shows and not example
            parts.append(f"{shown(name)} in {counted(column.padded, 'row')}{example}")
        if self.gathered.padded:
            names = self.gathered.padded
            parts.append(f"{counted(len(names), 'name')} of columns, such as {shown(names[0])}")
        if parts:
            self.findings.append(Finding("trimmed", "info", f"blanks around values were taken off: {listed(parts)}"))

    def _identity(self, name: str, inferred: ColumnInference) -> Identity | None:
        """What a feature names, if the spec does not say what it is."""
        column = inferred.columns.get(name)
        if column is None or name in self.source.types or name in self.source.encode.embedding.columns:
            return None
        named = identity(name, column, name in self.gathered.unnamed)
        if named and named.kept and not self.source.split.columns:
            self.findings.append(left_out(name, named, only=False))
        return named

    def _leave_out_ids(self) -> None:
        """A column that names rows is no feature, unless the spec says that it is a number, or there is no other."""
        said: list[tuple[str, Identity, Finding]] = []
        for name, (column, named) in self.ids.items():
            only = not self.features
            if only:
                self.features[name] = column
                self.findings.append(left_out(name, named, only))
            else:
                self.findings = [finding for finding in self.findings if finding not in self.id_findings[name]]
                kind = "row numbers" if named.kind == "row numbers" else "id"
                self.stories[name] = replace(self.stories[name], kind=kind, role="left out", why=named.why)
                said.append((name, named, left_out(name, named, only)))
        self.findings += shortened(said)


def _numbers(name: str, columns: Mapping[str, Column], key: str) -> Column:
    """The column itself. Raises `DataError` for a date, of which several columns are made."""
    if name not in columns:
        place = place_of(next(iter(columns.values())), 0)
        message = f"the {key} {shown(name)} must be a column of numbers, and holds dates"
        raise DataError(message, place=place, cure=f"choose another data.{key}")
    return columns[name]


def _stored(columns: Mapping[str, Column], store: Store) -> dict[str, Column]:
    return {name: store.keep(column) for name, column in columns.items()}
