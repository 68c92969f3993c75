"""`equivalence:` takes a number in a metric's units, or a share of the reference's mean; all else is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from losscli.errors import SpecError
from losscli.spec.arenas import merge
from losscli.spec.dump import to_yaml
from losscli.spec.load import load_spec


def written(folder: Path, block: str, name: str = "a") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(f"task: binary\nequivalence: {block}\n")
    return path


def test_numbers_and_shares_are_kept_and_written_again(tmp_path: Path) -> None:
    spec = load_spec(written(tmp_path, "{auroc: 0.01, log-loss: 2%, mcc: 0}"))
    assert spec.equivalence == {"auroc": 0.01, "log-loss": "2%", "mcc": 0}
    again = tmp_path / "again.yaml"
    again.write_text(to_yaml(spec))
    assert load_spec(again).equivalence == spec.equivalence


@pytest.mark.parametrize(
    ("block", "place", "message"),
    [
        ("{auroc: -1}", "2:22", "expected a number >= 0"),
        ("{auroc: true}", "2:22", "got true"),
        ("{auroc: 3x}", "2:22", "such as 2%"),
        ("{auroc: -2%}", "2:22", "such as 2%"),
        ("{aurocc: 1}", "2:15", "no metric called 'aurocc'"),
        ("[auroc]", "2:14", "expected a block of keys"),
    ],
)
def test_mistakes_have_their_place(tmp_path: Path, block: str, place: str, message: str) -> None:
    with pytest.raises(SpecError) as refused:
        load_spec(written(tmp_path, block))
    (problem,) = refused.value.problems
    assert message in problem.message
    assert str(problem.place).endswith(place)


def test_of_two_specs_in_one_arena_the_first_says_what_matters(tmp_path: Path) -> None:
    specs = [load_spec(written(tmp_path, block, "same")) for block in ("{auroc: 0.01}", "{auroc: 0.5, f1: 0.2}")]
    (one,) = merge(specs)
    assert one.equivalence == {"auroc": 0.01, "f1": 0.2}
