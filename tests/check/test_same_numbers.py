"""A watched script computes what it computes alone, bit for bit."""

from __future__ import annotations

import runpy

import pytest
import torch

from losscli.check.watch import Watch
from losscli.rules import PRELUDE

TRAINING = """
torch.manual_seed(3)
net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3), nn.Linear(144, 5))
body, head = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2), nn.Linear(8, 5)
parameters = [*net.parameters(), *body.parameters(), *head.parameters()]
opt = {optimizer}
numbers = []
for at in range(6):
    net.train(), body.train()
    x, y = torch.randn(16, 1, 8, 8), torch.randint(0, 5, (16,))
    def closure():
        opt.zero_grad()
        loss = F.cross_entropy(net(x), y) + F.kl_div(head(body(x[:, 0])).mean(1).log_softmax(1), F.one_hot(y, 5).float(),
                                                     reduction="batchmean")
        loss.backward()
        return loss
    numbers.append(opt.step(closure).detach().clone())
    net.eval(), body.eval()
    with torch.no_grad():
        numbers += [net(x).clone(), body(x[:, 0]).clone()]
numbers += [p.detach().clone() for p in parameters]
numbers.append(torch.rand(3))
"""
OPTIMIZERS = (
    "torch.optim.SGD(parameters, lr=0.1, momentum=0.9)",
    "torch.optim.AdamW(parameters, lr=0.01)",
    "torch.optim.LBFGS(parameters, max_iter=3)",
)


@pytest.mark.filterwarnings("ignore:.*nested_tensor")
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_numbers_are_the_same(optimizer: str, tmp_path) -> None:
    file = tmp_path / "train.py"
    file.write_text(PRELUDE + TRAINING.format(optimizer=optimizer))
    alone = runpy.run_path(str(file))["numbers"]
    with Watch() as watch:
        watched = runpy.run_path(str(file))["numbers"]
    assert len(alone) == len(watched) > 40
    assert watch.calls.number > 10
    for one, other in zip(alone, watched, strict=True):
        assert torch.equal(one, other)
