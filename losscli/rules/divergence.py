"""KLDivLoss: its first argument is a logarithm, its second is not, and its mean is no mean."""

from losscli.rules import rule

rule(
    "LC008",
    "kldiv-input-not-log",
    "error",
    what="KLDivLoss gets no log-probabilities as its input",
    why="It computes target * (log target - input). With probabilities as the input it is at most -H(target):"
    " negative, and not a divergence.",
    torch="nothing",
    instead="pass log_softmax(logits) as the input; the target stays a probability",
    bad=(
        """
        def distill(student, teacher):
            goal = F.softmax(teacher, dim=1)
            return F.kl_div(F.softmax(student, dim=1), goal, reduction="batchmean")  # <-
        """,
    ),
    good=(
        """
        def distill(student, teacher):
            goal = F.softmax(teacher, dim=1)
            return F.kl_div(F.log_softmax(student, dim=1), goal, reduction="batchmean")
        """,
    ),
)

rule(
    "LC009",
    "kldiv-log-target",
    "error",
    what="KLDivLoss gets its target in the wrong form: logarithms without log_target=True, or probabilities with it",
    why="A logarithm is negative, and the logarithm of a negative number is no number: torch puts zero in its"
    " place, and the loss is constant or nonsense.",
    torch="nothing",
    instead="pass softmax as the target, or say log_target=True and pass log_softmax",
    bad=(
        """
        def distill(student, teacher):
            p, q = F.log_softmax(student, -1), F.log_softmax(teacher, -1)
            return F.kl_div(p, q, reduction="batchmean")  # <-
        """,
    ),
    good=(
        """
        def distill(student, teacher):
            p, q = F.log_softmax(student, -1), F.log_softmax(teacher, -1)
            return F.kl_div(p, q, reduction="batchmean", log_target=True)
        """,
    ),
)

rule(
    "LC010",
    "kldiv-mean",
    "warning",
    what='KLDivLoss with reduction "mean" divides by rows and classes, so it is no divergence',
    why="The value is the divergence over the number of classes: beside another loss its weight is K times too small.",
    torch='warns that "mean" will become "batchmean"',
    instead='reduction="batchmean"',
    bad=(
        """
        def distill(student, goal):
            return F.kl_div(student.log_softmax(1), goal.softmax(1))  # <-
        """,
        """
        kl = nn.KLDivLoss()


        def distill(student, goal):
            return kl(student.log_softmax(1), goal.softmax(1))  # <-
        """,
    ),
    good=(
        """
        def distill(student, goal):
            return F.kl_div(student.log_softmax(1), goal, reduction="none").sum(1).mean()
        """,
        """
        kl = nn.KLDivLoss(reduction="batchmean")


        def distill(student, goal):
            return kl(student.log_softmax(1), goal)
        """,
    ),
)
