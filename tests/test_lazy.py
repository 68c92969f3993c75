"""Modules that are loaded at their first use."""

from __future__ import annotations

import subprocess
import sys

import torch

from losscli import lazy


def printed(program: str) -> list[str]:
    """The words that a program prints in a process of its own."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_torch_is_loaded_when_something_in_it_is_used() -> None:
    program = """
import sys
from losscli.lazy import Tensor, functional, torch
print(isinstance(1.0, Tensor), "torch" in sys.modules)
print(functional.relu(torch.tensor(-1.0)).item(), "torch" in sys.modules, isinstance(torch.ones(1), Tensor))
import torch as itself
print(torch.float32 is itself.float32, "float32" in vars(torch))
"""
    assert printed(program) == ["False", "False", "0.0", "True", "True", "True", "True"]


def test_a_tensor_is_one_whatever_its_class() -> None:
    assert isinstance(torch.nn.Parameter(torch.ones(1)), lazy.Tensor)
    assert not isinstance([1.0], lazy.Tensor)
    assert isinstance(None, float | lazy.Tensor | None)


def test_scikit_learn_comes_without_scipy_stats_and_leaves_nothing_behind() -> None:
    program = """
import sys
from losscli.lazy import scikit_learn
datasets = scikit_learn("datasets")
print("scipy.stats" in sys.modules, "scipy.stats._stats_py" in sys.modules)
import scipy.stats
print(type(scipy.stats).__name__, scipy.stats.chi2.sf(0.0, 2))
import sklearn.datasets
print(sklearn.datasets is datasets)
"""
    assert printed(program) == ["False", "False", "module", "1.0", "True"]


def test_scipy_special_comes_without_f2py_and_leaves_nothing_behind() -> None:
    program = """
import sys
from losscli.lazy import special
print(special.ndtr(0.0), "numpy.f2py" in sys.modules)
import numpy, numpy.f2py, scipy.special
print(type(numpy.f2py).__name__, numpy.f2py.get_include()[-3:], scipy.special.ndtr is special.ndtr)
"""
    assert printed(program) == ["0.5", "False", "module", "src", "True"]


def test_what_scikit_learn_asks_of_scipy_stats_it_gets() -> None:
    """Those parts that use it while they are imported, and those that use it later."""
    program = """
import sys
from losscli.lazy import scikit_learn
preprocessing = scikit_learn("preprocessing")
print("scipy.stats._stats_py" in sys.modules)
print(round(preprocessing.PowerTransformer("box-cox").fit([[1.0], [2.0], [4.0]]).lambdas_[0], 3))
"""
    assert printed(program) == ["False", "0.0"]
    program = """
import sys
from losscli.lazy import scikit_learn
print(scikit_learn("metrics").roc_auc_score([0, 1], [0.1, 0.9]), "scipy.stats._stats_py" in sys.modules)
"""
    assert printed(program) == ["1.0", "True"]
