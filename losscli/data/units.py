"""What stands beside the digits of a number: a currency, a percent sign, a unit, and k, million or bn."""

from __future__ import annotations

import re
import unicodedata


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


CODES = _set(
    "AED ARS AUD BGN BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR ISK JPY KRW MXN MYR NGN NOK NZD PEN"
    " PHP PKR PLN QAR RON RUB SAR SEK SGD THB TRY TWD UAH USD VND ZAR"
)
LOCAL = _set("kr kr. zł Kč Ft Fr Fr. Rs Rs. руб руб.")
PERCENT = "%"
ATTACHED_POWERS = {"k": 3, "K": 3, "M": 6, "B": 9}  # written at the digits; beside them K is kelvin
POWERS = {
    **dict.fromkeys(("thousand", "tsd", "tsd."), 3),
    **dict.fromkeys(("lakh", "lakhs", "lac"), 5),
    **dict.fromkeys(("million", "millions", "mn", "mio", "mio.", "mln"), 6),
    **dict.fromkeys(("crore", "crores", "cr"), 7),
    **dict.fromkeys(("billion", "billions", "bn", "mrd", "mrd."), 9),
    **dict.fromkeys(("trillion", "trillions", "tn"), 12),
}
MILLION_OR_METRE = "m"
UNITS = _set(
    "mm cm dm m km in inch inches ft yd mi mile miles µm nm mg g kg lb lbs oz t ton tons tonnes ml cl dl l L gal"
    " ms s sec secs second seconds min mins minute minutes h hr hrs hour hours d day days week weeks month months mo mos"
    " year years yr yrs Hz kHz MHz GHz W kW MW GW Wh kWh MWh hp bhp PS cc V mV kV mA mAh Ah °C °F ° Pa hPa kPa MPa bar mbar psi"
    " km/h kmh kph mph m/s rpm kmpl km/l km/kg mpg Nm m² m2 m³ m3 km² km2 cm² cm2 cm³ cm3 ft² ft2 sqft sqm qm ha acre acres"
    " cal kcal kJ dB px dpi MP kB KB MB GB TB ppm ppb mmHg mg/dl mmol/l"
) | {"sq ft", "sq. ft.", "sq m", "sq. m", "sq km", "sq mi", "fl oz"}
POINTED = _set(
    "$ US$ A$ NZ$ HK$ S$ £ ¥ ₹ USD GBP JPY INR AUD NZD HKD SGD CNY in ft yd mi mile lb oz gal mph mpg sqft acre"
) | {
    "sq ft",
    "sq. ft.",
    "sq mi",
    "fl oz",
}  # written 1,234.50
NO_UNITS = _set("st nd rd th am pm a.m. p.m. or plus and bis to")  # 1st, 5 pm
WORDS = re.compile(r"[^\W\d_][^\W\d_./°²³]{0,15}([ /][^\W\d_./°²³]{1,15})?\.?")


def is_currency(mark: str) -> bool:
    """Whether it is the sign or the code of a currency."""
    return (
        mark in CODES or mark in LOCAL or (len(mark) <= 3 and any(unicodedata.category(char) == "Sc" for char in mark))
    )


def is_unit(mark: str) -> bool:
    """Whether a mark is neither a currency nor a percent sign."""
    return bool(mark) and mark != PERCENT and not is_currency(mark)


def is_common(mark: str) -> bool:
    """Whether it is a unit that needs no company to be taken for one, as any word does."""
    return mark in UNITS or f"{mark}s" in UNITS


def mark_of(before: str, after: str, attached: bool) -> tuple[str, int] | None:
    """The currency, percent sign or unit around digits, and the power of ten; None where it is something else.

    `attached` says that no blank stands between the digits and what comes after them.

    >>> mark_of("", "k", True), mark_of("$", "M", True), mark_of("", "million USD", False), mark_of("", "years", False)
    (('', 3), ('$', 6), ('USD', 6), ('year', 0))
    >>> mark_of("", "th", True), mark_of("Grade", "", False)
    (None, None)
    """
    if before and not is_currency(before):
        return (before, 0) if before == PERCENT and not after else None
    power, rest = _power(after, attached, bool(before))
    if before:
        return None if rest else (before, power)
    if not rest or rest == PERCENT or is_currency(rest):
        return rest, power
    unit = _unit(rest, attached and not power)
    return None if unit is None else (unit, power)


def _power(after: str, attached: bool, money: bool) -> tuple[int, str]:
    """The power of ten that the text begins with, and what follows it."""
    first, _, rest = after.partition(" ")
    power = ATTACHED_POWERS.get(first, 0) if attached or money else 0
    if money and first == MILLION_OR_METRE:
        power = 6
    power = power or POWERS.get(first.casefold(), 0)
    return (power, rest.strip()) if power else (0, after)


def _unit(text: str, attached: bool) -> str | None:
    """A unit, in the singular; a word that is none of those above needs a blank before it."""
    if text not in UNITS and (attached or not WORDS.fullmatch(text) or text.casefold() in NO_UNITS):
        return None
    return (
        text[:-1] if len(text) > 3 and text.endswith("s") and text != "inches" else "inch" if text == "inches" else text
    )
