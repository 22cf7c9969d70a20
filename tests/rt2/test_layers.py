"""Blocks of the vision trunk: cells far apart are read together, on any grid."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from rt2.layers import ConvBlock, interleaved, woven


@pytest.mark.parametrize(("rows", "columns"), [(12, 20), (8, 8), (11, 18), (1, 3)])
@pytest.mark.parametrize("spread", [2, 4])
def test_a_spread_block_is_a_dilated_convolution(rows: int, columns: int, spread: int) -> None:
    torch.manual_seed(0)
    block, x = ConvBlock(5, spread=spread), torch.randn(2, rows, columns, 5)
    torch.testing.assert_close(woven(interleaved(x, spread), spread, rows, columns), x)
    across = functional.conv2d(
        x.permute(0, 3, 1, 2), block.across.weight, block.across.bias, padding=spread, dilation=spread, groups=5
    ).permute(0, 2, 3, 1)
    expected = x + block.gain * block.down(functional.relu(block.up(across)))
    torch.testing.assert_close(block(x), expected)
