"""What a training of rt2-small begins with: a new network for the built-in tabletop, or a trained one that has grown.

Not for: the order of a training (forehand.training.run).
"""

from __future__ import annotations

import torch

from executor.learning.labels import LAYOUT
from executor.learning.visual_questions import VOCABULARY_WORDS
from executor.robot_contract import FRAME, GRIPPER, tabletop_contract
from executor.vla_inputs import IMAGE_SIZES, STATE
from forehand.training.config import ModelConfig, TrainConfig
from robots.robot import CONTROL_RATE_HZ
from rt2.action_contract import ActionContract, standard_dimensions
from rt2.camera_contract import CameraContract
from rt2.configuration import RT2Config
from rt2.growing import grown
from rt2.modeling import RT2Network
from rt2.processing import SmallProcessor
from rt2.small import SmallVLA, load_small
from rt2.training.losses import LossWeights
from rt2.vocabulary import BINS, make_tokenizer
from skills.wordings import training_words

# the camera range that training worlds are drawn from (executor.learning.worlds), plus what a contract may allow
SHIFT_M, TURN_RAD, VIEW_DEG = 0.04, 0.04, 3.0
# the wrist camera sees how a block is turned: there neighbouring patches are read together from the start
STEM_KERNELS = {"wrist": 3}


def first_vla(config: TrainConfig) -> SmallVLA:
    """Vocabulary, network and contract before any training. Raises CheckpointError for one that cannot be grown."""
    learning = config.learning
    if learning is not None:
        return grown(load_small(learning.checkpoint), learning.words, config.robot.collect.new_names)
    processor = new_processor(frozenset(VOCABULARY_WORDS), config.model.language)
    return SmallVLA(
        new_model(config.model, processor, config.training.seed, config.training.loss),
        processor,
        new_contract(processor),
    )


def new_processor(words: frozenset[str], language: str = "learned") -> SmallProcessor:
    """A tokenizer that knows the training wordings, the things' names and `words`; prompts for that language tower."""
    names = {word for name in LAYOUT.cell_names for word in name.split()}
    return SmallProcessor(make_tokenizer(training_words() | names | words), cameras=IMAGE_SIZES, language=language)


def new_model(model: ModelConfig, processor: SmallProcessor, seed: int, loss: LossWeights) -> RT2Network:
    """Random weights of this seed; what no loss would teach it is left out."""
    torch.manual_seed(seed)
    config = RT2Config(
        cameras={name: list(size) for name, size in IMAGE_SIZES.items()},
        state=list(STATE),
        auxiliary=list(LAYOUT.auxiliary),
        cell_names=list(LAYOUT.cell_names),
        vocab_size=len(processor.tokenizer),
        action_start=processor.action_start,
        location_start=processor.location_start,
        bins=BINS,
        stem_kernels=STEM_KERNELS,
        tells_kind=loss.kind > 0,
        points=loss.pointing > 0,
        **model.sizes,
    )
    return RT2Network(config)


def new_contract(processor: SmallProcessor) -> ActionContract:
    """What a checkpoint trained on the tabletop promises and demands."""
    views = tabletop_contract(IMAGE_SIZES).cameras
    return ActionContract(
        dimensions=standard_dimensions(),
        bins=BINS,
        frame=FRAME,
        rate_hz=CONTROL_RATE_HZ,
        gripper=GRIPPER,
        vocabulary="own",
        token_ids=tuple(range(processor.action_start, processor.action_start + BINS)),
        cameras={
            name: CameraContract(
                **views[name].model_dump(), shift_m=SHIFT_M, turn_rad=TURN_RAD, view_range_deg=VIEW_DEG
            )
            for name in IMAGE_SIZES
        },
        state=STATE,
    )
