"""The order of labels: by number, by the words of a known ladder, as the user says, or else by the alphabet."""

from __future__ import annotations

import re
from collections.abc import Sequence

from losscli.errors import DataError, Finding, Problem, choose_from, nearest, shown
from losscli.tasks import Order, TargetOptions
from losscli.tasks.brackets import bracket_keys

# From the lowest to the highest; words on one rung (|) say the same.
LADDERS = (
    "none|no|zero, very low|minimal, low, medium|mid|middle|moderate|average|normal, high, very high, extreme|maximal",
    "no|never|definitely not, probably not|unlikely|rather not, perhaps|maybe|possibly|unsure|undecided|partly|sometimes, "
    "probably|likely|rather yes, yes|always|definitely|surely",
    "far too little|much too little, too little|too few|not enough|too low|too small, about right|just right|right|enough|ok, "
    "too much|too many|too high|too large, far too much|much too much",
    "much worse|a lot worse, worse|slightly worse|somewhat worse, same|the same|about the same|unchanged|no change, "
    "better|slightly better|somewhat better|improved, much better|a lot better",
    "decreased|down|fell|lower, unchanged|same|stable|no change, increased|up|rose|higher",
    "strongly disagree|completely disagree|disagree strongly, disagree|disagree somewhat, "
    "slightly disagree|somewhat disagree|rather disagree|disagree slightly, "
    "neutral|neither|undecided|neither agree nor disagree|no opinion, slightly agree|somewhat agree|rather agree|agree slightly, "
    "agree|agree somewhat, strongly agree|completely agree|agree strongly",
    "not at all, hardly|barely|slightly|a little|a bit, somewhat|moderately|partly, quite|rather|fairly|mostly, "
    "very|a lot|very much, extremely|completely|totally",
    "very unhappy|unhappy, not too happy|not very happy, neutral, pretty happy|rather happy|happy, very happy",
    "very unimportant|not important|not at all important|unimportant, slightly important, neutral, "
    "moderately important|somewhat important|rather important, important, very important, extremely important",
    "less than high school|no high school|primary school|some high school, high school|high school graduate|hs grad|hs, "
    "some college|junior college, associate|associates, bachelor|bachelors|college|undergraduate, "
    "master|masters|graduate, doctorate|phd|doctoral",
    "hourly, daily, weekly, monthly, quarterly, yearly|annually",
    "bronze, silver, gold, platinum, diamond",
    "lower|working, lower middle, middle, upper middle, upper",
    "none|absent|healthy, minimal|very mild, mild|light, moderate|medium, severe|strong, very severe|critical",
    "terrible|awful|very bad|very poor|worst, bad|poor, fair|ok|okay|average|neutral|acceptable, good, very good|great, "
    "excellent|outstanding|best",
    "fair, good, very good, premium, ideal",  # how diamonds are cut
    "xxs, xs|very small|extra small|tiny, small|s, medium|m, large|big|l, xl|very large|extra large|huge, xxl, xxxl",
    "never, rarely|seldom, sometimes|occasionally, often|frequently|usually, always",
    "strongly disagree, disagree, neutral|neither|undecided, agree, strongly agree",
    "very dissatisfied|very unsatisfied, dissatisfied|unsatisfied, neutral, satisfied, very satisfied",
    "very unlikely|impossible, unlikely, neutral|possible, likely, very likely|certain",
    "first|1st, second|2nd, third|3rd, fourth|4th, fifth|5th, sixth|6th, seventh|7th, eighth|8th, ninth|9th, tenth|10th",
    "beginner|novice, intermediate, advanced, expert",
    "primary, secondary, tertiary",
    "child, teenager|adolescent, adult, senior|elderly",
    "slow, medium, fast",
    "short, medium, long|tall",
    "cold, cool, mild, warm, hot",
    "i, ii, iii, iv, v, vi, vii, viii, ix, x",
    # German
    "sehr niedrig|sehr gering, niedrig|gering|klein|wenig, mittel|mäßig|durchschnittlich, hoch|groß|viel, sehr hoch|sehr groß",
    "nie|niemals, selten, manchmal|gelegentlich|ab und zu, oft|häufig|meistens, immer|sehr oft",
    "ungenügend|sehr schlecht, mangelhaft|schlecht, ausreichend|mittel|mittelmäßig|mäßig, befriedigend, gut, "
    "sehr gut|ausgezeichnet",
    "stimme gar nicht zu|stimme überhaupt nicht zu|trifft gar nicht zu, stimme nicht zu|stimme eher nicht zu|trifft eher nicht zu"
    "|trifft nicht zu, neutral|teils teils|weder noch, stimme eher zu|trifft eher zu, stimme zu|trifft zu, "
    "stimme voll zu|stimme voll und ganz zu|trifft voll zu|trifft voll und ganz zu",
    "sehr unzufrieden, unzufrieden|eher unzufrieden, neutral|teils teils, zufrieden|eher zufrieden, sehr zufrieden",
    "nein|auf keinen fall, eher nein, vielleicht|teilweise|weiß nicht|unentschieden, eher ja, ja|auf jeden fall",
    "zu wenig|zu klein|zu niedrig, genau richtig|gerade richtig|richtig|genug|passend, zu viel|zu groß|zu hoch",
    "schlechter|niedriger|gesunken, gleich|unverändert|gleich geblieben, besser|höher|gestiegen",
    "kein|keine, leicht|gering|mild, mittel|mäßig|mittelschwer|moderat, schwer|stark, sehr schwer|sehr stark",
    # French
    "très faible|très bas|très petit, faible|bas|basse|petit|peu, moyen|moyenne|modéré, élevé|élevée|haut|haute|fort|grand, "
    "très élevé|très haut|très fort|très grand",
    "jamais, rarement, parfois|quelquefois, souvent|fréquemment, toujours|très souvent",
    "très mauvais|très mal, mauvais|mal, passable|moyen|assez bien, bon|bien, très bon|très bien|excellent",
    "pas du tout d'accord, pas d'accord|plutôt pas d'accord, neutre|ni d'accord ni pas d'accord, d'accord|plutôt d'accord, "
    "tout à fait d'accord",
    "non, peut être|ne sait pas, oui",
    "trop peu, juste bien|assez|juste ce qu'il faut, trop",
    # Spanish
    "muy bajo|muy baja|muy poco, bajo|baja|pequeño|poco, medio|media|mediano|moderado|regular, alto|alta|grande|mucho, "
    "muy alto|muy alta|muy grande",
    "nunca, rara vez|raramente|casi nunca, a veces|algunas veces, a menudo|frecuentemente|casi siempre, siempre",
    "muy malo|muy mal|pésimo, malo|mal, regular|normal, bueno|bien, muy bueno|muy bien|excelente",
    "muy en desacuerdo|totalmente en desacuerdo, en desacuerdo, neutral|ni de acuerdo ni en desacuerdo|indiferente, "
    "de acuerdo, muy de acuerdo|totalmente de acuerdo",
    "no, tal vez|quizás|quizá, sí|si",
    # Italian
    "molto basso|molto bassa, basso|bassa, medio|media, alto|alta, molto alto|molto alta",
    "mai, raramente, a volte|qualche volta, spesso, sempre",
    "pessimo|molto male, scarso|male|insufficiente, sufficiente|discreto, buono|bene, ottimo|molto bene",
    # Portuguese, Dutch
    "muito baixo|muito baixa, baixo|baixa, médio|média, alto|alta, muito alto|muito alta",
    "nooit, zelden, soms, vaak, altijd",
    "zeer laag, laag, gemiddeld|midden, hoog, zeer hoog",
)
RUNGS = tuple(
    {word.strip(): rank for rank, rung in enumerate(ladder.split(",")) for word in rung.split("|")}
    for ladder in LADDERS
)
BEGINS = re.compile(r"([<>]?)=?\s*(\d{1,15}(?:\.\d{1,15})?)(?!\w)\s*(\+?)")  # "1 - bad", "18-25", "<18", "65+"
ENDS = re.compile(r"(.*\D)(\d{1,15})")  # "stage 2", "class_10"


def ranks(names: Sequence[str]) -> tuple[list[int], Order]:
    """The places of `names` from lowest to highest, and where that order is from.

    Numbers by their value, words by a ladder that has all of them; else by the alphabet without regard to case, so that
    No comes before yes and FALSE before True.

    >>> ranks(["medium", "high", "low"])
    ([2, 0, 1], 'words')
    >>> ranks(["10 - good", "9 - fair"]), ranks(["yes", "No"])
    (([1, 0], 'words'), ([1, 0], 'alphabet'))
    """
    for keys, origin in (
        (_numbers(names), "numbers"),
        (_numbered(names), "words"),
        (bracket_keys(names), "words"),
        (_on_a_ladder(names), "words"),
    ):
        if keys is not None and (origin == "numbers" or len(set(keys)) == len(names)):
            pairs = list(zip(keys, names, strict=True))
            return sorted(range(len(names)), key=pairs.__getitem__), origin  # type: ignore[return-value]
    return sorted(range(len(names)), key=lambda at: (names[at].casefold(), names[at])), "alphabet"


def in_order(names: Sequence[str], options: TargetOptions, column: str) -> tuple[list[int], Order, list[Finding]]:
    """The places of the labels that occur from first to last, where that order is from, and what there is to tell of it."""
    if options.order is None:
        return *ranks(names), []
    places, findings = given_order(names, options.order, column)
    return places, "given", findings


def given_order(names: Sequence[str], order: Sequence[str], column: str) -> tuple[list[int], list[Finding]]:
    """The places of `names` in the order that the user gives; labels that do not occur are told, and left out.

    Raises `DataError` for labels that the order lacks.
    """
    places = {same_label(label, names) or label: rank for rank, label in enumerate(order)}
    lacking = [name for name in names if name not in places]
    if lacking:
        meant = {name: nearest(name, [label for label in places if label not in names]) for name in lacking}
        listing = ", ".join(shown(name) for name in lacking[:5]) + (" ..." if len(lacking) > 5 else "")
        close = [f"{shown(name)} for {shown(label)}" for name, label in meant.items() if label is not None]
        cure = f"did you mean {', '.join(close[:3])}?" if close else "name every label, from the lowest to the highest"
        raise DataError(f"data.order lacks labels of the target {shown(column)}: {listing}", cure=cure)
    unused = [label for label in places if label not in names]
    findings = []
    if unused:
        listing = ", ".join(shown(label) for label in unused[:8])
        message = f"data.order names labels that the target {shown(column)} never has: {listing}; they are left out"
        findings.append(Finding("order-unused", "info", message, "check how they are written"))
    return sorted(range(len(names)), key=lambda at: places[names[at]]), findings


def same_label(label: str, names: Sequence[str]) -> str | None:
    """The one of `names` that `label` means: itself, or the only one that is the same but for its case, or the only one
    of the same value.

    >>> same_label("true", ["False", "True"]), same_label("maybe", ["no", "yes"])
    ('True', None)
    >>> same_label("1.0", ["0", "1"]), same_label("True", ["0", "1"]), same_label("0", ["false", "true"])
    ('1', '1', 'false')
    """
    if label in names:
        return label
    for key in (str.casefold, _value):
        alike = [name for name in names if key(name) == key(label)]
        if alike:
            return alike[0] if len(alike) == 1 else None
    return None


def _value(label: str) -> float | str:
    """What a label says: a number, as which true and false are 1 and 0, or its text."""
    text = {"true": "1", "false": "0"}.get(label.casefold(), label)
    try:
        return float(text)
    except ValueError:
        return text


def positive_label(label: str, names: Sequence[str], column: str) -> str:
    """The label that `data.positive` means; `DataError` with the labels there are if none."""
    match = same_label(label, names)
    if match is None:
        message = f"data.positive is {shown(label)}, and the target {shown(column)} has no such label"
        raise DataError([Problem(message, None, choose_from(label, names))])
    return match


def _numbers(names: Sequence[str]) -> list[float] | None:
    try:
        return [float(name) for name in names]
    except ValueError:
        return None


def _numbered(names: Sequence[str]) -> list[tuple[float, int]] | None:
    """Keys of labels that all begin with a number, or that all are the same word and a number."""
    starts = [BEGINS.match(name.strip()) for name in names]
    if all(starts):
        return [
            (float(match[2]), (match[1] == ">") + (match[3] == "+") - (match[1] == "<")) for match in starts if match
        ]
    ends = [ENDS.fullmatch(name.strip()) for name in names]
    if all(ends) and len({match[1].casefold() for match in ends if match}) == 1:
        return [(float(match[2]), 0) for match in ends if match]
    return None


def _on_a_ladder(names: Sequence[str]) -> list[int] | None:
    words = [" ".join(re.sub(r"[-_]", " ", name).casefold().split()) for name in names]
    if not words or set(words) <= {"no", "yes"}:
        return None
    for spelled in (words, _without_noun(words)):
        for rungs in RUNGS:
            if spelled and all(word in rungs for word in spelled):
                return [rungs[word] for word in spelled]
    return None


def _without_noun(words: Sequence[str]) -> list[str]:
    """`low risk`, `high risk` without what they share."""
    ends = {word.rpartition(" ")[2] for word in words}
    return [word.rpartition(" ")[0] for word in words] if len(words) > 1 and len(ends) == 1 else []
