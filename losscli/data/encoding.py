"""The block `data.encode` of every source: how columns become numbers. What is learned is learned from training rows."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from losscli.errors import shown
from losscli.options import Strict

LARGEST_SIZE = 1024
Named = Annotated[str, Field(min_length=1)]


class Missing(Strict):
    """What a missing value becomes: of a number, the median, the mean or a number that is given; of a category, a level of
    its own, the most frequent level, or the level `constant`. `missing: drop` says as much as `missing: {rows: drop}`.

    `numbers` is what a missing number becomes, a number itself if need be. `categories` is what a missing category becomes.
    `constant` is the level for `categories: constant`. `rows` is whether rows that lack a feature's value are kept and filled
    in, left out, or an error.
    """

    numbers: Literal["median", "mean"] | float = "median"
    categories: Literal["level", "most-frequent", "constant"] = "level"
    constant: Named | None = None
    rows: Literal["keep", "drop", "error"] = "keep"

    @model_validator(mode="after")
    def _says_which_constant(self) -> Missing:
        if self.categories == "constant" and self.constant is None:
            raise ValueError('categories: constant needs the level that a missing one becomes: add constant: "unknown"')
        if self.categories != "constant" and self.constant is not None:
            raise ValueError("constant is the level for categories: constant: leave one of them out")
        return self

    def describe(self, of_numbers: bool = True, of_categories: bool = True) -> str:
        """In words, for the kinds of columns of which some values are missing.

        >>> Missing(numbers=0, categories="most-frequent").describe()
        'a number became 0, a category the most frequent level'
        >>> Missing().describe(of_numbers=False)
        'a category became a level of its own'
        """
        number = f"the training {self.numbers}" if isinstance(self.numbers, str) else f"{self.numbers:g}"
        category = {
            "level": "a level of its own",
            "most-frequent": "the most frequent level",
            "constant": shown(self.constant),
        }[self.categories]
        if of_numbers and of_categories:
            return f"a number became {number}, a category {category}"
        return f"a number became {number}" if of_numbers else f"a category became {category}"


def _of_rows(given: Any) -> Any:
    """`missing: drop` in full."""
    if isinstance(given, str) and given not in ("drop", "error"):
        raise ValueError(
            f"expected drop, error or a block of keys such as {{numbers: mean}}, got the text {shown(given)}"
        )
    return {"rows": given} if isinstance(given, str) else given


class Tables(Strict):
    """Which categories are embedded, and into how many numbers each level is turned.

    `columns` are those that are embedded. `size` is how many numbers a level becomes.
    """

    columns: list[Named] = Field(default_factory=list)
    size: Literal["auto"] | Annotated[int, Field(ge=1, le=LARGEST_SIZE)] = "auto"


class Encoding(Strict):
    """`{numbers: standard, categories: one-hot, missing: {...}, indicator: false, embedding: {columns: [...], size: auto}}`

    `numbers` is how numbers are scaled, by what training rows hold. `categories` is what they become: a 0 or 1 for each level,
    or numbers that are learned. `missing` is what a missing value becomes. `embedding` is which categories are embedded.
    `categories: embedding` embeds all categories, `embedding.columns` those that it names. `indicator` adds a feature that
    tells where a value was missing, if training rows lack it (a category whose missing values are a level has one anyway).

    >>> Encoding(embedding=Tables(columns=["city"])).embeds("city")
    True
    """

    numbers: Literal["standard", "robust", "none"] = "standard"
    categories: Literal["one-hot", "embedding"] = "one-hot"
    missing: Annotated[Missing, BeforeValidator(_of_rows, Missing | Literal["drop", "error"])] = Missing()
    indicator: bool = False
    embedding: Tables = Tables()

    @model_validator(mode="after")
    def _embeds_all_or_some(self) -> Encoding:
        if self.categories != "one-hot" and self.embedding.columns:
            raise ValueError("categories: embedding embeds every category: leave embedding.columns out")
        return self

    def embeds(self, name: str) -> bool:
        """Whether the category of that name is embedded."""
        return self.categories != "one-hot" or name in self.embedding.columns
