"""The steps of a training run, one at a time, so that whoever drives it may stop between any two.

First with float weights, then with weights as the quantiser rounds them.  What is random in a step
follows from the seed and the step's number alone: a run that was interrupted and goes on ends with
the same bits as one that was not.  That holds on the CPU with the same PyTorch, kind of processor
and number of threads; on a GPU deterministic algorithms are asked for, and the same card, driver
and PyTorch repeat themselves as far as PyTorch has such algorithms (it warns where it has none).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..description import Network, on_grid
from . import checkpoint
from .packages import TrainingError, need
from .quantised_training import Grid, all_rounded, exported, fit_grids, pass_gradients
from .settings import Schedule, plain
from .task import Evaluation, Task

if TYPE_CHECKING:
    import torch

DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True, slots=True)
class Tick:
    """What a step did.  ``step``: how many are done.  ``float_loss``, ``rounded_loss``: evaluations
    that were due, with float weights and with those of the picture."""

    step: int
    float_loss: Evaluation | None = None
    rounded_loss: Evaluation | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """``network``: quantised, ready to be emitted.  ``floating``: evaluation of the float weights
    before fine-tuning.  ``unturned``: of the same, quantised.  ``quantised``: of the network.
    """

    network: Network
    floating: Evaluation
    unturned: Evaluation
    quantised: Evaluation


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """Weights worth keeping, with the grids of theirs if they are rounded."""

    found: Evaluation
    weights: dict[str, torch.Tensor]
    grids: dict[str, Grid]


class Trainer:
    """A run of a task by a schedule.

    :meth:`advance` until :attr:`finished`, then :meth:`outcome`; :meth:`checkpoint` between any two
    steps, :meth:`resumed` to go on from one.  Seeds PyTorch's global generators at every step.
    Raises TrainingError where PyTorch or the device is missing.
    """

    def __init__(
        self, task: Task, schedule: Schedule, *, device: str = "cpu", threads: int = 0
    ) -> None:
        """``device``: one of DEVICES; auto is cuda where there is one.  ``threads``: of the CPU, 0:
        as PyTorch has it."""
        self.task, self.schedule = task, schedule
        self.device = _choose(device)
        if threads:
            need("torch").set_num_threads(threads)
        self.step = 0
        self._losses: list[torch.Tensor] = []
        self._best: _Kept | None = None
        self._rounded: _Kept | None = None
        self._unturned: Evaluation | None = None
        self._grids: dict[str, Grid] = {}
        self._weights = self._place(task.initial(schedule.seed))
        self._optimizer = self._fresh_optimizer()

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.step >= self.schedule.total

    @property
    def finetuning(self) -> bool:
        """Whether the weights are rounded by now."""
        return self.step >= self.schedule.steps

    def count(self) -> int:
        """How many weights there are."""
        return sum(weight.numel() for weight in self._weights.values())

    def advance(self) -> Tick:
        """One step and the evaluations that are due after it.  Raises TrainingError where the loss
        has become NaN, and ValueError after the last step."""
        import torch

        if self.finished:
            raise ValueError("all steps of this run are done")
        plan = self.schedule
        with _repeatable(self.device):
            if self.finetuning:
                self._fit_again()
            seeds = np.random.SeedSequence((plan.seed, self.step)).generate_state(2, np.uint64)
            torch.manual_seed(int(seeds[0]))
            used = all_rounded(self._weights, self._grids)
            with self._autocast():
                loss = self.task.loss(used, plan.batch, int(seeds[1]))
            loss.backward()
            pass_gradients(used, self._weights)
            torch.nn.utils.clip_grad_norm_(self._weights.values(), plan.clip)
            for group in self._optimizer.param_groups:
                group["lr"] = plan.rate_at(self.step)
            self._optimizer.step()
            self._optimizer.zero_grad(set_to_none=True)
            self._losses.append(loss.detach())
            self.step += 1
            return self._after_step()

    def _after_step(self) -> Tick:
        """Evaluate where it is due; pass over to rounded weights after the last float step."""
        plan = self.schedule
        due = self.step % plan.evaluate == 0 or self.step in (plan.steps, plan.total)
        if not due:
            return Tick(self.step)
        if self.step > plan.steps:
            return Tick(self.step, rounded_loss=self._try_rounded())
        found = self.task.evaluate(self._weights)
        self._demand_finite(found.loss)
        if self._best is None or not self.task.selects or found.loss < self._best.found.loss:
            self._best = _Kept(found, self._copy(), {})
        if self.step < plan.steps:
            return Tick(self.step, found)
        self._weights = self._place(self.task.settled(self._arrays(self._best.weights)))
        self._optimizer = self._fresh_optimizer()
        self._grids = fit_grids(self._arrays(self._weights), plan.method)
        self._unturned = self._try_rounded()
        return Tick(self.step, found, self._unturned)

    def _fit_again(self) -> None:
        """The weights have moved: grids are chosen anew at a quarter and at half of the steps."""
        late = self.step - self.schedule.steps
        quarter = self.schedule.finetune // 4
        if quarter and late in (quarter, 2 * quarter):
            self._grids = fit_grids(self._arrays(self._weights), self.schedule.method)

    def _try_rounded(self) -> Evaluation:
        """Evaluate what the picture would compute with now, and keep it if it is to be kept."""
        import torch

        used = all_rounded(self._weights, self._grids)
        with torch.no_grad():
            for name, weight in used.items():
                if name not in self._grids:  # fixed point, as the picture keeps it
                    fixed = torch.from_numpy(on_grid(weight.detach().cpu().numpy()))
                    used[name] = fixed.to(self.device)
        found = self.task.evaluate(used)
        self._demand_finite(found.loss)
        kept = self._rounded
        if kept is None or not self.task.selects or found.loss < kept.found.loss:
            self._rounded = _Kept(found, self._copy(), dict(self._grids))
        return found

    def mean_loss(self) -> float | None:
        """The mean training loss of the steps since the last call; None if there were none.

        Raises TrainingError if it is not finite.
        """
        import torch

        if not self._losses:
            return None
        mean = float(torch.stack(self._losses).mean())
        self._losses.clear()
        self._demand_finite(mean)
        return mean

    def outcome(self) -> Outcome:
        """The network, once all steps are done; ValueError before."""
        best, rounded_, unturned = self._best, self._rounded, self._unturned
        if not self.finished or best is None or rounded_ is None or unturned is None:
            raise ValueError("the run has steps left")
        weights = exported(self._arrays(rounded_.weights), rounded_.grids)
        network = self.task.network(weights)
        return Outcome(network, best.found, unturned, rounded_.found)

    # ---- checkpoints -----------------------------------------------------------------------------

    def checkpoint(self) -> bytes:
        """All of the run, to go on from with :meth:`resumed`.

        Raises TrainingError where a weight is not finite, so that no good checkpoint is replaced.
        """
        import torch

        if not all(bool(torch.isfinite(weight).all()) for weight in self._weights.values()):
            self._demand_finite(float("nan"))
        groups = {"weights": self._arrays(self._weights)}
        for key in ("exp_avg", "exp_avg_sq"):
            state = {
                name: self._optimizer.state[weight][key]
                for name, weight in self._weights.items()
                if weight in self._optimizer.state
            }
            groups[key] = self._arrays(state)
        about: dict[str, Any] = {
            "kind": self.task.kind,
            "task": self.task.settings(),
            "schedule": plain(self.schedule),
            "step": self.step,
            "grids": self._grids,
            "unturned": None if self._unturned is None else asdict(self._unturned),
        }
        for name, kept in (("best", self._best), ("rounded", self._rounded)):
            if kept is not None:
                about[name] = {"found": asdict(kept.found), "grids": kept.grids}
                groups[name] = self._arrays(kept.weights)
        return checkpoint.pack(about, groups)

    @classmethod
    def resumed(
        cls, data: bytes, task: Task, schedule: Schedule, *, device: str = "cpu", threads: int = 0
    ) -> Trainer:
        """The run of a checkpoint.

        Raises TrainingError for a damaged one, and for one of another task or schedule: what
        differs is named.
        """
        about, groups = checkpoint.unpack(data, "checkpoint")
        made = cls(task, schedule, device=device, threads=threads)
        wanted = {"kind": task.kind, **task.settings(), **plain(schedule)}
        there = {"kind": about.get("kind"), **about.get("task", {}), **about.get("schedule", {})}
        for name in sorted(set(wanted) | set(there)):
            if wanted.get(name) != there.get(name):
                raise TrainingError(
                    f"the checkpoint is of another run: {name} is {there.get(name)} there, "
                    f"{wanted.get(name)} here",
                    "repeat the command that began it, with --resume",
                )
        try:
            made._take_over(about, groups)
        except (KeyError, TypeError, ValueError) as error:
            raise TrainingError(
                f"the checkpoint does not hold together ({error})", "begin anew"
            ) from error
        return made

    def _take_over(
        self, about: Mapping[str, Any], groups: Mapping[str, Mapping[str, np.ndarray]]
    ) -> None:
        import torch

        self.step = int(about["step"])
        self._grids = _grids(about["grids"])
        floating = self._shapes()
        if self.finetuning:
            self._weights = self._place(self.task.settled(self._arrays(self._weights)))
        rounded_ = self._shapes()
        self._weights = self._place(_whole(groups["weights"], rounded_))
        self._optimizer = self._fresh_optimizer()
        if about["unturned"] is not None:
            self._unturned = Evaluation(**about["unturned"])
        for name, shapes in (("best", floating), ("rounded", rounded_)):
            if name in about:
                placed = self._place(_whole(groups[name], shapes))
                weights = {key: weight.detach() for key, weight in placed.items()}
                found = Evaluation(**about[name]["found"])
                setattr(self, "_" + name, _Kept(found, weights, _grids(about[name]["grids"])))
        done = self.step - self.schedule.steps if self.finetuning else self.step
        if done:
            first, second = (_whole(groups[key], rounded_) for key in ("exp_avg", "exp_avg_sq"))
            for name, weight in self._weights.items():
                self._optimizer.state[weight] = {
                    "step": torch.tensor(float(done)),
                    "exp_avg": torch.tensor(first[name], device=self.device),
                    "exp_avg_sq": torch.tensor(second[name], device=self.device),
                }

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: tuple(weight.shape) for name, weight in self._weights.items()}

    # ---- parts -----------------------------------------------------------------------------------

    def _place(self, arrays: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
        import torch

        return {
            name: torch.tensor(array, dtype=torch.float32, device=self.device, requires_grad=True)
            for name, array in arrays.items()
        }

    def _copy(self) -> dict[str, torch.Tensor]:
        return {name: weight.detach().clone() for name, weight in self._weights.items()}

    @staticmethod
    def _arrays(weights: Mapping[str, torch.Tensor]) -> dict[str, np.ndarray]:
        return {name: weight.detach().cpu().numpy() for name, weight in weights.items()}

    def _fresh_optimizer(self) -> torch.optim.AdamW:
        import torch

        plan = self.schedule
        matrices = [weight for weight in self._weights.values() if weight.ndim == 2]
        vectors = [weight for weight in self._weights.values() if weight.ndim != 2]
        groups = [
            {"params": matrices, "weight_decay": plan.decay},
            {"params": vectors, "weight_decay": 0.0},
        ]
        betas = (plan.beta_1, plan.beta_2)
        return torch.optim.AdamW([g for g in groups if g["params"]], lr=plan.rate, betas=betas)

    def _autocast(self) -> Any:
        """bfloat16 where a GPU has it; float32 elsewhere, and for every evaluation."""
        import torch

        if self.device.type == "cuda" and torch.cuda.is_bf16_supported():
            return torch.autocast("cuda", torch.bfloat16)
        return nullcontext()

    def _demand_finite(self, loss: float) -> None:
        if not np.isfinite(loss):
            raise TrainingError(
                f"the loss is no number any more, at step {self.step}",
                "begin anew with a lower --rate or a longer --warmup",
            )


def _whole(
    group: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]]
) -> Mapping[str, np.ndarray]:
    """A group that has every weight in its shape; raises ValueError for another."""
    if {name: array.shape for name, array in group.items()} != shapes:
        raise ValueError("weights of other shapes")
    return group


def _grids(plain_grids: Mapping[str, Any]) -> dict[str, Grid]:
    return {name: (float(pair[0]), float(pair[1])) for name, pair in plain_grids.items()}


def _choose(device: str) -> torch.device:
    """The device of a name; raises TrainingError where there is none."""
    torch = need("torch")
    if device not in DEVICES:
        raise TrainingError(f"no device {device!r}", "choose " + " or ".join(DEVICES))
    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        built = f"PyTorch {torch.__version__} sees none here"
        raise TrainingError(f"there is no CUDA device: {built}", "use --device cpu")
    found: torch.device = torch.device("cuda" if there and device != "cpu" else "cpu")
    return found


@contextmanager
def _repeatable(device: torch.device) -> Iterator[None]:
    """Have PyTorch take deterministic algorithms: on a GPU it warns where it has none."""
    import torch

    before = torch.get_deterministic_debug_mode()
    torch.set_deterministic_debug_mode("error" if device.type == "cpu" else "warn")
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(before)
