"""Actions as tokens: what a round trip may lose, what is refused, and OpenVLA's published numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from rt2.action_contract import ActionContract
from rt2.action_tokens import ActionTokenizer
from rt2.dimensions import Dimension, ranges_from_quantiles, standard_dimensions
from rt2.errors import InputError
from rt2.openvla_bins import openvla_decode, openvla_encode

STANDARD = standard_dimensions()
NAMES = [d.name for d in STANDARD]
LOW, HIGH = np.array([d.low for d in STANDARD]), np.array([d.high for d in STANDARD])
SEVEN = tuple(Dimension(name=name, low=-1, high=1, unit="normalised") for name in NAMES[1:])
OPENVLA_WIDTH = 2 / 255


def words_tokenizer(words: list[str], *, specials: tuple[str, ...] = ()) -> PreTrainedTokenizerFast:
    """One token a word, as PaLI-X has for integers; anything else is unknown."""
    core = Tokenizer(models.WordLevel({word: k for k, word in enumerate(["<unk>", *words])}, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, unk_token="<unk>")
    tokenizer.add_special_tokens({"additional_special_tokens": list(specials)})
    return tokenizer


def spaced_tokenizer() -> PreTrainedTokenizerFast:
    """Integers are single tokens only after a space, as in byte-level vocabularies."""
    vocabulary = {"<unk>": 0, **{f"▁{number}": number + 1 for number in range(256)}}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    return PreTrainedTokenizerFast(tokenizer_object=core, unk_token="<unk>")


INTEGERS = words_tokenizer(["put", *map(str, range(300))])
TOKENIZERS = {
    "own": ActionTokenizer.own(1000),
    "integers": ActionTokenizer.integers(INTEGERS),
    "overwrite": ActionTokenizer.overwriting(INTEGERS),
    "openvla": ActionTokenizer.openvla(32000),
}
every_vocabulary = pytest.mark.parametrize("tokenizer", TOKENIZERS.values(), ids=list(TOKENIZERS))
few = settings(max_examples=40)  # properties are tried on each of four vocabularies
leading_shapes = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)


@st.composite
def actions_of(draw: st.DrawFn, reach: float = 1.0) -> np.ndarray:
    """(…, 8) actions; reach 1 keeps them within their ranges."""
    share = draw(arrays.arrays(np.float64, (*draw(leading_shapes), 8), elements=st.floats(-reach, reach)))
    return (LOW + HIGH) / 2 + share * (HIGH - LOW) / 2


def half_bins(tokenizer: ActionTokenizer) -> np.ndarray:
    bins = 255 if tokenizer.vocabulary == "openvla" else 256
    return np.where([d.is_flag for d in STANDARD], 0.5, (HIGH - LOW) / bins / 2) * (1 + 1e-6)


@every_vocabulary
class TestEveryVocabulary:
    @few
    @given(actions=actions_of())
    def test_a_round_trip_loses_at_most_half_a_bin(self, tokenizer, actions):
        ids = tokenizer.encode(actions)
        decoded = tokenizer.decode(ids)
        assert ids.shape == decoded.shape == actions.shape
        assert (ids.dtype, decoded.dtype) == (np.int64, np.float64)
        assert np.all(np.abs(decoded - actions) <= half_bins(tokenizer))
        assert np.isin(ids, tokenizer.ids).all()

    @few
    @given(actions=actions_of(reach=50.0))
    def test_beyond_the_range_is_its_end(self, tokenizer, actions):
        assert np.array_equal(tokenizer.encode(actions), tokenizer.encode(np.clip(actions, LOW, HIGH)))

    @few
    @given(actions=actions_of(reach=1.5), others=st.floats(0, 0.5))
    def test_larger_numbers_never_get_smaller_bins(self, tokenizer, actions, others):
        assert np.all(tokenizer.to_bins(actions + others) >= tokenizer.to_bins(actions))

    @few
    @given(actions=actions_of(reach=1.5))
    def test_many_at_once_are_as_one_by_one(self, tokenizer, actions):
        rows = actions.reshape(-1, 8)
        one_by_one = [tokenizer.encode(row) for row in rows]
        assert np.array_equal(tokenizer.encode(actions).reshape(-1, 8), np.reshape(one_by_one, (-1, 8)))

    @few
    @given(actions=actions_of())
    def test_what_was_decoded_is_encoded_to_itself(self, tokenizer, actions):
        once = tokenizer.decode(tokenizer.encode(actions))
        assert np.array_equal(tokenizer.decode(tokenizer.encode(once)), once)
        assert np.array_equal(tokenizer.decode(tokenizer.encode(once.astype(np.float32))), once)

    @few
    @given(action=arrays.arrays(np.float64, 8, elements=st.floats(-0.3, 0.3)))
    def test_a_string_says_what_the_tokens_say(self, tokenizer, action):
        text = tokenizer.to_string(action)
        assert np.array_equal(tokenizer.from_string(text), tokenizer.decode(tokenizer.encode(action)))
        assert [int(word) for word in text.split(" ")] == tokenizer.to_bins(action).tolist()

    @few
    @given(actions=actions_of(), dimension=st.integers(0, 7), bad=st.sampled_from([np.nan, np.inf, -np.inf]))
    def test_a_number_that_is_none_is_refused_with_its_dimension(self, tokenizer, actions, dimension, bad):
        broken = np.concatenate([actions.reshape(-1, 8), np.zeros((1, 8))])
        broken[-1, dimension] = bad
        with pytest.raises(InputError, match=f"'{NAMES[dimension]}' is -?(nan|inf) in action \\({len(broken) - 1},\\)"):
            tokenizer.encode(broken)

    def test_terminate_decodes_to_exactly_no_or_yes(self, tokenizer):
        said = np.zeros((5, 8))
        said[:, 0] = [-3.0, 0.0, 0.49, 0.5, 1.0]
        assert tokenizer.decode(tokenizer.encode(said))[:, 0].tolist() == [0.0, 0.0, 0.0, 1.0, 1.0]
        assert tokenizer.to_bins(said)[:, 0].tolist() == [0, 0, 0, 255, 255]
        read = tokenizer.from_bins(np.repeat([[0], [127], [128], [255]], 8, axis=1))
        assert read[:, 0].tolist() == [0.0, 0.0, 1.0, 1.0]

    def test_only_both_ends_of_a_flag_are_allowed(self, tokenizer):
        allowed = tokenizer.allowed_ids()
        assert allowed[0] == (tokenizer.ids[0], tokenizer.ids[255])
        assert all(set(tokens) == set(tokenizer.ids) for tokens in allowed[1:])

    def test_a_contract_restores_the_tokenizer(self, tokenizer):
        ids = tuple(tokenizer.ids.tolist())
        stated = {"dimensions": tokenizer.dimensions, "vocabulary": tokenizer.vocabulary, "token_ids": ids}
        restored = ActionTokenizer.from_contract(ActionContract(**stated, cameras={}, state=()))
        actions = np.random.default_rng(0).uniform(LOW, HIGH, (20, 8))
        assert np.array_equal(restored.encode(actions), tokenizer.encode(actions))

    @pytest.mark.parametrize(
        ("actions", "told"),
        [
            (np.zeros(7), "must have 8 entries each .*terminate, x.*shape \\(7,\\)"),
            (0.0, "shape \\(\\)"),
            (["1"] * 8, "must be numbers, got dtype <U1"),
            ([None] * 8, "must be numbers, got dtype object"),
            ([[0.0] * 8, [0.0] * 7], "are no array"),
        ],
    )
    def test_what_is_no_action_is_refused(self, tokenizer, actions, told):
        with pytest.raises(InputError, match=told):
            tokenizer.encode(actions)

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("", "an action is 8 integers \\(terminate x y z roll pitch yaw gripper\\); got 0"),
            ("0 1 2 3 4 5 6", "got 7"),
            ("0 1 2 3 4 5 6 7 8", "got 9"),
            ("0 1 2 3 4 5 6 256", "'gripper': '256' is no integer in 0..255"),
            ("0 -1 2 3 4 5 6 7", "'x': '-1' is no integer"),
            ("0 1 2.5 3 4 5 6 7", "'y': '2.5' is no integer"),
            ("0 1 2 ² 4 5 6 7", "'z'"),
            ("0 1 2 3 ٣ 5 6 7", "'roll'"),
            ("0 1 2 3 4 1_0 6 7", "'pitch'"),
            ("0 1 2 3 4 5 " + "9" * 10_000 + " 7", "'yaw': '9{20}' is no integer"),
        ],
    )
    def test_what_is_no_action_string_is_refused(self, tokenizer, text, told):
        with pytest.raises(InputError, match=told):
            tokenizer.from_string(text)

    def test_a_flag_of_1_is_on_as_in_the_papers_example(self, tokenizer):
        action = tokenizer.from_string("1 128 91 241 5 101 127 217")
        assert np.array_equal(action, tokenizer.from_bins([255, 128, 91, 241, 5, 101, 127, 217]))

    def test_bins_and_ids_must_be_whole_and_bins_in_range(self, tokenizer):
        for whole in (tokenizer.decode, tokenizer.from_bins):
            with pytest.raises(InputError, match="must be integers, got dtype float64"):
                whole(np.zeros(8))
        with pytest.raises(InputError, match=r"bins must be 0..255; got 0..256"):
            tokenizer.from_bins([0, 0, 0, 0, 0, 0, 0, 256])


def test_uniform_bins_are_floored_and_decoded_at_their_centres():
    tokenizer = ActionTokenizer.own(5)
    action = [0.0, -0.05, 0.0, 0.05, 0.25 / 128, 0.0499, -0.1, 1.0]
    assert tokenizer.to_bins(action).tolist() == [0, 0, 128, 255, 129, 153, 76, 255]
    assert tokenizer.to_string(action) == "0 0 128 255 129 153 76 255"
    assert tokenizer.encode(action).tolist() == [5, 5, 133, 260, 134, 158, 81, 260]
    assert tokenizer.decode([5, 5, 133, 260, 133, 133, 133, 5])[[1, 2, 3, 7]] == pytest.approx(
        [-0.05 + 0.05 / 256, 0.05 / 256, 0.05 - 0.05 / 256, 0.5 / 256], abs=1e-12
    )


@pytest.mark.parametrize("name", ["own", "integers", "overwrite"])
def test_ids_that_are_no_action_tokens_are_refused(name):
    with pytest.raises(InputError, match=r"no action tokens: \[99999\]; have"):
        TOKENIZERS[name].decode([int(TOKENIZERS[name].ids[0])] * 7 + [99999])


@given(bins=st.integers(2, 1000), low=st.floats(-1e3, 1e3), width=st.floats(1e-3, 1e3), share=st.floats(0, 1))
@settings(max_examples=60)
def test_any_range_and_number_of_bins_keeps_within_half_a_bin(bins, low, width, share):
    tokenizer = ActionTokenizer.own(0, [Dimension(name="force", low=low, high=low + width, unit="N")], bins)
    value = low + share * width
    decoded = tokenizer.decode(tokenizer.encode([value]))
    assert abs(decoded[0] - value) <= width / bins / 2 * (1 + 1e-6) + 1e-9
    every = np.arange(bins)[:, None]
    assert np.array_equal(tokenizer.to_bins(tokenizer.from_bins(every)), every)


class TestOpenVLA:
    """Numbers published for OpenVLA's tokenizer with 32000 tokens, and its formulas written out once more."""

    seven = ActionTokenizer.openvla(32000, SEVEN)

    def test_published_ids(self):
        assert self.seven.encode([-1, 0, 1, -5, 5, -0.999, 0.999]).tolist() == (
            [31999, 31872, 31744, 31999, 31744, 31999, 31745]
        )

    def test_published_values(self):
        decoded = self.seven.decode([31999, 31872, 31744, 31745, 31998, 31871, 31873])
        expected = [-0.99607843, 0.0, 0.99607843, 0.99607843, -0.98823529, 0.00784314, -0.00784314]
        assert decoded == pytest.approx(expected, abs=1e-8)

    def test_ids_out_of_range_go_to_the_nearest_bin(self):
        low, high = -0.99607843, 0.99607843
        decoded = self.seven.decode([0, 31743, 31744, 31999, 32000, 40000, -3])
        assert decoded == pytest.approx([high, high, high, low, low, low, high], abs=1e-8)

    def test_the_largest_error_is_half_a_bin(self):
        dense = np.linspace(-1, 1, 70_000).reshape(-1, 7)
        error = np.abs(self.seven.decode(self.seven.encode(dense)) - dense).max()
        assert error == pytest.approx(OPENVLA_WIDTH / 2, abs=1e-5)
        assert round(error, 5) == 0.00392

    @few
    @given(st.lists(st.floats(-2, 2), min_size=7, max_size=7), st.integers(256, 300_000))
    def test_the_formula(self, action, vocab_size):
        tokenizer = ActionTokenizer.openvla(vocab_size, SEVEN)
        edges = np.linspace(-1, 1, 256)
        digits = np.digitize(np.clip(action, -1, 1), edges)
        assert np.array_equal(tokenizer.encode(action), vocab_size - digits)
        centres = (edges[:-1] + edges[1:]) / 2
        expected = centres[np.clip(digits - 1, 0, 254)]
        assert np.array_equal(openvla_decode(vocab_size - digits, vocab_size), expected)
        assert tokenizer.decode(vocab_size - digits) == pytest.approx(expected, abs=1e-15)

    @few
    @given(st.floats(-2, 2))
    def test_the_bare_mapping_takes_any_shape(self, number):
        token = openvla_encode(number)
        assert token.shape == openvla_decode(token).shape == ()
        assert np.array_equal(openvla_encode(np.full((2, 1, 3), number)), np.full((2, 1, 3), token))
        assert self.seven.encode([number] * 7).tolist() == [token] * 7

    @pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
    def test_the_bare_mapping_refuses_what_is_no_number(self, broken):
        with pytest.raises(InputError, match="not finite"):
            openvla_encode([0.0, broken])
        with pytest.raises(InputError, match="whole numbers"):
            openvla_decode([31744.5])

    def test_a_hair_below_an_edge_stays_below_it(self):
        """A range of -1..1 is no arithmetic: what would round onto the edge is another token."""
        below = np.nextafter(np.linspace(-1, 1, 256)[1:-1], -1.0)
        actions = np.tile(below[:, None], (1, 7))
        digits = np.digitize(actions, np.linspace(-1, 1, 256))
        assert np.array_equal(self.seven.encode(actions), 32000 - digits)

    def test_single_precision_agrees(self):
        actions = np.random.default_rng(1).uniform(-1.1, 1.1, (500, 7)).astype(np.float32)
        digits = np.digitize(np.clip(actions, -1.0, 1.0), np.linspace(-1, 1, 256))
        assert np.array_equal(self.seven.encode(actions), 32000 - digits)

    def test_unnormalising_by_quantiles_leaves_the_masked_gripper(self):
        q01, q99 = -0.02, 0.03
        dimensions = [
            Dimension(name="x", low=q01, high=q99, unit="m"),
            Dimension(name="gripper", low=0, high=1, unit="closedness", as_is=True),
        ]
        tokenizer = ActionTokenizer.openvla(32000, dimensions)
        decoded = tokenizer.decode([[31999, 31872], [31744, 31744], [31900, 31800]])
        normalised = self.seven.decode([31999, 31744, 31900, 31872, 31744, 31800, 0])
        assert decoded[:, 0] == pytest.approx(0.5 * (normalised[:3] + 1) * (q99 - q01) + q01, abs=1e-12)
        assert decoded[:, 1].tolist() == normalised[3:6].tolist()
        assert tokenizer.encode([[q01, 0.0], [q99, 1.0], [0.005, 0.5]]).tolist() == (
            [[31999, 31872], [31744, 31744], [31872, 31808]]
        )

    def test_a_vocabulary_without_room_is_refused(self):
        with pytest.raises(InputError, match="vocabulary of 200 tokens has no room for 256"):
            ActionTokenizer.openvla(200)
        with pytest.raises(InputError, match="'openvla' is the last ids"):
            ActionTokenizer("openvla", np.arange(256), STANDARD)


class TestIntegers:
    def test_the_tokens_of_the_integers_as_they_are(self):
        action = np.array([1, 0.05, -0.05, 0, 0, 0, 0, 0.3])
        tokenizer = TOKENIZERS["integers"]
        assert tokenizer.encode(action).tolist() == INTEGERS.encode(tokenizer.to_string(action))

    def test_integers_that_are_tokens_only_after_a_space(self):
        assert ActionTokenizer.integers(spaced_tokenizer()).ids.tolist() == list(range(1, 257))

    def test_integers_that_are_no_single_tokens_are_named(self):
        missing = words_tokenizer([str(k) for k in range(256) if k not in (7, 200)])
        with pytest.raises(InputError, match=r"2 of the integers 0..255 are no single .*: 7, 200; use .*'overwrite'"):
            ActionTokenizer.integers(missing)
        split = words_tokenizer(list("0123456789"))
        with pytest.raises(InputError, match=r"246 of the integers .*: 10, 11, .*21, …;"):
            ActionTokenizer.integers(split)


class TestOverwriting:
    tokenizer = words_tokenizer([f"w{k}" for k in range(299)], specials=("<image>", "<end>"))  # 300 + 2 ids

    def test_by_default_the_last_that_are_not_special(self):
        assert ActionTokenizer.overwriting(self.tokenizer).ids.tolist() == list(range(44, 300))

    def test_the_least_counted_ones(self):
        counts = dict.fromkeys(range(200, 230), 5) | dict.fromkeys(range(1, 15), 1)
        ids = ActionTokenizer.overwriting(self.tokenizer, counts=counts).ids.tolist()
        assert ids == [14, *range(15, 200), *range(230, 300)]

    def test_given_ids_keep_their_order(self):
        given_ids = list(range(299, 43, -1))
        tokenizer = ActionTokenizer.overwriting(self.tokenizer, ids=given_ids)
        assert tokenizer.ids.tolist() == given_ids
        assert tokenizer.encode(LOW).tolist() == [299] * 8

    @pytest.mark.parametrize(
        ("ids", "told"),
        [
            ([1] * 256, "expected 256 different token ids to overwrite, got 256, 1 different"),
            (range(1, 10), "got 9, 9 different"),
            (range(256), r"tokens \[0\] cannot be overwritten"),
            (range(46, 302), r"tokens \[300, 301\] cannot"),
            (range(-1, 255), r"tokens \[-1, 0\]"),
        ],
    )
    def test_ids_that_cannot_be_overwritten_are_refused(self, ids, told):
        with pytest.raises(InputError, match=told):
            ActionTokenizer.overwriting(self.tokenizer, ids=ids)

    def test_too_small_a_vocabulary_is_refused(self):
        with pytest.raises(InputError, match="256 tokens are to be overwritten, but only 10 are not special"):
            ActionTokenizer.overwriting(words_tokenizer(list("abcdefghij")))


@pytest.mark.parametrize("ids", [[], [3], [1, 1], [-1, 2], [[1, 2]]])
def test_bins_need_tokens_of_their_own(ids):
    with pytest.raises(InputError, match="at least two different ids"):
        ActionTokenizer("own", ids, STANDARD)


class TestQuantileRanges:
    actions = np.random.default_rng(3).normal(0, [0.3, 0.01, 0.2], (5000, 3))

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"low": 0.9, "high": 0.1}, "quantiles lie in 0..1"),
            ({"high": 99}, "quantiles lie in 0..1"),
            ({"names": ["x", "x", "y"]}, "of one name"),
            ({"actions": [["a", "b", "c"]]}, "no numbers"),
        ],
    )
    def test_what_gives_none(self, given, said):
        with pytest.raises(InputError, match=said):
            ranges_from_quantiles(**{"actions": self.actions, "names": ["terminate", "x", "elbow"], **given})

    def test_are_the_quantiles_with_the_units_of_their_names(self):
        found = ranges_from_quantiles(self.actions, ["terminate", "x", "elbow"])
        assert found[0] == STANDARD[0]
        assert (found[1].unit, found[2].unit) == ("m", "")
        assert (found[1].low, found[1].high) == tuple(np.quantile(self.actions[:, 1], [0.01, 0.99]))

    def test_other_quantiles(self):
        (whole,) = ranges_from_quantiles(self.actions[:, :1], ["x"], low=0.0, high=1.0)
        assert (whole.low, whole.high) == (self.actions[:, 0].min(), self.actions[:, 0].max())

    def test_what_never_moved_is_refused_with_its_name(self):
        still = self.actions * [1, 0, 1e-9]
        with pytest.raises(InputError, match=r"'y': its range 0..0 is degenerate.*'roll': its range"):
            ranges_from_quantiles(still, ["x", "y", "roll"])

    def test_numbers_that_are_none_are_refused_with_their_names(self):
        broken = self.actions.copy()
        broken[17, 2], broken[3, 0] = np.nan, np.inf
        with pytest.raises(InputError, match=r"NaN or infinite numbers in: x, z$"):
            ranges_from_quantiles(broken, ["x", "y", "z"])

    @pytest.mark.parametrize("shape", [(0, 2), (4, 3), (2,)])
    def test_other_shapes_are_refused(self, shape):
        with pytest.raises(InputError, match=r"expected recorded actions \(n, 2\): x, y; got shape"):
            ranges_from_quantiles(np.ones(shape), ["x", "y"])


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (1, 1, "degenerate"),
        (1, -1, "degenerate"),
        (0, 1e-7, "degenerate"),
        (1e9, 1e9 + 1e-3, "degenerate"),
        (-1e308, 1e308, "not finite"),
        (0, np.inf, "not finite"),
        (np.nan, 1, "not finite"),
    ],
)
def test_a_degenerate_dimension_is_refused_with_its_name(low, high, told):
    with pytest.raises(ValueError, match=f"action dimension 'pitch': its range .* is {told}"):
        Dimension(name="pitch", low=low, high=high, unit="rad")
