"""Optimizers that do not hold what is trained."""

from losscli.rules import rule

NET = (
    "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.body = nn.Linear(6, 8)\n"
    "        self.fc = nn.Linear(8, 3)\n\n    def forward(self, x):\n        return self.fc(torch.relu(self.body(x)))\n\n\n"
)
TRAIN = (
    "x, y = torch.randn(9, 6), torch.randint(0, 3, (9,))\nfor _ in range(2):\n    opt.zero_grad()\n"
    "    F.cross_entropy(net(x), y).backward()\n    opt.step()\n"
)

rule(
    "LC025",
    "optimizer-unbound-parameters",
    "error",
    what="parameters() is called on a class, not on a model made from it",
    why="A class has no parameters; only an object made from it has.",
    torch="raises: parameters() missing 1 required positional argument: 'self'",
    instead="make the model first: model = Model(); Adam(model.parameters())",
    bad=(NET + "opt = torch.optim.Adam(Net.parameters(), lr=1e-3)  # <-\n",),
    good=(NET + "opt = torch.optim.Adam(Net().parameters(), lr=1e-3) if False else None\n",),
)

rule(
    "LC026",
    "optimizer-of-other-model",
    "error",
    what="the optimizer holds the parameters of another model than the one that is trained",
    why="The steps change a model that nobody uses, and the one in the loss stays as it was.",
    torch="nothing",
    instead="give the optimizer the parameters of the very model that computes the loss",
    bad=(NET + "net = Net()\nopt = torch.optim.Adam(Net().parameters())  # <-\n" + TRAIN,),
    good=(NET + "net = Net()\nopt = torch.optim.Adam(net.parameters())\n" + TRAIN,),
)

rule(
    "LC027",
    "module-replaced-after-optimizer",
    "error",
    what="a layer is replaced after the optimizer was made",
    why="The optimizer holds the parameters of the old layer; the new one is never updated.",
    torch="nothing",
    instead="replace the layer first, then make the optimizer (or add_param_group)",
    bad=(
        NET + "net = Net()\nopt = torch.optim.SGD(net.parameters(), lr=0.1)\nnet.fc = nn.Linear(8, 3)  # <-\n" + TRAIN,
    ),
    good=(NET + "net = Net()\nnet.fc = nn.Linear(8, 3)\nopt = torch.optim.SGD(net.parameters(), lr=0.1)\n" + TRAIN,),
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
        "body, head = nn.Linear(6, 8), nn.Linear(8, 3)\nopt = torch.optim.SGD(body.parameters(), lr=0.1)  # <-\n"
        "x, y = torch.randn(9, 6), torch.randint(0, 3, (9,))\nfor _ in range(2):\n    opt.zero_grad()\n"
        "    F.cross_entropy(head(body(x)), y).backward()\n    opt.step()\n",
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.layers = [nn.Linear(6, 6) for _ in range(2)]  # <-\n        self.fc = nn.Linear(6, 3)\n\n"
        "    def forward(self, x):\n        for layer in self.layers:\n            x = layer(x)\n        return self.fc(x)\n\n\n"
        "net = Net()\nopt = torch.optim.SGD(net.parameters(), lr=0.1)\n" + TRAIN,
    ),
    good=(
        "body, head = nn.Linear(6, 8), nn.Linear(8, 3)\n"
        "opt = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1)\n"
        "x, y = torch.randn(9, 6), torch.randint(0, 3, (9,))\nfor _ in range(2):\n    opt.zero_grad()\n"
        "    F.cross_entropy(head(body(x)), y).backward()\n    opt.step()\n",
    ),
)
