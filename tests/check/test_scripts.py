"""Scripts run as they would without a watch: whatever they do, they are looked at, ended, and torch is as it was."""

from __future__ import annotations

import gc
import signal
import sys

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  its usual name

from losscli.cli import app
from losscli.rules.contract import LOSSES

WATCHED = (
    (torch.nn.Module, ("__init__", "eval", "zero_grad")),
    (torch.optim.Optimizer, ("__init__", "zero_grad")),
    (torch.autograd, ("backward",)),
    (torch.jit, ("script",)),
    (torch, ("compile",)),
    (torch.amp.GradScaler, ("step",)),
    (torch.autograd.Variable, ("__new__",)),
    (torch.nn.TransformerEncoderLayer, ("forward",)),
    (F, tuple(loss.function for loss in LOSSES)),
)

TRAIN = """
net = nn.Sequential(nn.Linear(4, 3), nn.Softmax(1))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
def step():
    opt.zero_grad()
    F.cross_entropy(net(torch.randn(8, 4)), torch.randint(0, 3, (8,))).backward()
    opt.step()
"""


def state() -> list[object]:
    module = sys.modules[torch.optim.Optimizer.__module__]
    hooks = [module._global_optimizer_pre_hooks, module._global_optimizer_post_hooks]
    attributes = [getattr(owner, name) for owner, names in WATCHED for name in names]
    return [*attributes, *map(len, hooks), torch._C._len_torch_function_stack(), sys.argv, list(sys.path), sys.stdout]


@pytest.fixture(autouse=True)
def _restored():
    before, handlers = state(), [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGALRM)]
    yield
    assert state() == before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGALRM)] == handlers


def codes(outcome) -> list[str]:
    return [item.code for item in outcome.findings]


@pytest.mark.parametrize(
    "ending",
    [
        "while True: step()",
        "for _ in range(100):\n    try:\n        step()\n    except Exception: pass",
        "for _ in range(100):\n    try:\n        step()\n    except: pass",
        "step()\nraise KeyboardInterrupt",
        "step()\nraise SystemExit",
        "step()\nimport sys; sys.exit(0)",
        "step()\n1 / 0",
        "step()\nraise BaseException('odd')",
        "step()\nwhile True: pass",
        "import threading; t = threading.Thread(target=step); t.start(); t.join(); step()",
    ],
)
def test_a_script_ends_and_is_judged(ending: str, run) -> None:
    outcome = run(TRAIN + ending, seconds=1.0 if ending.endswith("while True: pass") else None)
    assert codes(outcome) == ["LC001"]
    assert outcome.steps <= 3


def test_how_it_ended_is_said(run) -> None:
    assert run("import sys\nsys.exit(3)").failure.message == "the script ended itself with exit code 3"
    failure = run("def f():\n    raise ValueError('no\\x1b[1m')\nf()").failure
    assert failure.message == "the script raises ValueError: no\\x1b[1m"
    assert failure.place.line == 5
    assert run("x = 1").notes == ["no loss of torch was called and no optimizer stepped, so there was nothing to judge"]
    assert run("raise KeyboardInterrupt").interrupted
    assert run("x = (").failure.place.line == 4


def test_steps_are_as_many_as_asked_for(run) -> None:
    for steps in (1, 3, 7):
        assert run(TRAIN + "while True: step()", steps=steps).steps == steps


def test_a_script_finds_itself_at_home(run, tmp_path) -> None:
    (tmp_path / "nearby.py").write_text("VALUE = 7")
    outcome = run(
        """
        import sys, nearby
        assert sys.argv[1:] == ["--epochs", "1"] and sys.argv[0] == __file__
        assert __name__ == "__main__" and nearby.VALUE == 7 and sys.modules["__main__"].nearby is nearby
        """,
        "--epochs",
        "1",
    )
    assert outcome.failure is None
    assert "nearby" not in sys.modules


def test_garbage_is_collected_as_python_does_it_and_not_as_a_command_does(run) -> None:
    before = gc.get_threshold()
    gc.set_threshold(app.MODULES)
    try:
        assert run("import gc; assert gc.get_threshold()[0] < 10_000, gc.get_threshold()").failure is None
        assert gc.get_threshold()[0] == app.MODULES
    finally:
        gc.set_threshold(*before)


def test_what_it_prints_goes_to_stderr(run, capfd) -> None:
    run("import subprocess\nprint('said')\nsubprocess.run(['echo', 'called'])")
    out, err = capfd.readouterr()
    assert out == ""
    assert {"said", "called"} <= set(err.split())


LOOPS = {
    "workers": """
        from torch.utils.data import DataLoader, TensorDataset
        net = nn.Linear(3, 2)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for x, y in DataLoader(TensorDataset(torch.randn(24, 3), torch.randint(0, 2, (24,))), batch_size=8, num_workers=1):
            opt.zero_grad()
            F.cross_entropy(net(x), y).backward()
            opt.step()
        """,
    "lbfgs": """
        net = nn.Linear(3, 1)
        x, y = torch.randn(20, 3), torch.randn(20, 1)
        opt = torch.optim.LBFGS(net.parameters(), max_iter=5, line_search_fn="strong_wolfe")
        def closure():
            opt.zero_grad()
            loss = F.mse_loss(net(x), y)
            loss.backward()
            return loss
        for _ in range(3):
            opt.step(closure)
        """,
    "scaler": """
        net = nn.Linear(3, 1)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        scaler = torch.amp.GradScaler("cpu", init_scale=2.0**120)
        for _ in range(6):
            opt.zero_grad()
            with torch.autocast("cpu", torch.bfloat16):
                loss = F.mse_loss(net(torch.randn(4, 3)).float(), torch.randn(4, 1))
            scaler.scale(loss).backward()
            scaler.unscale_(opt)
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            scaler.step(opt)
            scaler.update()
        """,
    "trainer": """
        class Module(nn.Module):
            def __init__(self):
                super().__init__()
                self.net = nn.Linear(4, 3)
            def training_step(self, batch):
                x, y = batch
                return F.cross_entropy(self.net(x), y)
            def configure_optimizers(self):
                return torch.optim.AdamW(self.parameters())
        class Trainer:
            def fit(self, module, batches):
                optimizer = module.configure_optimizers()
                module.train()
                for batch in batches:
                    def closure():
                        optimizer.zero_grad()
                        loss = module.training_step(batch)
                        loss.backward()
                        return loss
                    optimizer.step(closure)
                module.eval()
        Trainer().fit(Module(), [(torch.randn(8, 4), torch.randint(0, 3, (8,))) for _ in range(4)])
        """,
    "only the head": """
        body, head = nn.Sequential(nn.Linear(6, 8), nn.ReLU()), nn.Linear(8, 3)
        opt = torch.optim.SGD(head.parameters(), lr=0.1)
        for _ in range(3):
            opt.zero_grad()
            F.cross_entropy(head(body(torch.randn(9, 6))), torch.randint(0, 3, (9,))).backward()
            opt.step()
        """,
    "a network that judges": """
        net, judge = nn.Linear(6, 6), nn.Sequential(nn.Linear(6, 4), nn.ReLU()).eval()
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            opt.zero_grad()
            x = torch.randn(9, 6)
            F.mse_loss(judge(net(x)), judge(x).detach()).backward()
            opt.step()
        """,
    "an image that is trained": """
        net, image = nn.Linear(6, 2), torch.zeros(1, 6, requires_grad=True)
        opt = torch.optim.Adam([image])
        for _ in range(3):
            opt.zero_grad()
            F.cross_entropy(net(image), torch.tensor([1])).backward()
            opt.step()
        """,
    "attacks": """
        net = nn.Linear(6, 2)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            x, y = torch.randn(4, 6), torch.randint(0, 2, (4,))
            near = x.detach().clone().requires_grad_(True)
            F.cross_entropy(net(near), y).backward()
            near = (x + 0.1 * near.grad.sign()).detach()
            opt.zero_grad()
            F.cross_entropy(net(near), y).backward()
            opt.step()
        """,
    "straight through": """
        net = nn.Linear(6, 2)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            z = net(torch.randn(4, 6)).sigmoid()
            z = z + (z.round() - z).detach()
            opt.zero_grad()
            F.mse_loss(z, torch.zeros(4, 2)).backward()
            opt.step()
        """,
    "two critics' steps for one": """
        G, D = nn.Linear(2, 2), nn.Linear(2, 1)
        og, od = torch.optim.Adam(G.parameters()), torch.optim.Adam(D.parameters())
        bce = nn.BCEWithLogitsLoss()
        for _ in range(2):
            for _ in range(2):
                fake = G(torch.randn(6, 2))
                od.zero_grad()
                (bce(D(torch.randn(6, 2)), torch.ones(6, 1)) + bce(D(fake.detach()), torch.zeros(6, 1))).backward()
                od.step()
            og.zero_grad()
            bce(D(G(torch.randn(6, 2))), torch.ones(6, 1)).backward()
            og.step()
        """,
    "a low rank beside frozen weights": """
        base, a, b = nn.Linear(6, 6), nn.Parameter(torch.randn(6, 2)), nn.Parameter(torch.zeros(2, 6))
        base.requires_grad_(False)
        opt = torch.optim.Adam([{"params": [a]}, {"params": [b]}], lr=0.1)
        for _ in range(3):
            opt.zero_grad()
            x = torch.randn(5, 6)
            F.mse_loss(base(x) + x @ a @ b, torch.randn(5, 6)).backward()
            opt.step()
        """,
    "gradients reset by hand": """
        net = nn.Linear(6, 2)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            for p in net.parameters():
                if p.grad is not None:
                    p.grad.zero_()
            F.cross_entropy(net(torch.randn(4, 6)), torch.randint(0, 2, (4,))).backward()
            opt.step()
        """,
    "zeros kept": """
        net = nn.Linear(6, 2)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            F.cross_entropy(net(torch.randn(4, 6)), torch.randint(0, 2, (4,))).backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5)
            opt.step()
            opt.zero_grad(set_to_none=False)
        """,
    "labels smoothed, classes of pixels, some ignored": """
        net = nn.Conv2d(3, 5, 1)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            y = torch.randint(0, 5, (2, 4, 4))
            y[0] = -1
            opt.zero_grad()
            F.cross_entropy(net(torch.randn(2, 3, 4, 4)), y, ignore_index=-1, label_smoothing=0.1).backward()
            opt.step()
        """,
    "noise in labels, corrected": """
        net, T = nn.Linear(4, 3), torch.full((3, 3), 0.1) + 0.7 * torch.eye(3)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            opt.zero_grad()
            p = net(torch.randn(8, 4)).softmax(1) @ T
            F.nll_loss((p + 1e-8).log(), torch.randint(0, 3, (8,))).backward()
            opt.step()
        """,
    "words": """
        table, body, head = nn.Embedding(20, 8), nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), nn.Linear(8, 20)
        opt = torch.optim.AdamW([*table.parameters(), *body.parameters(), *head.parameters()])
        for _ in range(3):
            x = torch.randint(0, 20, (4, 6))
            opt.zero_grad()
            F.cross_entropy(head(body(table(x))).view(-1, 20), x.view(-1)).backward()
            opt.step()
        """,
    "scripted": """
        import warnings
        warnings.simplefilter("ignore")
        class Cost(nn.Module):
            def forward(self, a, b):
                return F.mse_loss(a, b) + F.cross_entropy(a, b.softmax(1))
        net, cost = nn.Linear(4, 3), torch.jit.script(Cost())
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            opt.zero_grad()
            cost(net(torch.randn(7, 4)), torch.randn(7, 3)).backward()
            opt.step()
        """,
    "time before classes": """
        net = nn.Linear(4, 3)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            opt.zero_grad()
            logp = F.log_softmax(net(torch.randn(7, 2, 4)), dim=-1)
            F.nll_loss(logp.permute(0, 2, 1), torch.randint(0, 3, (7, 2))).backward()
            opt.step()
        """,
}


@pytest.mark.parametrize("name", LOOPS)
def test_what_is_right_passes(name: str, run) -> None:
    outcome = run(LOOPS[name], steps=4)
    assert [(item.code, item.line, item.message) for item in outcome.findings] == []
    assert outcome.failure is None
    assert outcome.steps >= 3 or name in ("workers", "scaler")
