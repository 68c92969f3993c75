"""What stands between the last layer and the loss."""

from losscli.rules import rule

rule(
    "LC001",
    "softmax-before-cross-entropy",
    "error",
    what="a softmax stands before a loss that takes raw scores",
    why="The loss applies log-softmax itself. Between 0 and 1 the classes can hardly be told apart: of K "
    "classes the loss cannot fall below ln(1 + (K-1)/e), and the gradients are small. Accuracy may look "
    "fine, so nobody notices.",
    torch="nothing; it trains",
    instead="pass the logits: drop the softmax in training, and apply it only where probabilities are read",
    in_spec="give the loss raw scores (model.output: none), or use nll after log-softmax",
    bad=(
        """
        net = nn.Sequential(nn.Linear(6, 3), nn.Softmax(dim=1))
        x, y = torch.randn(8, 6), torch.randint(0, 3, (8,))
        loss = nn.CrossEntropyLoss()(net(x), y)  # <-
        """,
        """
        def step(model, x, y):
            p = torch.softmax(model(x), dim=-1)
            return F.cross_entropy(p, y)  # <-
        """,
    ),
    good=(
        """
        net = nn.Linear(6, 3)
        logits = net(torch.randn(8, 6))
        F.cross_entropy(logits, torch.randint(0, 3, (8,))).backward()
        print(logits.softmax(dim=1))
        """,
    ),
    bad_specs=(("multiclass", "cross-entropy", ("softmax",)), ("multiclass", "focal", ("relu", "softmax"))),
    good_specs=(("multiclass", "cross-entropy", ()), ("multiclass", "nll", ("log-softmax",))),
)

rule(
    "LC002",
    "sigmoid-before-cross-entropy",
    "error",
    what="a sigmoid squeezes each class before a loss that takes raw scores",
    why="Scores between 0 and 1 are all alike to a softmax: the loss cannot fall below ln(1 + (K-1)/e) for K classes.",
    torch="nothing; it trains",
    instead="pass the logits; where several labels may hold at once, use BCEWithLogitsLoss instead",
    in_spec="give the loss raw scores (model.output: none)",
    bad=(
        """
        w = nn.Linear(4, 3)
        crit = nn.CrossEntropyLoss()
        out = torch.sigmoid(w(torch.randn(5, 4)))
        loss = crit(out, torch.randint(0, 3, (5,)))  # <-
        """,
    ),
    good=(
        """
        w = nn.Linear(4, 3)
        loss = F.cross_entropy(w(torch.sigmoid(torch.randn(5, 4))), torch.randint(0, 3, (5,)))
        """,
    ),
    bad_specs=(("multiclass", "nll", ("sigmoid", "log-softmax")), ("multiclass", "cross-entropy", ("sigmoid",))),
    good_specs=(("multiclass", "cross-entropy", ()),),
)

rule(
    "LC003",
    "sigmoid-before-bce-with-logits",
    "error",
    what="a sigmoid stands before a loss that takes raw scores",
    why="The loss applies the sigmoid itself and reads the probability as a score, so it can never see a "
    "confident no: nothing falls below one half, and the loss not below 0.3133 per positive and 0.6931 "
    "per negative.",
    torch="nothing; it trains",
    instead="pass the logits, or use BCELoss after the sigmoid",
    in_spec="give the loss raw scores (model.output: none), or use bce after the sigmoid",
    bad=(
        """
        net = nn.Sequential(nn.Linear(5, 1), nn.Sigmoid())
        loss_fn = nn.BCEWithLogitsLoss()
        loss_fn(net(torch.randn(6, 5)), torch.ones(6, 1)).backward()  # <-
        """,
    ),
    good=(
        """
        head = nn.Sequential(nn.Linear(5, 1), nn.Sigmoid())
        nn.BCEWithLogitsLoss()(head[0](torch.randn(6, 5)), torch.ones(6, 1)).backward()
        """,
        """
        net = nn.Sequential(nn.Linear(5, 1), nn.Sigmoid())
        nn.BCELoss()(net(torch.randn(6, 5)), torch.ones(6, 1)).backward()
        """,
    ),
    bad_specs=(
        ("binary", "bce-logits", ("sigmoid",)),
        ("multilabel", "focal", ("sigmoid",)),
        ("binary", "hinge", ("sigmoid",)),
    ),
    good_specs=(("binary", "bce-logits", ()), ("binary", "bce", ("sigmoid",))),
)

rule(
    "LC004",
    "softmax-before-nll",
    "error",
    what="NLLLoss gets probabilities, and expects their logarithms",
    why="The loss becomes minus the probability of the class: it starts near -1/K, ends at -1, and hardly "
    "punishes a confident mistake.",
    torch="nothing; the loss is negative",
    instead="use log_softmax before NLLLoss, or cross_entropy on the logits",
    in_spec="put log-softmax before it (model.output: auto), or use cross-entropy on raw scores",
    bad=(
        """
        def loss_of(scores, y):
            return F.nll_loss(F.softmax(scores, dim=1), y)  # <-
        """,
    ),
    good=(
        """
        def loss_of(scores, y):
            return F.nll_loss(F.log_softmax(scores, dim=1), y)
        """,
    ),
    bad_specs=(("multiclass", "nll", ("softmax",)),),
    good_specs=(("multiclass", "nll", ("log-softmax",)),),
)

rule(
    "LC005",
    "logits-into-nll",
    "error",
    what="NLLLoss gets raw scores, and expects log-probabilities",
    why="Raw scores have no upper end: the loss falls without limit by making every score large, not by "
    "making one class likely.",
    torch="nothing; the loss is negative",
    instead="use cross_entropy on the logits, or log_softmax before NLLLoss",
    in_spec="put log-softmax before it (model.output: auto), or use cross-entropy on raw scores",
    bad=(
        """
        fc = nn.Linear(10, 4)
        crit = nn.NLLLoss()
        loss = crit(fc(torch.randn(8, 10)), torch.randint(0, 4, (8,)))  # <-
        """,
    ),
    good=(
        """
        fc = nn.Linear(10, 4)
        loss = F.nll_loss(fc(torch.randn(8, 10)).log_softmax(1), torch.randint(0, 4, (8,)))
        """,
    ),
    bad_specs=(("multiclass", "nll", ()),),
    good_specs=(("multiclass", "nll", ("log-softmax",)),),
)

rule(
    "LC006",
    "logits-into-bce",
    "error",
    what="BCELoss gets raw scores, and expects probabilities",
    why="A score below 0 or above 1 is an error, or is cut off there and gets no gradient; what lies between "
    "is no probability.",
    torch="raises only where a score lies outside 0 to 1; nothing where a clamp or a ReLU hides it",
    instead="use BCEWithLogitsLoss on the logits, or put a sigmoid before BCELoss",
    in_spec="put a sigmoid (or softmax) before it (model.output: auto), or use the loss that takes logits",
    bad=(
        """
        net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
        bce = nn.BCELoss()
        loss = bce(net(torch.randn(5, 3)), torch.ones(5, 1))  # <-
        """,
        """
        lin = nn.Linear(3, 1)
        p = F.relu(lin(torch.randn(5, 3))).clamp(0, 1)
        loss = F.binary_cross_entropy(p, torch.ones(5, 1))  # <-
        """,
    ),
    good=(
        """
        lin = nn.Linear(3, 1)
        F.binary_cross_entropy(torch.sigmoid(lin(torch.randn(5, 3))), torch.ones(5, 1))
        """,
    ),
    bad_specs=(("binary", "bce", ()), ("multilabel", "bce", ("tanh",))),
    good_specs=(("binary", "bce", ("sigmoid",)),),
)

rule(
    "LC007",
    "relu-before-logits",
    "error",
    what="a ReLU stands after the last layer, before what turns scores into probabilities",
    why="After it no score is negative: a binary model can never say less than one half, and where the ReLU "
    "is off there is no gradient. A sum of classes may all be zero, and then nothing is learned.",
    torch="nothing; it trains",
    instead="let the last layer be linear: drop the ReLU behind it",
    in_spec="let the last layer be linear: remove the relu from model.output",
    bad=(
        """
        net = nn.Sequential(nn.Linear(8, 4), nn.ReLU())
        loss = F.cross_entropy(net(torch.randn(6, 8)), torch.randint(0, 4, (6,)))  # <-
        """,
        """
        head = nn.Sequential(nn.Linear(3, 1), nn.ReLU(), nn.Sigmoid())  # <-
        nn.BCELoss()(head(torch.randn(6, 3)), torch.ones(6, 1)).backward()
        """,
    ),
    good=(
        """
        net = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 3))
        loss = F.cross_entropy(net(torch.randn(6, 8)), torch.randint(0, 3, (6,)))
        """,
        """
        net = nn.Sequential(nn.Linear(8, 1), nn.ReLU())
        loss = F.mse_loss(net(torch.randn(6, 8)), torch.rand(6, 1))
        """,
    ),
    bad_specs=(
        ("binary", "bce", ("relu", "sigmoid")),
        ("multiclass", "nll", ("relu", "log-softmax")),
        ("binary", "bce-logits", ("relu",)),
        ("multiclass", "cross-entropy", ("relu",)),
    ),
    good_specs=(("binary", "bce", ("sigmoid",)), ("binary", "bce-logits", ()), ("regression", "mse", ("relu",))),
)

rule(
    "LC013",
    "log-softmax-before-cross-entropy",
    "info",
    what="log-softmax stands before a loss that applies it itself; it changes nothing, being its own repetition",
    why="Value and gradient are the same. It costs a little time, and hides from the reader which loss is meant.",
    torch="nothing, and the value is the same",
    instead="pass the logits, or use NLLLoss",
    in_spec="leave it out (model.output: none)",
    bad=(
        """
        def loss_of(scores, y):
            return F.cross_entropy(F.log_softmax(scores, dim=1), y)  # <-
        """,
    ),
    good=(
        """
        def loss_of(scores, y):
            return F.nll_loss(F.log_softmax(scores, dim=1), y)
        """,
    ),
    bad_specs=(("multiclass", "cross-entropy", ("log-softmax",)),),
    good_specs=(("multiclass", "nll", ("log-softmax",)),),
)

rule(
    "LC042",
    "bounded-scores",
    "warning",
    what="a tanh stands before a loss that takes raw scores; between -1 and 1 none is sure",
    why="The scores are the logarithms of odds: bounded scores mean probabilities that never get near 0 or 1.",
    torch="nothing; it trains",
    instead="let the last layer be linear",
    in_spec="let the last layer be linear (model.output: none)",
    bad=(
        """
        net = nn.Sequential(nn.Linear(5, 1), nn.Tanh())
        F.binary_cross_entropy_with_logits(net(torch.randn(6, 5)), torch.ones(6, 1)).backward()  # <-
        """,
    ),
    good=(
        """
        net = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 1))
        F.binary_cross_entropy_with_logits(net(torch.randn(6, 5)), torch.ones(6, 1)).backward()
        """,
    ),
    bad_specs=(("binary", "bce-logits", ("tanh",)),),
    good_specs=(("binary", "bce-logits", ()),),
)

rule(
    "LC043",
    "softmax-over-labels",
    "error",
    what="a softmax makes labels compete that may hold together",
    why="Their probabilities sum to one, so they cannot all be high; before BCEWithLogitsLoss they are squeezed twice.",
    torch="nothing; it trains",
    instead="use BCEWithLogitsLoss on the logits: a sigmoid for each label",
    in_spec="use a sigmoid per label (model.output: auto)",
    bad=(
        """
        net = nn.Linear(5, 4)
        p = net(torch.randn(6, 5)).softmax(1)
        F.binary_cross_entropy_with_logits(p, torch.ones(6, 4))  # <-
        """,
    ),
    good=(
        """
        net = nn.Linear(5, 4)
        F.binary_cross_entropy_with_logits(net(torch.randn(6, 5)), torch.ones(6, 4))
        """,
    ),
    bad_specs=(("multilabel", "bce", ("softmax",)), ("multilabel", "bce-logits", ("softmax",))),
    good_specs=(("multilabel", "bce", ("sigmoid",)),),
)

rule(
    "LC044",
    "bounded-values",
    "warning",
    what="an activation bounds predictions of a standardised target; values beyond it cannot be predicted",
    why="A target that is standardised lies on both sides of zero and beyond one.",
    torch="nothing; it trains",
    instead="let the last layer be linear",
    in_spec="let the last layer be linear (model.output: none)",
    bad_specs=(("regression", "mse", ("relu",)), ("regression", "huber", ("sigmoid",))),
    good_specs=(("regression", "mse", ()),),
)
