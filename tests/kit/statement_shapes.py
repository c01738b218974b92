"""Every shape of every provider's statements but PayPal's and those of banks' own formats."""

from __future__ import annotations

from tests.kit.other_files import BANKS, MAPPED
from tests.kit.statement_shape import Shape
from tests.kit.stripe_files import STRIPE
from tests.kit.wise_files import WISE

SHAPES: tuple[Shape, ...] = (*WISE, *MAPPED, *STRIPE, *BANKS)
