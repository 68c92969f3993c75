"""Optimizers that do not hold what is trained."""

from losscli.rules import rule

CLASSIFIER = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(6, 8)
        self.fc = nn.Linear(8, 3)

    def forward(self, x):
        return self.fc(torch.relu(self.body(x)))


"""

rule(
    "LC025",
    "optimizer-unbound-parameters",
    "error",
    what="parameters() is called on a class, not on a model made from it",
    why="A class has no parameters; only an object made from it has.",
    torch="raises: parameters() missing 1 required positional argument: 'self'",
    instead="make the model first: model = Model(); Adam(model.parameters())",
    setup=CLASSIFIER,
    bad=(
        """
        opt = torch.optim.Adam(Net.parameters(), lr=1e-3)  # <-
        """,
    ),
    good=(
        """
        net = Net()
        opt = torch.optim.Adam(net.parameters(), lr=1e-3)
        """,
    ),
)

rule(
    "LC026",
    "optimizer-of-other-model",
    "error",
    what="the optimizer holds the parameters of another model than the one that is trained",
    why="The steps change a model that nobody uses, and the one in the loss stays as it was.",
    torch="nothing",
    instead="give the optimizer the parameters of the very model that computes the loss",
    setup=CLASSIFIER,
    bad=(
        """
        net = Net()
        opt = torch.optim.Adam(Net().parameters())  # <-
        x, y = torch.randn(9, 6), torch.randint(0, 3, (9,))
        for _ in range(2):
            opt.zero_grad()
            F.cross_entropy(net(x), y).backward()
            opt.step()
        """,
    ),
    good=(
        """
        net = Net()
        opt = torch.optim.Adam(net.parameters())
        x, y = torch.randn(9, 6), torch.randint(0, 3, (9,))
        for _ in range(2):
            opt.zero_grad()
            F.cross_entropy(net(x), y).backward()
            opt.step()
        """,
    ),
)

rule(
    "LC027",
    "module-replaced-after-optimizer",
    "error",
    what="a layer is replaced after the optimizer was made",
    why="The optimizer holds the parameters of the old layer; the new one is never updated.",
    torch="nothing",
    instead="replace the layer first, then make the optimizer (or add_param_group)",
    setup=CLASSIFIER,
    bad=(
        """
        net = Net()
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        net.fc = nn.Linear(8, 3)  # <-
        x, y = torch.randn(9, 6), torch.randint(0, 3, (9,))
        for _ in range(2):
            opt.zero_grad()
            F.cross_entropy(net(x), y).backward()
            opt.step()
        """,
    ),
    good=(
        """
        net = Net()
        net.fc = nn.Linear(8, 3)
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        x, y = torch.randn(9, 6), torch.randint(0, 3, (9,))
        for _ in range(2):
            opt.zero_grad()
            F.cross_entropy(net(x), y).backward()
            opt.step()
        """,
    ),
)

rule(
    "LC028",
    "parameters-not-in-optimizer",
    "error",
    what="parameters take part in the loss, and no optimizer holds them",
    why="They get gradients and are never changed: they stay as they were drawn.",
    torch="nothing",
    instead="give the optimizer all of them; keep layers in nn.ModuleList or nn.ModuleDict, not in a list or dict",
    bad=(
        """
        body, head = nn.Linear(6, 8), nn.Linear(8, 3)
        opt = torch.optim.SGD(body.parameters(), lr=0.1)  # <-
        x, y = torch.randn(9, 6), torch.randint(0, 3, (9,))
        for _ in range(2):
            opt.zero_grad()
            F.cross_entropy(head(body(x)), y).backward()
            opt.step()
        """,
        """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = [nn.Linear(6, 6) for _ in range(2)]  # <-
                self.fc = nn.Linear(6, 3)

            def forward(self, x):
                for layer in self.layers:
                    x = layer(x)
                return self.fc(x)


        net = Net()
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        x, y = torch.randn(9, 6), torch.randint(0, 3, (9,))
        for _ in range(2):
            opt.zero_grad()
            F.cross_entropy(net(x), y).backward()
            opt.step()
        """,
    ),
    good=(
        """
        body, head = nn.Linear(6, 8), nn.Linear(8, 3)
        opt = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1)
        x, y = torch.randn(9, 6), torch.randint(0, 3, (9,))
        for _ in range(2):
            opt.zero_grad()
            F.cross_entropy(head(body(x)), y).backward()
            opt.step()
        """,
    ),
)
