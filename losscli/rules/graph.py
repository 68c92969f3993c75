"""Losses from which no gradient reaches what is to be trained."""

from losscli.rules import rule

NET = """
net = nn.Linear(4, 3)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
x, y = torch.randn(8, 4), torch.randint(0, 3, (8,))
"""

rule(
    "LC016",
    "requires-grad-forced",
    "error",
    what="requires_grad is forced onto a loss",
    why="A loss that is connected to the model has a gradient already. Forced, it is a new leaf: backward() "
    "runs, and the model gets nothing.",
    torch="raises on a loss that is connected, so a script that runs with it trains nothing",
    instead="drop the line, and find where the graph was cut before it (argmax, .item(), .detach(), numpy)",
    bad=(
        """
        net = nn.Linear(4, 3)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        x, y = torch.randn(8, 4), torch.randint(0, 3, (8,))
        loss = (net(x).argmax(1) != y).float().mean()
        loss.requires_grad = True  # <-
        loss.backward()
        opt.step()
        """,
        """
        net = nn.Linear(4, 3)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        x, y = torch.randn(8, 4), torch.randint(0, 3, (8,))
        loss = F.cross_entropy(net(x), y)
        loss = torch.autograd.Variable(loss, requires_grad=True)  # <-
        loss.backward()
        """,
    ),
    good=(
        """
        mix = torch.rand(6, 2)
        mix.requires_grad = True
        nn.Linear(2, 1)(mix).sum().backward()
        """,
    ),
)

rule(
    "LC017",
    "loss-not-differentiable",
    "error",
    what="the prediction passes through a step (argmax, round, a comparison) on its way to the loss",
    why="A step is flat: its gradient is zero or does not exist, so nothing is learned.",
    torch="argmax and comparisons raise at backward(); round is silent",
    instead="compute the loss from logits or probabilities, and the decision only for metrics",
    bad=(
        """
        net = nn.Linear(4, 3)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        x, y = torch.randn(8, 4), torch.randint(0, 3, (8, 3)).float()
        loss = F.mse_loss(torch.round(torch.sigmoid(net(x))), y)  # <-
        loss.backward()
        opt.step()
        """,
    ),
    good=(
        """
        net = nn.Linear(4, 3)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        x, y = torch.randn(8, 4), torch.randint(0, 3, (8,))
        pseudo = net(x).argmax(1)
        loss = F.cross_entropy(net(x), pseudo)
        loss.backward()
        opt.step()
        """,
    ),
)

rule(
    "LC018",
    "graph-cut-before-backward",
    "error",
    what="the loss is cut from the graph before backward()",
    why="After .item(), .detach(), .data or torch.tensor(loss) there is only a number: no gradient gets past it.",
    torch="raises where nothing at all requires a gradient; else nothing",
    instead="call backward() on the loss itself; take .item() only for what is printed",
    setup=NET,
    bad=(
        """
        total = torch.zeros((), requires_grad=True)
        for _ in range(3):
            loss = F.cross_entropy(net(x), y)
            total = total + loss.item()  # <-
        total.backward()
        opt.step()
        """,
        """
        loss = F.cross_entropy(net(x), y).detach()  # <-
        loss.backward()
        """,
    ),
    good=(
        """
        loss = F.cross_entropy(net(x), y)
        print(loss.item())
        loss.backward()
        opt.step()
        """,
    ),
)

rule(
    "LC019",
    "detach-in-generator-loss",
    "error",
    what="the generator's loss is computed on detached samples, so the generator gets no gradient",
    why="detach() belongs into the step of the discriminator; in the step of the generator it cuts off what "
    "is to be trained.",
    torch="nothing",
    instead="pass the samples without detach() in the generator's step",
    setup="""
        G, D = nn.Linear(2, 2), nn.Linear(2, 1)
        od = torch.optim.Adam(D.parameters())
        og = torch.optim.Adam(G.parameters())
        bce = nn.BCEWithLogitsLoss()
        fake = G(torch.randn(6, 2))
        og.zero_grad()
    """,
    bad=(
        """
        g_loss = bce(D(fake.detach()), torch.ones(6, 1))  # <-
        g_loss.backward()
        og.step()
        """,
    ),
    good=(
        """
        g_loss = bce(D(fake), torch.ones(6, 1))
        g_loss.backward()
        og.step()
        """,
    ),
)

rule(
    "LC040",
    "loss-overwritten",
    "warning",
    what="a loss is replaced by another before anything has read it",
    why="Only the last one is trained; the first was computed for nothing, and was probably meant to be added.",
    torch="nothing",
    instead="add them: loss = loss + other",
    setup=NET,
    bad=(
        """
        loss = F.cross_entropy(net(x), y)
        loss = F.mse_loss(net(x), torch.zeros(8, 3))  # <-
        loss.backward()
        """,
    ),
    good=(
        """
        loss = F.cross_entropy(net(x), y)
        loss = loss + F.mse_loss(net(x), torch.zeros(8, 3))
        loss.backward()
        """,
    ),
)
