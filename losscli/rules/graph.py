"""Losses from which no gradient reaches what is to be trained."""

from losscli.rules import rule

TRAINING = "net = nn.Linear(4, 3)\nopt = torch.optim.SGD(net.parameters(), lr=0.1)\nx, y = torch.randn(8, 4), torch.randint(0, 3, (8,))\n"

rule(
    "LC016",
    "requires-grad-forced",
    "error",
    what="requires_grad is forced onto a loss",
    why="A loss that is connected to the model has a gradient already. Forced, it is a new leaf: backward() runs, and the model gets "
    "nothing.",
    torch="raises on a loss that is connected, so a script that runs with it trains nothing",
    instead="drop the line, and find where the graph was cut before it (argmax, .item(), .detach(), numpy)",
    bad=(
        TRAINING
        + "loss = (net(x).argmax(1) != y).float().mean()\nloss.requires_grad = True  # <-\nloss.backward()\nopt.step()\n",
        TRAINING
        + "loss = F.cross_entropy(net(x), y)\nloss = torch.autograd.Variable(loss, requires_grad=True)  # <-\nloss.backward()\n",
    ),
    good=("mix = torch.rand(6, 2)\nmix.requires_grad = True\nnn.Linear(2, 1)(mix).sum().backward()\n",),
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
        TRAINING.replace("(8,))", "(8, 3)).float()")
        + "loss = F.mse_loss(torch.round(torch.sigmoid(net(x))), y)  # <-\nloss.backward()\nopt.step()\n",
    ),
    good=(
        TRAINING + "pseudo = net(x).argmax(1)\nloss = F.cross_entropy(net(x), pseudo)\nloss.backward()\nopt.step()\n",
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
    bad=(
        TRAINING
        + "total = torch.zeros((), requires_grad=True)\nfor _ in range(3):\n    loss = F.cross_entropy(net(x), y)\n"
        "    total = total + loss.item()  # <-\ntotal.backward()\nopt.step()\n",
        TRAINING + "loss = F.cross_entropy(net(x), y).detach()  # <-\nloss.backward()\n",
    ),
    good=(TRAINING + "loss = F.cross_entropy(net(x), y)\nprint(loss.item())\nloss.backward()\nopt.step()\n",),
)

rule(
    "LC019",
    "detach-in-generator-loss",
    "error",
    what="the generator's loss is computed on detached samples, so the generator gets no gradient",
    why="detach() belongs into the step of the discriminator; in the step of the generator it cuts off what is to be trained.",
    torch="nothing",
    instead="pass the samples without detach() in the generator's step",
    bad=(
        "G, D = nn.Linear(2, 2), nn.Linear(2, 1)\nog = torch.optim.Adam(G.parameters())\nbce = nn.BCEWithLogitsLoss()\n"
        "fake = G(torch.randn(6, 2))\nog.zero_grad()\ng_loss = bce(D(fake.detach()), torch.ones(6, 1))  # <-\n"
        "g_loss.backward()\nog.step()\n",
    ),
    good=(
        "G, D = nn.Linear(2, 2), nn.Linear(2, 1)\nog = torch.optim.Adam(G.parameters())\nbce = nn.BCEWithLogitsLoss()\n"
        "fake = G(torch.randn(6, 2))\nog.zero_grad()\ng_loss = bce(D(fake), torch.ones(6, 1))\ng_loss.backward()\nog.step()\n",
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
    bad=(
        TRAINING
        + "loss = F.cross_entropy(net(x), y)\nloss = F.mse_loss(net(x), torch.zeros(8, 3))  # <-\nloss.backward()\n",
    ),
    good=(
        TRAINING
        + "loss = F.cross_entropy(net(x), y)\nloss = loss + F.mse_loss(net(x), torch.zeros(8, 3))\nloss.backward()\n",
    ),
)
