"""genai-prices, run in an environment of its own: its prices as JSON lines, or what usages cost by them.

``python -m benchmarks._peers.genai_prices_calc`` prints one model a line. With lines on stdin, each a JSON list of
provider, model and usage, it prints the total of each, as decimal text.
"""

import json
import sys
from typing import Any

from genai_prices.data import providers  # type: ignore[import-not-found,unused-ignore]
from genai_prices.types import ModelPrice, TieredPrices, Usage  # type: ignore[import-not-found,unused-ignore]

MODELS = {
    (provider.id, model.id): model
    for provider in providers
    for model in provider.models
    if isinstance(model.prices, ModelPrice)
}


def main() -> None:
    """Answer what is asked on stdin, or list the prices."""
    asked = sys.stdin.read().splitlines()
    answers = [_cost(*json.loads(line)) for line in asked] if asked else [_prices(*key) for key in MODELS]
    sys.stdout.writelines(f"{answer}\n" for answer in answers)


def _prices(provider: str, model: str) -> str:
    prices = {key: _tiers(price) for key, price in vars(MODELS[provider, model].prices).items() if price is not None}
    return json.dumps([provider, model, prices])


def _tiers(price: Any) -> dict[str, str]:
    """The price from each size of the prompt on, by its convention: beyond that size."""
    if isinstance(price, TieredPrices):
        return {"0": str(price.base)} | {str(tier.start): str(tier.price) for tier in price.tiers}
    return {"0": str(price)}


def _cost(provider: str, model: str, usage: dict[str, int]) -> str:
    return str(MODELS[provider, model].prices.calc_price(Usage(**usage))["total_price"])


if __name__ == "__main__":
    main()
