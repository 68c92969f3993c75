"""What is drawn for a seed is what was drawn for it in every record before: the numbers are written down here."""

from __future__ import annotations

import pytest

from losscli.stack.chance import generator


@pytest.mark.parametrize(
    ("seed", "purpose", "state"),
    [
        (0, "weights", 6569863346532939966),
        (0, "order", 5836529245451711556),
        (7, "weights", 7696923348926885464),
        (7, "dropout", 9055738794286176629),
    ],
)
def test_a_seed_draws_what_it_always_drew(seed: int, purpose: str, state: int) -> None:
    assert generator(seed, purpose).initial_seed() == state


def test_no_two_of_a_thousand_seeds_draw_alike() -> None:
    states = {
        generator(seed, purpose, part).initial_seed()
        for seed in range(250)
        for purpose in ("weights", "order")
        for part in (0, 1)
    }
    assert len(states) == 1000
    assert max(states) < 2**63
