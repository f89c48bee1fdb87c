"""Figures on cards: a number with what it is made of, never a bare percentage."""

from dataclasses import dataclass

from campaigns.text.cost import indian, percent


@dataclass(frozen=True)
class Tile:
    name: str
    figure: str
    under: str


def delivered_share(delivered: int, at_operator: int, final: int) -> Tile:
    """Delivered of all that have a final report; what waits or is in doubt is in neither number."""
    if not final:
        return Tile("Delivered", "–", "no final report yet")
    under = f"{indian(delivered)} of {indian(final)} final"
    if at_operator:
        under += f" · {indian(at_operator)} at the operator"
    return Tile("Delivered", percent(delivered, final), under)
