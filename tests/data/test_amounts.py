"""Money, percentages, thousands, ISO dates: read where there is one reading, else refused with both and the flags for each."""

import datetime as dt
import re

import pyarrow as pa
import pytest
from pyarrow import parquet
from pydantic import ValidationError

from losscli.data.amounts import amount_of
from losscli.data.sources import sources
from losscli.errors import DataError


@pytest.fixture
def read(tmp_path):
    """The column x of these texts as numbers, and the table."""

    def reader(texts, **options):
        rows = "".join(f'"{text}";{row % 2};{row * row % 7}\n' for row, text in enumerate(texts))
        (tmp_path / "t.csv").write_text(f"x;y;z\n{rows}")
        options = {"path": "t.csv", "target": "y", "delimiter": ";", **options}
        table = sources.get("csv")(**options).read(tmp_path)
        return table.features["x"].values.tolist(), table

    return reader


READ = {  # texts, options, numbers
    "dollars": (["$8,443", "$12,000", "$950"], {}, [8443, 12000, 950]),
    "dollars and cents": (["$8,443.20", "-$3.50", "$-0.75"], {}, [8443.2, -3.5, -0.75]),
    "accounts": (["$1,200.00", "($3.50)", "$7"], {}, [1200, -3.5, 7]),
    "US$": (["US$ 1,000", "US$ 2"], {}, [1000, 2]),
    "pounds": (["£1,234", "£5"], {}, [1234, 5]),
    "euros, German": (["1.234,50 EUR", "12,00 EUR"], {}, [1234.5, 12]),
    "euros, plain": (["5 €", "7 €"], {}, [5, 7]),
    "euros, point": (["5.25 €", "1234.50 €"], {}, [5.25, 1234.5]),
    "Swiss": (["CHF 1'234.50", "CHF 9.00"], {}, [1234.5, 9]),
    "Swiss, typographic": (["1’234’567 CHF", "9 CHF"], {}, [1234567, 9]),
    "no-break spaces": (["1\u00a0234\u00a0€", "12\u202f345,5\u00a0€"], {}, [1234, 12345.5]),
    "thin spaces": (["1\u2009234,00 zł", "3,00 zł"], {}, [1234, 3]),
    "rupees": (["₹12,34,567", "₹1,00,000.50"], {}, [1234567, 100000.5]),
    "percent": (["13.9%", "5 %", "-0.5%"], {}, [13.9, 5, -0.5]),
    "percent, comma": (["13,9 %", "5 %"], {}, [13.9, 5]),
    "percent, three places": (["6.125%", "5.875%"], {}, [6.125, 5.875]),
    "told thousands": (["1,234", "59,222", "7"], {"thousands": ","}, [1234, 59222, 7]),
    "told points": (["59.222", "1.234,5"], {"decimal": ",", "thousands": "."}, [59222, 1234.5]),
    "told blanks": (["1 234", "12\u00a0345"], {"thousands": " "}, [1234, 12345]),
    "told apostrophes": (["1'234", "2"], {"thousands": "'"}, [1234, 2]),
    "told which euros": (["8.443 €", "9.100 €"], {"thousands": ".", "decimal": ","}, [8443, 9100]),
    "told the other euros": (["8.443 €", "9.100 €"], {"thousands": ","}, [8.443, 9.1]),
    "some without": (["$5", "7", "$1,200"], {"types": {"x": "number"}}, [5, 7, 1200]),
    "thousands, millions, billions": (["12.3k", "4.5M", "950", "1.2bn", "-.5K"], {}, [12300, 4.5e6, 950, 1.2e9, -500]),
    "words of powers": (["1.2 million", "3 mio", "850 thousand"], {}, [1.2e6, 3e6, 850_000]),
    "crores and lakhs": (["₹ 1.5 Cr", "₹ 45 Lac"], {}, [1.5e7, 4.5e6]),
    "money in millions": (["$12.3k", "$4.5M", "$0.25m", "($3)"], {}, [12300, 4.5e6, 250_000, -3]),
    "m beside k": (["1.5m", "300k", "2m"], {}, [1.5e6, 300_000, 2e6]),
    "m alone": (["1.5m", "1.82 m"], {}, [1.5, 1.82]),
    "millions of euros, German": (["1,2 Mio. EUR", "3,45 Mrd. EUR"], {}, [1.2e6, 3.45e9]),
    "square feet": (["1,234 sq ft", "900 sq ft"], {}, [1234, 900]),
    "square metres": (["81 m²", "62.5 m²"], {}, [81, 62.5]),
    "square metres, German": (["81,5 m2", "1.062,5 m2"], {}, [81.5, 1062.5]),
    "kmpl": (["12 kmpl", "18.9 kmpl"], {}, [12, 18.9]),
    "kilograms": (["75 kg", "62.5kg", "-1 kg"], {}, [75, 62.5, -1]),
    "degrees": (["20 °C", "-3 °C", "0°C"], {}, [20, -3, 0]),
    "months": (["36 months", "60 months", "1 month"], {}, [36, 60, 1]),
    "rooms": (["3 rooms", "1 room"], {}, [3, 1]),
    "followers": (["12.3k followers", "950 followers"], {}, [12300, 950]),
    "percent with a blank": (["3.5 %", "-4 %"], {}, [3.5, -4]),
    "EUR before": (["EUR 1.200,50", "EUR 3,00"], {}, [1200.5, 3]),
    "nothing is free": (["0", "$4.99", "$0.99"], {}, [0, 4.99, 0.99]),
    "trailing minus": (["12.50-", "20", "3-"], {}, [-12.5, 20, -3]),
    "trailing minus, SAP": (["1.234,50-", "20,00"], {"decimal": ",", "thousands": "."}, [-1234.5, 20]),
    "trailing minus, money": (["1.234,50- EUR", "20,00 EUR", "3,10- EUR"], {}, [-1234.5, 20, -3.1]),
    "brackets": (["(12.5)", "20", "3"], {}, [-12.5, 20, 3]),
    "some without a unit": (["75 kg", "80"], {"types": {"x": "number"}}, [75, 80]),
}

NAMES = {
    "apartments": ["1", "2", "2B", "3"],
    "several words": ["3 rooms", "2 doors", "5 doors"],
    "or more": ["1", "2", "5 or more"],
    "ordinals": ["1st", "2nd", "3rd"],
    "hours of the day": ["5 pm", "11 pm"],
    "seats": ["12A", "14A"],
    "grades": ["Grade 5", "Grade 7"],
    "inches": ["12-inch", "14-inch"],
    "footnotes": ["(1)", "(2)", "(3)"],
}


@pytest.mark.parametrize("texts", NAMES.values(), ids=NAMES)
def test_names_that_begin_with_a_digit_stay_names(read, texts):
    assert read(texts)[1].features["x"].levels == tuple(sorted(texts))


@pytest.mark.parametrize(("texts", "options", "numbers"), READ.values(), ids=READ)
def test_one_reading_is_read(read, texts, options, numbers):
    assert read(texts, **options)[0] == numbers


def test_what_was_taken_off_is_said(read):
    (finding,) = read(["$8,443", "$950"])[1].findings
    assert (finding.code, finding.severity) == ("amounts", "info")
    assert "'$8,443' is 8443" in finding.message
    assert "in percent" in read(["13.9%", "2%"])[1].findings[0].message


REFUSED = {  # texts, options, what the message and the cure hold
    "two readings": (["1,234", "5,678"], {}, ["data.thousands=,", "as 1234", "data.decimal=,", "as 1.234"]),
    "points under a decimal comma": (
        ["59.222", "1.000"],
        {"decimal": ","},
        ["data.thousands=.", "as 59222", "as 59.222"],
    ),
    "euros in two readings": (
        ["8.443 €", "9.100 €"],
        {},
        ["data.thousands=.", "as 8443", "as 8.443", "data.thousands=,"],
    ),
    "grouped, one reading": (["1,234,567", "2"], {}, ["data.thousands=,", "as 1234567"]),
    "several currencies": (["$5", "7 €"], {}, ["several signs", "'$5'", "'7 €'"]),
    "some without": (["5%", "7"], {}, ["without a sign", "data.types.x=number"]),
    "groups of two": (["$1,23", "$4"] * 3 + ["$1,234.5"], {}, ["data.types.x=category"]),
    "a stranger": (["$5"] * 20 + ["five"], {}, ["'five'", "t.csv:22:1"]),
    "several units": (["75 kg", "160 lb"], {}, ["several units", "'75 kg'", "'160 lb'"]),
    "megabytes and gigabytes": (["16GB", "1TB", "512MB"], {}, ["several units", "in one unit"]),
    "some without a unit": (["75 kg", "80"], {}, ["without a unit", "data.types.x=number"]),
    "a unit in two readings": (["1,234 kg", "5,678 kg"], {}, ["data.thousands=,", "as 1234", "data.decimal=,"]),
    "a stranger among units": (["7 kg", "8 kg"] * 10 + ["null kg"], {}, ["'null kg'", "t.csv:22:1"]),
    "wrongly told": (["1.234,5", "2"], {"thousands": ","}, ["data.thousands=."]),
}


@pytest.mark.parametrize(("texts", "options", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_sure_is_refused_with_its_readings(read, texts, options, says):
    with pytest.raises(DataError) as refused:
        read(texts, **options)
    (problem,) = refused.value.problems
    told = f"{problem.place} {problem.message} ({problem.cure})"
    assert [part for part in says if part not in told] == []


@pytest.mark.parametrize("texts", [["1,234", "5,678"], ["8.443 €", "9.100 €"], ["1,234,567", "2"]])
def test_a_cure_does_what_it_says(read, texts):
    with pytest.raises(DataError) as refused:
        read(texts)
    ways = re.findall(
        r"((?:data\.\w+: \S+ \(--set \S+\)(?: and )?)+) reads it as (\S+?)[;,] ", refused.value.problems[0].cure + "; "
    )
    assert ways
    for flags, number in ways:
        options = dict(re.findall(r"--set '?data\.(\w+)=(.)", flags))
        assert read(texts, **options)[0][0] == float(number)


def test_thousands_and_decimal_differ(read):
    with pytest.raises(ValidationError, match="thousands and decimal are both"):
        read(["1"], thousands=".")


def test_long_cells_cost_nothing(read):
    assert amount_of("0" * 5000) is None
    assert amount_of("$" * 40) is None
    assert read(["a" * 5000, "b"])[1].features["x"].levels is not None


DATES = {
    "days": (["2024-03-01", "2023-12-31"], 5),
    "slashes": (["2024/03/01", "2023/1/2"], 5),
    "times": (["2024-03-01T12:30:00Z", "2024-03-02T01:00:00.5Z"], 6),
    "blanks": (["2024-03-01 12:30", "2024-03-02 00:00"], 6),
    "zones": (["2024-03-01T12:30+02:00", "2024-03-02T01:00+01:00"], 6),
}


@pytest.mark.parametrize(("texts", "parts"), DATES.values(), ids=DATES)
def test_iso_dates_are_read_with_a_notice(tmp_path, texts, parts):
    (tmp_path / "t.csv").write_text(
        "d,y,x\n" + "".join(f"{text},{row % 2},{row}\n" for row, text in enumerate(texts * 3))
    )
    table = sources.get("csv")(path="t.csv", target="y").read(tmp_path)
    assert sum(name.startswith("d.") for name in table.features) == parts
    assert table.features["d.year"].values[0] == 2024
    (finding,) = table.findings
    assert (finding.code, "data.types.d=category" in finding.cure) == ("date-parts", True)
    dropped = sources.get("csv")(path="t.csv", target="y", drop=["d.year"]).read(tmp_path)
    assert "d.year" not in dropped.features


@pytest.mark.parametrize("stray", ["2024-13-01", "2024-02-30", "soon", "01/02/2024"])
def test_no_date_among_dates_is_an_error_with_a_place(tmp_path, stray):
    rows = "".join(f"2024-01-{row + 1:02},{row % 2}\n" for row in range(20))
    (tmp_path / "t.csv").write_text(f"d,y\n{rows}{stray},1\n")
    with pytest.raises(DataError) as refused:
        sources.get("csv")(path="t.csv", target="y").read(tmp_path)
    assert str(refused.value.problems[0].place) == "t.csv:22:1"


def test_a_misspelt_part_is_still_an_error(tmp_path):
    (tmp_path / "t.csv").write_text("d,y\n1,0\n2,1\n")
    with pytest.raises(DataError, match=r"'d\.year', and the table has none"):
        sources.get("csv")(path="t.csv", target="y", drop=["d.year"]).read(tmp_path)


def test_dates_of_parquet_become_numbers(tmp_path):
    days = [dt.date(2024, 1, 31), None, dt.date(2023, 5, 6)]
    times = [dt.datetime(2024, 1, 31, 6), None, dt.datetime(2023, 5, 6)]
    columns = {"d": pa.array(days, pa.date32()), "t": pa.array(times, pa.timestamp("us", "UTC")), "y": [0, 1, 0]}
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    table = sources.get("parquet")(path="t.parquet", target="y").read(tmp_path)
    assert table.features["d.days"].values.tolist()[::2] == [19753.0, 19483.0]
    assert table.features["t.hour"].values.tolist()[::2] == [6.0, 0.0]


def test_delimiter_and_decimal_are_told_at_once(tmp_path):
    (tmp_path / "t.csv").write_text("x;y\n1,5;0\n2,5;1\n")
    with pytest.raises(DataError) as refused:
        sources.get("csv")(path="t.csv", target="y").read(tmp_path)
    assert "--set 'data.delimiter=;'" in refused.value.problems[0].cure
    assert "--set data.decimal=," in refused.value.problems[0].cure


def test_a_few_numbers_among_texts_are_not_worth_a_word(tmp_path):
    rows = "".join(f"{'12' if row in (3, 30) else 'abcde'[row % 5]},{row % 2},{row * row}\n" for row in range(60))
    (tmp_path / "t.csv").write_text(f"x,y,z\n{rows}")
    table = sources.get("csv")(path="t.csv", target="y", types={"z": "number"}).read(tmp_path)
    assert table.findings == ()


def test_missing_targets_are_one_sentence_with_the_flag(tmp_path):
    (tmp_path / "t.csv").write_text(
        "x,y\n" + "".join(f"{row * row % 17},{row % 2 if row % 3 else ''}\n" for row in range(30))
    )
    with pytest.raises(DataError) as refused:
        sources.get("csv")(path="t.csv", target="y").read(tmp_path)
    (problem,) = refused.value.problems
    assert problem.message == "10 of 30 rows have no value of the target 'y'"
    assert (str(problem.place), "--set data.missing_target=drop" in problem.cure) == ("t.csv:2:2", True)


def test_brackets_are_shown_with_the_mark_that_is_the_trouble(read):
    """(178.47) has no comma: what has one is the example."""
    with pytest.raises(DataError) as refused:
        read(["(178.47)", "345.58", "(1,605.75)", "2,345.00"])
    assert "thousands separators, such as '(1,605.75)'" in str(refused.value)
    assert "reads it as -1605.75" in refused.value.problems[0].cure


@pytest.mark.parametrize("decimal", [".", ","])
def test_dates_with_points_are_dates_whatever_the_decimal_mark(read, decimal):
    with pytest.raises(DataError, match=r"holds dates, such as '01\.02\.2023'") as refused:
        read(["01.02.2023", "13.02.2023", "24.12.2022"], decimal=decimal)
    assert "data.types.x=date" in refused.value.problems[0].cure


def test_quoted_decimal_commas_between_commas_are_read_as_the_cure_says(tmp_path):
    (tmp_path / "t.csv").write_text('x,y,z\n"1,5",0,"-2,25"\n"2,5",1,7\n')
    with pytest.raises(DataError) as refused:
        sources.get("csv")(path="t.csv", target="y").read(tmp_path)
    assert "--set data.decimal=,) reads it as 1.5" in refused.value.problems[0].cure
    table = sources.get("csv")(path="t.csv", target="y", decimal=",").read(tmp_path)
    assert [table.features[name].values.tolist() for name in "xz"] == [[1.5, 2.5], [-2.25, 7.0]]


def test_a_decimal_comma_without_its_delimiter_is_told_which_divides(tmp_path):
    (tmp_path / "t.csv").write_text("x;y\n1,5;0\n2,5;1\n")
    with pytest.raises(DataError) as refused:
        sources.get("csv")(path="t.csv", target="y", decimal=",").read(tmp_path)
    assert "--set 'data.delimiter=;'" in refused.value.problems[0].cure


def test_a_quoted_decimal_comma_is_told_with_the_delimiter(tmp_path):
    (tmp_path / "t.csv").write_text('n;x;y\na;"1,5";0\nb;"2,5";1\n')
    with pytest.raises(DataError) as refused:
        sources.get("csv")(path="t.csv", target="y").read(tmp_path)
    assert "--set data.decimal=," in refused.value.problems[0].cure
