"""Axes and sizes that do not fit: they broadcast, or normalise over the wrong things, in silence."""

from losscli.rules import rule

rule(
    "LC011",
    "softmax-wrong-dim",
    "error",
    what="the softmax runs over the batch (dim 0), not over the classes",
    why="Each row's probabilities depend on the other rows and do not sum to one; the loss starts near the "
    "logarithm of the batch size.",
    torch="nothing; a warning where dim is left out",
    instead="softmax over the classes: dim=1 (or dim=-1)",
    bad=(
        """
        net = nn.Linear(4, 3)
        logp = F.log_softmax(net(torch.randn(6, 4)), dim=0)  # <-
        loss = F.nll_loss(logp, torch.randint(0, 3, (6,)))
        """,
    ),
    good=(
        """
        net = nn.Linear(4, 3)
        logp = F.log_softmax(net(torch.randn(6, 4)), dim=1)
        loss = F.nll_loss(logp, torch.randint(0, 3, (6,)))
        """,
        """
        weights = torch.softmax(nn.Parameter(torch.zeros(4)), dim=0)
        """,
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
        """
        net = nn.Sequential(nn.Linear(4, 1), nn.Softmax(dim=1))  # <-
        nn.BCELoss()(net(torch.randn(5, 4)), torch.ones(5, 1))
        """,
    ),
    good=(
        """
        score = nn.Linear(8, 1)
        h = torch.randn(5, 7, 8)
        weights = torch.softmax(score(h), dim=1)
        pooled = (weights * h).sum(1)
        """,
    ),
)

rule(
    "LC037",
    "broadcast-n1-n",
    "error",
    what="predictions of shape (N, 1) meet targets of shape (N,): they broadcast to (N, N)",
    why="Every prediction is compared with every target, so the best prediction is the mean: the loss stays "
    "at the variance of the target.",
    torch="warns in MSE, L1 and Huber; BCE raises; Poisson, Gaussian, KL, HingeEmbedding and arithmetic are silent",
    instead="bring both to one shape: prediction.squeeze(1), or target.unsqueeze(1)",
    bad=(
        """
        net = nn.Linear(3, 1)
        x, y = torch.randn(32, 3), torch.randn(32)
        loss = ((net(x) - y) ** 2).mean()  # <-
        loss.backward()
        """,
        """
        net = nn.Linear(3, 1)
        x, y = torch.randn(32, 3), torch.rand(32)
        loss = nn.PoissonNLLLoss()(net(x), y)  # <-
        """,
    ),
    good=(
        """
        net = nn.Linear(3, 1)
        x, y = torch.randn(32, 3), torch.randn(32)
        loss = ((net(x).squeeze(1) - y) ** 2).mean()
        """,
        """
        net = nn.Linear(3, 1)
        x, y = torch.randn(32, 3), torch.randn(32)
        loss = F.mse_loss(net(x), y[:, None])
        """,
    ),
)
