"""Hundreds of polluted variants of clean tables: each is read as exactly the clean table, or refused with a place."""

import random

import numpy as np
import pytest

from losscli.data.gather import SAMPLE
from losscli.data.sources import sources
from losscli.errors import DataError

SEED, TABLES, VARIANTS = 20260131, 9, 340
MARK = "\ufeff"


def clean_table(rng, long):
    """Names and rows of texts: numbers with and without decimals, categories, a target, some values missing.

    A long one has more rows than those from which a reader guesses what its columns are.
    """
    words = ["red", "blue", "green", "café", "Straße", "naïve", "x y"]
    rows = [
        [
            f"{rng.uniform(-50, 50):.3f}",
            str(rng.randrange(-3, 900)),
            rng.choice(words),
            "" if rng.random() < 0.1 else f"{rng.uniform(0, 1):.2f}",
            str(rng.randrange(2)),
        ]
        for _ in range(SAMPLE + 9 if long else rng.randrange(12, 60))
    ]
    rows[0][4], rows[1][4] = "0", "1"
    return ["width", "count", "color", "share", "y"], rows


def written(names, rows, delimiter=",", end="\n"):
    return "".join(delimiter.join(row) + end for row in [names, *rows])


def values_of(table):
    """What a table holds, by column, so that it can be compared: numbers, or texts with None."""
    columns = {**table.features, **table.targets}
    return {name: texts_of(column) if column.levels else column.values for name, column in columns.items()}


def texts_of(column):
    return [None if code < 0 else column.levels[code] for code in column.values.tolist()]


def same(found, clean):
    if list(found) != list(clean):
        return False
    return all(
        value == clean[name] if isinstance(value, list) else np.array_equal(value, clean[name], equal_nan=True)
        for name, value in found.items()
        if type(value) is type(clean[name])
    ) and all(type(value) is type(clean[name]) for name, value in found.items())


# Pollutions: of (rng, names, rows) they make bytes, and the options that are given with them.


def delimiter(rng, names, rows):
    return written(names, rows, rng.choice(";\t|")).encode(), {}


def delimiter_told(rng, names, rows):
    mark = rng.choice(";\t|")
    return written(names, rows, mark).encode(), {"delimiter": mark}


def wrong_delimiter_told(rng, names, rows):
    return written(names, rows).encode(), {"delimiter": rng.choice(";\t|")}


def decimal_comma(rng, names, rows):
    swapped = [[cell.replace(".", ",") for cell in row] for row in rows]
    return written(names, swapped, ";").encode(), {"delimiter": ";", **rng.choice([{}, {"decimal": ","}])}


def decimal_point_where_a_comma_is_told(rng, names, rows):
    return written(names, rows, ";").encode(), {"delimiter": ";", "decimal": ","}


def encoding(rng, names, rows):
    code = rng.choice(["latin-1", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-32"])
    told = {"encoding": code} if rng.random() < 0.5 else {}
    return written(names, rows).encode(code), told


def byte_order_mark(rng, names, rows):
    return (MARK + written(names, rows)).encode(), {}


def line_ends(rng, names, rows):
    lines = written(names, rows).splitlines()
    ends = (
        [rng.choice(["\n", "\r\n", "\r"]) for _ in lines]
        if rng.random() < 0.5
        else [rng.choice(["\r\n", "\r"])] * len(lines)
    )
    return "".join(line + end for line, end in zip(lines, ends, strict=False)).encode(), {}


def no_last_line_end(rng, names, rows):
    return written(names, rows).rstrip("\n").encode(), {}


def quoting(rng, names, rows):
    quoted = [[f'"{cell}"' if rng.random() < 0.5 else cell for cell in row] for row in [names, *rows]]
    return written(quoted[0], quoted[1:]).encode(), {}


def unclosed_quote(rng, names, rows):
    row, at = rng.randrange(len(rows)), rng.randrange(5)
    rows[row][at] = '"' + rows[row][at]
    return written(names, rows).encode(), {}


def text_after_a_quote(rng, names, rows):
    row, at = rng.randrange(len(rows)), rng.randrange(5)
    rows[row][at] = f'"{rows[row][at]}"z'
    return written(names, rows).encode(), {}


def control_character(rng, names, rows):
    data = bytearray(written(names, rows).encode())
    data.insert(rng.randrange(len(data)), rng.choice([0, 0x1A]))
    return bytes(data), {}


def control_in_a_number(rng, names, rows):
    row, at = rng.randrange(len(rows)), rng.choice([0, 1])
    rows[row][at] += rng.choice(["\x01", "\x1b[31m", "\x7f", "\u200b", "\u202e"])
    return written(names, rows).encode(), {}


def ragged_row(rng, names, rows):
    row = rng.randrange(len(rows))
    rows[row] = rows[row][: rng.randrange(1, 5)] if rng.random() < 0.5 else [*rows[row], "7"]
    return written(names, rows).encode(), {}


def repeated_header(rng, names, rows):
    names[rng.randrange(4)] = "y"
    return written(names, rows).encode(), {}


def empty_header(rng, names, rows):
    names[rng.randrange(1, 4)] = rng.choice(["", " "])  # the first is an index (test_ids.py)
    return written(names, rows).encode(), {}


def no_header(rng, names, rows):
    rows[0] = [*rows[0][:2], "7", "0.5", "1"]
    return written(rows[0], rows[1:]).encode(), {}


def header_twice(rng, names, rows):
    rows.insert(rng.randrange(1, len(rows)), list(names))
    return written(names, rows).encode(), {}


def missing_tokens(rng, names, rows):
    tokens = ["", "NA", "N/A", "nan", "null", "NULL", "None", "<NA>", " NA", "NaN "]
    for row in rows:
        row[3] = row[3] or rng.choice(tokens)
    return written(names, rows).encode(), {}


def unknown_missing_token(rng, names, rows):
    row, at = rng.randrange(len(rows)), rng.choice([0, 1])
    rows[row][at] = rng.choice(["missing", "?", "-", "n.a.", "#DIV/0!", "unknown"])
    return written(names, rows).encode(), {}


def endless(rng, names, rows):
    row, at = rng.randrange(len(rows)), rng.choice([0, 1])
    rows[row][at] = rng.choice(["inf", "-inf", "Infinity", "1e999", "-1e999", "9" * 400])
    return written(names, rows).encode(), {}


def rounded(rng, names, rows):
    row = rng.randrange(len(rows))
    rows[row][1] = str(rng.choice([1, -1]) * (2**53 + 1 + rng.randrange(10**6)))
    return written(names, rows).encode(), {}


def leading_zeros(rng, names, rows):
    for row in rows:
        row[1] = row[1] if row[1].startswith("-") else "00" + row[1]
    return written(names, rows).encode(), {}


def hexadecimal(rng, names, rows):
    for row in rows if rng.random() < 0.5 else rows[-1:]:
        row[1] = hex(abs(int(row[1])))
    return written(names, rows).encode(), {}


def dressed_numbers(rng, names, rows):
    dress = rng.choice(["{}_000", '"{},000"', "{:02}/01/2024", "{}:30"])
    for row in rows:
        row[1] = dress.format(abs(int(row[1])) % 28 + 1)
    return written(names, rows).encode(), {}


def signed_numbers(rng, names, rows):
    dress = rng.choice(["{}%", "{} %", "${}", "{} €", "{}\u00a0EUR", "CHF {}"])
    for row in rows:
        row[1] = dress.format(row[1])
    return written(names, rows).encode(), {}


def some_signed_numbers(rng, names, rows):
    for row in rows[: len(rows) // 2]:
        row[1] = f"${row[1]}"
    return written(names, rows).encode(), {}


def blank_lines(rng, names, rows):
    lines = written(names, rows).splitlines()
    for _ in range(rng.randrange(1, 6)):
        lines.insert(rng.randrange(len(lines) + 1), "")
    return ("\n".join(lines) + "\n" * rng.randrange(4)).encode(), {}


def spaces_around(rng, names, rows):
    padded = [[f"{' ' * rng.randrange(3)}{cell}{' ' * rng.randrange(3)}" for cell in row] for row in [names, *rows]]
    return written(padded[0], padded[1:]).encode(), {}


def truncated(rng, names, rows):
    """Within a row, so that it shows: a file that ends with a whole row cannot be told from a shorter one."""
    lines = written(names, rows).splitlines()
    last = lines[rng.randrange(1, len(lines))]
    cut = rng.randrange(1, last.rindex(","))
    return "\n".join([*lines[: lines.index(last)], last[:cut]]).encode(), {}


def text_among_numbers(rng, names, rows):
    rows[rng.randrange(len(rows))][rng.choice([0, 1])] = rng.choice(["abc", "1.2.3", "12a", "--5", "1e", "1 2", "٣"])
    return written(names, rows).encode(), {}


def broken_character(rng, names, rows):
    data = bytearray(written(names, rows).encode())
    at = rng.randrange(len(data))
    data[at:at] = bytes([rng.choice([0xFF, 0xC0, 0x80, 0xE9])])
    return bytes(data), {}


def missing_target(rng, names, rows):
    rows[rng.randrange(len(rows))][4] = rng.choice(["", "NA"])
    return written(names, rows).encode(), {}


def other_format(rng, names, rows):
    start = rng.choice([b"\x1f\x8b\x08", b"PK\x03\x04", b"PAR1", b"\x93NUMPY", b"\x80\x04", b"%PDF-1.7"])
    return start + written(names, rows).encode(), {}


def plus_signs_and_exponents(rng, names, rows):
    for row in rows:
        row[1] = row[1] if row[1].startswith("-") else rng.choice(["+{}", "{}.0", "{}e0", "{}."]).format(row[1])
    return written(names, rows).encode(), {}


POLLUTIONS = [each for each in list(globals().values()) if getattr(each, "__code__", None) is not None]
POLLUTIONS = [each for each in POLLUTIONS if each.__code__.co_varnames[:3] == ("rng", "names", "rows")]
PLACELESS = ("the file",)  # said of whole files: there is no line


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """Of every variant: its pollution, "clean", "refused" or "changed", and the problem it was refused with."""
    folder = tmp_path_factory.mktemp("polluted")
    tables = [clean_table(random.Random(SEED + number), number == 0) for number in range(TABLES)]
    clean = [(*table, values_of(read(folder, written(*table).encode(), {}))) for table in tables]
    return [variant(folder, number, *clean[number % TABLES]) for number in range(VARIANTS)]


def variant(folder, number, names, rows, clean):
    rng = random.Random(SEED + number)
    pollute = POLLUTIONS[number % len(POLLUTIONS)]
    data, options = pollute(rng, list(names), [list(row) for row in rows])
    try:
        found = values_of(read(folder, data, options))
    except DataError as refused:
        return pollute.__name__, "refused", refused.problems[0]
    return pollute.__name__, "clean" if same(found, clean) else "changed", None


def read(folder, data, options):
    (folder / "t.csv").write_bytes(data)
    return sources.get("csv")(path="t.csv", target="y", **options).read(folder)


def test_a_polluted_table_is_the_clean_one_or_an_error(verdicts):
    assert len(verdicts) >= 300
    assert len({name for name, *_ in verdicts}) == len(POLLUTIONS) >= 30
    assert [(number, name) for number, (name, verdict, _) in enumerate(verdicts) if verdict == "changed"] == []


def test_both_happen_and_each_where_it_should(verdicts):
    seen = {name: {verdict for other, verdict, _ in verdicts if other == name} for name, *_ in verdicts}
    for harmless in ("byte_order_mark", "line_ends", "quoting", "blank_lines", "spaces_around", "missing_tokens",
                     "delimiter_told", "no_last_line_end", "leading_zeros", "plus_signs_and_exponents",
                     "signed_numbers"):  # fmt: skip
        assert seen[harmless] == {"clean"}, harmless
    for harmful in ("delimiter", "ragged_row", "unclosed_quote", "truncated", "endless", "rounded", "hexadecimal",
                    "repeated_header", "empty_header", "no_header", "broken_character", "control_character",
                    "unknown_missing_token", "text_among_numbers", "missing_target", "dressed_numbers",
                    "some_signed_numbers"):  # fmt: skip
        assert seen[harmful] == {"refused"}, harmful


def test_every_refusal_says_where_and_what_would_work(verdicts):
    refused = [(name, problem) for name, verdict, problem in verdicts if verdict == "refused"]
    assert len(refused) > 100
    for name, problem in refused:
        assert problem.place is not None, name
        assert problem.place.file == "t.csv", name
        whole_file = name in ("encoding", "other_format", "wrong_delimiter_told")
        assert problem.place.line is not None or whole_file, (name, problem)
        assert problem.message.isprintable(), name
        assert len(problem.message) < 300, name
