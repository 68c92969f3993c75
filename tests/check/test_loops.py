"""What no text shows, or only with its surroundings: order, modes, targets, gradients; each in a form of its own."""

from __future__ import annotations

import pytest

from losscli.rules import MARK, PRELUDE

WRONG = {
    "never reset, and clipped": (
        "zero-grad-missing",
        """
        net = nn.Linear(3, 1)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            F.mse_loss(net(torch.randn(4, 3)), torch.randn(4, 1)).backward()
            nn.utils.clip_grad_norm_(net.parameters(), 0.1)
            opt.step()  # <-
        """,
    ),
    "never reset in a closure": (
        "zero-grad-missing",
        """
        net = nn.Linear(3, 1)
        x, y = torch.randn(9, 3), torch.randn(9, 1)
        opt = torch.optim.LBFGS(net.parameters(), max_iter=4)
        def closure():
            loss = F.mse_loss(net(x), y)
            loss.backward()  # <-
            return loss
        opt.step(closure)
        """,
    ),
    "another optimizer's gradients are reset": (
        "zero-grad-missing",
        """
        a, b = nn.Linear(3, 1), nn.Linear(3, 1)
        oa, ob = torch.optim.SGD(a.parameters(), lr=0.1), torch.optim.SGD(b.parameters(), lr=0.1)
        for _ in range(4):
            oa.zero_grad()
            x, y = torch.randn(4, 3), torch.randn(4, 1)
            (F.mse_loss(a(x), y) + F.mse_loss(b(x), y)).backward()
            oa.step()
            ob.step()  # <-
        """,
    ),
    "reset by hand before the step": (
        "zero-grad-before-step",
        """
        net = nn.Linear(3, 1)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            F.mse_loss(net(torch.randn(4, 3)), torch.randn(4, 1)).backward()
            for p in net.parameters():
                p.grad = None
            opt.step()  # <-
        """,
    ),
    "the model's zero_grad before the step": (
        "zero-grad-before-step",
        """
        net = nn.Linear(3, 1)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            F.mse_loss(net(torch.randn(4, 3)), torch.randn(4, 1)).backward()
            net.zero_grad(set_to_none=False)  # <-
            opt.step()
        """,
    ),
    "a mode that stays": (
        "eval-left-on",
        """
        net = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5), nn.Linear(3, 1))
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        def score():
            net.eval()  # <-
            with torch.no_grad():
                return F.mse_loss(net(torch.randn(4, 3)), torch.randn(4, 1)).item()
        for _ in range(3):
            opt.zero_grad()
            F.mse_loss(net(torch.randn(4, 3)), torch.randn(4, 1)).backward()
            opt.step()
            score()
        """,
    ),
    "a softmax whose name is computed": (
        "softmax-before-cross-entropy",
        """
        net = nn.Sequential(nn.Linear(3, 4))
        net.append(getattr(nn, "Soft" + "max")(dim=-1))
        F.cross_entropy(net(torch.randn(4, 3)), torch.randint(0, 4, (4,))).backward()  # <-
        """,
    ),
    "a sigmoid in a hook": (
        "sigmoid-before-bce-with-logits",
        """
        net = nn.Linear(3, 1)
        net.register_forward_hook(lambda layer, given, made: made.sigmoid())
        criterion = vars(nn)["BCEWithLogitsLoss"]()
        criterion(net(torch.randn(4, 3)), torch.ones(4, 1)).backward()  # <-
        """,
    ),
    "a softmax written by hand": (
        "softmax-before-nll",
        """
        net = nn.Linear(3, 4)
        p = net(torch.randn(5, 3)).log_softmax(1).exp().view(-1, 4)
        F.nll_loss(p, torch.randint(0, 4, (5,))).backward()  # <-
        """,
    ),
    "columns against rows, found by their data": (
        "broadcast-n1-n",
        """
        net = nn.Linear(3, 1)
        rows = [(torch.randn(3), torch.tensor(1.0)) for _ in range(6)]
        x, y = (torch.stack(part) for part in zip(*rows))
        F.huber_loss(net(x), y).backward()  # <-
        """,
    ),
    "signs for a loss on 0 and 1": (
        "target-outside-domain",
        """
        net = nn.Linear(3, 1)
        y = torch.randn(6, 1).sign()
        nn.BCEWithLogitsLoss()(net(torch.randn(6, 3)), y).backward()  # <-
        """,
    ),
    "nothing but padding": (
        "targets-all-ignored",
        """
        net = nn.Linear(3, 4)
        nn.NLLLoss(ignore_index=0)(net(torch.randn(6, 3)).log_softmax(1), torch.zeros(6).long()).backward()  # <-
        """,
    ),
    "a learned weight in no optimizer": (
        "parameters-not-in-optimizer",
        """
        net, scale = nn.Linear(3, 4), nn.Parameter(torch.ones(()))
        opt = torch.optim.SGD(net.parameters(), lr=0.1)  # <-
        for _ in range(2):
            opt.zero_grad()
            F.cross_entropy(net(torch.randn(6, 3)) * scale, torch.randint(0, 4, (6,))).backward()
            opt.step()
        """,
    ),
    "NaN in the second step": (
        "gradient-not-finite",
        """
        net = nn.Linear(3, 1)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for at in range(3):
            opt.zero_grad()
            (net(torch.randn(4, 3)).abs().pow(0.5) * (float("nan") if at else 1.0)).mean().backward()
            opt.step()  # <-
        """,
    ),
    "one length for all gradients": (
        "gradient-penalty-norm",
        """
        critic = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
        mix = torch.rand(6, 2, requires_grad=True)
        grad = torch.autograd.grad(critic(mix).sum(), mix, create_graph=True)[0]
        penalty = (grad.view(6, -1).norm() - 1) ** 2  # <-
        (critic(torch.rand(6, 2)).mean() + penalty).backward()
        """,
    ),
    "the place of the largest": (
        "loss-not-differentiable",
        """
        net = nn.Linear(3, 4)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        guess = net(torch.randn(6, 3)).max(dim=1)[1]
        loss = F.l1_loss(guess.float(), torch.ones(6))  # <-
        loss.backward()
        """,
    ),
    "a number made a tensor": (
        "requires-grad-forced",
        """
        net = nn.Linear(3, 4)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        loss = F.cross_entropy(net(torch.randn(6, 3)), torch.randint(0, 4, (6,)))
        loss = torch.tensor(loss.item(), requires_grad=True)  # <-
        loss.backward()
        """,
    ),
    "detached and demanded": (
        "requires-grad-forced",
        """
        net = nn.Linear(3, 4)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        loss = F.cross_entropy(net(torch.randn(6, 3)), torch.randint(0, 4, (6,)))
        loss = loss.detach().requires_grad_()  # <-
        loss.backward()
        """,
    ),
    "no graph at all": (
        "graph-cut-before-backward",
        """
        net = nn.Linear(3, 4)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        with torch.no_grad():
            z = net(torch.randn(6, 3))
        F.cross_entropy(z, torch.randint(0, 4, (6,))).backward()  # <-
        """,
    ),
    "the optimizer of a copy": (
        "optimizer-of-other-model",
        """
        import copy
        net = nn.Linear(3, 4)
        opt = torch.optim.SGD(copy.deepcopy(net).parameters(), lr=0.1)  # <-
        for _ in range(2):
            opt.zero_grad()
            F.cross_entropy(net(torch.randn(6, 3)), torch.randint(0, 4, (6,))).backward()
            opt.step()
        """,
    ),
    "the sum of losses, printed": (
        "loss-tensor-accumulated",
        """
        net, total = nn.Linear(3, 4), 0.0
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(4):
            z = net(torch.randn(6, 3))
            loss = F.cross_entropy(z, torch.randint(0, 4, (6,))) + 0.1 * z.square().mean()
            opt.zero_grad()
            loss.backward()
            opt.step()
            total = total + loss  # <-
        """,
    ),
    "a column of one, over and over": (
        "cross-entropy-over-one",
        """
        net = nn.Linear(3, 1)
        nn.CrossEntropyLoss()(net(torch.randn(4, 3)), torch.zeros(4).long()).backward()  # <-
        """,
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_it_is_found_at_its_line(name: str, run) -> None:
    rule, text = WRONG[name]
    outcome = run(text, steps=6)
    [line] = [number for number, written in enumerate((PRELUDE + text).split("\n"), start=1) if written.endswith(MARK)]
    assert (rule, line) in [(item.rule, item.line) for item in outcome.findings]
    assert {item.rule for item in outcome.findings} == {rule}


def test_a_comment_silences(run) -> None:
    text = "net = nn.Linear(3, 4)\nF.nll_loss(net(torch.randn(5, 3)), torch.randint(0, 4, (5,)))  # noqa: {}\n"
    assert run(text.format("LC005")).findings == []
    assert [item.code for item in run(text.format("LC001")).findings] == ["LC005"]
