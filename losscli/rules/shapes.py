"""Axes and sizes that do not fit: they broadcast, or normalise over the wrong things, in silence."""

from losscli.rules import rule

rule(
    "LC011",
    "softmax-wrong-dim",
    "error",
    what="the softmax runs over the batch (dim 0), not over the classes",
    why="Each row's probabilities depend on the other rows and do not sum to one; the loss starts near the logarithm of the batch "
    "size.",
    torch="nothing; a warning where dim is left out",
    instead="softmax over the classes: dim=1 (or dim=-1)",
    bad=(
        "net = nn.Linear(4, 3)\nlogp = F.log_softmax(net(torch.randn(6, 4)), dim=0)  # <-\n"
        "loss = F.nll_loss(logp, torch.randint(0, 3, (6,)))\n",
    ),
    good=(
        "net = nn.Linear(4, 3)\nlogp = F.log_softmax(net(torch.randn(6, 4)), dim=1)\n"
        "loss = F.nll_loss(logp, torch.randint(0, 3, (6,)))\n",
        "weights = torch.softmax(nn.Parameter(torch.zeros(4)), dim=0)\n",
    ),
)

rule(
    "LC012",
    "softmax-over-one",
    "error",
    what="the softmax runs over a single output: it is always 1",
    why="Nothing that the model does changes a one, so there is no gradient at all.",
    torch="nothing",
    instead="use a sigmoid for one output (BCEWithLogitsLoss on the logits), or two outputs and cross_entropy",
    bad=(
        "net = nn.Sequential(nn.Linear(4, 1), nn.Softmax(dim=1))  # <-\nnn.BCELoss()(net(torch.randn(5, 4)), torch.ones(5, 1))\n",
    ),
    good=(
        "score = nn.Linear(8, 1)\nh = torch.randn(5, 7, 8)\nweights = torch.softmax(score(h), dim=1)\npooled = (weights * h).sum(1)\n",
    ),
)

rule(
    "LC037",
    "broadcast-n1-n",
    "error",
    what="predictions of shape (N, 1) meet targets of shape (N,): they broadcast to (N, N)",
    why="Every prediction is compared with every target, so the best prediction is the mean: the loss stays at the variance of the "
    "target.",
    torch="warns in MSE, L1 and Huber; BCE raises; Poisson, Gaussian, KL, HingeEmbedding and arithmetic are silent",
    instead="bring both to one shape: prediction.squeeze(1), or target.unsqueeze(1)",
    bad=(
        "net = nn.Linear(3, 1)\nx, y = torch.randn(32, 3), torch.randn(32)\nloss = ((net(x) - y) ** 2).mean()  # <-\n"
        "loss.backward()\n",
        "net = nn.Linear(3, 1)\nx, y = torch.randn(32, 3), torch.rand(32)\nloss = nn.PoissonNLLLoss()(net(x), y)  # <-\n",
    ),
    good=(
        "net = nn.Linear(3, 1)\nx, y = torch.randn(32, 3), torch.randn(32)\nloss = ((net(x).squeeze(1) - y) ** 2).mean()\n",
        "net = nn.Linear(3, 1)\nx, y = torch.randn(32, 3), torch.randn(32)\nloss = F.mse_loss(net(x), y[:, None])\n",
    ),
)
