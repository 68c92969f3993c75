"""Devices and memory: what is not there, or not enough, is told with a way out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from losscli.errors import MachineError, SpecError
from losscli.stack import device as machine
from losscli.stack.layers import BatchNorm, Dropout, LayerNorm, Linear
from losscli.stack.network import Network
from losscli.stack.networks import judging_of
from losscli.stack.stacks import stacks

CPU = torch.device("cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
@pytest.mark.parametrize("name", ["cuda", "cuda:7", "gpu", "mps", ""])
def test_a_device_that_is_not_here_is_refused_with_those_that_are(name):
    with pytest.raises(MachineError, match="there is: cpu") as caught:
        machine.choose(name)
    assert "--device cpu" in caught.value.problems[0].cure


def test_auto_is_the_cpu_without_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert machine.choose("auto") == CPU
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert machine.choose("auto") == torch.device("cuda:0")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert machine.choose("auto") == machine.choose("cuda") == torch.device("cuda:0")
    assert machine.choose("cuda:1") == torch.device("cuda:1")


def test_a_model_that_cannot_fit_is_refused_before_anything_is_allocated():
    with pytest.raises(SpecError, match="limit here"):
        machine.refuse_if_too_large(10**16, CPU)
    machine.refuse_if_too_large(10**6, CPU)


def test_four_fifths_of_the_memory_is_not_too_much(monkeypatch):
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 10, "SC_PHYS_PAGES": 100}.__getitem__)
    machine.refuse_if_too_large(800, CPU)
    with pytest.raises(SpecError, match="limit here"):
        machine.refuse_if_too_large(801, CPU)


def test_the_cost_of_a_model_is_known_before_anything_is_allocated(run_of, job_of):
    job = job_of("binary", hidden=[65536, 65536, 65536])  # 34 GB of weights
    with pytest.raises(SpecError, match="limit here") as caught:
        next(stacks([run_of()], job))
    assert "model.hidden" in caught.value.problems[0].cure
    cost = Network(job.model.layers(2, 1)).cost(32)
    assert cost > 6 * 4 * 2 * 65536**2


def test_layers_draw_what_their_shapes_say():
    for layer in (Linear(3, 2), Linear(3, 2, bias=False), BatchNorm(4), LayerNorm(5), Dropout(0.5)):
        drawn = layer.draw(torch.Generator())
        assert {name: tuple(tensor.shape) for name, tensor in drawn.items()} == layer.shapes()


def test_memory_that_runs_out_is_told_and_nothing_else_is_swallowed():
    with pytest.raises(MachineError, match="batches of 64"), machine.out_of_memory_explained(64):
        raise torch.OutOfMemoryError("CUDA out of memory")
    with pytest.raises(MachineError, match="batches of 64"), machine.out_of_memory_explained(64):
        torch.empty(1 << 60)
    for said in (
        "CUDA error: out of memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    ):
        with pytest.raises(MachineError, match="batches of 64"), machine.out_of_memory_explained(64):
            raise RuntimeError(said)
    with pytest.raises(RuntimeError, match="another"), machine.out_of_memory_explained(64):
        raise RuntimeError("another")


def test_a_stack_on_the_cpu_has_one_thread_and_gives_the_others_back():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with machine.one_thread(CPU):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
        with machine.one_thread(torch.device("cuda", 0)):
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_the_width_on_a_gpu_is_that_of_the_card(monkeypatch):
    """A little less free memory, or what torch keeps for its next tensors, makes no other stacks, and so no other bits."""
    total, gpu = 80 << 30, torch.device("cuda", 0)
    widths = []
    for free, kept in ((80, 0), (70, 0), (30, 45), (20, 0), (3, 0)):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _, free=free: (free << 30, total))
        monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _, kept=kept: (kept + 1) << 30)
        monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 1 << 30)
        widths.append(machine.width(1 << 20, gpu))
        assert isinstance(machine.width(1_000_003, gpu), int)  # a share of memory that is no whole number of runs
    assert widths[0] == widths[1] == widths[2] == 24576
    assert widths[3] == 24576 // 2
    assert widths[4] * (1 << 20) <= 2 * 0.3 * (3 << 30)


def test_on_a_gpu_products_are_float32_and_sums_in_order_and_all_is_put_back(monkeypatch):
    gpu, products = torch.device("cuda", 0), torch.backends.cuda.matmul
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    before, products.fp32_precision = products.fp32_precision, "tf32"
    try:
        with machine.exact(CPU), machine.in_order(CPU):
            assert (products.fp32_precision, torch.get_deterministic_debug_mode()) == ("tf32", 0)
        with machine.exact(gpu), machine.in_order(gpu):
            assert (products.fp32_precision, torch.get_deterministic_debug_mode()) == ("ieee", 1)
            assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
        assert (products.fp32_precision, torch.get_deterministic_debug_mode()) == ("tf32", 0)
    finally:
        products.fp32_precision = before


@pytest.mark.parametrize(("count", "size"), [(1, 1), (7, 3), (40, 16), (5, 100)])
def test_chunks_cover_all_runs_evenly(count, size):
    found = machine.chunks(count, size)
    assert [row for start, stop in found for row in range(start, stop)] == list(range(count))
    sizes = [stop - start for start, stop in found]
    assert max(sizes) <= size
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("count", [1, 8, 9, 15, 16, 17, 40, 47, 48, 49, 80, 1000])
@pytest.mark.parametrize("size", [1, 3, 16])
def test_stacks_of_a_cpu_divide_into_two_halves(count, size):
    widths = [stop - start for start, stop in machine.chunks(count, size, even=True)]
    assert sum(widths) == count
    assert max(widths) <= size
    assert max(widths) - min(widths) <= 1
    if count > 8 and size > 1:
        assert len(widths) % 2 == 0
        assert 2 * sum(sorted(widths)[len(widths) // 2 :]) <= count + len(widths)


def test_what_cannot_be_held_while_it_is_judged_is_refused_before_it_is_trained(run_of, job_of, monkeypatch):
    runs, job = [run_of()], job_of("binary")
    rows = max(part.rows for part in runs[0].dataset.parts.values())
    monkeypatch.setattr(machine, "refuse_if_too_large", lambda *_: None)
    need = judging_of(runs[0], job).peak()
    monkeypatch.setattr(machine, "memory", lambda: need * 5 // 4 + 2)  # four fifths of it may be taken
    assert len(list(stacks(runs, job))) == 1
    monkeypatch.setattr(machine, "memory", lambda: need * 5 // 4 - 2)
    with pytest.raises(SpecError, match=f"for each of {rows} rows need about") as caught:
        next(stacks(runs, job))
    assert "fewer rows" in caught.value.problems[0].cure


def test_many_numbers_for_each_row_make_narrow_stacks_by_the_spec_alone(run_of, job_of, monkeypatch):
    runs, job = [run_of(seed=0, lr=rate) for rate in (1e-1, 1e-2, 1e-3, 1e-4)], job_of("binary")
    rows = max(part.rows for part in runs[0].dataset.parts.values())
    monkeypatch.setattr(machine, "CPU_JUDGED", 2 * 16 * rows)
    assert [len(stack) for stack in stacks(runs, job)] == [2, 2]
    monkeypatch.setattr(machine, "memory", lambda: 10**12)
    assert [len(stack) for stack in stacks(runs, job)] == [2, 2]


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_peak_memory_is_what_the_process_has_had() -> None:
    """Half a gigabyte that was touched and given back stays in the peak, and none that whoever started it had."""
    torch.ones(2**27)  # at once in this process, so that it is larger than the other
    script = (
        "import torch\nfrom losscli.stack.device import peak_memory\ncpu = torch.device('cpu')\n"
        "before = peak_memory(cpu)\nblock = torch.ones(2**27)\ndel block\nprint(before, peak_memory(cpu))"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    before, after = map(float, told.split())
    assert 3.0e8 < after - before < 6.0e8  # 2**27 float32, and what importing took for a moment
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    assert machine.peak_memory(torch.device("cpu")) >= 1024 * float(status["VmRSS"].split()[0]) * 0.9
