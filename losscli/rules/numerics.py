"""Right in exact arithmetic, wrong in floating point; and factors that are computed from the wrong number."""

from losscli.rules import rule

rule(
    "LC014",
    "log-of-softmax",
    "warning",
    what="the logarithm of a softmax is taken in two steps",
    why="A probability that underflows to 0 gives -inf, and its gradient is NaN.",
    torch="nothing; NaN",
    instead="log_softmax(scores)",
    bad=(
        """
        def logp(scores):
            return torch.log(torch.softmax(scores, dim=1))  # <-
        """,
    ),
    good=(
        """
        def logp(scores):
            return torch.log_softmax(scores, dim=1)
        """,
        """
        def logp(scores):
            return torch.log(torch.softmax(scores, dim=1) + 1e-8)
        """,
        """
        def logp(scores):
            return scores.softmax(1).clamp(min=1e-8).log()
        """,
    ),
)

rule(
    "LC015",
    "log-of-sigmoid",
    "warning",
    what="the logarithm of a sigmoid is taken in two steps",
    why="A probability that rounds to 0 or 1 gives -inf for itself or its complement, and a gradient of NaN.",
    torch="nothing; NaN",
    instead="logsigmoid(scores), and logsigmoid(-scores) for the complement; or binary_cross_entropy_with_logits",
    bad=(
        """
        def cost(scores, y):
            p = scores.sigmoid()
            return -(y * p.log() + (1 - y) * (1 - p).log()).mean()  # <-
        """,
    ),
    good=(
        """
        def cost(scores, y):
            return -(y * F.logsigmoid(scores) + (1 - y) * F.logsigmoid(-scores)).mean()
        """,
    ),
)

rule(
    "LC032",
    "focal-on-mean",
    "error",
    what="the focusing factor is computed from the mean loss of the batch",
    why="A focal loss weighs each sample by its own probability. From the mean it is one number for all: the "
    "learning rate changes, and hard samples count no more than easy ones.",
    torch="nothing",
    instead='take the loss with reduction="none", weigh each sample, then average',
    bad=(
        """
        def focal(scores, y, gamma=2):
            ce = F.cross_entropy(scores, y)
            pt = torch.exp(-ce)
            return (1 - pt) ** gamma * ce  # <-
        """,
    ),
    good=(
        """
        def focal(scores, y, gamma=2):
            ce = F.cross_entropy(scores, y, reduction="none")
            pt = torch.exp(-ce)
            return ((1 - pt) ** gamma * ce).mean()
        """,
    ),
)

rule(
    "LC033",
    "sqrt-without-eps",
    "warning",
    what="a square root is taken of what may become 0, and a gradient goes through it",
    why="The slope of the root at 0 is infinite: once the error is exactly 0 the gradient is NaN, and so is the model.",
    torch="nothing; NaN in the gradient",
    instead="add a small number under the root: sqrt(mse + 1e-8); or train on the MSE itself",
    bad=(
        """
        net = nn.Linear(3, 1)
        loss = torch.sqrt(F.mse_loss(net(torch.randn(5, 3)), torch.randn(5, 1)))  # <-
        loss.backward()
        """,
    ),
    good=(
        """
        net = nn.Linear(3, 1)
        loss = torch.sqrt(F.mse_loss(net(torch.randn(5, 3)), torch.randn(5, 1)) + 1e-8)
        loss.backward()
        """,
        """
        net = nn.Linear(3, 1)
        with torch.no_grad():
            rmse = F.mse_loss(net(torch.randn(5, 3)), torch.randn(5, 1)).sqrt()
        """,
    ),
)

rule(
    "LC039",
    "gradient-penalty-norm",
    "error",
    what="the gradient penalty takes one norm over the whole batch",
    why="The penalty wants a gradient of length 1 at each point. Over the batch only the total length is "
    "held, and it grows with the batch.",
    torch="nothing",
    instead="a norm per sample: grad.flatten(1).norm(2, dim=1)",
    bad=(
        """
        def penalty(critic, mix):
            grad = torch.autograd.grad(critic(mix).sum(), mix, create_graph=True)[0]
            return (grad.norm(2) - 1) ** 2  # <-
        """,
    ),
    good=(
        """
        def penalty(critic, mix):
            grad = torch.autograd.grad(critic(mix).sum(), mix, create_graph=True)[0]
            return ((grad.flatten(1).norm(2, dim=1) - 1) ** 2).mean()
        """,
    ),
)
