"""Looking metrics up."""

from __future__ import annotations

import pytest

from losscli.errors import SpecError
from losscli.metrics import find, for_task
from losscli.tasks import tasks


def test_the_default_metrics_of_every_task_exist():
    looked_at = 0
    for task in tasks:
        serving = for_task(task.name)
        assert set(task.default_metrics) <= set(serving)
        looked_at += 1
    assert looked_at >= 4


def test_a_wrong_name_gets_the_nearest_one():
    with pytest.raises(SpecError) as caught:
        find("acuracy", "binary")
    assert "did you mean accuracy?" in (caught.value.problems[0].cure or "")
