"""The building blocks of rt2-small: vision trunk, slots that attend to a picture, text tower, decoder layers.

Sizes are chosen for one CPU core: depthwise convolutions cost a fifteenth of full ones there, and pictures become a few
tokens before anything attends to them. Pictures are kept as (batch, rows, columns, channels).
Not for: vocabularies, prompts or losses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from rt2.configuration import CELL

PATCH = 4  # pixels a side of the first stage's cells
# Cells between those that a trunk's blocks read together before language is heard, and after. Whether a lane across the
# table is free is seen far from the block that is to take it; three blocks of 3×3 at these distances cover 15×15 cells.
PLAIN_SPREADS, TOLD_SPREAD = (1, 2), 4


def space_to_depth(x: Tensor, block: int) -> Tensor:
    """(b, h, w, c) → (b, h/block, w/block, block²·c)."""
    b, h, w, c = x.shape
    x = x.reshape(b, h // block, block, w // block, block, c).permute(0, 1, 3, 2, 4, 5)
    return x.reshape(b, h // block, w // block, block * block * c)


def interleaved(x: Tensor, spread: int) -> Tensor:
    """(b, h, w, c) → (b·spread², h/spread, w/spread, c): the pictures of every spread-th cell, filled up with zeros.

    What a convolution reads of them it reads of cells that far apart, for a third of what dilation costs on a CPU.
    """
    b, h, w, c = x.shape
    x = functional.pad(x, (0, 0, 0, -w % spread, 0, -h % spread))
    rows, columns = x.shape[1] // spread, x.shape[2] // spread
    x = x.reshape(b, rows, spread, columns, spread, c).permute(0, 2, 4, 1, 3, 5)
    return x.reshape(b * spread * spread, rows, columns, c)


def woven(x: Tensor, spread: int, rows: int, columns: int) -> Tensor:
    """The inverse of `interleaved`: (b·spread², h/spread, w/spread, c) → (b, rows, columns, c)."""
    _, h, w, c = x.shape
    x = x.reshape(-1, spread, spread, h, w, c).permute(0, 3, 1, 4, 2, 5).reshape(-1, h * spread, w * spread, c)
    return x[:, :rows, :columns]


def cell_centres(rows: int, columns: int) -> Tensor:
    """(rows, columns, 2) x and y of each cell's centre, 0..1 over the picture."""
    y, x = torch.meshgrid(
        (torch.arange(rows) + 0.5) / rows,
        (torch.arange(columns) + 0.5) / columns,
        indexing="ij",
    )
    return torch.stack((x, y), dim=-1)


def fourier(x: Tensor, octaves: int) -> Tensor:
    """(…, n) → (…, n·2·octaves): sine and cosine of x at doubling frequencies, the lowest half a turn per unit."""
    angles = x.unsqueeze(-1) * (math.pi * 2.0 ** torch.arange(octaves, dtype=x.dtype, device=x.device))
    return torch.cat((angles.sin(), angles.cos()), dim=-1).flatten(-2)


class ConvBlock(nn.Module):
    """A norm-free residual block: depthwise 3×3 convolution of cells `spread` apart, then a two-layer perceptron at
    every place.

    Starts as the identity, which is what lets it train without normalisation (SkipInit, arXiv 2002.10444).
    """

    def __init__(self, channels: int, *, spread: int = 1, widen: int = 2) -> None:
        super().__init__()
        self.spread = spread
        self.across = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.up = nn.Linear(channels, widen * channels)
        self.down = nn.Linear(widen * channels, channels)
        self.gain = nn.Parameter(torch.full((channels,), 0.1))

    def forward(self, x: Tensor, film: Tensor | None = None) -> Tensor:
        """x (b, h, w, c); film (b, 2c): scale and shift of what the perceptron reads, from language."""
        apart = x if self.spread == 1 else interleaved(x, self.spread)
        y = self.across(apart.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        y = y if self.spread == 1 else woven(y, self.spread, x.shape[1], x.shape[2])
        if film is not None:
            scale, shift = film[:, None, None].chunk(2, dim=-1)
            y = y * (1 + scale) + shift
        thought: Tensor = self.gain * self.down(functional.relu(self.up(y)))
        return x + thought


class VisionTrunk(nn.Module):
    """One camera's picture → a grid of features; language tells the last block what to look for (FiLM, 1709.07871)."""

    places: Tensor

    def __init__(self, height: int, width: int, fine: int, coarse: int, text: int, stem_kernel: int = 1) -> None:
        super().__init__()
        self.rows, self.columns = height // CELL, width // CELL
        self.register_buffer("places", cell_centres(height // PATCH, width // PATCH) * 2 - 1)
        self.stem = nn.Conv2d(PATCH * PATCH * 3 + 2, fine, stem_kernel, padding=stem_kernel // 2)
        self.fine = ConvBlock(fine)
        self.merge = nn.Linear(4 * fine, coarse)
        self.plain = nn.ModuleList(ConvBlock(coarse, spread=spread) for spread in PLAIN_SPREADS)
        self.film = nn.Linear(text, 2 * coarse)
        self.told = ConvBlock(coarse, spread=TOLD_SPREAD)
        nn.init.zeros_(self.film.weight)
        nn.init.zeros_(self.film.bias)

    def seen(self, picture: Tensor) -> Tensor:
        """(b, h, w, 3) in about -1..1 → (b, h/8, w/8, coarse): what is there, before language is heard."""
        x = space_to_depth(picture, PATCH)
        x = torch.cat((x, self.places.to(x.dtype).expand(len(x), -1, -1, -1)), dim=-1)
        x = self.stem(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        x = self.fine(functional.relu(x))
        x = functional.relu(self.merge(space_to_depth(x, 2)))
        for block in self.plain:
            x = block(x)
        return x

    def forward(self, picture: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        """What is there, and the same after language: two (b, rows·columns, coarse)."""
        seen = self.seen(picture)
        told: Tensor = self.told(seen, self.film(text))
        return seen.flatten(1, 2), told.flatten(1, 2)


class Slots(nn.Module):
    """Slots that each attend to one place of a picture, chosen by language (TokenLearner, arXiv 2106.11297).

    The first slot is the one that learns to point at what the sentence is about. It reads only the cells around the
    likeliest one (as local soft-argmax of pose estimation): of two bowls that may be meant it takes one, where the mean
    of both would be a place between them.
    """

    places: Tensor

    def __init__(
        self, rows: int, columns: int, channels: int, text: int, slots: int, width: int, *, points: bool = True
    ) -> None:
        """points: False where nothing teaches the first slot to point; then it reads all of the picture."""
        super().__init__()
        self.count, self.columns, self.points = slots, columns, points
        self.register_buffer("places", cell_centres(rows, columns).flatten(0, 1))
        self.keys = nn.Linear(channels, 32)
        self.queries = nn.Linear(text, slots * 32)
        self.out = nn.Linear(channels + 2 * 2 * OCTAVES + 1, width)

    def forward(self, grid: Tensor, text: Tensor, likely: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """grid (b, cells, c), text (b, t), likely (b, cells): a first guess of where the first slot points, as logits.

        Returns logits (b, slots, cells), features (b, slots, c), xy (b, slots, 2) in 0..1, tokens (b, slots, width).
        """
        queries = self.queries(text).reshape(len(text), self.count, -1)
        logits = queries @ self.keys(grid).transpose(1, 2) * 32**-0.5
        logits = torch.cat((logits[:, :1] + likely[:, None], logits[:, 1:]), dim=1)
        first = self._around_the_best(logits[:, :1]) if self.points else logits[:, :1]
        attention = torch.cat((first, logits[:, 1:]), dim=1).softmax(-1)
        features = attention @ grid
        xy = attention @ self.places.to(grid.dtype)
        peak = logits.softmax(-1).amax(-1, keepdim=True)
        tokens = self.out(torch.cat((features, fourier(xy, OCTAVES), peak), dim=-1))
        return logits, features, xy, tokens

    def _around_the_best(self, logits: Tensor) -> Tensor:
        """logits (b, 1, cells) with nothing but the likeliest cell and those beside it."""
        cells, best = torch.arange(logits.shape[-1], device=logits.device), logits.argmax(-1, keepdim=True)
        rows_away = (cells // self.columns - best // self.columns).abs()
        columns_away = (cells % self.columns - best % self.columns).abs()
        return logits.masked_fill(torch.maximum(rows_away, columns_away) > 1, torch.finfo(logits.dtype).min)


OCTAVES = 6


class Attention(nn.Module):
    """Multi-head attention written as batched products: faster to train on a CPU than its flash kernel."""

    def __init__(self, width: int, heads: int, memory: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(memory or width, 2 * width)
        self.out = nn.Linear(width, width)

    def keys_values(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """(b, m, memory) → keys and values, each (b, heads, m, width/heads)."""
        b, m, _ = memory.shape
        key, value = self.key_value(memory).reshape(b, m, 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        return key, value

    def forward(self, x: Tensor, keys_values: tuple[Tensor, Tensor], mask: Tensor | None) -> Tensor:
        """x (b, n, width); mask broadcastable to (b, heads, n, m), True where attention is allowed."""
        b, n, width = x.shape
        key, value = keys_values
        query = self.query(x).reshape(b, n, self.heads, -1).transpose(1, 2)
        scores = query @ key.transpose(-1, -2) * (width // self.heads) ** -0.5
        if mask is not None:
            scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
        attended: Tensor = self.out((scores.softmax(-1) @ value).transpose(1, 2).reshape(b, n, width))
        return attended


def perceptron(width: int, widen: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, widen * width), nn.GELU(approximate="tanh"), nn.Linear(widen * width, width))


class EncoderLayer(nn.Module):
    """A transformer layer in which every token sees every token."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.think = perceptron(width, 2)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x (b, n, width); mask (b, n), True for real tokens."""
        normed = self.before(x)
        x = x + self.attention(normed, self.attention.keys_values(normed), mask[:, None, None])
        out: Tensor = x + self.think(self.between(x))
        return out


class DecoderLayer(nn.Module):
    """A transformer layer of tokens that see those before them, and all of a memory."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.before, self.across, self.between = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.self_attention = Attention(width, heads)
        self.memory_attention = Attention(width, heads)
        self.think = perceptron(width, 3)

    def forward(
        self,
        x: Tensor,
        mask: Tensor,
        memory: tuple[Tensor, Tensor],
        memory_mask: Tensor,
        past: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """x (b, n, width), mask (n, past + n), memory its keys and values, memory_mask (b, m).

        Returns the new x and this layer's own keys and values so far, for the tokens that follow.
        """
        normed = self.before(x)
        own = self.self_attention.keys_values(normed)
        if past is not None:
            own = (torch.cat((past[0], own[0]), dim=2), torch.cat((past[1], own[1]), dim=2))
        x = x + self.self_attention(normed, own, mask)
        x = x + self.memory_attention(self.across(x), memory, memory_mask[:, None, None])
        return x + self.think(self.between(x)), own


def mlp(sizes: Sequence[int]) -> nn.Sequential:
    """Linear layers with GELU between them."""
    layers: list[nn.Module] = []
    for size, following in pairwise(sizes):
        layers += [nn.Linear(size, following), nn.GELU(approximate="tanh")]
    return nn.Sequential(*layers[:-1])
