"""What shows only when the code runs: values of targets, gradients, and losses that fit no output of their shape."""

from losscli.rules import rule

rule(
    "LC048",
    "target-outside-domain",
    "error",
    what="the target has values that the loss does not mean",
    why="Binary cross-entropy is linear in its target: beyond 0 to 1 it falls without limit. Signs other than -1 and 1 "
    "scale the margin, and a negative class has no score.",
    torch="nothing where it is binary cross-entropy on logits; raises on classes",
    instead="bring the target into the domain of the loss: 0 to 1 for binary cross-entropy, -1 or 1 for signs, 0 to "
    "K - 1 for classes",
    bad_runs=(
        """
        net = nn.Linear(3, 1)
        y = torch.tensor([[-1.0], [1.0], [1.0], [-1.0]])
        F.binary_cross_entropy_with_logits(net(torch.randn(4, 3)), y).backward()  # <-
        """,
        """
        net = nn.Linear(3, 2)
        y = torch.randint(0, 256, (4, 2)).float() + 2
        nn.BCEWithLogitsLoss()(net(torch.randn(4, 3)), y).backward()  # <-
        """,
    ),
    good_runs=(
        """
        net = nn.Linear(3, 1)
        y = torch.tensor([[0.05], [0.95], [0.95], [0.05]])
        F.binary_cross_entropy_with_logits(net(torch.randn(4, 3)), y).backward()
        """,
    ),
)

rule(
    "LC049",
    "target-shares-not-one",
    "warning",
    what="the target's probabilities do not sum to 1 over the classes",
    why="The loss is then no longer a distance between distributions: its least value moves, and a row's weight in the "
    "batch is the sum of its shares.",
    torch="nothing",
    instead="divide by the sum over the classes; where several labels may hold at once, use BCEWithLogitsLoss",
    bad_runs=(
        """
        net = nn.Linear(3, 4)
        y = torch.tensor([[1.0, 1.0, 0.0, 0.0], [0.0, 1.0, 1.0, 1.0]])
        F.cross_entropy(net(torch.randn(2, 3)), y).backward()  # <-
        """,
    ),
    good_runs=(
        """
        net = nn.Linear(3, 4)
        y = torch.tensor([[0.5, 0.5, 0.0, 0.0], [0.1, 0.2, 0.3, 0.4]])
        F.cross_entropy(net(torch.randn(2, 3)), y).backward()
        """,
    ),
)

rule(
    "LC050",
    "targets-all-ignored",
    "error",
    what="every target of the batch is the class that is ignored",
    why="The mean over no row is 0 / 0: the loss is NaN, and after the step so is the model.",
    torch="nothing; the loss is NaN",
    instead="leave such batches out, and look at how the padding is made",
    bad_runs=(
        """
        net = nn.Linear(3, 4)
        y = torch.full((5,), -100)
        F.cross_entropy(net(torch.randn(5, 3)), y).backward()  # <-
        """,
    ),
    good_runs=(
        """
        net = nn.Linear(3, 4)
        y = torch.tensor([-100, -100, 2, -100, 1])
        F.cross_entropy(net(torch.randn(5, 3)), y).backward()
        """,
    ),
)

rule(
    "LC051",
    "gradient-zero",
    "warning",
    what="the gradients of a whole parameter group are exactly 0, in every step that was seen",
    why="Nothing is learned there: a ReLU is dead, an activation is saturated, a factor is 0, or the loss does not "
    "depend on what the group computes.",
    torch="nothing",
    instead="look at what stands between the group and the loss: activations, scale of the inputs, factors, masks",
    bad_runs=(
        """
        net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
        nn.init.constant_(net[0].bias, -100.0)
        nn.init.zeros_(net[2].weight)
        opt = torch.optim.SGD(net[0].parameters(), lr=0.1)
        for p in net[2].parameters():
            p.requires_grad = False
        for _ in range(3):
            opt.zero_grad()
            F.mse_loss(net(torch.randn(4, 3)), torch.randn(4, 1)).backward()
            opt.step()  # <-
        """,
    ),
    good_runs=(
        """
        net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
        nn.init.zeros_(net[2].weight)
        opt = torch.optim.SGD([{"params": net[0].parameters()}, {"params": net[2].parameters()}], lr=0.1)
        for _ in range(3):
            opt.zero_grad()
            F.mse_loss(net(torch.randn(4, 3)), torch.randn(4, 1)).backward()
            opt.step()
        """,
    ),
)

rule(
    "LC052",
    "gradient-not-finite",
    "error",
    what="a step is taken with gradients that are NaN or infinite",
    why="After the step the parameters are NaN, and so is all that follows.",
    torch="nothing",
    instead="find the first number that is not finite: a log or a root at 0, a division by 0, a learning rate too large",
    bad_runs=(
        """
        net = nn.Linear(3, 1)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        loss = (net(torch.zeros(4, 3)) * 0 / 0).mean()
        loss.backward()
        opt.step()  # <-
        """,
    ),
    good_runs=(
        """
        net = nn.Linear(3, 1)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        loss = net(torch.zeros(4, 3)).mean()
        loss.backward()
        opt.step()
        """,
    ),
)

rule(
    "LC053",
    "cross-entropy-over-one",
    "error",
    what="cross-entropy over a single output: its softmax is always 1, the loss always 0",
    why="A softmax needs two scores to tell apart; of one, nothing can be learned.",
    torch="nothing",
    instead="use BCEWithLogitsLoss for one output, or give the last layer two outputs",
    bad_runs=(
        """
        net = nn.Linear(3, 1)
        F.cross_entropy(net(torch.randn(4, 3)), torch.zeros(4, dtype=torch.long)).backward()  # <-
        """,
    ),
    good_runs=(
        """
        net = nn.Linear(3, 2)
        F.cross_entropy(net(torch.randn(4, 3)), torch.zeros(4, dtype=torch.long)).backward()
        """,
    ),
)
