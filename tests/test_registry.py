"""Entries by name."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from layerviz.errors import ConfigError
from layerviz.registry import Registry

pytestmark = pytest.mark.fast


@dataclass(frozen=True)
class Fruit:
    name: str
    colour: str = "red"


def fruits() -> Registry[Fruit]:
    return Registry("fruit", [Fruit("plum"), Fruit("apple", "green")])


def test_entries_are_found_by_name_in_their_order() -> None:
    assert list(fruits()) == ["plum", "apple"]
    assert fruits()["apple"].colour == "green"
    assert "plum" in fruits()
    assert len(fruits()) == 2


@pytest.mark.parametrize("name", ["pear", "", None, ["plum"]])
def test_an_unknown_name_lists_the_known_ones(name) -> None:
    with pytest.raises(ConfigError, match=r"There is no fruit .*Choose one of plum, apple"):
        fruits()[name]
    assert name not in fruits()


def test_get_falls_back_as_a_mapping_does() -> None:
    assert fruits().get("pear") is None


def test_an_entry_can_stand_in_it_for_a_while() -> None:
    registry = fruits()
    with registry.extended(Fruit("pear", "yellow")) as pear:
        assert list(registry) == ["plum", "apple", "pear"]
        assert registry["pear"] is pear
    assert "pear" not in registry


def test_two_entries_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two entries of the fruit 'plum'"):
        fruits().add(Fruit("plum"))
