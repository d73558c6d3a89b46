"""Labels that can be trusted: which prices look like mistakes, judged across sources, and which a person accepted."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

BASKET = "core.refresh_basket(text, timestamptz)"

PRICED = "AND p.price_state = ''priced''\n"

TRUSTED = """AND p.price_state = ''priced''
       -- What looks like a mistake is no item while it does, so that neither it nor its correction is a step.
       AND NOT EXISTS (SELECT FROM core.suspicion s
                        WHERE (s.source, s.model_id, s.provider, s.region, s.plan, s.meter, s.tier_start, s.valid_from)
                            = (p.source, p.model_id, p.provider, p.region, p.plan, p.meter, p.tier_start, p.valid_from)
                          AND NOT s.is_accepted)
"""

KEY = """
    source text NOT NULL, model_id text NOT NULL, provider text NOT NULL, region text NOT NULL, plan text NOT NULL,
    meter text NOT NULL, tier_start bigint NOT NULL
"""

PROVIDERS = {
    "azure": "azureai azureopenai microsoftazure",
    "bedrock": "amazonbedrock awsbedrock",
    "cloudflare": "cloudflareworkersai workersai",
    "deepseek": "deepseekai",
    "fireworks": "fireworksai",
    "googleaistudio": "gemini googleai googlegemini",
    "mistral": "mistralai",
    "moonshotai": "moonshot",
    "nebius": "nebiusai nebiustokenfactory",
    "novita": "novitaai",
    "perplexity": "perplexityai",
    "together": "togetherai",
    "vertex": "googlevertex googlevertexai vertexai",
    "wandb": "weightsandbiases",
    "xai": "grok spacexai",
    "zai": "zhipu zhipuai",
}
"""Other names of providers, in small letters and digits alone (docs/identity.md)."""


def upgrade() -> None:
    """Add what is derived across sources, what persons accepted, and the name under which a provider is one."""
    _providers()
    op.execute(
        f"""
        CREATE TABLE core.suspicion ({KEY},
            valid_from        timestamptz NOT NULL,
            valid_to          timestamptz,
            currency          text NOT NULL,
            unit_price        numeric NOT NULL,
            reasons           text[] NOT NULL,
            last_unit_price   numeric,
            others_unit_price numeric,
            is_accepted       boolean NOT NULL,
            CONSTRAINT suspicion_pkey
                PRIMARY KEY (source, model_id, provider, region, plan, meter, tier_start, valid_from)
        )
        """
    )
    # Versions of a price never overlap. The planner needs to know it, to leave out who is joined and not asked for.
    op.execute(
        "CREATE UNIQUE INDEX suspicion_end_key ON core.suspicion"
        " (source, model_id, provider, region, plan, meter, tier_start, valid_to)"
    )
    op.execute(
        "CREATE TABLE core.suspicion_mark"
        " (mark text CONSTRAINT suspicion_mark_pkey PRIMARY KEY, position bigint NOT NULL)"
    )
    op.execute(
        f"""
        CREATE TABLE core.acceptance (
            acceptance_id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT acceptance_pkey PRIMARY KEY,
            {KEY},
            currency      text NOT NULL,
            unit_price    numeric NOT NULL,
            valid_from    timestamptz NOT NULL,
            reasons       text[] NOT NULL,
            accepted_by   text NOT NULL,
            why           text NOT NULL,
            known_from    timestamptz NOT NULL,
            withdrawn_by  text,
            known_to      timestamptz,
            CONSTRAINT acceptance_known_check
                CHECK ((known_to IS NULL) = (withdrawn_by IS NULL) AND known_to >= known_from)
        )
        """
    )
    op.execute(
        "CREATE UNIQUE INDEX acceptance_current_key ON core.acceptance"
        " (source, model_id, provider, region, plan, meter, tier_start, currency, unit_price, valid_from)"
        " WHERE known_to IS NULL"
    )
    op.execute(
        """
        -- Where nobody else sells it, a step from beyond the range of its meter to well inside it is the correction.
        CREATE FUNCTION core.suspicion_left(reasons text[], unit_price numeric, last_unit_price numeric,
                                            others_unit_price numeric, low numeric, high numeric) RETURNS text[]
        LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
        RETURN CASE WHEN others_unit_price IS NULL AND last_unit_price NOT BETWEEN low AND high
                         AND unit_price BETWEEN 10 * low AND high / 10
                    THEN array_remove(array_remove(reasons, 'step'), 'power_of_ten') ELSE reasons END
        """
    )
    _replace_in_basket(PRICED, TRUSTED)


def _providers() -> None:
    """One name for all spellings of a provider. A function and no table, for a load asks it of what it has just met."""
    others = " ".join(f"WHEN '{other}' THEN '{name}'" for name, names in PROVIDERS.items() for other in names.split())
    op.execute(
        f"""
        CREATE FUNCTION core.provider_key(provider text) RETURNS text
        LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT SET search_path = pg_catalog, pg_temp
        RETURN (SELECT CASE word {others} ELSE word END
                  FROM (SELECT regexp_replace(lower(provider), '[^[:alnum:]]+', '', 'g') AS word) spelled)
        """
    )


def _replace_in_basket(former: str, new: str) -> None:
    """Change one condition of the function that refreshes a basket, whatever else other revisions made of it."""
    op.execute(
        f"""
        DO $do$ BEGIN
            EXECUTE replace(pg_get_functiondef('{BASKET}'::regprocedure), '{former}', '{new}');
        END $do$
        """
    )


def downgrade() -> None:
    """Drop the labels, and the acceptances with them; an index with suspect steps is worked out at the next change."""
    _replace_in_basket(TRUSTED, PRICED)
    op.execute("DROP TABLE core.acceptance, core.suspicion_mark, core.suspicion")
    op.execute("DROP FUNCTION core.provider_key, core.suspicion_left")
