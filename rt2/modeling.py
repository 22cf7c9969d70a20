"""RT2Network: one network that acts, answers, locates and plans, from pictures, state and a prompt.

Two or more views become slots (rt2.layers), the prompt becomes tokens (rt2.language), and one decoder writes into them:
words one by one, or the 8 action tokens either in one pass or one by one. In both cases the suffix is causal; in one
pass the tokens before are simply not told. After RT-2 (arXiv 2307.15818) with the vision of TokenLearner and FiLM.
Plain torch, because importing what transformers needs for models of its own takes seconds; rt2.auto wraps it for them.
Not for: turning sentences and pictures into tensors (rt2.processing), greedy decoding (rt2.small), losses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from rt2.action_kinds import KINDS
from rt2.configuration import CELL, RT2Config
from rt2.language import Heard, LearnedTower, PretrainedTower
from rt2.layers import OCTAVES, DecoderLayer, Slots, VisionTrunk, fourier, mlp

ACTION_TOKENS = 8
STATE_OCTAVES = 4
# Adam moves a weight by at most the learning rate a step: what must be told apart finely has to come in large.
STEEP = 4.0


@dataclass(frozen=True)
class Seen:
    """What the decoder attends to, and what vision tells on the way.

    memory (b, m, width), mask (b, m); queries (b, width): a summary of where things are and of the action's kind, added
    to the action queries; kinds (b, KINDS): logits of that kind (rt2.action_kinds); pointing: camera → (b, cells)
    logits of where the sentence's target is; auxiliary (b, A); grids: camera → (b, cells, c) features before language
    was heard.
    """

    memory: Tensor
    mask: Tensor
    queries: Tensor
    kinds: Tensor
    pointing: dict[str, Tensor]
    auxiliary: Tensor
    grids: dict[str, Tensor]


class RT2Network(nn.Module):
    """The network. `listen` once per sentence, `look` once per observation, then `action_logits` or `text_logits`."""

    state_mean: Tensor
    state_scale: Tensor

    def __init__(self, config: RT2Config) -> None:
        super().__init__()
        self.config = config
        width, coarse, text = config.width, config.coarse_channels, config.text_width
        tower = {"learned": LearnedTower, "minilm": PretrainedTower}
        if config.language not in tower:
            raise ValueError(f"no language tower '{config.language}'; have: {', '.join(tower)}")
        self.language = tower[config.language](config)
        self.trunks = nn.ModuleDict()
        self.slots = nn.ModuleDict()
        for name, (w, h) in config.cameras.items():
            self.trunks[name] = VisionTrunk(h, w, config.fine_channels, coarse, text, config.stem_kernels.get(name, 1))
            self.slots[name] = Slots(h // CELL, w // CELL, coarse, text, config.slots, width, points=config.points)
        state, cameras = len(config.state), len(config.cameras)
        self.register_buffer("state_mean", torch.zeros(state))
        self.register_buffer("state_scale", torch.ones(state))
        felt = state * (1 + 2 * STATE_OCTAVES)
        told = cameras * (coarse + config.slots * 2 + 2 * 2 * OCTAVES + 1)
        self.geometry = mlp((felt + told + text, 256, 256))
        self.tell = nn.Linear(256, len(config.auxiliary))
        self.use = mlp((256 + len(config.auxiliary) * (1 + 2 * STATE_OCTAVES), width, width))
        self.decide = mlp((width, width, KINDS))
        self.decided = nn.Embedding(KINDS, width)
        self.state_token = nn.Linear(felt, width)
        self.prompt_tokens = nn.Linear(text, width)
        self.kinds = nn.Parameter(torch.randn(cameras + 3, width) * 0.02)
        self.embed = nn.Embedding(config.vocab_size, width)
        self.answer_places = nn.Parameter(torch.randn(config.most_answer_tokens, width) * 0.02)
        self.action_places = nn.Parameter(torch.randn(ACTION_TOKENS, width) * 0.5)
        self.untold = nn.Parameter(torch.zeros(width))
        self.layers = nn.ModuleList(DecoderLayer(width, config.heads) for _ in range(config.layers))
        self.last = nn.LayerNorm(width)
        self.grounding = nn.Linear(coarse, text)
        self.sought = nn.Linear(text, text)  # from a whole sentence's meaning to that of the thing it is about
        nn.init.eye_(self.sought.weight)
        nn.init.normal_(self.embed.weight, std=0.1)
        nn.init.normal_(self.decided.weight, std=0.5)
        # The same numbers once more from what is pointed at alone: how a thing is turned is a faint pattern in its
        # features, which among everything else that the geometry reads is learned ten times as slowly.
        pointed_at = cameras * coarse
        told_last = nn.Linear(128, len(config.auxiliary))
        nn.init.zeros_(told_last.weight)
        self.look_closer = nn.Sequential(
            nn.LayerNorm(pointed_at), nn.Linear(pointed_at, 128), nn.GELU(approximate="tanh"), told_last
        )
        _line_up(self.embed.weight, config.action_start, config.bins)
        _line_up(self.embed.weight, config.location_start, config.bins)

    @property
    def device(self) -> torch.device:
        return self.state_mean.device

    def forward(self, prompt: Tensor, mask: Tensor, pictures: dict[str, Tensor], state: Tensor) -> Tensor:
        """What SmallProcessor makes of sentences, pictures and state → (b, 8, bins): the action tokens in one pass."""
        return self.action_logits(self.look(pictures, state, self.listen(prompt, mask)))

    def listen(self, prompt: Tensor, mask: Tensor) -> Heard:
        """prompt (b, t) ids, or (b, t, features) of a pretrained tower; mask (b, t)."""
        heard: Heard = self.language(prompt, mask)
        return heard

    def look(
        self,
        pictures: dict[str, Tensor],
        state: Tensor,
        heard: Heard,
        present: Tensor | None = None,
        kinds: Tensor | None = None,
    ) -> Seen:
        """pictures: camera → (b, h, w, 3) uint8; state (b, S) in SI units; present (b, cameras + 1): which of them, and
        last the state, there are (all by default; what is absent must be zeros); kinds (b,): of the right actions, in
        training; by default the likeliest."""
        batch = len(state)
        if present is None:
            present = torch.ones(batch, len(self.trunks) + 1, dtype=torch.bool, device=state.device)
        state = (state.to(self.state_mean) - self.state_mean) / self.state_scale * present[:, -1:]
        felt = torch.cat((STEEP * state, fourier(state, STATE_OCTAVES)), dim=-1)
        tokens, masks, summary, pointed_at = [], [], [felt, heard.meaning], []
        pointing, grids = {}, {}
        for k, (name, trunk) in enumerate(self.trunks.items()):
            here = present[:, k : k + 1]
            picture = pictures[name].to(state.dtype) * (2 / 255) - 1
            grids[name], told = trunk(picture, heard.meaning)
            likely = self.likeness(grids[name], self.sought(heard.meaning)[:, None]).squeeze(-1)
            logits, features, xy, slots = self.slots[name](told, heard.meaning, likely)
            pointing[name] = logits[:, 0]
            sure = logits[:, 0].softmax(-1).amax(-1, keepdim=True)
            places = (STEEP * (xy.flatten(1) * 2 - 1), fourier(xy[:, 0], OCTAVES))
            summary.append(torch.cat((features[:, 0], *places, sure), dim=-1) * here)
            pointed_at.append(features[:, 0] * here)
            tokens.append(slots + self.kinds[k])
            masks.append(here.expand(-1, slots.shape[1]))
        thought = self.geometry(torch.cat(summary, dim=-1))
        auxiliary = self.tell(thought) + self.look_closer(torch.cat(pointed_at, dim=-1))
        where = self.use(torch.cat((thought, auxiliary, fourier(auxiliary, STATE_OCTAVES)), dim=-1))
        likely_kinds = self.decide(where)
        kinds = likely_kinds.argmax(-1) if kinds is None else kinds
        tokens += [(self.state_token(felt) + self.kinds[-3])[:, None], (where + self.kinds[-2])[:, None]]
        tokens.append(self.prompt_tokens(heard.tokens) + self.kinds[-1])
        masks += [present[:, -1:].expand(-1, 2), heard.mask]
        queries = where + self.decided(kinds) if self.config.tells_kind else where
        return Seen(
            torch.cat(tokens, dim=1), torch.cat(masks, dim=1), queries, likely_kinds, pointing, auxiliary, grids
        )

    def action_inputs(self, seen: Seen, before: Tensor | None) -> Tensor:
        """(b, 8, width) decoder inputs. before (b, 8): id of the token before each, or -1 where it is not told."""
        inputs = self.action_places + seen.queries[:, None]
        if before is None:
            return inputs + self.untold
        told = self.embed(before.clamp(min=0))
        return inputs + torch.where((before >= 0)[..., None], told, self.untold)

    def action_logits(self, seen: Seen, before: Tensor | None = None) -> Tensor:
        """(b, 8, bins): what each action token is, told nothing or some of the tokens before it."""
        hidden = self.decode(self.action_inputs(seen, before), seen)
        return self.action_head(hidden)

    def action_head(self, hidden: Tensor) -> Tensor:
        """(b, n, width) → (b, n, bins): only action tokens can answer an act prompt."""
        start, bins = self.config.action_start, self.config.bins
        logits: Tensor = hidden @ self.embed.weight[start : start + bins].T
        return logits

    def text_logits(self, seen: Seen, answer: Tensor) -> Tensor:
        """answer (b, n) ids so far, beginning with [BOS] → (b, n, vocabulary) logits of the token that follows each."""
        inputs = self.embed(answer) + self.answer_places[: answer.shape[1]]
        hidden = self.decode(inputs, seen)
        return hidden @ self.embed.weight.T

    def decode(self, inputs: Tensor, seen: Seen) -> Tensor:
        """(b, n, width) → (b, n, width) through all layers; causal."""
        n = inputs.shape[1]
        mask = torch.ones(n, n, dtype=torch.bool, device=inputs.device).tril()
        x = inputs
        for layer, memory in zip(self.layers, self.memories(seen), strict=True):
            x, _ = layer(x, mask, memory, seen.mask)
        out: Tensor = self.last(x)
        return out

    def memories(self, seen: Seen) -> list[tuple[Tensor, Tensor]]:
        """Each layer's keys and values of the memory."""
        return [cast(DecoderLayer, layer).memory_attention.keys_values(seen.memory) for layer in self.layers]

    def decode_next(
        self,
        token: Tensor,
        seen: Seen,
        memories: list[tuple[Tensor, Tensor]],
        past: list[tuple[Tensor, Tensor]] | None,
    ) -> tuple[Tensor, list[tuple[Tensor, Tensor]]]:
        """One more token (b, 1, width) after `past`; returns its (b, 1, width) and the new past."""
        mask = torch.ones(1, 1, dtype=torch.bool, device=token.device)
        x, kept = token, []
        for k, (layer, memory) in enumerate(zip(self.layers, memories, strict=True)):
            x, own = layer(x, mask, memory, seen.mask, None if past is None else past[k])
            kept.append(own)
        last: Tensor = self.last(x)
        return last, kept

    def cell_logits(self, seen: Seen, camera: str, names: Tensor) -> Tensor:
        """(b, cells, names): what each cell of a picture shows, by likeness to the meanings (names, text_width)."""
        return self.likeness(seen.grids[camera], names.expand(len(seen.memory), -1, -1))

    def likeness(self, grid: Tensor, meanings: Tensor) -> Tensor:
        """grid (b, cells, c), meanings (b, n, text_width) → (b, cells, n)."""
        features: Tensor = self.grounding(grid) * self.config.text_width**-0.5
        return features @ meanings.transpose(1, 2)


@torch.no_grad()
def _line_up(embedding: Tensor, start: int, bins: int) -> None:
    """Bins that lie side by side begin alike: what is learned of one is learned of its neighbours."""
    place = torch.linspace(0, 1, bins).unsqueeze(-1)
    waves = fourier(place, OCTAVES)
    mix = torch.randn(waves.shape[1], embedding.shape[1]) * (0.1 * (2 / waves.shape[1]) ** 0.5)
    embedding[start : start + bins] = waves @ mix
