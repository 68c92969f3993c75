"""Training loops: the order of zero_grad, backward and step, the mode of the model, and what is added up."""

from losscli.rules import rule

REGRESSION = """
net = nn.Linear(3, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
data = [(torch.randn(4, 3), torch.randn(4, 1)) for _ in range(8)]
"""

rule(
    "LC020",
    "zero-grad-missing",
    "error",
    what="the loop steps, and nothing in it resets the gradients",
    why="Gradients add up: each step goes along the sum of all gradients so far, and the loss falls, then "
    "swings or rises.",
    torch="nothing; it trains",
    instead="call optimizer.zero_grad() once in each turn of the loop that steps",
    setup=REGRESSION,
    bad=(
        """
        for x, y in data:
            F.mse_loss(net(x), y).backward()
            opt.step()  # <-
        """,
    ),
    good=(
        """
        for x, y in data:
            F.mse_loss(net(x), y).backward()
            opt.step()
            opt.zero_grad()
        """,
        """
        for x, y in data:
            net.zero_grad()
            F.mse_loss(net(x), y).backward()
            opt.step()
        """,
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
    setup=REGRESSION,
    bad=(
        """
        for x, y in data:
            F.mse_loss(net(x), y).backward()
            opt.zero_grad()  # <-
            opt.step()
        """,
    ),
    good=(
        """
        for x, y in data:
            opt.zero_grad()
            F.mse_loss(net(x), y).backward()
            opt.step()
        """,
    ),
)

rule(
    "LC022",
    "step-before-backward",
    "error",
    what="step() comes before backward()",
    why="Between zero_grad and step there is no gradient, and what backward computes is reset before the next step.",
    torch="nothing",
    instead="the order is zero_grad, backward, step",
    setup=REGRESSION,
    bad=(
        """
        for x, y in data:
            opt.zero_grad()
            loss = F.mse_loss(net(x), y)
            opt.step()  # <-
            loss.backward()
        """,
    ),
    good=(
        """
        for x, y in data:
            opt.zero_grad()
            loss = F.mse_loss(net(x), y)
            loss.backward()
            opt.step()
        """,
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
    setup=REGRESSION,
    bad=(
        """
        for i, (x, y) in enumerate(data):
            opt.zero_grad()  # <-
            (F.mse_loss(net(x), y) / 4).backward()
            if (i + 1) % 4 == 0:
                opt.step()
        """,
    ),
    good=(
        """
        for i, (x, y) in enumerate(data):
            (F.mse_loss(net(x), y) / 4).backward()
            if (i + 1) % 4 == 0:
                opt.step()
                opt.zero_grad()
        """,
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
    setup=REGRESSION,
    bad=(
        """
        for epoch in range(2):
            for x, y in data:
                opt.zero_grad()
                F.mse_loss(net(x), y).backward()
                opt.step()
            net.eval()  # <-
        """,
    ),
    good=(
        """
        for epoch in range(2):
            net.train()
            for x, y in data:
                opt.zero_grad()
                F.mse_loss(net(x), y).backward()
                opt.step()
            net.eval()
        """,
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
        """
        from torch.utils.data import DataLoader, TensorDataset
        loader = DataLoader(TensorDataset(torch.randn(50, 3), torch.randn(50, 1)), batch_size=16)
        net = nn.Linear(3, 1)
        total = 0.0
        for x, y in loader:
            total += F.mse_loss(net(x), y).item()
        print(total / len(loader.dataset))  # <-
        """,
    ),
    good=(
        """
        from torch.utils.data import DataLoader, TensorDataset
        loader = DataLoader(TensorDataset(torch.randn(50, 3), torch.randn(50, 1)), batch_size=16)
        net = nn.Linear(3, 1)
        total = 0.0
        for x, y in loader:
            total += F.mse_loss(net(x), y, reduction='sum').item()
        print(total / len(loader.dataset))
        """,
    ),
)

rule(
    "LC030",
    "accumulation-not-divided",
    "info",
    what="gradients of several batches are added up, and the loss is not divided by their number",
    why="The step is that many times longer than for one large batch; a learning rate that was tuned for one "
    "does not fit the other.",
    torch="nothing",
    instead="divide the loss by the number of batches that are accumulated",
    setup=REGRESSION,
    bad=(
        """
        for i, (x, y) in enumerate(data):
            loss = F.mse_loss(net(x), y)
            loss.backward()  # <-
            if (i + 1) % 4 == 0:
                opt.step()
                opt.zero_grad()
        """,
    ),
    good=(
        """
        for i, (x, y) in enumerate(data):
            loss = F.mse_loss(net(x), y) / 4
            loss.backward()
            if (i + 1) % 4 == 0:
                opt.step()
                opt.zero_grad()
        """,
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
    setup=REGRESSION,
    bad=(
        """
        total = 0
        for x, y in data:
            opt.zero_grad()
            loss = F.mse_loss(net(x), y)
            loss.backward()
            opt.step()
            total += loss  # <-
        """,
    ),
    good=(
        """
        total = 0
        for x, y in data:
            opt.zero_grad()
            loss = F.mse_loss(net(x), y)
            loss.backward()
            opt.step()
            total += loss.item()
        """,
        """
        total = 0
        for x, y in data:
            total += F.mse_loss(net(x), y)
        total.backward()
        opt.step()
        """,
    ),
)
