-- One row per price in force in a kind of source with a known margin: what the provider charges without it.
CREATE VIEW mart.provider_cost AS
SELECT p.source, p.model_id, p.provider, p.region, p.plan, p.meter, p.tier_start, p.currency, p.unit_price,
       m.factor AS margin, cost.provider_unit_price, cost.provider_unit_price_usd,
       CASE WHEN p.usd_per_million IS NOT NULL THEN trim_scale(cost.provider_unit_price_usd * 1000000) END
           AS provider_usd_per_million,
       m.origin AS margin_origin,
       CASE WHEN p.usd_per_million IS NOT NULL THEN (cost.provider_unit_price_usd * 1000000)::double precision END
           AS provider_usd_per_million_double
  FROM mart.price_current p
 CROSS JOIN LATERAL (SELECT r.factor, r.origin FROM core.margin r
                      WHERE r.kind = p.kind AND r.valid_from <= now()
                      ORDER BY r.valid_from DESC LIMIT 1) m
 -- Division keeps as many decimals as its operands are written with, here more than the smallest amount needs;
 -- of those the form with an exponent keeps 28 significant digits.
 CROSS JOIN LATERAL (
    SELECT trim_scale(to_char(round(p.unit_price, 300) / m.factor, form.digits)::numeric) AS provider_unit_price,
           trim_scale(to_char(round(p.unit_price_usd, 300) / m.factor, form.digits)::numeric) AS provider_unit_price_usd
      FROM (VALUES ('9.' || repeat('9', 27) || 'EEEE')) form (digits)) cost;

COMMENT ON VIEW mart.provider_cost IS
    'One row per price in force in a kind of source with a known margin, as believed now, at today''s margin and rate: '
    'what the provider charges without the margin, to 28 significant digits. Null where the price is dynamic.';
