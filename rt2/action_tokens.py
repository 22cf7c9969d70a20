"""RT-2's actions as tokens: numbers ↔ bins ↔ token ids ↔ the string "terminate Δx Δy Δz Δroll Δpitch Δyaw gripper".

Three published vocabularies and rt2-small's own, behind one class. RT-2 (arXiv 2307.15818, section 3.2): 256 uniform
bins over each dimension's range, decoded at their centres. OpenVLA (arXiv 2406.09246): 256 edges over the normalised
-1..1, so 255 centres, on the last tokens of the vocabulary. A flag is the exception in all of them: from the middle of
its range on it is the last bin, else the first, and it decodes to exactly its high or low end.
Not for: choosing among logits (rt2.decoding) or what the numbers do to a robot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rt2.action_contract import ActionContract, Vocabulary
from rt2.action_vocabulary import Ids, TextTokenizer, chosen_ids, integer_ids, least_used_ids
from rt2.dimensions import Dimension, standard_dimensions
from rt2.errors import InputError
from rt2.openvla_bins import normalise, openvla_bins, openvla_values, unnormalise

Values = NDArray[np.float64]


class ActionTokenizer:
    """Actions (…, D) ↔ bins (…, D) ↔ token ids (…, D), elementwise, for any leading shape.

    dimensions: D of them, in the action's order. ids: (bins,) token of each bin. Made by one of the class methods.
    """

    def __init__(self, vocabulary: Vocabulary, ids: Sequence[int] | Ids, dimensions: Sequence[Dimension]) -> None:
        self.vocabulary = vocabulary
        self.dimensions = tuple(dimensions)
        self.ids: Ids = np.array(ids, dtype=np.int64)
        self.bins = len(self.ids)
        if self.ids.ndim != 1 or self.bins < 2 or len(np.unique(self.ids)) < self.bins or self.ids.min() < 0:
            raise InputError("the tokens of the bins must be a row of at least two different ids, none below 0")
        self._low = np.array([d.low for d in self.dimensions])
        self._high = np.array([d.high for d in self.dimensions])
        self._flag = np.array([d.is_flag for d in self.dimensions])
        self._scaled = np.array([not d.as_is for d in self.dimensions])
        self._order = np.argsort(self.ids)
        descending = np.arange(self.ids[0], self.ids[0] - self.bins, -1)
        if vocabulary == "openvla" and not np.array_equal(self.ids, descending):
            raise InputError("the vocabulary 'openvla' is the last ids of a vocabulary, from its end downwards")

    @classmethod
    def integers(
        cls, tokenizer: TextTokenizer, dimensions: Sequence[Dimension] = standard_dimensions(), bins: int = 256
    ) -> ActionTokenizer:
        """PaLI-X: the tokens of the integers as they are. Raises InputError naming those that are no single token."""
        return cls("integers", integer_ids(tokenizer, bins), dimensions)

    @classmethod
    def overwriting(
        cls,
        tokenizer: TextTokenizer,
        dimensions: Sequence[Dimension] = standard_dimensions(),
        *,
        ids: Sequence[int] | None = None,
        counts: Mapping[int, int] | None = None,
        bins: int = 256,
    ) -> ActionTokenizer:
        """PaLM-E: the given ids, else the least counted ones, else the last ones that are not special."""
        if ids is not None:
            return cls("overwrite", chosen_ids(tokenizer, ids, bins), dimensions)
        return cls("overwrite", least_used_ids(tokenizer, counts, bins), dimensions)

    @classmethod
    def openvla(
        cls, vocab_size: int = 32000, dimensions: Sequence[Dimension] = standard_dimensions(), bins: int = 256
    ) -> ActionTokenizer:
        """OpenVLA: id = vocab_size - digitize(action normalised to -1..1, edges). `bins` is the number of edges."""
        if vocab_size < bins:
            raise InputError(f"a vocabulary of {vocab_size} tokens has no room for {bins} action tokens")
        return cls("openvla", vocab_size - 1 - np.arange(bins), dimensions)

    @classmethod
    def own(
        cls, first_id: int, dimensions: Sequence[Dimension] = standard_dimensions(), bins: int = 256
    ) -> ActionTokenizer:
        """A block of ids that stand for nothing else, bin 0 at first_id."""
        return cls("own", first_id + np.arange(bins), dimensions)

    @classmethod
    def from_contract(cls, contract: ActionContract) -> ActionTokenizer:
        """As a checkpoint states it. Raises InputError for a contract without token ids."""
        if not contract.token_ids:
            raise InputError("the action contract states no token ids: this checkpoint's bins are no tokens")
        return cls(contract.vocabulary, contract.token_ids, contract.dimensions)

    def encode(self, actions: ArrayLike) -> Ids:
        """(…, D) actions → (…, D) token ids. Raises InputError as `to_bins` does."""
        return self.ids[self.to_bins(actions)]

    def decode(self, ids: ArrayLike) -> Values:
        """(…, D) token ids → (…, D) actions at the centres of their bins.

        Any id decodes with 'openvla', to the nearest bin, as OpenVLA does it; in the other vocabularies InputError is
        raised for an id that is no action token.
        """
        tokens = self._whole(ids, "token ids")
        if self.vocabulary == "openvla":
            return self.from_bins(np.clip(self.ids[0] - tokens, 0, self.bins - 1))
        places = self._order[np.searchsorted(self.ids, tokens, sorter=self._order).clip(max=self.bins - 1)]
        unknown = np.unique(tokens[self.ids[places] != tokens])
        if unknown.size:
            raise InputError(f"no action tokens: {unknown[:8].tolist()}; have {self.ids.min()}..{self.ids.max()}")
        return self.from_bins(places)

    def to_bins(self, actions: ArrayLike) -> Ids:
        """(…, D) actions → (…, D) bins, 0..bins-1; numbers beyond their range go to its end.

        Raises InputError naming the dimension of a NaN or infinite number, and for another number of dimensions.
        """
        values = self._finite(actions)
        if self.vocabulary == "openvla":
            found = openvla_bins(normalise(values, self._low, self._high, self._scaled), self.bins)
        else:
            share = (np.clip(values, self._low, self._high) - self._low) / (self._high - self._low)
            found = np.minimum((share * self.bins).astype(np.int64), self.bins - 1)
        flags = np.where(values >= (self._low + self._high) / 2, self.bins - 1, 0)
        return np.where(self._flag, flags, found)

    def from_bins(self, bins: ArrayLike) -> Values:
        """(…, D) bins → (…, D) actions. Raises InputError for a bin that is not in 0..bins-1."""
        whole = self._whole(bins, "bins")
        if whole.size and (whole.min() < 0 or whole.max() >= self.bins):
            raise InputError(f"bins must be 0..{self.bins - 1}; got {whole.min()}..{whole.max()}")
        if self.vocabulary == "openvla":
            values = unnormalise(openvla_values(whole, self.bins), self._low, self._high, self._scaled)
        else:
            values = self._low + (whole + 0.5) / self.bins * (self._high - self._low)
        flags = np.where(whole >= self.bins // 2, self._high, self._low)
        return np.where(self._flag, flags, values)

    def to_string(self, action: ArrayLike) -> str:
        """RT-2's string of one action (D,): its bins as integers with single spaces between them."""
        bins = self.to_bins(action)
        if bins.ndim != 1:
            raise InputError(f"one action at a time becomes a string; got shape {bins.shape}")
        return " ".join(map(str, bins.tolist()))

    def from_string(self, text: str) -> Values:
        """(D,) action that RT-2's string says; a flag's 1 is on, as in RT-2, like its last bin.

        Raises InputError, naming the dimension, for any other string.
        """
        words = text.split()
        if len(words) != len(self.dimensions):
            names = " ".join(d.name for d in self.dimensions)
            raise InputError(f"an action is {len(self.dimensions)} integers ({names}); got {len(words)}: {text[:80]!r}")
        for dimension, word in zip(self.dimensions, words, strict=True):
            if not (word.isascii() and word.isdecimal() and len(word) <= 9 and int(word) < self.bins):
                fault = f"{word[:20]!r} is no integer in 0..{self.bins - 1}"
                raise InputError(f"action dimension '{dimension.name}': {fault}")
        bins = np.array([int(word) for word in words])
        return self.from_bins(np.where(self._flag & (bins == 1), self.bins - 1, bins))

    def allowed_ids(self) -> tuple[tuple[int, ...], ...]:
        """For each dimension the tokens that may stand at its place: both ends for a flag, else every action token."""
        every = tuple(self.ids.tolist())
        return tuple((every[0], every[-1]) if d.is_flag else every for d in self.dimensions)

    def _finite(self, actions: ArrayLike) -> Values:
        values = _array(actions, "actions", "fiub").astype(np.float64)
        self._check_size(values.shape, "actions")
        broken = ~np.isfinite(values)
        if broken.any():
            place = tuple(int(k) for k in np.argwhere(broken)[0])
            where = f" in action {place[:-1]}" if len(place) > 1 else ""
            raise InputError(f"action dimension '{self.dimensions[place[-1]].name}' is {values[place]}{where}")
        return values

    def _whole(self, numbers: ArrayLike, what: str) -> Ids:
        whole = _array(numbers, what, "iu")
        self._check_size(whole.shape, what)
        return whole.astype(np.int64)

    def _check_size(self, shape: tuple[int, ...], what: str) -> None:
        if not shape or shape[-1] != len(self.dimensions):
            names = ", ".join(d.name for d in self.dimensions)
            raise InputError(f"{what} must have {len(self.dimensions)} entries each ({names}); got shape {shape}")


def _array(numbers: ArrayLike, what: str, kinds: str) -> NDArray[Any]:
    """As an array whose dtype is of one of numpy's kinds; text that reads like a number is none."""
    try:
        array = np.asarray(numbers)
    except (ValueError, TypeError, RuntimeError) as error:  # ragged lists; tensors that numpy has no type for
        raise InputError(f"{what} are no array: {error}") from error
    if array.dtype.kind not in kinds:
        raise InputError(f"{what} must be {'numbers' if 'f' in kinds else 'integers'}, got dtype {array.dtype}")
    return array
