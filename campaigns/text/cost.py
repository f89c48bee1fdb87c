"""Rupees, and numbers as they are read in India."""

from decimal import ROUND_HALF_UP, Decimal

PLACES = Decimal("0.0001")
PAISE = Decimal("0.01")


def cost(units: int, rate: Decimal) -> Decimal:
    """Rupees for so many units, to four places: rates are fractions of a paisa."""
    return (units * rate).quantize(PLACES, ROUND_HALF_UP)


def indian(number: int) -> str:
    """1,02,310: the last three digits, then pairs."""
    sign, digits = "-" if number < 0 else "", str(abs(number))
    head, tail = digits[:-3], digits[-3:]
    pairs = [head[max(i - 2, 0) : i] for i in range(len(head), 0, -2)][::-1]
    return sign + ",".join([*pairs, tail])


def rupees(amount: Decimal) -> str:
    """₹ 1,02,310; with paise below a thousand rupees, where they matter."""
    if abs(amount) >= 1000:
        return f"₹ {indian(int(amount.quantize(Decimal(1), ROUND_HALF_UP)))}"
    exact = amount.quantize(PAISE, ROUND_HALF_UP)
    whole, _, paise = f"{exact:f}".partition(".")
    return f"₹ {whole}.{paise}"


def exact(amount: Decimal) -> str:
    """₹ 1,02,310.50, where a limit is compared with what stands against it."""
    whole, _, paise = f"{abs(amount).quantize(PAISE, ROUND_HALF_UP):f}".partition(".")
    return f"{'-' if amount < 0 else ''}₹ {indian(int(whole))}.{paise}"


def percent(part: int, whole: int) -> str:
    """94.6 %, or a dash when there is nothing to be a part of."""
    return f"{100 * part / whole:.1f} %" if whole else "–"
