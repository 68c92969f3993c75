"""Targets and weights that a loss does not mean, and losses that are called for what they are not."""

from typing import Any

from losscli.rules import rule

RARELY_YES: dict[str, Any] = {"shares": (0.9, 0.1)}
EVEN: dict[str, Any] = {"shares": (0.5, 0.5)}

rule(
    "LC034",
    "target-not-plus-minus-one",
    "error",
    what="the loss takes targets -1 and 1, and gets 0 and 1",
    why="A target of 0 drops out of the formula, so half of the data has no say.",
    torch="nothing",
    instead="turn 0/1 into -1/+1: 2 * target - 1",
    bad=(
        """
        enc = nn.Linear(6, 4)
        same = torch.randint(0, 2, (10,))
        loss = F.cosine_embedding_loss(enc(torch.randn(10, 6)), enc(torch.randn(10, 6)), same)  # <-
        """,
    ),
    good=(
        """
        enc = nn.Linear(6, 4)
        same = torch.randint(0, 2, (10,)) * 2 - 1
        loss = F.cosine_embedding_loss(enc(torch.randn(10, 6)), enc(torch.randn(10, 6)), same)
        """,
    ),
)

rule(
    "LC035",
    "hinge-embedding-as-hinge",
    "error",
    what="HingeEmbeddingLoss gets a score; it is a loss on distances, not the hinge loss",
    why="For targets of 1 it is the score itself, which falls without limit.",
    torch="nothing",
    instead="the hinge loss is clamp(1 - target * score, min=0).mean(); for two classes BCEWithLogitsLoss or "
    "SoftMarginLoss",
    bad=(
        """
        net = nn.Linear(5, 1)
        y = torch.where(torch.rand(20) > 0.5, 1.0, -1.0)
        loss = nn.HingeEmbeddingLoss()(net(torch.randn(20, 5)).squeeze(1), y)  # <-
        """,
    ),
    good=(
        """
        enc = nn.Linear(5, 4)
        y = torch.where(torch.rand(20) > 0.5, 1.0, -1.0)
        d = F.pairwise_distance(enc(torch.randn(20, 5)), enc(torch.randn(20, 5)))
        loss = nn.HingeEmbeddingLoss()(d, y)
        """,
    ),
)

rule(
    "LC036",
    "wgan-critic-bounded",
    "warning",
    what="the critic of a Wasserstein loss ends in a bounded activation",
    why="The difference of two means estimates a distance, which needs scores without bounds; a sigmoid "
    "saturates and its gradient is gone.",
    torch="nothing",
    instead="let the critic end in a linear layer",
    bad=(
        """
        critic = nn.Sequential(nn.Linear(2, 1), nn.Sigmoid())
        real, fake = torch.randn(6, 2), torch.randn(6, 2)
        loss = critic(fake).mean() - critic(real).mean()  # <-
        loss.backward()
        """,
    ),
    good=(
        """
        critic = nn.Linear(2, 1)
        real, fake = torch.randn(6, 2), torch.randn(6, 2)
        loss = critic(fake).mean() - critic(real).mean()
        loss.backward()
        """,
    ),
)

rule(
    "LC038",
    "loss-class-called-with-tensors",
    "error",
    what="a loss class is given tensors when it is made",
    why="nn.MSELoss(a, b) makes a loss object with two odd settings; it computes nothing.",
    torch="raises: Boolean value of Tensor with more than one value is ambiguous",
    instead="make it, then call it: nn.MSELoss()(prediction, target); or use the function",
    bad=(
        """
        p, t = torch.randn(4, 1), torch.randn(4, 1)
        loss = nn.MSELoss(p, t)  # <-
        """,
    ),
    good=(
        """
        w = torch.ones(3)
        loss = nn.CrossEntropyLoss(w)(torch.randn(4, 3), torch.randint(0, 3, (4,)))
        """,
    ),
)

rule(
    "LC041",
    "weight-vs-pos-weight",
    "warning",
    what="a weight for the positives is given as `weight`, which weighs every element alike",
    why="In BCEWithLogitsLoss `weight` multiplies the loss of both targets: the balance of positives and "
    "negatives stays as it was.",
    torch="nothing",
    instead="pos_weight=",
    bad_runs=(
        """
        net = nn.Linear(3, 1)
        y = torch.tensor([[1.0], [0.0], [0.0], [0.0]])
        F.binary_cross_entropy_with_logits(net(torch.randn(4, 3)), y, weight=torch.tensor([3.0])).backward()  # <-
        """,
    ),
    good=(
        """
        w = torch.ones(3)
        loss = nn.BCEWithLogitsLoss(pos_weight=w)(torch.randn(4, 3), torch.ones(4, 3))
        """,
    ),
)

rule(
    "LC045",
    "focal-alpha-lowers-the-rare-class",
    "warning",
    what="an alpha below 0.5 makes the positives count less than the negatives, and the positives are the rare class",
    why="0.25, the default elsewhere, was tuned together with gamma 2 on one set of images.",
    torch="nothing",
    instead="leave alpha out, or give one above 0.5",
    in_spec="leave alpha out (null), or give one above 0.5; 0.25, the default elsewhere, was tuned together with "
    "gamma 2",
    bad_specs=(("binary", "focal", (), {"settings": {"alpha": 0.25}} | RARELY_YES),),
    good_specs=(
        ("binary", "focal", (), {"settings": {"alpha": None}} | RARELY_YES),
        ("binary", "focal", (), {"settings": {"alpha": 0.75}} | RARELY_YES),
        ("binary", "focal", (), {"settings": {"alpha": 0.25}} | EVEN),
        ("binary", "focal", (), {"settings": {"alpha": 0.25}}),
    ),
)

rule(
    "LC046",
    "weights-against-smoothing",
    "error",
    what="label smoothing gives every row a share of the other classes, and the class weights blow that share "
    "up beyond the row's own: the loss is least where the answer is wrong",
    why="A row of the lightest class counts less for its own class than for the heaviest.",
    torch="nothing",
    instead="set label_smoothing to 0, or take class weights that are less apart",
    in_spec="set label_smoothing to 0, or take class weights that are less apart",
    bad_specs=(
        ("multiclass", "cross-entropy", (), {"settings": {"weight": [0.01, 0.99], "label_smoothing": 0.1}}),
        ("binary", "bce-logits", (), {"settings": {"pos_weight": 99.0, "label_smoothing": 0.1}}),
        ("binary", "bce", ("sigmoid",), {"settings": {"pos_weight": 0.01, "label_smoothing": 0.1}}),
        ("multilabel", "bce-logits", (), {"settings": {"pos_weight": [1.0, 99.0], "label_smoothing": 0.1}}),
    ),
    good_specs=(
        ("multiclass", "cross-entropy", (), {"settings": {"weight": [0.01, 0.99], "label_smoothing": 0.0}}),
        ("multiclass", "cross-entropy", (), {"settings": {"weight": [0.1, 0.9], "label_smoothing": 0.1}}),
        ("multiclass", "cross-entropy", (), {"settings": {"weight": None, "label_smoothing": 0.1}}),
        ("multiclass", "cross-entropy", (), {"settings": {"weight": [0.0, 1.0], "label_smoothing": 0.0}}),
        ("binary", "bce-logits", (), {"settings": {"pos_weight": 9.0, "label_smoothing": 0.1}}),
    ),
)

rule(
    "LC047",
    "targets-beyond-outputs",
    "error",
    what="there are more classes in the target than outputs in the model",
    why="An index beyond the last output has no score.",
    torch="raises: Target is out of bounds (on a GPU: a device-side assert)",
    instead="give the last layer as many outputs as there are classes",
    bad=(
        """
        net = nn.Linear(4, 3)
        x, y = torch.randn(8, 4), torch.randint(0, 5, (8,))
        loss = F.cross_entropy(net(x), y)  # <-
        """,
    ),
    good=(
        """
        net = nn.Linear(4, 5)
        x, y = torch.randn(8, 4), torch.randint(0, 5, (8,))
        loss = F.cross_entropy(net(x), y)
        """,
    ),
)
