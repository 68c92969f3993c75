"""What a target tells at once: a rare class that is not the positive one, joined labels, codes with gaps, brackets in order."""

import json

import numpy as np
import pytest

from losscli.errors import sign
from losscli.tasks import Column, TargetOptions, tasks
from losscli.tasks.guess import guess_task
from losscli.tasks.joined import separator_of
from losscli.tasks.order import ranks


def words(*texts):
    levels = tuple(sorted(set(texts)))
    return {"y": Column(np.array([levels.index(text) for text in texts], dtype=np.int32), levels)}


def codes_of(target):
    return [finding.code for finding in target.findings]


def test_a_rare_negative_class_is_told_with_the_flag_that_turns_them_round():
    columns = words(*["good"] * 95, *["bad"] * 5)
    target = tasks.get("binary").decode(columns)
    assert target.labels == ("bad", "good")  # the rule stays
    (told,) = [finding for finding in target.findings if finding.code == "rare-negative"]
    assert "5 %" in told.message
    assert "--set data.positive=bad" in told.cure
    assert "rare-negative" not in codes_of(tasks.get("binary").decode(columns, TargetOptions(positive="good")))


@pytest.mark.parametrize("texts", [["bad"] * 95 + ["good"] * 5, ["yes"] * 95 + ["no"] * 5, ["a"] * 40 + ["b"] * 60])
def test_a_rare_positive_class_a_yes_and_a_small_lead_are_not(texts):
    assert "rare-negative" not in codes_of(tasks.get("binary").decode(words(*texts)))


GAPS = {
    "glass": [1] * 70 + [2] * 76 + [3] * 17 + [5] * 13 + [6] * 9 + [7] * 29,
    "around 0": [-1] * 30 + [0] * 40 + [1] * 35,
    "letters' numbers": [10] * 20 + [20] * 22 + [40] * 19,
}


@pytest.mark.parametrize("values", GAPS.values(), ids=GAPS)
def test_codes_with_gaps_are_classes_and_both_commands_are_named(values):
    guess = guess_task({"y": Column(np.array(values, dtype=float))})
    assert guess.task == "multiclass"
    assert "--task multiclass" in guess.reason
    assert "--task regression" in guess.reason


NUMBERS = {
    "counts": np.random.default_rng(0).poisson(2, 500),
    "few rows": [1, 2, 5, 7, 2, 5],
    "many values": np.random.default_rng(0).integers(0, 40, 900) * 3,
    "a long tail": [0] * 80 + [1] * 30 + [3] * 9 + [8] * 2,
}


@pytest.mark.parametrize("values", NUMBERS.values(), ids=NUMBERS)
def test_counts_stay_numbers(values):
    assert guess_task({"y": Column(np.asarray(values, dtype=float))}).task == "regression"


JOINED = {
    "bars": (["blue", "gold", "blue|gold", "red"], "|"),
    "blanks": (["drama; war", "war", "drama", "comedy; drama"], ";"),
    "genres": (["Action,Drama", "Drama,Comedy", "Action,Comedy", "Comedy", "Drama,War", "War,Action"], ","),
    "slashes": (["rock/pop", "pop", "rock", "jazz/pop"], "/"),
    "names": (["Doe, Jane", "Roe, Max", "Poe, Ann"], None),
    "towns": (["Albany, NY", "Buffalo, NY", "Austin, TX", "Dallas, TX"], None),
    "plain": (["a", "b", "c"], None),
    "dates": (["1/2", "2/3", "1/3", "3/1"], None),
}


@pytest.mark.parametrize(("cells", "separator"), JOINED.values(), ids=JOINED)
def test_what_joins_labels(cells, separator):
    assert separator_of(cells) == separator


def test_joined_labels_name_the_task_and_the_separator():
    columns = words(*["blue", "gold", "blue|gold", "red", "red|gold"] * 5)
    assert "--task multilabel" in guess_task(columns).reason
    (told,) = [each for each in tasks.get("multiclass").decode(columns).findings if each.code == "joined-labels"]
    assert "--set 'data.separator=|'" in told.cure
    assert "--task multilabel" in told.cure


MIXED = [
    ["a", "b"],
    ["b", "a", "c"],
    ["c"],
    ["a"],
    ["c", "b"],
    ["d", "a"],
    ["b", "d", "a"],
    ["d", "c"],
    ["a", "c", "d"],
    ["b"],
]
WRITTEN = {  # how cells of several labels are written, and the separator that is said
    "blanks": (" ".join, " "),
    "slashes": (" / ".join, "/"),
    "commas": (", ".join, ","),
    "lists of Python": (str, ","),
    "lists of JSON": (json.dumps, ","),
    "arrays of numpy": (lambda labels: str(np.array(labels)), ","),
    "arrays of Postgres": (lambda labels: "{" + ",".join(labels) + "}", ","),
}


@pytest.mark.parametrize(("write", "separator"), WRITTEN.values(), ids=WRITTEN)
def test_labels_are_the_same_however_a_cell_holds_them(write, separator):
    cells = [write(labels) for labels in MIXED]
    columns = words(*cells * 3)
    hint = next(
        finding for finding in tasks.get("multiclass").decode(columns).findings if finding.code == "joined-labels"
    )
    assert sign("separator", separator) in hint.cure
    target = tasks.get("multilabel").decode(columns, TargetOptions(separator=separator))
    assert target.labels == ("a", "b", "c", "d")
    expected = [[float(label in labels) for label in "abcd"] for labels in MIXED * 3]
    np.testing.assert_array_equal(target.values, expected)


def test_a_label_in_quotes_may_hold_the_separator_and_a_list_may_be_empty():
    cells = ["['dark, gold', 'blue']", "[]", "['blue']", '["it\'s", "blue"]']
    target = tasks.get("multilabel").decode(words(*cells), TargetOptions(separator=","))
    assert target.labels == ("blue", "dark, gold", "it's")
    np.testing.assert_array_equal(target.values, [[1, 1, 0], [0, 0, 0], [1, 0, 0], [1, 0, 1]])


NAMES = {
    "how much": [
        "very good",
        "good",
        "bad",
        "very bad",
        "so so",
        "quite good",
        "quite bad",
        "good",
        "bad enough",
        "good enough",
    ],
    "cities": [
        "New York",
        "Los Angeles",
        "San Diego",
        "San Jose",
        "New Haven",
        "Fort Worth",
        "San Antonio",
        "El Paso",
        "New Orleans",
    ],
    "sides": [f"{side} {level} lobe" for side in ("left", "right") for level in ("upper", "middle", "lower", "outer")],
}


@pytest.mark.parametrize("cells", NAMES.values(), ids=NAMES)
def test_names_of_several_words_are_one_label(cells):
    assert separator_of(cells) is None


ORDERED = {
    "too much": ["too little", "about right", "too much"],
    "perhaps": ["no", "perhaps", "yes"],
    "k": ["under 10k", "10k-20k", "20k-30k", "30k+"],
    "points": ["[5.000-10.000)", "[10.000-15.000)", "[15.000-20.000)"],
    "dollars": ["less than $10,000", "$10,000 to $19,999", "$20,000 to $39,999", "$40,000 or more"],
    "years": ["<1 year", "1-5 years", "over 5 years"],
    "ages": ["under 18", "18-24", "25-34", "65 and over"],
    "none": ["none", "1-9", "10-19", "20 or more"],
    "one unit": ["0-10k", "10-20k", "20-30k"],
    "decimals": ["below 0.5", "0.5-1.5", "1.5-2.5"],
    "nouns": ["low risk", "medium risk", "high risk"],
    "Likert 5": ["strongly disagree", "disagree", "neither agree nor disagree", "agree", "strongly agree"],
    "Likert 6": ["strongly disagree", "disagree", "slightly disagree", "slightly agree", "agree", "strongly agree"],
    "change": ["decreased", "unchanged", "increased"],
    "schools": ["high school", "some college", "bachelor", "master", "phd"],
}


@pytest.mark.parametrize("labels", ORDERED.values(), ids=ORDERED)
def test_words_and_brackets_stand_in_their_order(labels):
    mixed = sorted(labels)
    places, origin = ranks(mixed)
    assert [mixed[at] for at in places] == labels
    assert origin == "words"


@pytest.mark.parametrize("labels", [["flat 1", "house 2"], ["a", "b", "c"], ["1-5", "3-9", "4-6"], ["0" * 5000, "1-2"]])
def test_what_is_no_bracket_is_not_taken_for_one(labels):
    assert ranks(labels)[1] in ("alphabet", "words", "numbers")
    from losscli.tasks.brackets import bracket_keys

    assert bracket_keys(labels) is None


def test_few_whole_numbers_of_which_some_are_rare_are_a_guess_with_both_commands():
    quality = [3] * 5 + [4] * 50 + [5] * 600 + [6] * 500 + [7] * 150 + [8] * 10
    guess = guess_task({"y": Column(np.array(quality, dtype=float))})
    assert guess.task == "regression"
    assert "--task multiclass" in guess.reason
