"""The words of the grammar: one explicit table of terminals, values and the phrases that mean them.

Phrases use a small pattern language: `a/b` alternatives, `(a)` optional. Reading and generating both use this
table. Not for: how words combine (instruction.lark) or what they mean in a scene (meaning.py).
"""

from __future__ import annotations

from collections.abc import Mapping

COLOURS: Mapping[str, str] = {
    "red": "red/crimson/scarlet",
    "green": "green/emerald",
    "blue": "blue/azure/navy",
    "yellow": "yellow/golden",
    "purple": "purple/violet",
    "orange": "orange",
    "cyan": "cyan/turquoise",
    "brown": "brown",
    "pink": "pink",
    "black": "black",
    "white": "white",
    "grey": "grey/gray",
}

NOUNS: Mapping[str, str] = {
    "block": "block/blocks/cube/cubes/brick/bricks/box/boxes/(building) block/(building) blocks",
    "bowl": "bowl/bowls/dish/dishes/cup/cups/basin/basins",
    "pad": "pad/pads/mat/mats/square/squares/tile/tiles",
    "drawer": "(cabinet) drawer/cabinet/drawers/cupboard",
    "button": "(push) button/pushbutton/light switch/lamp switch/lamp button/light button",
    "lamp": "lamp/lamps/lights/bulb",
    "table": "table/(table) surface/tabletop/desk/workspace",
    "container": "container/containers/receptacle",
}

# Base forms; gerunds, third persons and participles come from `inflections`.
VERBS: Mapping[str, str] = {
    "put": "put/set/shelve/park/lay/drop/pop/stick/bring/get/transfer/relocate/deposit/store/stash/stow/throw/toss/"
    "carry/"
    "deliver/add/insert/position/return/tuck/dump/collect/gather",
    "hide": "hide/conceal/hide away",
    "move": "move/shift",
    "push": "push/slide/nudge/shove",
    "pull": "pull/draw/slide out",
    "pile": "build/rebuild/construct/assemble/make/erect/form/create",
    "unstack": "unstack/dismantle/take apart/pull apart/break up/break down/take down/disassemble/destack/knock down",
    "take": "take",
    "remove": "remove/extract/retrieve/fetch",
    "clear": "uncover/expose/clear off/clear out/free up/clean off/clean out/unbury",
    "empty": "empty out/unload",
    "reverse": "reverse/invert/turn upside down/flip over/turn over/upend",
    "pick": ""
    "bring me/find/look for/search for/locate/seek/hand me/give me/pass me/get me/fetch me/pick/pick up/grab/"
    "lift/lift up/hold/"
    "grasp/get hold of/take hold of/hand/hand over/give/keep hold of/raise",
    "release": "release/let go/let go of",
    "turn": "turn/flick",
    "toggle": "toggle/flip",
    "activate": "activate/power on/power up/illuminate/light up/enable",
    "deactivate": "deactivate/power off/power down/cut/extinguish/put out/kill/disable/douse",
    "tap": "hit/tap/click",
    "swap": ""
    "trade places/swap places/switch places/change places/exchange places/swap/exchange/switch/change positions/"
    "trade spots/swap/exchange/"
    "swap round/swap around/interchange",
    "sort": "sort/sort out/arrange/group/organise/organize/distribute/separate/match up",
    "tidy": "tidy/tidy up/clean up/put away/clear away/neaten",
    "fill": "fill/fill up/load",
    "cover": "cover",
    "touch": "touch/disturb/bother/change/interfere with/mess with",
    "have": "want/require",
    "keep": "keep/leave",
    "check": ""
    "check/check if/check whether/see if/see whether/look if/look whether/find out if/find out whether/test if/"
    "test whether",
    "ensure": ""
    "ensure/i would love it if/i would like it if/i would be happy if/it would be nice if/guarantee/verify/"
    "make sure/be sure/make certain/see to it/see/arrange it so/arrange things so/"
    "make it so/let",
    "wait": "wait/stop/do nothing/stay put",
}

_SIDES = {"left": "left", "right": "right", "front": "front", "back": "back/rear"}
_SIDE_NOUN = "side/edge/half/part/zone/area/end/hand side/line"


def _directions() -> dict[str, str]:
    """Ways to name a zone. Left and right are the robot's own, the front is far from it."""
    patterns = {}
    for side, word in _SIDES.items():
        forms = (
            f"to/on/at/in/into/onto/toward/towards/past (the/your/its) {word} ({_SIDE_NOUN}) (of the table/"
            "desk/workspace)",
            f"over to/on (the/your) {word} ({_SIDE_NOUN}) (of the table/desk/workspace)",
            f"{side}ward/{side}wards",
            f"to/on/at (the) {word} hand side (of the table/desk/workspace)",
        )
        patterns[side] = " | ".join(forms)
    patterns["front"] += " | forward | forwards | away from you/yourself/robot | away from the robot"
    patterns["back"] += " | backward | toward/towards you/yourself/robot | toward/towards the robot"
    return patterns


PHRASES: Mapping[str, Mapping[str, str]] = {
    "COLOUR": COLOURS,
    "NOUN": NOUNS,
    "VERB": VERBS,
    "DIRECTION": _directions(),
    "SIDE": {"left": "left", "right": "right"},
    "OPEN": {"open": "open | opening | opens | pull/pulling/slide/sliding open"},
    "CLOSE": {
        "closed": "close | closing | closes | closed | shut | shutting | shuts | push/pushing/slide/sliding shut/closed"
    },
    "OPENED": {"open": "opened"},
    "LIGHT": {"light": "light | lighting"},
    "STACK": {
        "stack": "stack | stacks | stacking | pile | pile up | stack up | piling | piled | piles | tower | towers"
    },
    "PRESS": {"press": "press | pressing | pressed | presses"},
    "PLACE": {"put": "place | placing | placed | places"},
    "POSITION": {
        "place": ""
        "order of | positions of | places of | locations of | spots of | position of | place of | location of | "
        "places"
    },
    "SWITCH": {"switch": "switch | switching | switched | switches"},
    "ON": {"on": "on"},
    "OFF": {"off": "off"},
    "BACK": {"back": "back"},
    "PREP": {
        "on": "onto | upon | on top of | atop | over | on to",
        "in": "in | into | inside | inside of | within | in to",
        "off": "off of | down from | from on top of | from the top of | from atop",
        "top of": "at/to/on/onto (the) (very) top of",
        "bottom of": "at/to (the) (very) bottom of | at the base of | at the foot of | on the bottom of",
        "middle of": "in the middle of",
        "out": "out of | from inside | from within | from out of",
        "from": "from | away from",
        "to": "to | towards",
        "with": "with | using",
        "for": "for",
        "of": "of",
        "under": "under | underneath | beneath | below",
        "above": "above",
        "left of": "to/on (the) left of | left of",
        "right of": "to/on (the) right of | right of",
        "front of": "in front of",
        "behind": "behind | in back of",
        "beside": "next to | beside | alongside | adjacent to",
        "near": "near | near to | close to",
        "between": "between",
    },
    "PARTICLE": {
        "up": "up",
        "down": "down",
        "out": "out",
        "away": "away",
        "together": "together",
        "inverted": ""
        "upside down | the other way round/around | in reverse (order) | in the reverse/opposite order | "
        "in reversed order",
        "apart": "apart | to pieces",
        "aside": "aside | somewhere else | elsewhere | to the/one side",
        "through": "round | around",
        "there": "there | in there | on there | over there",
        "individually": "one by one | one after the other | one after another | individually | one at a time | "
        "in any order | each in turn | in turn",
        "in order": "without changing/altering the/its order | preserving the/its order | keeping the/its order | "
        "keeping/in/with the same order | in the same order | in same order | in that/this order | "
        "in the order given | respectively",
        "stay": "alone | as is | as it is | as they are | where it is | where they are | in place | untouched | "
        "where it stands | where they stand | unchanged | in its place | in peace",
        "origin": "where it was | where they were | where it came from | where they came from | to its/the place | "
        "to where it was | to where they were | to where it came from | to their places | in its place | "
        "to its old/original/former/previous place/position/spot",
        "by colour": "by (their/its) color/colour | according to (their/its) color/colour | by hue | colour by colour",
        "upwards": "from the bottom | starting from the bottom | starting at the bottom | from bottom to top | "
        "from the bottom up | bottom to top | bottom up | from the bottom to the top",
        "downwards": ""
        "from the top | starting from the top | starting at the top | from top to bottom | from the top down | "
        "top to bottom | top down | from the top to the bottom",
        "top": ""
        "on top | up top | as the topmost | at/on the very top | at the top | as the top (one) | on the top | "
        "as top | uppermost of all | at the very top",
        "bottom": "at the bottom | lowermost of all | down below | as the base | as base | as the foundation | "
        "as the bottom (one) | "
        "on the bottom | at the base | at the very bottom | "
        "at the foot",
        "middle": "in the middle | in between | in the centre/center",
        "twice": "twice | two times | 2 times",
        "thrice": "thrice | three times | 3 times",
    },
    "EXCEPT": {
        "except": "except | except for | but not | but for | apart from | other than | excluding | save for | save | "
        "bar | barring | aside from | not counting | with the exception of | and not | but leave out | minus",
    },
    "BUT": {"but": "but"},
    "DET": {"the": "the | my | your | our"},
    "A": {"a": "a | an"},
    "EVERY": {
        "every": "every | each | each of | every one of | each one of | every single | each and every | every last"
    },
    "ALL": {"all": "all | all of"},
    "BOTH": {"both": "both | both of"},
    "ANY": {
        "any": "any | any of | any one of | either | either of | either one of | at least one | at least one of | "
        "at least a"
    },
    "WHICHEVER": {"whichever": "whichever | whatever | which ever"},
    "SOME": {"some": "some | some of | a few | a few of | several | several of"},
    "FORMER": {"former": "former | first one | first mentioned", "latter": "latter | second one | last mentioned"},
    "OTHER": {"other": "other | others | remaining | another | leftover"},
    "REST": {"the rest": "the rest | the rest of | the remainder | the remainder of | rest of | what is left | rest"},
    "NO": {"no": "no | none of | neither of | neither"},
    "NOTHING": {"nothing": "nothing | no thing"},
    "ONLY": {"only": "only | just | nothing but"},
    "NUMBER": {
        "2": ""
        "two | 2 | at least two | at least 2 | at least two of | a pair of | a couple of | couple of | pair of | "
        "two of | 2 of",
        "3": "three | 3 | at least three | at least 3 | three of | 3 of",
        "4": "four | 4 | four of | 4 of",
        "5": "five | 5 | five of | 5 of",
        "6": "six | 6 | six of | 6 of",
        "7": "seven | 7 | seven of | 7 of",
        "8": "eight | 8 | eight of | 8 of",
        "9": "nine | 9 | nine of | 9 of",
        "10": "ten | 10 | ten of | 10 of",
    },
    "ONE": {"one": "one | 1 | ones | one of"},
    "THING": {
        "something": "something | some thing",
        "thing": "thing | things | object | objects | item | items | stuff | piece | pieces | toy | toys",
    },
    "EVERYTHING": {
        "everything else": "everything else | anything else | all else",
        "everything": "everything | anything | all things | all objects | all that | every thing",
    },
    "WHAT": {"what": "what | that which"},
    "IT": {"it": "it | itself"},
    "THEM": {"them": "them | they | these | those | themselves"},
    "THIS": {"this": "this"},
    "THAT": {"that": "that | which | who"},
    "WHOSE": {"whose": "whose"},
    "ITS": {"its": "its | their | its own | their own"},
    "SAME": {
        "same": "same | same colored/coloured | correct | proper | appropriate | "
        "right colored/coloured | own respective | equal | "
        "equally coloured/colored | matching | corresponding | respective | identical | own | appropriate"
    },
    "COLOURWORD": {"colour": "color | colour | one with color/colour | colors | colours | hue"},
    "MATCHES": {
        "matches": "matches | agrees with | fits to | that goes with | match | shares | share | corresponding to | "
        "fitting | fits"
    },
    "AS": {"as": "as"},
    "SUPERLATIVE": {
        "left": "leftmost | left most | furthest left | farthest left | furthest to the left | left hand",
        "right": "rightmost | right most | furthest right | farthest right | furthest to the right | right hand",
        "front": "frontmost | foremost | front most",
        "back": "backmost | rearmost | hindmost | back most",
        "top": "topmost | top | uppermost | highest | upper",
        "bottom": "bottommost | bottom | lowest | lowermost | lower | undermost",
    },
    "NEAREST": {
        "nearest": "nearest | closest | nearest to | closest to",
        "farthest": "farthest | furthest | farthest from | furthest from | farthest away from | furthest away from",
    },
    "CONTENTS": {"contents": "contents of | content of"},
    "NON": {"non": "non"},
    "COPULA": {
        "is": "is | are | happens to be | happen to be | was | were | be | been | being | gets | get's | stays | "
        "remains | sits | stands | "
        "lies | lie | sit | stand | am"
    },
    "HAVE": {"have": "have | has | had | having"},
    "CONTAINS": {"contains": "contains | contain | containing | holds"},
    "MODAL": {
        "must": "needs/need/has/have/ought/is/are to (all/both) (be/go/sit/stand/stay/end/lie/rest) (up) | "
        "should/must/shall/may/can/will (all/both) (be/go/sit/stand/stay/end/lie/rest/belong/remain) (up) | "
        "should be | must be | has to be | have to be | needs to be | need to be | ought to be | "
        "should | must | "
        "has to | have to | needs to | need to | to be | goes | go | belongs | belong | ends up | end up | "
        "should end up | must end up | should go | must go | should sit | should stay | should stand | "
        "must go | can go | "
        "is to be | are to be | is to go | are to go | is supposed to be | are supposed to be | shall be | shall | "
        "should all go | should both go | should both be | should all be | must all be | may go | may | "
        "may be | may stay | may remain | wants to be | "
        "should lie | should rest | belongs | gets put | should not be left | going | ends | end | needs | moves",
    },
    "NOT": {"not": "not | never | no longer | under no circumstances | on no account | by no means | avoid"},
    "THERE_IS": {
        "there is": "there should/must be | there has/needs to be | there is | there are | there lies | there stands"
    },
    "LIT": {"on": "lit | switched on | turned on | shining | burning | glowing | illuminated | lighted"},
    "UNLIT": {"off": "unlit | switched off | turned off | dark | out of light"},
    "EMPTY": {
        "empty": "empty | with nothing in it/them/there | that has nothing in it | which has nothing in it | "
        "that contains nothing | emptied | vacant | emptying | empties"
    },
    "CLEAR": {
        "clear": ""
        "clear | with nothing on it/top | with nothing on top of it | unoccupied | bare | clearing | clears | "
        "cleared | free | freeing | uncovered | unobstructed"
    },
    "HELD": {
        "held": "held | in your hand | in the hand | in the gripper | in hand | in your gripper | "
        "in your grip | into your hand"
    },
    "STACKED": {
        "stacked": "stacked | one above the other | one over the other | one above another | one on the other | "
        "one on top of another | on top of one other | atop each other | atop one another | above each other | "
        "above one another | into piles | in one pile | into one pile | as a tower | as a stack | as one tower | "
        "as one stack | in a stack | in a tower | in one stack | in one tower | into a stack | into a tower | "
        "in a pile | into a pile | into one tower | into one stack | in a single tower | in a single stack | "
        "into a single stack | into a single tower | on top of each other | on top of one another | "
        "one on top of the other | on each other | onto each other"
    },
    "SOTHAT": {"so that": "so that | such that | in such a way that | in a way that | so as"},
    "AND": {"and": "and | as well as | & | plus | along with | together with | nor | or else then"},
    "OR": {"or": "or"},
    "COMMA": {",": ", | ; ,"},
    "STOP": {".": ". | ; | ! | ?"},
    "COLON": {":": ":"},
    "SO": {
        "so": "if so | if yes | if that is the case | if this is the case | if it is so | if it is the case | "
        "if that is so | if this is so | if it does"
    },
    "UNTIL": {"until": "until | till"},
    "BEFOREHAND": {"beforehand": "before that | beforehand | prior to that | before this | before doing so"},
    "THEN": {
        "then": "at the end | last | second | secondly | third | thirdly | fourth | fourthly | fifth | "
        "when/once/after that/this/it is done/finished/complete/completed/over | "
        "as soon as that/this/it is done/finished | when/once/after that/this has been done | "
        "when/once/after you have done that/this/so | when/once/after all that is done/finished | to conclude | "
        "to top it off | at the very end | last step | final step | in a second step | as the final step | "
        "as the next step | as a second step | as a next step | and last | in the last step | "
        "subsequent to that | the last thing | then | next | after that | afterwards | afterward | thereafter | "
        "finally | lastly | subsequently | "
        "followed by | once done | when done | once that is done | when that is done | after this | after which | "
        "when you are done | when you have finished | when finished | at last | last of all | in the end | "
        "once you are done | once finished | later | to finish | after doing so | as a final step | "
        "eventually | having done that | to end with | as the last step | as a last step | "
        "once that has been done | after you are done | from there | only then | upon completion",
    },
    "FIRST": {
        "first": ""
        "first | first of all | as the first step | as first step | the first thing | first up | for a start | "
        "for starters | start off by | begin with | firstly | to begin with | to start with | start by | "
        "begin by | "
        "start with | begin with | initially | at first | as a first step"
    },
    "DO": {"do": "do | does | did"},
    "IF": {
        "if": "if | if indeed | in the case that | given that | supposing | supposing that | if and only if | "
        "only if | so long as | on condition that | on the condition that | in case | provided that | provided | "
        "assuming | assuming that | as long as"
    },
    "WHEN": {"when": "when | whenever | in the event that"},
    "UNLESS": {"unless": "unless | if not"},
    "ELSE": {
        "else": "otherwise | else | or else | if that is not the case | if it is not | in the other case | "
        "if not so | failing that | if they are not"
    },
    "BEFORE": {"before": "before | prior to | ahead of"},
    "AFTER": {
        "after": ""
        "after | after first | subsequent to | as soon as | but not before | and not before | only after | "
        "only once | only when | not before | "
        "only if first | "
        "following | right after | immediately after"
    },
    "WHILE": {"while": "while", "without": "without"},
    "BY": {"by": "by"},
    "ONCE": {"once": "once | one time | a press | a push | a tap"},
}

# Kinds of words that the grammar treats alike; what is not named here is a terminal of its own.
TERMINALS: Mapping[str, str] = {
    **dict.fromkeys(("DET", "A", "ITS", "POSITION", "CONTENTS", "SAME"), "DETERMINER"),
    **dict.fromkeys(("EVERY", "ALL", "BOTH", "ANY", "SOME", "NUMBER", "NO", "REST", "OTHER"), "QUANTIFIER"),
    **dict.fromkeys(("THING", "EVERYTHING", "NOTHING"), "THING"),
    **dict.fromkeys(("OPENED", "LIT", "UNLIT", "HELD", "STACKED"), "STATE"),
    **dict.fromkeys(("OPEN", "CLOSE", "EMPTY", "CLEAR"), "VERB_OR_STATE"),
    **dict.fromkeys(("LIGHT", "SWITCH", "STACK"), "VERB_OR_NOUN"),
    **dict.fromkeys(("PLACE", "PRESS", "VERB"), "VERB"),
    **dict.fromkeys(("ON", "OFF"), "ON_OFF"),
    **dict.fromkeys(("IT", "THEM", "THIS", "FORMER"), "PRONOUN"),
    "STOP": "_STOP",
}
