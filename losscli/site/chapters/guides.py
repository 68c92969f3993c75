"""Guides: choosing a loss, reading a verdict, writing a loss of one's own, CI."""

from __future__ import annotations

from collections.abc import Iterator

from losscli.looks import FEWEST_FOR_T
from losscli.site.chapters import chapter
from losscli.site.topics import Block, Link, Topic, address, code, text

BEGINNINGS = [
    ("you have", "begin with", "compare with"),
    ("yes or no, probabilities wanted", "`bce-logits`", "`brier`"),
    (
        "yes or no, one answer is rare",
        "`bce-logits` with `weight: balanced`",
        "`focal`, judged by `auprc`",
    ),
    ("one of several classes", "`cross-entropy`", "`gce` where labels are wrong"),
    ("numbers with outliers", "`huber`", "`mae`, `mse`"),
    ("counts", "`poisson-nll`", "`negative-binomial-nll`"),
    ("numbers and how sure of them", "`gaussian-nll`", "`quantile`"),
]

VERDICTS = [
    ("verdict", "what it says"),
    ("better, worse", "the difference is not chance, at 5 % over all comparisons of the board"),
    (
        "equivalent",
        "the difference is smaller than what matters, beyond doubt (`equivalence:` in the spec)",
    ),
    (
        "inconclusive",
        "chance may explain it, and it may still matter: more seeds or more rows would tell",
    ),
    ("too few seeds", f"fewer than {FEWEST_FOR_T} say too little about how much a difference varies"),
    ("same", "the predictions are the same, row by row"),
    ("undefined", "a metric has no value, or runs were lost"),
]


@chapter("Guides", 10, "From a question to an answer.")
def guides() -> Iterator[Topic]:
    """In the order in which one would read them."""
    yield _choosing()
    yield _reading()
    yield _writing()
    yield _ci()


def _choosing() -> Topic:
    return Topic(
        address("guide", "choosing a loss"),
        "Choosing a loss",
        "Guides",
        "Look at the data, compare few candidates on the same seeds, and take the simplest that nothing beats.",
        [
            text(
                "A loss is chosen for what you want from predictions and for what is wrong with the labels. Ask first: are the "
                "predictions to be read as probabilities, or do only decisions or ranks count? Are labels wrong, or targets full "
                "of outliers? Is a class rare?",
            ),
            Block(
                "table",
                "Where to begin",
                BEGINNINGS,
            ),
            code(
                "losscli inspect titanic.csv --target survived\n"
                "losscli recommend titanic.csv --target survived\n"
                "losscli recommend titanic.csv --target survived --run",
                "Ask the data",
                "inspect says what the table holds, recommend which losses fit and why; with --run it proves it.",
            ),
            text(
                "Compare by a metric that you care about, never by the loss itself: losses have different units, and the one "
                "that falls lowest may rank worst. The first metric of a spec is the headline.",
                "If there is no difference, take the loss that your library has and your colleagues know.",
                heading="Decide",
            ),
            Block("links", "Next", links=[Link(address("guide", "reading a verdict"), "Reading a verdict")]),
        ],
        "which loss to use pick best",
    )


def _reading() -> Topic:
    return Topic(
        address("guide", "reading a verdict"),
        "Reading a verdict",
        "Guides",
        "A verdict is about the difference on the same seeds, corrected for everything that was compared.",
        [
            text(
                "Every entry is trained with the same seeds: one seed gives all of them the same split of the rows, the same "
                "initial weights and the same order of batches. What is compared is the difference within each seed, so most of "
                "the luck cancels out.",
            ),
            Block(
                "table",
                "The words",
                VERDICTS,
            ),
            text(
                "An interval holds the mean difference with 95 %. It stands for itself; verdicts are corrected for all "
                "comparisons, so an interval may leave out zero and prove nothing.",
                "`--seeds auto` adds seeds in stages until all entries are settled; the level is spent over the looks.",
                "A verdict holds for these data, this model and this amount of training. `losscli stress` shows what "
                "becomes of it when labels get worse.",
                heading="What to keep in mind",
            ),
            code("losscli compare spec.yaml --seeds auto\nlosscli plan spec.yaml\nlosscli report 0007", "Commands"),
        ],
        "significance interval p-value seeds equivalence holm paired",
    )


def _writing() -> Topic:
    return Topic(
        address("guide", "writing a loss of your own"),
        "Writing a loss of your own",
        "Guides",
        "A function of prediction and target that returns one number per row; losscli checks it, and compares it like any other.",
        [
            code(
                '"""Cross-entropy that caps what one row may cost."""\n\nimport torch\nimport torch.nn.functional as F\n\n\n'
                "def capped(prediction, target, cap: float = 3.0):\n"
                '    """prediction [B] are logits, target [B] is 0 or 1; returns [B]."""\n'
                '    return F.binary_cross_entropy_with_logits(prediction, target, reduction="none").clamp(max=cap)\n',
                "own_loss.py",
            ),
            code(
                "losscli verify own_loss.py:capped --task binary\n"
                "losscli explain own_loss.py:capped --task binary\n"
                "losscli compare --task binary --loss bce-logits --loss own_loss.py:capped --seeds 10",
                "Check it, see it, prove it",
            ),
            text(
                "`verify` tries everything that a loss must hold: a value per row, gradients that are slopes, no overflow, a NaN "
                "that stays in its row, what a stack of runs computes beside a loop.",
                "The file is run in a process of its own, with a limit (`--timeout`); what it prints goes to stderr. A spec or a "
                "record never names code: say the file again where a record needs it.",
                heading="What is checked",
            ),
        ],
        "custom loss nn.Module function plugin",
    )


def _ci() -> Topic:
    return Topic(
        address("guide", "in ci"),
        "In CI",
        "Guides",
        "Lint the code, train in seconds, and fail where a metric dropped by more than chance explains.",
        [
            code(
                "losscli lint . --format github\n"
                "losscli compare losses.yaml --job-summary --format github\n"
                'losscli gate "$(ls runs | tail -1)" --baseline baseline --max-drop 0.01 --job-summary',
                "The steps of a job",
            ),
            Block(
                "table",
                "Exit codes",
                [
                    ("code", "means"),
                    ("0", "done"),
                    ("1", "an expectation or a gate failed, or lint found something"),
                    ("2", "a flag or a spec is wrong"),
                    ("3", "the data cannot be used"),
                    ("4", "every run diverged or failed"),
                    ("5", "the machine cannot do it: device, disk, a damaged record"),
                    ("129, 130, 143", "stopped by a signal; what was trained is kept"),
                ],
            ),
            text(
                '`expect:` in a spec makes its own gate: `expect: {test.auroc: ">= 0.8"}` ends with 1 where any seed is below.',
                "`--smoke` trains a few steps only: does everything run? `--workers`, `LOSSCLI_WORKERS` and `LOSSCLI_RUNS` say "
                "how many stacks at once and where records go.",
                heading="Also",
            ),
        ],
        "github actions pre-commit gate exit codes",
    )
