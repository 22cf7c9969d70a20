"""One vocabulary for words, action bins and location bins: rt2-small's tokenizer.

Word pieces whose pieces are whole words of a given list or single characters, so that no sentence is unreadable; beside
them 256 action tokens, 256 location tokens and one token for each kind of prompt. Not for: other models' tokenizers
(rt2.action_tokens puts actions into those).
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterable

from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import WordPiece
from transformers import PreTrainedTokenizerFast

from rt2.errors import InputError
from rt2.prompts import KINDS

BINS = 256
PAD, UNKNOWN, BEGIN, END = "[PAD]", "[UNK]", "[BOS]", "[EOS]"
CHARACTERS = string.ascii_lowercase + string.digits + string.punctuation


def kind_token(kind: str) -> str:
    return f"[{kind.upper()}]"


def action_token(index: int) -> str:
    return f"<act{index:03d}>"


def location_token(index: int) -> str:
    return f"<loc{index:03d}>"


def token_id(tokenizer: PreTrainedTokenizerFast, token: str) -> int:
    """The id of one token. Raises InputError where the tokenizer has none such."""
    found = tokenizer.convert_tokens_to_ids(token)
    if not isinstance(found, int) or found == tokenizer.unk_token_id:
        raise InputError(f"the tokenizer has no token '{token}': it is not one of rt2-small's")
    return found


def make_tokenizer(words: Iterable[str]) -> PreTrainedTokenizerFast:
    """A tokenizer that knows these words whole and spells out all others.

    Ids: specials, 256 action tokens, 256 location tokens, characters, words in sorted order.
    """
    special = [PAD, UNKNOWN, BEGIN, END, *map(kind_token, KINDS)]
    bins = [*map(action_token, range(BINS)), *map(location_token, range(BINS))]
    pieces = [*CHARACTERS, *(f"##{c}" for c in CHARACTERS)]
    known = sorted({word.lower() for word in words} - set(CHARACTERS))
    vocabulary = {token: k for k, token in enumerate(dict.fromkeys((*special, *bins, *pieces, *known)))}
    inner = Tokenizer(WordPiece(vocabulary, unk_token=UNKNOWN, max_input_chars_per_word=100))
    inner.normalizer = normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()])
    inner.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()])
    inner.decoder = decoders.WordPiece()
    inner.add_special_tokens([*special, *bins])
    return _wrapped(inner)


def with_words(tokenizer: PreTrainedTokenizerFast, words: Iterable[str]) -> PreTrainedTokenizerFast:
    """The tokenizer knowing more words whole: ids of what it knew stay, the new come after them in sorted order.

    A sentence of known words is read as before; a new word was spelled out in characters until now.
    """
    known = tokenizer.get_vocab()
    plain = (tokenizer.backend_tokenizer.normalizer.normalize_str(word) for word in words)
    new = sorted({word for word in plain if word} - known.keys())
    content = json.loads(tokenizer.backend_tokenizer.to_str())
    content["model"]["vocab"] |= {word: len(known) + k for k, word in enumerate(new)}
    return _wrapped(Tokenizer.from_str(json.dumps(content)))


def _wrapped(inner: Tokenizer) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=inner,
        pad_token=PAD,
        unk_token=UNKNOWN,
        bos_token=BEGIN,
        eos_token=END,
        extra_special_tokens=[*map(kind_token, KINDS)],
    )
