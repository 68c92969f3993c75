"""Rows 79 to 90: records, which are foreign files whatever their checksums say."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from losscli.record.manifest import checksum, manifest_of

VERSIONS = Path(__file__).parent.parent / "record" / "versions"
WEIGHTS = "weights.safetensors"
NAME = "0001-20260131-154210-foreign"


@pytest.fixture
def record(tmp_path: Path) -> Path:
    (whole,) = (VERSIONS / "2").iterdir()
    shutil.copytree(whole, tmp_path / "runs" / NAME)
    (tmp_path / "rows.csv").write_text("x1,x2\n0.5,1\n")
    return tmp_path / "runs" / NAME


def sign(record: Path) -> None:
    files = {path.name: path.read_bytes() for path in record.iterdir() if path.name != "manifest.json"}
    (record / "manifest.json").write_bytes(manifest_of(files, {}))


def packed(header: Any, body: bytes = b"\0" * 64) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def tensor(begin: int, end: int, shape: list[int], kind: str = "F32") -> dict[str, Any]:
    return {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}


TWICE = (
    b'{"a":{"dtype":"F32","shape":[8],"data_offsets":[0,32]},"a":{"dtype":"F32","shape":[8],"data_offsets":[32,64]}}'
)
CHECKPOINTS = {
    "79 empty": b"",
    "79 HTML": b"<!DOCTYPE html><html><body>404</body></html>",
    "79 a header of 2^40": struct.pack("<Q", 1 << 40) + b"{}",
    "81 a key twice": packed(TWICE),
    "81 offsets that overlap": packed({"a": tensor(0, 32, [8]), "b": tensor(16, 64, [12])}),
    "81 a shape below 0": packed({"a": tensor(0, 64, [-16])}),
    "81 an unknown type": packed({"a": tensor(0, 64, [16], "F33")}),
    "82 a pickle": b"\x80\x04cos\nsystem\n(S'touch ran'\ntR.",
    "82 an archive of torch": b"PK\x03\x04" + b"\0" * 60,
    "83 no tensor that the model has": packed({"a": tensor(0, 64, [16])}),
}


@pytest.mark.parametrize("row", CHECKPOINTS)
def test_a_checkpoint_that_is_none(row: str, record: Path, call: Any, tmp_path: Path) -> None:
    """Predicting reads it, and so says what it is; that it is signed helps nothing."""
    (record / WEIGHTS).write_bytes(CHECKPOINTS[row])
    sign(record)
    call(f"predict {NAME} rows.csv").says(5, WEIGHTS)
    call(f"export {NAME} --dir model").says(5, WEIGHTS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.csv", "runs"]


def test_row_79_truncated(record: Path, call: Any) -> None:
    (record / WEIGHTS).write_bytes((record / WEIGHTS).read_bytes()[:-40])
    sign(record)
    call(f"predict {NAME} rows.csv").says(5, WEIGHTS)


@pytest.mark.parametrize("name", ["results.json", "encoders.json", "spec.yaml", "history.parquet", WEIGHTS])
def test_row_80_one_byte(name: str, record: Path, call: Any) -> None:
    data = bytearray((record / name).read_bytes())
    data[len(data) // 2] ^= 1
    (record / name).write_bytes(data)
    call(f"runs verify {NAME}").says(5, name, "checksum")


def test_row_83_the_shapes_of_another_model(record: Path, call: Any) -> None:
    text = (record / "spec.yaml").read_text()
    for hidden in ("[3]", "[5]", "[2, 2]"):  # narrower, wider, deeper
        (record / "spec.yaml").write_text(text.replace("hidden: [4]", f"hidden: {hidden}"))
        sign(record)
        outcome = call(f"predict {NAME} rows.csv").says(5, WEIGHTS, "do not fit the spec: layers.0.weight must be (2, ")
        assert 2 <= outcome.err.count(" must be ") <= 5


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_row_84_weights_that_are_no_numbers(number: float, record: Path, call: Any) -> None:
    data = bytearray((record / WEIGHTS).read_bytes())
    (length,) = struct.unpack("<Q", data[:8])
    data[8 + length :] = struct.pack("<f", number) * (len(data[8 + length :]) // 4)
    (record / WEIGHTS).write_bytes(data)
    sign(record)
    assert call(f"predict {NAME} rows.csv").says(5, WEIGHTS, "holds what is no finite number").out == ""


def changed(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], bytes]:
    def make(path: Path) -> bytes:
        manifest = json.loads(path.read_bytes())
        change(manifest)
        manifest["sha256"] = checksum(manifest)
        return json.dumps(manifest).encode()

    return make


def outside(manifest: dict[str, Any]) -> None:
    files = manifest["files"]
    files["../../rows.csv"] = files.pop("results.json")


MANIFESTS: dict[str, Callable[[Path], bytes]] = {
    "85 no JSON": lambda path: b"{",
    "85 nested deeply": lambda path: b"[" * 100_000,
    "85 huge numbers": changed(lambda manifest: manifest.update(schema_version=10**400)),
    "85 __class__": changed(lambda manifest: manifest.update(__class__="os.system", files={"__class__": "os.system"})),
    "85 a path that leads outside": changed(outside),
    "89 a newer record": changed(lambda manifest: manifest.update(schema_version=99)),
    "109 of another version": changed(lambda manifest: manifest.update(schema_version=77)),
}


@pytest.mark.parametrize("row", MANIFESTS)
def test_manifests(row: str, record: Path, call: Any) -> None:
    (record / "manifest.json").write_bytes(MANIFESTS[row](record / "manifest.json"))
    for command in ("runs show", "runs verify", "report", "resume"):
        call(f"{command} {NAME}").says(5, "manifest.json" if row != "85 a path that leads outside" else NAME)
    call("runs ls").says(0, NAME)


def test_row_89_a_newer_record_says_its_version(record: Path, call: Any) -> None:
    (record / "manifest.json").write_bytes(MANIFESTS["89 a newer record"](record / "manifest.json"))
    call(f"runs show {NAME}").says(5, "99", "pip install --upgrade losscli")


@pytest.mark.parametrize("version", sorted(path.name for path in VERSIONS.iterdir()))
def test_row_89_an_older_record_is_read(version: str, tmp_path: Path, call: Any) -> None:
    (whole,) = (VERSIONS / version).iterdir()
    call("runs show", str(whole)).says(0, "bce-logits")
    call("runs verify", str(whole)).says(0)


def test_row_86_a_history_with_a_torn_end(record: Path, call: Any) -> None:
    """The history of an unfinished comparison is in its states, each of them whole or not there: none is ever torn."""
    (record / "history.parquet").write_bytes((record / "history.parquet").read_bytes()[:-9])
    sign(record)
    call(f"runs show {NAME} --format json").says(0)
    call(f"report {NAME} --format md").says(5, "history.parquet")


def test_row_87_there_is_no_index_that_could_be_wrong(record: Path, call: Any) -> None:
    for name in ("index.json", "index.sqlite", ".cache"):
        (record.parent / name).write_bytes(b"\0garbage")
    call("runs ls").says(0, NAME)


def test_row_88_a_record_that_is_a_link_to_everything(record: Path, call: Any) -> None:
    (record.parent / "0002-20260131-154210-root").symlink_to("/")
    outcome = call("runs rm 0002-20260131-154210-root --yes")
    assert outcome.code in (2, 5)
    assert "link" in outcome.err
    assert (record.parent / "0002-20260131-154210-root").is_symlink()


def test_row_90_html_in_names(record: Path, call: Any, tmp_path: Path) -> None:
    results = json.loads((record / "results.json").read_bytes())
    results["arenas"][0]["data"] = "<svg onload=alert(1)>&<script>alert(2)</script>"
    (record / "results.json").write_text(json.dumps(results))
    sign(record)
    call(f"report {NAME} --to page.html").says(0)
    page = (tmp_path / "page.html").read_text()
    assert "<svg onload" not in page
    assert "<script>alert" not in page
    assert "&lt;svg onload=alert(1)&gt;" in page
