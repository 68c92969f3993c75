"""New rows in another unit than training had are refused; those without one are taken for the same."""

import numpy as np
import pytest

from losscli.data.encode import Encoder
from losscli.data.newrows import new_rows
from losscli.data.prepare import prepare
from losscli.data.sources import sources
from losscli.errors import DataError
from losscli.tasks import tasks


@pytest.fixture
def encoder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{60 + row % 30} kg,{row * row % 7}.5,{row % 2}\n" for row in range(60))
    (tmp_path / "t.csv").write_text(f"x,z,y\n{rows}")
    source = sources.get("csv")(path="t.csv", target="y")
    table = source.read(tmp_path)
    task = tasks.get("binary")
    return Encoder.from_state(prepare(table, task.decode(table.targets), task, source.split, 0).encoder)


def read(encoder, text):
    with open("new.csv", "w") as file:
        file.write(f"x,z\n{text},1.5\n{text},2.5\n")
    rows = new_rows(sources.get("csv")(path="new.csv", target="-"), encoder)
    return rows.features["x"].values.tolist()


@pytest.mark.parametrize("text", ["75 kg", "75kg", "75"])
def test_the_same_unit_is_read(encoder, text):
    again = Encoder.from_state(encoder.state())
    assert again.units == {"x": "kg"}
    np.testing.assert_array_equal(read(again, text), [75, 75])


@pytest.mark.parametrize("text", ["160 lb", "$75", "75 %"])
def test_another_unit_is_refused_with_its_place(encoder, text):
    with pytest.raises(DataError, match="those of training were in 'kg'") as refused:
        read(encoder, text)
    assert str(refused.value.problems[0].place) == "new.csv:2:1"
