"""Questions that the sample warehouse answers in plain SQL over the mart, as anybody would ask them.

Gateways name one model differently, ``openai/gpt-4o`` and ``gpt-4o``: what follows the last slash is compared.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the SELECT that answers it in a few rows; no parameters, safe to run as it stands."""

    title: str
    sql: str


CHEAPEST = Question(
    "Where is each model cheapest, and how much dearer is the dearest offer? (USD per million input tokens)",
    r"""
SELECT regexp_replace(model_id, '^.*/', '') AS model,
       count(*) AS offers,
       min(usd_per_million) AS cheapest,
       (array_agg(source || ', ' || provider ORDER BY usd_per_million, source, provider))[1] AS cheapest_at,
       max(usd_per_million) AS dearest,
       round(max(usd_per_million) / min(usd_per_million), 2) AS times
  FROM mart.price_current
 WHERE source LIKE 'demo\_%' AND meter = 'input_token' AND tier_start = 0 AND usd_per_million > 0
 GROUP BY model
HAVING count(DISTINCT source) > 1
 ORDER BY times DESC, model
 LIMIT 8
""",
)

ON_A_DAY = Question(
    "What did deepseek-chat cost on 20 November 2025? (USD per million tokens)",
    r"""
SELECT source, provider,
       max(usd_per_million) FILTER (WHERE meter = 'input_token') AS input,
       max(usd_per_million) FILTER (WHERE meter = 'output_token') AS output,
       max(usd_per_million) FILTER (WHERE meter LIKE 'cache\_read%') AS cache_read,
       max(valid_from)::date AS since
  FROM mart.price_as_of('2025-11-20 12:00 UTC')
 WHERE source LIKE 'demo\_%' AND model_id LIKE '%deepseek-chat'
 GROUP BY source, provider
 ORDER BY input, source, provider
""",
)

WHO_WAS_FIRST = Question(
    "Which gateway passed on DeepSeek's price cut first? (per million input tokens)",
    r"""
SELECT source, provider,
       trim_scale(old_unit_price * 1000000) AS old,
       trim_scale(new_unit_price * 1000000) AS new,
       currency,
       not_before::date || ' to ' || changed_at::date AS happened_within
  FROM mart.price_change
 WHERE source LIKE 'demo\_%' AND model_id LIKE '%deepseek-chat' AND meter = 'input_token' AND change = 'decreased'
 ORDER BY changed_at, source
""",
)

BIGGEST_CUTS = Question(
    "What was each model's biggest price cut, mistakes left out? (per million tokens)",
    r"""
SELECT model, meter, old, new, currency, seen
  FROM (SELECT DISTINCT ON (model) regexp_replace(model_id, '^.*/', '') AS model, meter, currency, ratio,
               trim_scale(old_unit_price * 1000000) AS old,
               trim_scale(new_unit_price * 1000000) AS new,
               source || ', ' || changed_at::date AS seen
          FROM mart.price_change
         WHERE source LIKE 'demo\_%' AND change = 'decreased' AND meter LIKE '%\_token'
           AND NOT is_suspect AND NOT is_correction
         ORDER BY model, ratio, changed_at, source, meter) AS cut
 ORDER BY ratio, model
 LIMIT 8
""",
)

GONE_AND_BACK = Question(
    "Which models vanished, and which of them came back?",
    r"""
SELECT source, model_id, went::date AS went, returned::date AS returned, returned::date - went::date AS days_away
  FROM (SELECT source, model_id,
               max(changed_at) FILTER (WHERE change = 'went') AS went,
               max(changed_at) FILTER (WHERE change = 'returned') AS returned
          FROM mart.catalog_change
         WHERE source LIKE 'demo\_%' AND entity = 'model' AND change IN ('went', 'returned')
         GROUP BY source, model_id) AS absence
 ORDER BY went, source, model_id
 LIMIT 8
""",
)

TIERS = Question(
    "Where do long prompts cost more, and from how many tokens? (USD per million tokens)",
    r"""
SELECT model_id, provider, tier_start AS from_tokens, tier_end AS below_tokens,
       max(usd_per_million) FILTER (WHERE meter = 'input_token') AS input,
       max(usd_per_million) FILTER (WHERE meter = 'output_token') AS output
  FROM mart.price_current
 WHERE source LIKE 'demo\_%' AND meter IN ('input_token', 'output_token') AND (tier_start > 0 OR tier_end IS NOT NULL)
 GROUP BY source, model_id, provider, tier_start, tier_end
 ORDER BY model_id, provider, tier_start
 LIMIT 8
""",
)

CREDITS = Question(
    "What are credits in dollars, beside the cheapest offer elsewhere? (USD per million input tokens)",
    r"""
SELECT credit.model_id,
       trim_scale(credit.unit_price * 1000) AS credits_per_1000,
       credit.usd_per_million,
       min(elsewhere.usd_per_million) AS elsewhere,
       round(credit.usd_per_million / min(elsewhere.usd_per_million), 2) AS times
  FROM mart.price_current AS credit
  JOIN mart.price_current AS elsewhere
    ON regexp_replace(elsewhere.model_id, '^.*/', '') = credit.model_id AND elsewhere.meter = credit.meter
   AND elsewhere.currency <> 'CREDIT' AND elsewhere.tier_start = 0 AND elsewhere.source LIKE 'demo\_%'
 WHERE credit.source LIKE 'demo\_%' AND credit.currency = 'CREDIT' AND credit.meter = 'input_token'
 GROUP BY credit.model_id, credit.unit_price, credit.usd_per_million
 ORDER BY times DESC, credit.model_id
 LIMIT 8
""",
)

NO_PLAIN_DOLLARS = Question(
    "Which prices are free, dynamic, or in a currency without a rate? (per million input tokens)",
    r"""
SELECT source, model_id, provider, price_state, currency, trim_scale(unit_price * 1000000) AS quoted
  FROM mart.price_current
 WHERE source LIKE 'demo\_%' AND meter = 'input_token' AND (price_state <> 'priced' OR unit_price_usd IS NULL)
 ORDER BY price_state, source, model_id, provider
 LIMIT 8
""",
)

DOUBTFUL = Question(
    "Which changes look like a mistake, or were taken back? (USD per million tokens)",
    r"""
SELECT model_id, meter,
       trim_scale(old_unit_price * 1000000) AS old,
       trim_scale(new_unit_price * 1000000) AS new,
       changed_at::date AS seen,
       concat_ws(', ', CASE WHEN is_suspect THEN 'suspect' END, CASE WHEN is_correction THEN 'correction' END,
                 CASE WHEN is_reversal THEN 'reversal' END,
                 (SELECT min('accepted by ' || a.accepted_by || ', withdrawn later') FROM mart.accepted_price a
                   WHERE (a.source, a.model_id, a.meter, a.unit_price)
                       = (c.source, c.model_id, c.meter, c.new_unit_price) AND c.is_suspect)) AS verdict
  FROM mart.price_change c
 WHERE source LIKE 'demo\_%' AND currency = 'USD' AND (is_suspect OR is_reversal)
 ORDER BY changed_at, source, model_id, meter
 LIMIT 8
""",
)

QUESTIONS = (
    CHEAPEST,
    ON_A_DAY,
    WHO_WAS_FIRST,
    BIGGEST_CUTS,
    GONE_AND_BACK,
    TIERS,
    CREDITS,
    NO_PLAIN_DOLLARS,
    DOUBTFUL,
)
