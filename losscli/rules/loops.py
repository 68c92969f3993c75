"""Training loops: the order of zero_grad, backward and step, the mode of the model, and what is added up."""

from losscli.rules import rule

SETUP = (
    "net = nn.Linear(3, 1)\nopt = torch.optim.SGD(net.parameters(), lr=0.1)\n"
    "data = [(torch.randn(4, 3), torch.randn(4, 1)) for _ in range(8)]\n"
)

rule(
    "LC020",
    "zero-grad-missing",
    "error",
    what="the loop steps, and nothing in it resets the gradients",
    why="Gradients add up: each step goes along the sum of all gradients so far, and the loss falls, then swings or rises.",
    torch="nothing; it trains",
    instead="call optimizer.zero_grad() once in each turn of the loop that steps",
    bad=(SETUP + "for x, y in data:\n    F.mse_loss(net(x), y).backward()\n    opt.step()  # <-\n",),
    good=(
        SETUP + "for x, y in data:\n    F.mse_loss(net(x), y).backward()\n    opt.step()\n    opt.zero_grad()\n",
        SETUP + "for x, y in data:\n    net.zero_grad()\n    F.mse_loss(net(x), y).backward()\n    opt.step()\n",
    ),
)

rule(
    "LC021",
    "zero-grad-before-step",
    "error",
    what="the gradients are reset between backward() and step()",
    why="The step finds no gradient: nothing is learned.",
    torch="nothing",
    instead="the order is zero_grad, backward, step",
    bad=(
        SETUP + "for x, y in data:\n    F.mse_loss(net(x), y).backward()\n    opt.zero_grad()  # <-\n    opt.step()\n",
    ),
    good=(SETUP + "for x, y in data:\n    opt.zero_grad()\n    F.mse_loss(net(x), y).backward()\n    opt.step()\n",),
)

rule(
    "LC022",
    "step-before-backward",
    "error",
    what="step() comes before backward()",
    why="Between zero_grad and step there is no gradient, and what backward computes is reset before the next step.",
    torch="nothing",
    instead="the order is zero_grad, backward, step",
    bad=(
        SETUP
        + "for x, y in data:\n    opt.zero_grad()\n    loss = F.mse_loss(net(x), y)\n    opt.step()  # <-\n    loss.backward()\n",
    ),
    good=(
        SETUP
        + "for x, y in data:\n    opt.zero_grad()\n    loss = F.mse_loss(net(x), y)\n    loss.backward()\n    opt.step()\n",
    ),
)

rule(
    "LC023",
    "zero-grad-inside-accumulation",
    "error",
    what="gradients are accumulated over several batches, and reset in every one",
    why="Only the last batch before the step counts; the others are computed for nothing.",
    torch="nothing",
    instead="call zero_grad() only where step() is called",
    bad=(
        SETUP
        + "for i, (x, y) in enumerate(data):\n    opt.zero_grad()  # <-\n    (F.mse_loss(net(x), y) / 4).backward()\n"
        "    if (i + 1) % 4 == 0:\n        opt.step()\n",
    ),
    good=(
        SETUP
        + "for i, (x, y) in enumerate(data):\n    (F.mse_loss(net(x), y) / 4).backward()\n    if (i + 1) % 4 == 0:\n"
        "        opt.step()\n        opt.zero_grad()\n",
    ),
)

rule(
    "LC024",
    "eval-left-on",
    "warning",
    what="eval() is called in the training loop, and train() is not",
    why="After the first evaluation dropout is off and batch norm's statistics are frozen, for all that follows.",
    torch="nothing; it trains",
    instead="call model.train() where the training part of each epoch begins",
    bad=(
        SETUP
        + "for epoch in range(2):\n    for x, y in data:\n        opt.zero_grad()\n        F.mse_loss(net(x), y).backward()\n"
        "        opt.step()\n    net.eval()  # <-\n",
    ),
    good=(
        SETUP + "for epoch in range(2):\n    net.train()\n    for x, y in data:\n        opt.zero_grad()\n"
        "        F.mse_loss(net(x), y).backward()\n        opt.step()\n    net.eval()\n",
    ),
)

rule(
    "LC029",
    "mean-loss-divided-by-dataset",
    "warning",
    what="means of batches are added up and divided by the number of rows",
    why="Each addend is a mean already: the number is too small by the batch size, and cannot be compared with others.",
    torch="nothing",
    instead="divide by the number of batches, or add loss.item() * len(batch)",
    bad=(
        "from torch.utils.data import DataLoader, TensorDataset\n"
        "loader = DataLoader(TensorDataset(torch.randn(50, 3), torch.randn(50, 1)), batch_size=16)\nnet = nn.Linear(3, 1)\n"
        "total = 0.0\nfor x, y in loader:\n    total += F.mse_loss(net(x), y).item()\nprint(total / len(loader.dataset))  # <-\n",
    ),
    good=(
        "from torch.utils.data import DataLoader, TensorDataset\n"
        "loader = DataLoader(TensorDataset(torch.randn(50, 3), torch.randn(50, 1)), batch_size=16)\nnet = nn.Linear(3, 1)\n"
        "total = 0.0\nfor x, y in loader:\n    total += F.mse_loss(net(x), y, reduction='sum').item()\n"
        "print(total / len(loader.dataset))\n",
    ),
)

rule(
    "LC030",
    "accumulation-not-divided",
    "info",
    what="gradients of several batches are added up, and the loss is not divided by their number",
    why="The step is that many times longer than for one large batch; a learning rate that was tuned for one does not fit the other.",
    torch="nothing",
    instead="divide the loss by the number of batches that are accumulated",
    bad=(
        SETUP + "for i, (x, y) in enumerate(data):\n    loss = F.mse_loss(net(x), y)\n    loss.backward()  # <-\n"
        "    if (i + 1) % 4 == 0:\n        opt.step()\n        opt.zero_grad()\n",
    ),
    good=(
        SETUP + "for i, (x, y) in enumerate(data):\n    loss = F.mse_loss(net(x), y) / 4\n    loss.backward()\n"
        "    if (i + 1) % 4 == 0:\n        opt.step()\n        opt.zero_grad()\n",
    ),
)

rule(
    "LC031",
    "loss-tensor-accumulated",
    "warning",
    what="losses are added up as tensors, with their graphs",
    why="Every addend keeps what it was computed from: the memory grows with each batch.",
    torch="nothing",
    instead="add loss.item(), or loss.detach()",
    bad=(
        SETUP
        + "total = 0\nfor x, y in data:\n    opt.zero_grad()\n    loss = F.mse_loss(net(x), y)\n    loss.backward()\n"
        "    opt.step()\n    total += loss  # <-\n",
    ),
    good=(
        SETUP
        + "total = 0\nfor x, y in data:\n    opt.zero_grad()\n    loss = F.mse_loss(net(x), y)\n    loss.backward()\n"
        "    opt.step()\n    total += loss.item()\n",
        SETUP + "total = 0\nfor x, y in data:\n    total += F.mse_loss(net(x), y)\ntotal.backward()\nopt.step()\n",
    ),
)
