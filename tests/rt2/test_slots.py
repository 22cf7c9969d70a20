"""Slots: where the one that points reads."""

from __future__ import annotations

import torch

from rt2.layers import Slots

ROWS, COLUMNS = 3, 5


def pointed(likely: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """xy (b, slots, 2) and logits (b, slots, cells) where nothing but `likely` (b, cells) tells places apart."""
    slots = Slots(ROWS, COLUMNS, channels=4, text=6, slots=2, width=8)
    with torch.no_grad():
        logits, _, xy, _ = slots(torch.zeros(len(likely), ROWS * COLUMNS, 4), torch.zeros(len(likely), 6), likely)
    return xy, logits


def test_of_two_likely_places_it_takes_the_likelier_and_not_their_mean() -> None:
    likely = torch.full((1, ROWS * COLUMNS), -20.0)
    likely[0, 0], likely[0, 14] = 5.0, 5.5
    xy, logits = pointed(likely)
    torch.testing.assert_close(xy[0, 0], torch.tensor([0.9, 2.5 / 3]))
    told = logits[0, 0] - logits[0, 0, 0] + likely[0, 0]
    torch.testing.assert_close(told, likely[0], msg="what it points at is told of all cells")


def test_a_place_between_two_cells_is_told_as_such() -> None:
    likely = torch.full((1, ROWS * COLUMNS), -20.0)
    likely[0, 6], likely[0, 7] = 5.0, 5.0
    xy, _ = pointed(likely)
    torch.testing.assert_close(xy[0, 0], torch.tensor([0.4, 0.5]))


def test_the_other_slots_see_the_whole_picture() -> None:
    xy, _ = pointed(torch.zeros(1, ROWS * COLUMNS))
    torch.testing.assert_close(xy[0, 1], torch.tensor([0.5, 0.5]))
