"""Code of the user's own as a kernel of a stack of runs: how it is called, which a small batch shows, and what guards it.

It may return the mean over a batch, one number per sample, or take `reduction`. Runs are judged together through
`torch.vmap`, or one by one where that cannot be.

Shape letters: P runs of any leading dimensions, B batch, K classes, L labels.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any

from losscli.activations import ACTIVATIONS
from losscli.errors import CodeError, Finding, Place, SpecError, choose_from, foreign, listed, shown
from losscli.lazy import Tensor, torch
from losscli.losses import SHARES
from losscli.losses.divergence import mistakes
from losscli.losses.inplace import InPlace, watch
from losscli.losses.source import Source
from losscli.losses.surroundings import Names, Settings, Surroundings
from losscli.stdout import elsewhere
from losscli.tasks import tasks

BATCH, RUNS, WIDTH = 5, 3, 4  # of what a loss is first tried on
CLOSE = 1e-4  # float32, sums in another order
QUIET = ("Converting a tensor with requires_grad", "There is a performance drop")  # a finding says it: slow-own-loss

Kernel = Callable[[Tensor, Tensor], Tensor]


class UserKernel:
    """Code of the user's own as a kernel that keeps leading dimensions.

    `reduction` is how its results are read: "sample" (one per sample), "mean" or "sum" (over samples that can be judged one by
    one), "batch" (one number that is neither), or "wrong".
    """

    def __init__(self, source: Source, label: str, task: str, expects: str | None):
        self.source, self.label, self.task = source, label, tasks.get(task)
        self.inner = self.task.target_ndim
        self.left: dict[str, None] = {}  # what it has changed in the process
        self.learns = True  # whether a gradient comes back to the prediction
        self.carried = False  # whether the code goes along where this is sent
        surroundings = Surroundings()
        user_loss = self._load()
        self.expects = self._expectation(user_loss, expects)
        self.link = self.task.links[self.expects]
        self.__doc__ = str(inspect.getdoc(user_loss) or f"A loss of your own, {label}.")
        self._kernel, self.shape, self.reduction = self._understand(user_loss)
        self.obstacle = self._obstacle()
        self.tidy(surroundings)

    @property
    def file(self) -> str:
        return self.source.file

    @property
    def code(self) -> str:
        return self.source.code

    @property
    def kernel(self) -> Kernel:
        """The code, which is loaded where it is called first, so that no other process has it."""
        if self._kernel is None:
            surroundings = Surroundings()
            self._kernel = self._make(self._load(), **self.options)
            self.tidy(surroundings)
        return self._kernel

    def _load(self) -> Any:
        """What the file calls its name; what it patches or sets is put back before anything else is done."""
        settings, names = Settings.now(), Names.everywhere()
        user_loss = self.source.load()
        self._note([*settings.restore(), *names.restore()])
        self.modules: list[torch.nn.Module] = []
        self.names = Names()
        return user_loss

    def carry(self) -> None:
        """From now on the code goes along to a process that has not its file."""
        _ = self.kernel
        self.carried = True

    def __getstate__(self) -> dict[str, Any]:
        state = {name: value for name, value in vars(self).items() if name != "names"}
        return state if self.carried else state | {"_kernel": None, "modules": []}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.names = Names()  # of the process that it has come to

    def _expectation(self, user_loss: Any, given: str | None) -> str:
        """What it wants of a model."""
        links = self.task.links
        expects = given or getattr(user_loss, "expects", None) or next(iter(links))
        if not isinstance(expects, str) or expects not in links:
            message = f"a loss for {self.task.name} cannot expect {shown(expects)}"
            raise SpecError(message, cure=choose_from(str(expects), links))
        return str(expects)

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        """[..., B] of predictions [..., B, ...] and targets [..., B] or [..., B, L]; over the batch [...]."""
        leading = prediction.shape[: target.ndim - self.inner]
        kernel = self.kernel
        target = target.clone()  # the metrics read it too, and the trial cannot have seen every branch of the code
        version = prediction._version
        with self._user_code():
            for module in self.modules:
                module.to(prediction.device)
            if leading:
                runs = prediction.flatten(0, len(leading) - 1), target.flatten(0, len(leading) - 1)
                values = self._runs(kernel, *runs, together=self.obstacle is None)
                values = values.reshape(*leading, *values.shape[1:])
            else:
                values = self._one(kernel, prediction, target)
        if prediction._version != version:
            raise self._in_place(Place(self.file))
        return values

    def _runs(self, kernel: Kernel, prediction: Tensor, target: Tensor, together: bool) -> Tensor:
        """[P, B] or [P] of a flat stack of runs."""
        if together and len(prediction) > 1:
            return torch.vmap(partial(self._one, kernel))(prediction, target)
        return torch.stack([self._one(kernel, *run) for run in zip(prediction, target, strict=True)])

    def _one(self, kernel: Kernel, prediction: Tensor, target: Tensor) -> Tensor:
        """One run."""
        if self.reduction in ("mean", "sum"):
            return torch.vmap(partial(self._of_sample, kernel))(prediction, target)
        values = self._numbers(kernel(prediction, target), prediction)
        if self.reduction == "batch" and values.numel() == 1:
            return values.reshape(())
        if values.shape[:1] != target.shape[:1]:
            given = f"for {len(target)} samples it returns the shape {list(values.shape)}"
            raise self._refusal(f"must return one number or one per sample, and {given}")
        return values.mean(-1) if self.reduction == "sample" and values.ndim == 2 else values  # [B, L] -> [B]

    def _of_sample(self, kernel: Kernel, prediction: Tensor, target: Tensor) -> Tensor:
        """The one number of a batch of one."""
        values = self._numbers(kernel(prediction[None], target[None]), prediction)
        if values.numel() != 1:
            raise self._refusal(f"must return one number, and of one sample it returns the shape {list(values.shape)}")
        return values.reshape(())

    def _numbers(self, values: Any, prediction: Tensor) -> Tensor:
        """What the code has returned, as it must be: real floating-point numbers in an ordinary tensor, where the others are."""
        if inspect.iscoroutine(values):
            values.close()
            raise self._refusal("must return a tensor, and it returns coroutine", "write def, not async def")
        if not isinstance(values, Tensor):
            cure = "return what torch has computed, without item(), float() or numpy()"
            raise self._refusal(f"must return a tensor, and it returns {type(values).__name__}", cure)
        if not values.is_floating_point():
            kind = str(values.dtype).removeprefix("torch.")
            cure = "have it computed from the prediction, whose gradient it needs"
            raise self._refusal(f"must return floating-point numbers, and it returns {kind}", cure)
        if values.device != prediction.device or values.layout != torch.strided or values.is_nested:
            kind = "a nested one" if values.is_nested else f"one on {values.device} ({values.layout})"
            message = f"must return an ordinary tensor on {prediction.device}, and it returns {kind}"
            raise self._refusal(message, f".to_dense() or .to({str(prediction.device)!r})")
        return values if type(values) is torch.Tensor else values.as_subclass(torch.Tensor)

    def _refusal(self, message: str, cure: str | None = None) -> CodeError:
        return CodeError(f"{self.label} {message}", place=Place(self.file), cure=cure)

    @contextmanager
    def _user_code(self) -> Iterator[None]:
        """What the code raises is told with its place, and what it prints goes where messages go."""
        settings = Settings.now()
        try:
            with foreign(self.label, self.file), elsewhere(), warnings.catch_warnings():
                for message in QUIET:
                    warnings.filterwarnings("ignore", message)
                yield
        finally:
            self._note([*settings.restore(), *self.names.restore()])

    def _note(self, changed: Iterable[str]) -> None:
        self.left.update(dict.fromkeys(changed))

    def tidy(self, surroundings: Surroundings, everywhere: bool = False) -> None:
        """Put back what the code has left otherwise since then, and note it."""
        self._note(surroundings.restore(everywhere))

    def leftovers(self) -> list[Finding]:
        """What the code has changed in the process, if anything."""
        if not self.left:
            return []
        message = f"{self.label} changes what all of losscli shares: {listed(list(self.left))}; it was put back"
        cure = "its own numbers may come of that: leave it alone, or use a copy"
        return [Finding("own-loss-leftovers", "warning", message, cure)]

    # Understanding

    def _understand(self, user_loss: Any) -> tuple[Kernel, list[int], str]:
        """How to call it, the shape of what it returns for a batch, and how that is read."""
        if _takes_reduction(user_loss):
            # A `reduction` that knows no "none" is as good as no reduction.
            with suppress(CodeError):
                kernel = self._make(user_loss, reduction="none")
                reading = self._read(kernel)
                if reading[1] == "sample":
                    return kernel, *reading
        kernel = self._make(user_loss)
        return kernel, *self._read(kernel)

    def _make(self, user_loss: Any, **options: str) -> Kernel:
        self.options = options
        with self._user_code():
            if inspect.isclass(user_loss):
                user_loss, options = user_loss(**options), {}
            if isinstance(user_loss, torch.nn.Module):
                self.modules = [user_loss]
        return partial(user_loss, **options) if options else user_loss

    def _read(self, kernel: Kernel) -> tuple[list[int], str]:
        prediction, target = (part[0] for part in self._sample(self.link))
        leaf = prediction.clone().requires_grad_()
        values = self._tried(kernel, leaf, target)
        self._refuse_state(kernel, leaf, target, values)
        self.learns = self._reaches(values, leaf)
        shape = list(values.shape)
        if shape in ([BATCH], list(target.shape)):
            return shape, "sample"
        return shape, self._of_one_number(kernel, values, prediction, target) if values.numel() == 1 else "wrong"

    def _tried(self, kernel: Kernel, leaf: Tensor, target: Tensor) -> Tensor:
        """What the code returns for a small batch: a tensor, and the batch must be what it was."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            try:
                values = self._watched(kernel, leaf.clone(), target.clone())
            except CodeError as error:
                raise self._for_probabilities(kernel, error) from error.__cause__
        return values

    def _watched(self, kernel: Kernel, prediction: Tensor, target: Tensor) -> Tensor:
        old = prediction.detach().clone(), target.clone()
        place: Place | None = Place(self.file)
        try:
            with self._user_code(), watch(prediction, target):
                values = self._numbers(kernel(prediction, target), prediction)
        except CodeError as error:
            if not isinstance(error.__cause__, InPlace):
                raise
            place = error.problems[0].place
        else:
            if torch.equal(prediction, old[0]) and torch.equal(target, old[1]):  # `.data` leaves no version behind
                return values
        raise self._in_place(place)

    def _in_place(self, place: Place | None) -> CodeError:
        cure = "write p = p - t rather than p -= t or p.sub_(t), or change a clone()"
        return CodeError(f"{self.label}: it changes its inputs in place", place=place, cure=cure)

    def _for_probabilities(self, kernel: Kernel, error: CodeError) -> CodeError:
        """The error, with the cure where the code does take probabilities."""
        link = self.task.links.get("probabilities")
        if link is None or link == self.link:
            return error
        try:
            with self._user_code():
                prediction, target = (part[0].clone() for part in self._sample(link))
                self._numbers(kernel(prediction, target), prediction)
        except CodeError:
            return error
        name = self.label.split(".")[-1]
        cure = (
            f'it takes probabilities: {name}.expects = "probabilities" in the file, or verify --expects probabilities'
        )
        return CodeError(str(error), place=error.problems[0].place, cure=cure)

    def _refuse_state(self, kernel: Kernel, leaf: Tensor, target: Tensor, first: Tensor) -> None:
        """All runs of a stack share one object, so nothing of one call may be left for the next."""
        before = [buffer.clone() for module in self.modules for buffer in module.buffers()]
        second = self._tried(kernel, leaf, target)
        after = [buffer for module in self.modules for buffer in module.buffers()]
        pairs = [(first, second), *zip(before, after, strict=False)]
        if len(before) != len(after) or not all(map(_same, *zip(*pairs, strict=True))):
            message = f"{self.label} keeps state between calls, and all runs would share it"
            cure = "compute it from the batch alone, without buffers or attributes that a call changes"
            raise CodeError(message, place=Place(self.file), cure=cure)

    def _reaches(self, values: Tensor, leaf: Tensor) -> bool:
        """Whether the gradient of a result comes back to the prediction."""
        if not values.requires_grad:
            return False
        with self._user_code():
            return torch.autograd.grad(values.sum(), leaf, allow_unused=True)[0] is not None

    def _of_one_number(self, kernel: Kernel, value: Tensor, prediction: Tensor, target: Tensor) -> str:
        """Whether one number for a batch is the mean or the sum of those of its samples."""
        try:
            with self._user_code():
                values = torch.stack([kernel(p[None], t[None]).sum() for p, t in zip(prediction, target, strict=True)])
                torch.vmap(lambda p, t: kernel(p[None], t[None]).reshape(()))(prediction, target)
        except CodeError:  # it needs a batch
            return "batch"
        for reduction, expected in (("mean", values.mean()), ("sum", values.sum())):
            if torch.isclose(value.sum(), expected, rtol=CLOSE, atol=0):
                return reduction
        return "batch"

    def _obstacle(self) -> str | None:
        """Why runs cannot be judged together, if so: what torch.vmap says, or that it gives other numbers."""
        stack = self._sample(self.link)
        try:
            with self._user_code():
                together = self._runs(self.kernel, *stack, together=True)
        except CodeError as error:
            return str(error)
        with self._user_code():
            alone = self._runs(self.kernel, *stack, together=False)
        same = together.shape == alone.shape and torch.allclose(together, alone, rtol=CLOSE, equal_nan=True)
        return None if same else "together they give other numbers than alone"

    def _sample(self, link: str | None) -> tuple[Tensor, Tensor]:
        """A stack of small runs: [RUNS, BATCH, ...] and its targets."""
        chance = torch.Generator().manual_seed(0)
        width = self.task.width(WIDTH, WIDTH)
        raw = self.task.shape(torch.randn((RUNS, BATCH, width), generator=chance))
        target = self.task.draw((RUNS, BATCH), width, self.task.domain, chance, torch.float32)
        return (ACTIVATIONS[link](raw) if link else raw), target

    def findings(self) -> Iterator[Finding]:
        """What a user should know of how the code is used."""
        if self.obstacle is not None:
            message = f"{self.label} is called run by run, which is slow: {self.obstacle}"
            yield Finding("slow-own-loss", "info", message, "avoid item(), and if or loops over values, in the loss")
        if self.reduction == "batch":
            message = f"{self.label} is judged batch by batch: the one number it returns is not made of one per sample"
            yield Finding("own-loss-over-batch", "info", message, "return one number per sample to have weights")
        if self.reduction == "sum":
            message = f"{self.label} returns a sum over the batch; the mean is used, as with every loss"
            yield Finding("own-loss-sum", "info", message, "return the mean, or one number per sample")
        if any(True for module in self.modules for _ in module.parameters()):
            message = f"{self.label} has parameters of its own, which are not trained"
            yield Finding("own-loss-parameters", "warning", message, "make them buffers or numbers")
        if self.task.domain in SHARES:
            (raw, target), given = (part[0] for part in self._sample(None)), self._sample(self.link)[0][0]
            with self._user_code():
                amiss = mistakes(self.kernel, raw, given, target)
            yield from (replace(finding, message=f"{self.label}: {finding.message}") for finding in amiss)


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one.float(), other.float(), rtol=0, atol=0, equal_nan=True)


def _takes_reduction(user_loss: Any) -> bool:
    with suppress(ValueError, TypeError):  # some callables have no signature
        return "reduction" in inspect.signature(user_loss).parameters
    return False
