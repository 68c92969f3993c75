"""What a block of a spec may hold: the strict ground that sources, models and the training plan stand on.

Options live beside what they configure: a source, a model or the training plan is a `Strict` class whose fields are its
keys in the spec. Pydantic in strict mode: `epochs: true` and `lr: "1e-3"` are mistakes, `lr: 1` is not.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """No unknown keys, no conversions, no infinities, nothing changes after validation."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
