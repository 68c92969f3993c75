"""Names that people bring from other libraries: each is an alias, or gets a sentence that names what serves instead."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import torch

from losscli import loss
from losscli.cli.app import run
from losscli.errors import SpecError
from losscli.losses import find, for_task, losses, unknown
from losscli.losses.foreign import FOREIGN, foreign
from losscli.losses.spelling import key, pattern
from losscli.spec.load import load_spec
from losscli.tasks import tasks

TASKS = ("binary", "distribution", "multiclass", "multilabel", "regression")

# Read from the public reference of each library at the version named; aliases of an objective stand beside it.
LIBRARIES = {
    "torch.nn of the torch at hand": " ".join(name for name in dir(torch.nn) if "Loss" in name),
    "torch.nn.functional of the torch at hand": " ".join(
        name for name in dir(torch.nn.functional) if re.search(r"_loss$|entropy|^kl_div|cosine_similarity", name)
    ),
    "Keras 3.10 classes": "BinaryCrossentropy BinaryFocalCrossentropy CTC CategoricalCrossentropy Circle Tversky Dice "
    "CategoricalFocalCrossentropy CategoricalGeneralizedCrossEntropy CategoricalHinge CosineSimilarity Hinge Huber "
    "KLDivergence LogCosh MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError "
    "Poisson SparseCategoricalCrossentropy SquaredHinge",
    "Keras 3.10 functions and short names": "binary_crossentropy binary_focal_crossentropy ctc categorical_crossentropy "
    "categorical_focal_crossentropy categorical_generalized_cross_entropy categorical_hinge circle cosine_similarity "
    "cosine_proximity dice hinge huber kl_divergence kld KLD kullback_leibler_divergence log_cosh logcosh mae MAE mape "
    "MAPE mean_absolute_error mean_absolute_percentage_error mean_squared_error mean_squared_logarithmic_error mse MSE "
    "msle MSLE poisson sparse_categorical_crossentropy squared_hinge tversky bce BCE",
    "XGBoost 3.0": "reg:squarederror reg:squaredlogerror reg:logistic reg:pseudohubererror reg:absoluteerror reg:linear "
    "reg:quantileerror binary:logistic binary:logitraw binary:hinge count:poisson survival:cox survival:aft "
    "multi:softmax multi:softprob rank:ndcg rank:map rank:pairwise reg:gamma reg:tweedie",
    "LightGBM 4.6": "regression regression_l2 l2 mean_squared_error mse l2_root root_mean_squared_error rmse "
    "regression_l1 l1 mean_absolute_error mae huber fair poisson quantile mape mean_absolute_percentage_error gamma "
    "tweedie binary multiclass softmax multiclassova multiclass_ova ova ovr cross_entropy xentropy "
    "cross_entropy_lambda xentlambda lambdarank rank_xendcg xendcg xe_ndcg xe_ndcg_mart xendcg_mart custom none null na",
    "CatBoost 1.2": "Logloss CrossEntropy Focal RMSE MultiRMSE MultiRMSEWithMissingValues MAE Quantile MultiQuantile "
    "LogLinQuantile Poisson MAPE Lq Huber Expectile Tweedie LogCosh RMSEWithUncertainty SurvivalAft Cox GroupQuantile "
    "MultiClass MultiClassOneVsAll MultiLogloss MultiCrossEntropy PairLogit PairLogitPairwise YetiRank "
    "YetiRankPairwise LambdaMart StochasticFilter StochasticRank QueryCrossEntropy QueryRMSE QuerySoftMax",
    "scikit-learn 1.7": "log_loss hinge modified_huber squared_hinge perceptron squared_error huber epsilon_insensitive "
    "squared_epsilon_insensitive absolute_error quantile poisson gamma exponential friedman_mse gini entropy deviance "
    "brier_score_loss hamming_loss hinge_loss zero_one_loss mean_pinball_loss mean_squared_log_error "
    "root_mean_squared_error root_mean_squared_log_error median_absolute_error max_error explained_variance r2 r2_score "
    "label_ranking_loss coverage_error roc_auc average_precision balanced_accuracy f1_score jaccard multinomial",
    "optax 0.2.5": "sigmoid_binary_cross_entropy hinge_loss perceptron_loss sparsemax_loss sigmoid_focal_loss "
    "multiclass_hinge_loss multiclass_perceptron_loss softmax_cross_entropy convex_kl_divergence l2_loss "
    "softmax_cross_entropy_with_integer_labels safe_softmax_cross_entropy poly_loss_cross_entropy kl_divergence "
    "kl_divergence_with_log_targets ctc_loss ctc_loss_with_forward_probs make_fenchel_young_loss ranking_softmax_loss "
    "multiclass_sparsemax_loss squared_error huber_loss log_cosh cosine_distance cosine_similarity triplet_margin_loss "
    "ntxent smooth_labels generalized_kl_divergence",
    "fastai 2.8": "CrossEntropyLossFlat FocalLoss FocalLossFlat BCEWithLogitsLossFlat BCELossFlat MSELossFlat L1LossFlat "
    "LabelSmoothingCrossEntropy LabelSmoothingCrossEntropyFlat DiceLoss",
    "timm 1.0": "AsymmetricLossMultiLabel AsymmetricLossSingleLabel BinaryCrossEntropy LabelSmoothingCrossEntropy "
    "SoftTargetCrossEntropy JsdCrossEntropy",
    "torchvision 0.23": "sigmoid_focal_loss generalized_box_iou_loss distance_box_iou_loss complete_box_iou_loss",
    "segmentation-models-pytorch 0.5": "JaccardLoss DiceLoss TverskyLoss FocalLoss LovaszLoss SoftBCEWithLogitsLoss "
    "SoftCrossEntropyLoss MCCLoss",
    "pytorch-metric-learning 2.9": "AngularLoss ArcFaceLoss BaseMetricLossFunction CentroidTripletLoss CircleLoss "
    "ContrastiveLoss CosFaceLoss CrossBatchMemory DynamicSoftMarginLoss FastAPLoss GenericPairLoss HistogramLoss "
    "GeneralizedLiftedStructureLoss InstanceLoss IntraPairVarianceLoss LargeMarginSoftmaxLoss LiftedStructureLoss "
    "ManifoldLoss MarginLoss MultipleLosses MultiSimilarityLoss NCALoss NormalizedSoftmaxLoss NPairsLoss NTXentLoss "
    "P2SGradLoss PNPLoss ProxyAnchorLoss ProxyNCALoss RankedListLoss SelfSupervisedLoss SmoothAPLoss SoftTripleLoss "
    "SignalToNoiseRatioContrastiveLoss SphereFaceLoss SubCenterArcFaceLoss SupConLoss ThresholdConsistentMarginLoss "
    "TripletMarginLoss TupletMarginLoss VICRegLoss",
    "metrics": "r2 rmse rmsle auc auroc roc_auc auprc accuracy error logloss precision recall f1 mcc kappa ndcg map ece "
    "iou top_k_accuracy crps perplexity merror mlogloss",
    "generative": "wasserstein wgan wgan-gp lsgan GANLoss elbo",
}


def answer(name: str, task: str) -> str:
    """The loss that the name stands for, or the one that its sentence names for the task."""
    try:
        return find(name, task).name
    except SpecError as wrong:
        (problem,) = wrong.problems
        assert not problem.message.startswith("there is no loss called"), problem.message
        assert "{" not in problem.message
        said = re.match(rf"for {task}: ([\w-]+)", problem.cure or "")
        assert said, problem.cure
        return said[1]


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_name_of_a_library_leads_to_a_loss_of_the_task(library: str) -> None:
    names = LIBRARIES[library].split()
    assert len(names) > 3
    lost = []
    for name in names:
        for task in TASKS:
            try:
                assert answer(name, task) in for_task(task)
            except AssertionError as wrong:
                lost.append(f"{name} ({task}): {wrong}")
    assert lost == []


def test_torch_has_the_losses_that_were_looked_for() -> None:
    assert len(LIBRARIES["torch.nn of the torch at hand"].split()) >= 20
    assert {"nll_loss", "kl_div", "cross_entropy"} <= set(LIBRARIES["torch.nn.functional of the torch at hand"].split())


@pytest.mark.parametrize(
    ("name", "task", "sentence", "here"),
    [
        ("KLDivLoss", "multiclass", "its targets are distributions", "cross-entropy, which with probabilities"),
        ("HingeEmbeddingLoss", "binary", "distances of pairs", "hinge, which is the classifier's"),
        ("CTCLoss", "multiclass", "its target is a sequence", "cross-entropy"),
        ("TripletMarginLoss", "binary", "embeddings of several rows, and binary judges each row", "auc-pairwise"),
        ("mse", "binary", "is for regression, and the task is binary", "brier"),
        ("CrossEntropyLoss", "binary", "is for multiclass, and the task is binary", "bce-logits"),
        ("BCEWithLogitsLoss", "multiclass", "is for binary, and the task is multiclass", "cross-entropy"),
        ("r2", "regression", "is a metric", "mse"),
        ("survival:cox", "regression", "times until an event", "gamma-nll"),
        ("lambdarank", "multiclass", "multiclass has no queries", "crammer-singer"),
        ("squared_epsilon_insensitive", "regression", "no squared form", "mse"),
        ("LabelSmoothingCrossEntropy", "multiclass", "an option", "cross-entropy with label_smoothing: 0.1"),
    ],
)
def test_the_sentence_says_what_it_is_and_what_serves(name: str, task: str, sentence: str, here: str) -> None:
    (problem,) = unknown(name, task).problems
    assert sentence in problem.message
    assert (problem.cure or "").startswith(f"for {task}: {here}")


@pytest.mark.parametrize(
    ("name", "task", "sentence"),
    [("mse", "binary", "brier"), ("NTXentLoss", "multilabel", "bce-logits, the default")],
)
def test_without_advice_of_its_own_a_task_names_its_default(name: str, task: str, sentence: str) -> None:
    assert sentence in (unknown(name, task).problems[0].cure or "")


@pytest.mark.parametrize("task", TASKS)
def test_no_two_losses_of_a_task_have_one_key(task: str) -> None:
    serving = for_task(task).values()
    owners = Counter(each for item in serving for each in {key(name) for name in (item.name, *item.aliases)})
    assert [each for each, times in owners.items() if times > 1] == []
    for item in serving:
        keys = [key(name) for name in (item.name, *item.aliases)]
        assert len(set(keys)) == len(keys), f"{item.name} has one name in two spellings: {item.aliases}"


def test_the_table_names_what_there_is_and_each_name_once() -> None:
    keys = Counter(key(name) for entry in FOREIGN for name in entry.names.split())
    assert [name for name, times in keys.items() if times > 1] == []
    every = {item.name for item in losses}
    for entry in FOREIGN:
        assert bool(entry.what) == bool(entry.why)
        assert entry.what or set(entry.names.split()) <= every, f"{entry.names}: what is it?"
        for task, advice in entry.here.items():
            named = re.match(r"[\w-]+", advice)
            assert task in tasks
            assert named
            assert named[0] in for_task(task), f"{entry.names}: {advice}"


SPELLINGS = ("smooth-l1", "smooth_l1_loss", "SmoothL1Loss", "nn.SmoothL1Loss()", "torch.nn.SmoothL1Loss", "SMOOTH_L1",
             "F.smooth_l1_loss", "torch.nn.functional.smooth_l1_loss", "Smooth L1 Loss", "smoothl1")  # fmt: skip


@pytest.mark.parametrize("name", SPELLINGS)
def test_case_dashes_prefix_and_suffix_do_not_count(name: str) -> None:
    assert find(name, "regression").name == "smooth-l1"
    assert re.search(pattern(["smooth-l1"]), name)


@pytest.mark.parametrize(
    "name",
    ["tf.keras.losses.CategoricalCrossentropy()", "keras.losses.categorical_crossentropy", "NN.crossentropyloss"],
)
def test_libraries_are_left_out(name: str) -> None:
    assert find(name, "multiclass").name == "cross-entropy"


def test_what_is_only_alike_is_not_found() -> None:
    """A record names what was in losses.py as `losses.focal`: that is no loss of the catalogue."""
    for name in ("losses.focal", "my_loss.focal", "focal2", "f-o-c-a-l-s"):
        with pytest.raises(SpecError, match="there is no loss called"):
            find(name, "binary")
        assert not re.search(pattern(["focal"]), name) or name.endswith(".focal")
    with pytest.raises(SpecError) as caught:
        find("losses.focal", "binary")
    assert caught.value.problems[0].cure == "a loss of your own is given again: --loss losses.py:focal"


def test_every_name_fits_its_own_pattern_and_no_other() -> None:
    names = [name for item in for_task("multiclass").values() for name in (item.name, *item.aliases)]
    assert len(names) > 40
    for one in names:
        assert {other for other in names if re.search(pattern([one]), other)} == {
            other for other in names if key(other) == key(one)
        }


def test_options_in_brackets_are_told_where_they_belong() -> None:
    for name in ("HuberLoss(delta=2)", "Huber:delta=2", "nn.HuberLoss(delta=2.0)"):
        (problem,) = unknown(name, "regression").problems
        assert problem.cure == "options stand beside the name: {name: huber, OPTION: VALUE}, or --set loss.OPTION=VALUE"


# In every command and entry


@pytest.mark.parametrize(
    "arguments",
    [
        ["explain", "nn.CTCLoss()"],
        ["explain", "nn.HingeEmbeddingLoss()", "--task", "binary"],
        ["verify", "nn.HingeEmbeddingLoss()", "--task", "binary"],
        ["train", "--task", "binary", "--loss", "nn.HingeEmbeddingLoss()"],
        ["losses", "--search", "nn.CTCLoss()"],
    ],
    ids=lambda arguments: " ".join(arguments[:1]),
)
def test_every_command_gives_the_same_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == (0 if arguments[0] == "losses" else 2)
    said = " ".join(capsys.readouterr().err.split())
    if "--task" in arguments:
        assert "is the hinge of a distance between two rows" in said
        assert "for binary: hinge, which" in said
        assert "task embedding has it: hinge-embedding" in said
    else:  # a name that no loss here has
        assert "is a loss of sequences without alignment" in said


def test_every_command_takes_the_spelling(capsys: pytest.CaptureFixture[str], tmp_path) -> None:
    assert run(["explain", "F.smooth_l1_loss", "--format", "json"]) == 0
    assert run(["losses", "--search", "nn.SmoothL1Loss()", "--format", "json"]) == 0
    assert run(["verify", "nn.SmoothL1Loss", "--task", "regression", "--format", "json"]) == 0
    assert capsys.readouterr().out.count('"smooth-l1"') >= 3
    path = tmp_path / "spec.yaml"
    path.write_text("task: regression\nloss: [reg:squarederror, {name: nn.HuberLoss(), delta: 2}]\n")
    assert [choice.name for choice in load_spec(path).loss] == ["mse", "huber"]


def test_a_spec_tells_the_place(tmp_path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text("task: binary\nloss: [bce-logits, {name: CTCLoss}, KLDivLoss]\n")
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    places = [(problem.place.line, problem.place.column) for problem in caught.value.problems]
    assert places == [(2, 27), (2, 37)]


def test_python_takes_the_names_too() -> None:
    assert loss("nn.MSELoss()", task="regression")([3.0], [1.0]).tolist() == [4.0]
    with pytest.raises(SpecError, match="divergence"):
        loss("kl_div", task="multiclass")
    assert foreign("tf.keras.losses.KLDivergence") is foreign("F.kl_div")
