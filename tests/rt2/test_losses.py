"""Losses against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rt2.layers import cell_centres
from rt2.training.frames import IGNORED_CELL
from rt2.training.losses import action_loss, auxiliary_loss, grounding_loss, pointing_loss, softened, text_loss

BINS = 256
FLAGS = torch.tensor([True, False, False, False, False, False, False, True])


def going_on(count: int) -> torch.Tensor:
    """None of so many actions terminates."""
    return torch.zeros(count, dtype=torch.bool)


def test_of_an_action_that_terminates_only_flags_count() -> None:
    """A flag at its end is not yet an end: a gripper that is shut says nothing of terminating."""
    torch.manual_seed(1)
    logits, bins = torch.randn(2, 8, BINS, requires_grad=True), torch.full((2, 8), BINS - 1)
    action_loss(logits, bins, FLAGS, torch.tensor([True, False]), 2.0).backward()
    assert logits.grad is not None
    learned = logits.grad.abs().sum(-1) > 0
    assert learned[0].tolist() == FLAGS.tolist()
    assert learned[1].all()


def test_a_softened_bin_is_a_gaussian_of_its_neighbours() -> None:
    weights = softened(torch.tensor([100]), BINS, 2.0)[0]
    assert float(weights.sum()) == pytest.approx(1.0)
    assert int(weights.argmax()) == 100
    assert float(weights[102] / weights[100]) == pytest.approx(math.exp(-0.5))
    assert float(weights[96] / weights[100]) == pytest.approx(math.exp(-2.0))
    places = torch.arange(BINS) - 100.0
    assert float((weights * places**2).sum().sqrt()) == pytest.approx(2.0, abs=1e-3)


def test_a_softened_bin_at_the_edge_still_sums_to_one() -> None:
    assert softened(torch.tensor([0, 255]), BINS, 2.0).sum(-1).tolist() == pytest.approx([1.0, 1.0])


def test_action_loss_of_knowing_nothing() -> None:
    """Uniform: log 256 for each token; what softening costs by itself is subtracted from the six that are softened."""
    loss = action_loss(torch.zeros(3, 8, BINS), torch.full((3, 8), 128), FLAGS, going_on(3), 2.0)
    softening = math.log(2 * math.sqrt(2 * math.pi * math.e))
    assert float(loss) == pytest.approx(math.log(256) - 6 / 8 * softening, rel=1e-5)


def test_action_loss_is_nothing_where_everything_is_known() -> None:
    bins = torch.tensor([[0, 100, 128, 30, 200, 77, 90, 255]])
    logits = softened(bins, BINS, 2.0).clamp(min=1e-30).log()
    hard = torch.nn.functional.one_hot(bins, BINS) * 1000.0
    logits = torch.where(FLAGS[None, :, None], hard, logits)
    assert float(action_loss(logits, bins, FLAGS, going_on(1), 2.0)) == pytest.approx(0.0, abs=1e-4)


def test_a_flag_stays_hard() -> None:
    """The neighbour of a flag's bin is as wrong as any other; that of another dimension is nearly right."""
    bins = torch.full((1, 8), 128)
    beside = torch.zeros(1, 8, BINS)
    beside[..., 129] = 20.0
    far = torch.zeros(1, 8, BINS)
    far[..., 20] = 20.0
    only_flags, no_flags = torch.ones(8, dtype=torch.bool), torch.zeros(8, dtype=torch.bool)
    assert float(action_loss(beside, bins, only_flags, going_on(1), 2.0)) == pytest.approx(
        float(action_loss(far, bins, only_flags, going_on(1), 2.0))
    )
    near, off = (float(action_loss(logits, bins, no_flags, going_on(1), 2.0)) for logits in (beside, far))
    assert near < off - 1


def test_without_softness_it_is_plain_cross_entropy() -> None:
    torch.manual_seed(0)
    logits, bins = torch.randn(4, 8, BINS), torch.randint(0, BINS, (4, 8))
    plain = torch.nn.functional.cross_entropy(logits.flatten(0, 1), bins.flatten())
    assert float(action_loss(logits, bins, FLAGS, going_on(4), 0.0)) == pytest.approx(float(plain), rel=1e-5)


def splat(x: float, y: float, rows: int, columns: int) -> torch.Tensor:
    """(cells,) what a point stands for, read back from the loss's gradient at uniform logits."""
    logits = torch.zeros(1, rows * columns, requires_grad=True)
    pointing_loss(logits, torch.tensor([[x, y, 1.0]]), rows, columns).backward()
    assert logits.grad is not None
    return (1 / (rows * columns) - logits.grad[0]).detach()


inside = st.floats(0.0, 1.0, allow_nan=False, width=32)


@given(inside, inside, st.integers(2, 12), st.integers(2, 12))
def test_the_mean_of_a_splatted_point_is_the_point(x: float, y: float, rows: int, columns: int) -> None:
    weights = splat(x, y, rows, columns)
    assert float(weights.sum()) == pytest.approx(1.0, abs=1e-4)
    assert float(weights.min()) > -1e-5
    assert int((weights > 1e-4).sum()) <= 4
    mean = weights @ cell_centres(rows, columns).flatten(0, 1)
    expected = (min(max(x, 0.5 / columns), 1 - 0.5 / columns), min(max(y, 0.5 / rows), 1 - 0.5 / rows))
    assert mean.tolist() == pytest.approx(expected, abs=1e-4)


def test_a_point_that_is_not_visible_counts_nothing() -> None:
    logits = torch.randn(2, 12, requires_grad=True)
    points = torch.tensor([[0.0, 0.0, 0.0], [0.5, 0.5, 1.0]])
    both = pointing_loss(logits, points, 3, 4)
    assert both.detach() == pytest.approx(pointing_loss(logits[1:], points[1:], 3, 4).detach())
    both.backward()
    assert logits.grad is not None
    assert float(logits.grad[0].abs().sum()) == 0
    assert float(pointing_loss(logits, torch.zeros(2, 3), 3, 4).detach()) == 0


def test_auxiliary_numbers_that_do_not_apply_are_left_out() -> None:
    """Smooth L1 with a knee at 0.1: |d| - 0.05 beyond it, d²/0.2 before it."""
    told = torch.tensor([[1.5, 7.0, 0.05]], requires_grad=True)
    loss = auxiliary_loss(told, torch.tensor([[1.0, math.nan, 0.0]]), torch.tensor([1.0, 1.0, 2.0]))
    assert float(loss.detach()) == pytest.approx((0.45 + 2 * 0.05**2 / 0.2) / 2)
    loss.backward()
    assert told.grad is not None
    assert told.grad[0].tolist() == pytest.approx([0.5, 0.0, 0.5])
    assert float(auxiliary_loss(told.detach(), torch.full((1, 3), math.nan), torch.ones(3))) == 0


def test_cells_that_are_unknown_are_left_out_and_common_names_count_a_tenth() -> None:
    logits = torch.tensor([[[2.0, 0.0], [0.0, 0.0], [9.0, -9.0]]])
    cells = torch.tensor([[0, 1, IGNORED_CELL]])
    expected = (0.1 * math.log(1 + math.exp(-2)) + 1.0 * math.log(2)) / 1.1
    assert float(grounding_loss(logits, cells, common=1)) == pytest.approx(expected)
    assert float(grounding_loss(logits, torch.full((1, 3), IGNORED_CELL), common=1)) == 0


def test_text_loss_is_over_real_tokens() -> None:
    logits = torch.zeros(1, 3, 5)
    logits[0, 2] = torch.tensor([100.0, 0, 0, 0, 0])  # padding, confidently wrong
    loss = text_loss(logits, torch.tensor([[1, 2, 3]]), torch.tensor([[True, True, False]]))
    assert float(loss) == pytest.approx(math.log(5))
