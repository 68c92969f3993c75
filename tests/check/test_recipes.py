"""Whole recipes of the field that look odd to a rule and are right."""

from __future__ import annotations

import pytest

RECIPES = {
    "contrast": """
        net, tau = nn.Linear(6, 4), nn.Parameter(torch.tensor(2.0))
        opt = torch.optim.Adam([*net.parameters(), tau])
        for _ in range(3):
            a, b = F.normalize(net(torch.randn(8, 6)), dim=1), F.normalize(net(torch.randn(8, 6)), dim=1)
            opt.zero_grad()
            F.cross_entropy(a @ b.T * tau.exp(), torch.arange(8)).backward()
            opt.step()
        """,
    "variational": """
        enc, dec = nn.Linear(6, 4), nn.Sequential(nn.Linear(2, 6), nn.Sigmoid())
        opt = torch.optim.Adam([*enc.parameters(), *dec.parameters()])
        for _ in range(3):
            x = torch.rand(8, 6)
            mean, logvar = enc(x).chunk(2, dim=1)
            z = mean + torch.randn_like(mean) * (0.5 * logvar).exp()
            loss = F.binary_cross_entropy(dec(z), x, reduction="sum")
            loss = (loss - 0.5 * torch.sum(1 + logvar - mean**2 - logvar.exp())) / 8
            opt.zero_grad()
            loss.backward()
            opt.step()
        """,
    "distillation": """
        student, teacher = nn.Linear(6, 4), nn.Linear(6, 4)
        opt = torch.optim.SGD(student.parameters(), lr=0.1)
        for _ in range(3):
            x, y = torch.randn(8, 6), torch.randint(0, 4, (8,))
            with torch.no_grad():
                goal = F.softmax(teacher(x) / 2, dim=1)
            s = student(x)
            loss = F.cross_entropy(s, y) + 4 * F.kl_div(F.log_softmax(s / 2, dim=1), goal, reduction="batchmean")
            opt.zero_grad()
            loss.backward()
            opt.step()
        """,
    "gradient penalty": """
        G, D = nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 4), nn.LeakyReLU(), nn.Linear(4, 1))
        og, od = torch.optim.Adam(G.parameters()), torch.optim.Adam(D.parameters())
        for _ in range(2):
            for _ in range(2):
                real, fake = torch.randn(6, 2), G(torch.randn(6, 2)).detach()
                mix = (0.5 * real + 0.5 * fake).requires_grad_(True)
                grad = torch.autograd.grad(D(mix).sum(), mix, create_graph=True)[0]
                loss = D(fake).mean() - D(real).mean() + 10 * ((grad.norm(2, dim=1) - 1) ** 2).mean()
                od.zero_grad()
                loss.backward()
                od.step()
            og.zero_grad()
            (-D(G(torch.randn(6, 2))).mean()).backward()
            og.step()
        """,
    "temporal difference": """
        net, old = nn.Linear(4, 3), nn.Linear(4, 3)
        opt = torch.optim.RMSprop(net.parameters())
        for _ in range(3):
            s, a, r = torch.randn(8, 4), torch.randint(0, 3, (8,)), torch.randn(8)
            q = net(s).gather(1, a[:, None]).squeeze(1)
            goal = r + 0.9 * old(s).max(1).values.detach()
            opt.zero_grad()
            F.smooth_l1_loss(q, goal).backward()
            opt.step()
        """,
    "policy": """
        net = nn.Linear(4, 3)
        opt = torch.optim.Adam(net.parameters())
        for _ in range(3):
            d = torch.distributions.Categorical(logits=net(torch.randn(8, 4)))
            a = d.sample()
            opt.zero_grad()
            (-(d.log_prob(a) * torch.randn(8)).mean() - 0.01 * d.entropy().mean()).backward()
            opt.step()
        """,
    "several tasks": """
        net, logvar = nn.Linear(4, 4), nn.Parameter(torch.zeros(2))
        opt = torch.optim.Adam([{"params": net.parameters()}, {"params": [logvar], "lr": 1e-2}])
        for _ in range(3):
            out = net(torch.randn(8, 4))
            losses = torch.stack([F.cross_entropy(out[:, :3], torch.randint(0, 3, (8,))), F.mse_loss(out[:, 3], torch.randn(8))])
            opt.zero_grad()
            (losses * torch.exp(-logvar) + logvar).sum().backward()
            opt.step()
        """,
    "checkpoints": """
        from torch.utils.checkpoint import checkpoint
        a, b = nn.Linear(4, 4), nn.Linear(4, 3)
        opt = torch.optim.Adam([*a.parameters(), *b.parameters()])
        for reentrant in (True, False, True):
            x = torch.randn(8, 4, requires_grad=True)
            opt.zero_grad()
            F.cross_entropy(b(checkpoint(a, x, use_reentrant=reentrant)), torch.randint(0, 3, (8,))).backward()
            opt.step()
        """,
    "frozen batch norm": """
        net = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 3))
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            net.train()
            for part in net:
                if isinstance(part, nn.BatchNorm1d):
                    part.eval()
            opt.zero_grad()
            F.cross_entropy(net(torch.randn(8, 4)), torch.randint(0, 3, (8,))).backward()
            opt.step()
        """,
    "two losses, two backwards": """
        net = nn.Linear(4, 3)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            z = net(torch.randn(8, 4))
            opt.zero_grad()
            F.cross_entropy(z, torch.randint(0, 3, (8,))).backward(retain_graph=True)
            (0.01 * z.square().mean()).backward()
            opt.step()
        """,
    "sharpness": """
        net = nn.Linear(4, 3)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            x, y = torch.randn(8, 4), torch.randint(0, 3, (8,))
            F.cross_entropy(net(x), y).backward()
            with torch.no_grad():
                moves = [0.05 * p.grad / (p.grad.norm() + 1e-12) for p in net.parameters()]
                for p, move in zip(net.parameters(), moves):
                    p.add_(move)
            opt.zero_grad()
            F.cross_entropy(net(x), y).backward()
            with torch.no_grad():
                for p, move in zip(net.parameters(), moves):
                    p.sub_(move)
            opt.step()
            opt.zero_grad()
        """,
    "a recurrent net": """
        table, body, head = nn.Embedding(9, 5), nn.LSTM(5, 6, batch_first=True), nn.Linear(6, 9)
        opt = torch.optim.Adam([p for m in (table, body, head) for p in m.parameters()])
        for _ in range(3):
            x = torch.randint(0, 9, (3, 7))
            opt.zero_grad()
            F.cross_entropy(head(body(table(x))[0]).transpose(1, 2), x).backward()
            opt.step()
        """,
    "twin": """
        net, head = nn.Linear(6, 4), nn.Linear(4, 4)
        opt = torch.optim.SGD([*net.parameters(), *head.parameters()], lr=0.1)
        for _ in range(3):
            a, b = net(torch.randn(8, 6)), net(torch.randn(8, 6))
            opt.zero_grad()
            (-F.cosine_similarity(head(a), b.detach()).mean() - F.cosine_similarity(head(b), a.detach()).mean()).backward()
            opt.step()
        """,
    "an ensemble of probabilities": """
        a, b = nn.Linear(6, 1), nn.Linear(6, 1)
        opt = torch.optim.SGD([*a.parameters(), *b.parameters()], lr=0.1)
        for _ in range(3):
            x = torch.randn(8, 6)
            opt.zero_grad()
            F.binary_cross_entropy((a(x).sigmoid() + b(x).sigmoid()) / 2, torch.rand(8, 1).round()).backward()
            opt.step()
        """,
    "attention over labels": """
        score, head = nn.Linear(6, 1), nn.Linear(6, 3)
        opt = torch.optim.SGD([*score.parameters(), *head.parameters()], lr=0.1)
        for _ in range(3):
            h = torch.randn(4, 5, 6)
            opt.zero_grad()
            pooled = (score(h).softmax(1) * h).sum(1)
            F.binary_cross_entropy_with_logits(head(pooled), torch.rand(4, 3).round()).backward()
            opt.step()
        """,
    "orthogonal weights, whose view torch itself refuses to trace": """
        net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
        for layer in (net[0], net[2]):
            nn.init.orthogonal_(layer.weight, 1.4)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(3):
            opt.zero_grad()
            F.cross_entropy(net(torch.randn(8, 4)), torch.randint(0, 3, (8,))).backward()
            opt.step()
        """,
    "two losses, summed after their backwards to be shown": """
        net = nn.Linear(4, 1)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(4):
            opt.zero_grad()
            real = F.binary_cross_entropy_with_logits(net(torch.randn(8, 4)), torch.ones(8, 1))
            real.backward()
            fake = F.binary_cross_entropy_with_logits(net(torch.randn(8, 4)), torch.zeros(8, 1))
            fake.backward()
            both = real + fake
            opt.step()
        """,
    "a critic's gradient that goes on into the generator, and is reset there": """
        G, D = nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 4), nn.LeakyReLU(), nn.Linear(4, 1))
        og, od = torch.optim.Adam(G.parameters()), torch.optim.Adam(D.parameters())
        for turn in range(9):
            od.zero_grad()
            (D(G(torch.randn(6, 2))).mean() - D(torch.randn(6, 2)).mean()).backward()
            od.step()
            if turn % 3 == 0:
                og.zero_grad()
                (-D(G(torch.randn(6, 2))).mean()).backward()
                og.step()
        """,
    "one helper for a generator and its critic": """
        G, D = nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 4), nn.LeakyReLU(), nn.Linear(4, 1))
        og, od = torch.optim.Adam(G.parameters()), torch.optim.Adam(D.parameters())
        def follow(opt, loss):
            opt.zero_grad()
            loss.backward()
            opt.step()
        for turn in range(9):
            follow(od, D(G(torch.randn(6, 2))).mean() - D(torch.randn(6, 2)).mean())
            if turn % 3 == 0:
                follow(og, -D(G(torch.randn(6, 2))).mean())
        """,
}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_passes(name: str, run) -> None:
    outcome = run(RECIPES[name], steps=4)
    assert outcome.failure is None
    assert outcome.steps >= 3
    assert [(item.code, item.line, item.message) for item in outcome.findings] == []
