-- One row per field of a vendor's usage object and meter that it counts for: what usage_from knows, and all it knows.
--
-- Written from the public descriptions of the APIs. OpenAI, Gemini and OpenTelemetry count what was cached inside the
-- input; Anthropic and Bedrock count it beside the input, so that there it is added. Gemini counts thoughts and the
-- prompts of tools beside its two totals.
CREATE VIEW mart.usage_field AS
WITH modality (modality, gemini) AS (
    VALUES ('image', 'IMAGE'), ('audio', 'AUDIO'), ('video', 'VIDEO'), ('file', 'DOCUMENT')
), openai (vendor, input, output) AS (
    VALUES ('openai.chat', 'prompt_tokens', 'completion_tokens'), ('openai.responses', 'input_tokens', 'output_tokens')
), listed (vendor, field, meter, sign, only_with, only_without, same_as, is_total, quiet) AS (
    SELECT o.vendor, f.field, f.meter, 1, NULL, NULL, NULL, f.field = 'total_tokens', NULL::text[]
      FROM openai o
     CROSS JOIN LATERAL (
        VALUES (o.input, 'input_token'), (o.output, 'output_token'), ('total_tokens', NULL),
               (o.input || '_details.text_tokens', NULL),
               (o.input || '_details.cached_tokens', 'cache_read_token'),
               (o.input || '_details.cache_write_tokens', 'cache_write_token'),
               (o.input || '_details.cached_tokens_details.text_tokens', NULL),
               (o.output || '_details.text_tokens', NULL),
               (o.output || '_details.reasoning_tokens', 'reasoning_token'),
               (o.output || '_details.accepted_prediction_tokens', NULL),
               (o.output || '_details.rejected_prediction_tokens', NULL)) f (field, meter)
    UNION ALL
    SELECT o.vendor, f.field, f.meter, f.sign, f.only_with, NULL, NULL, false, NULL
      FROM openai o CROSS JOIN modality m
     CROSS JOIN LATERAL (
        VALUES (format('%s_details.%s_tokens', o.input, m.modality), format('input_%s_token', m.modality), 1, NULL),
               (format('%s_details.%s_tokens', o.output, m.modality), format('output_%s_token', m.modality), 1, NULL),
               (format('%s_details.cached_tokens_details.%s_tokens', o.input, m.modality),
                format('cache_read_%s_token', m.modality), 1, NULL),
               (format('%s_details.cached_tokens_details.%s_tokens', o.input, m.modality), 'cache_read_token', -1,
                o.input || '_details.cached_tokens')) f (field, meter, sign, only_with)
    UNION ALL
    SELECT 'gemini', format('%s.%s.tokenCount', d.list, m.gemini), d.meter, d.sign, d.only_with, d.only_without,
           CASE WHEN d.same_as IS NOT NULL THEN format('%s.%s.tokenCount', d.same_as, m.gemini) END, false, NULL
      FROM (SELECT modality, gemini FROM modality UNION ALL VALUES ('text', 'TEXT')) m
     CROSS JOIN LATERAL (
        VALUES ('promptTokensDetails', CASE WHEN m.modality <> 'text' THEN format('input_%s_token', m.modality) END, 1, NULL, NULL, NULL),
               ('promptTokensDetails', 'input_token', 1, NULL, 'promptTokenCount', NULL),
               ('toolUsePromptTokensDetails', CASE WHEN m.modality <> 'text' THEN format('input_%s_token', m.modality) END, 1, NULL, NULL, NULL),
               ('toolUsePromptTokensDetails', 'input_token', 1, NULL, 'toolUsePromptTokenCount', NULL),
               ('cacheTokensDetails', CASE WHEN m.modality <> 'text' THEN format('cache_read_%s_token', m.modality) END, 1, NULL, NULL, NULL),
               ('cacheTokensDetails', CASE WHEN m.modality = 'text' THEN 'cache_read_token' END, 1, NULL, 'cachedContentTokenCount', NULL),
               ('cacheTokensDetails', CASE WHEN m.modality <> 'text' THEN 'cache_read_token' END, -1, 'cachedContentTokenCount', NULL, NULL),
               ('candidatesTokensDetails', CASE WHEN m.modality <> 'text' THEN format('output_%s_token', m.modality) END, 1, NULL, NULL, NULL),
               ('candidatesTokensDetails', 'output_token', 1, NULL, 'candidatesTokenCount', NULL),
               ('responseTokensDetails', NULL, 1, NULL, NULL, 'candidatesTokensDetails')) d (list, meter, sign, only_with, only_without, same_as)
     WHERE d.meter IS NOT NULL OR d.same_as IS NOT NULL OR m.modality = 'text' AND d.only_with IS NULL AND d.only_without IS NULL
    UNION ALL
    SELECT vendor, field, meter, 1, NULL, only_without, same_as, field IN ('totalTokenCount', 'totalTokens', 'gen_ai.usage.total_tokens'), quiet
      FROM (VALUES ('anthropic', 'input_tokens', 'input_token', NULL, NULL, NULL::text[]),
                   ('anthropic', 'output_tokens', 'output_token', NULL, NULL, NULL),
                   ('anthropic', 'output_tokens_details.thinking_tokens', 'reasoning_token', NULL, NULL, NULL),
                   ('anthropic', 'cache_read_input_tokens', 'input_token', NULL, NULL, NULL),
                   ('anthropic', 'cache_read_input_tokens', 'cache_read_token', NULL, NULL, NULL),
                   ('anthropic', 'cache_creation_input_tokens', 'input_token', NULL, NULL, NULL),
                   ('anthropic', 'cache_creation_input_tokens', 'cache_write_token', NULL, NULL, NULL),
                   ('anthropic', 'cache_creation.ephemeral_5m_input_tokens', 'cache_write_5m_token', NULL, NULL, NULL),
                   ('anthropic', 'cache_creation.ephemeral_5m_input_tokens', 'input_token', 'cache_creation_input_tokens', NULL, NULL),
                   ('anthropic', 'cache_creation.ephemeral_1h_input_tokens', 'cache_write_1h_token', NULL, NULL, NULL),
                   ('anthropic', 'cache_creation.ephemeral_1h_input_tokens', 'input_token', 'cache_creation_input_tokens', NULL, NULL),
                   ('anthropic', 'server_tool_use.web_search_requests', 'web_search', NULL, NULL, NULL),
                   ('anthropic', 'server_tool_use.web_fetch_requests', NULL, NULL, NULL, NULL),
                   ('anthropic', 'iterations', NULL, NULL, NULL, NULL),
                   ('anthropic', 'service_tier', NULL, NULL, NULL, '{standard}'),
                   ('anthropic', 'inference_geo', NULL, NULL, NULL, '{global, not_available}'),
                   ('gemini', 'promptTokenCount', 'input_token', NULL, NULL, NULL),
                   ('gemini', 'toolUsePromptTokenCount', 'input_token', NULL, NULL, NULL),
                   ('gemini', 'cachedContentTokenCount', 'cache_read_token', NULL, NULL, NULL),
                   ('gemini', 'candidatesTokenCount', 'output_token', NULL, NULL, NULL),
                   ('gemini', 'responseTokenCount', NULL, NULL, 'candidatesTokenCount', NULL),
                   ('gemini', 'thoughtsTokenCount', 'output_token', NULL, NULL, NULL),
                   ('gemini', 'thoughtsTokenCount', 'reasoning_token', NULL, NULL, NULL),
                   ('gemini', 'totalTokenCount', NULL, NULL, NULL, NULL),
                   ('gemini', 'trafficType', NULL, NULL, NULL, '{on_demand, traffic_type_unspecified}'),
                   ('gemini', 'serviceTier', NULL, NULL, NULL, '{standard, unspecified}'),
                   ('bedrock', 'inputTokens', 'input_token', NULL, NULL, NULL),
                   ('bedrock', 'outputTokens', 'output_token', NULL, NULL, NULL),
                   ('bedrock', 'totalTokens', NULL, NULL, NULL, NULL),
                   ('bedrock', 'cacheReadInputTokens', 'input_token', NULL, NULL, NULL),
                   ('bedrock', 'cacheReadInputTokens', 'cache_read_token', NULL, NULL, NULL),
                   ('bedrock', 'cacheReadInputTokenCount', NULL, NULL, 'cacheReadInputTokens', NULL),
                   ('bedrock', 'cacheWriteInputTokens', 'input_token', NULL, NULL, NULL),
                   ('bedrock', 'cacheWriteInputTokens', 'cache_write_token', NULL, NULL, NULL),
                   ('bedrock', 'cacheWriteInputTokenCount', NULL, NULL, 'cacheWriteInputTokens', NULL),
                   ('bedrock', 'cacheDetails.5m.inputTokens', 'cache_write_5m_token', NULL, NULL, NULL),
                   ('bedrock', 'cacheDetails.5m.inputTokens', 'input_token', 'cacheWriteInputTokens', NULL, NULL),
                   ('bedrock', 'cacheDetails.1h.inputTokens', 'cache_write_1h_token', NULL, NULL, NULL),
                   ('bedrock', 'cacheDetails.1h.inputTokens', 'input_token', 'cacheWriteInputTokens', NULL, NULL),
                   ('otel', 'gen_ai.usage.input_tokens', 'input_token', NULL, NULL, NULL),
                   ('otel', 'gen_ai.usage.prompt_tokens', NULL, NULL, 'gen_ai.usage.input_tokens', NULL),
                   ('otel', 'gen_ai.usage.cache_read.input_tokens', 'cache_read_token', NULL, NULL, NULL),
                   ('otel', 'gen_ai.usage.cache_creation.input_tokens', 'cache_write_token', NULL, NULL, NULL),
                   ('otel', 'gen_ai.usage.output_tokens', 'output_token', NULL, NULL, NULL),
                   ('otel', 'gen_ai.usage.completion_tokens', NULL, NULL, 'gen_ai.usage.output_tokens', NULL),
                   ('otel', 'gen_ai.usage.reasoning.output_tokens', 'reasoning_token', NULL, NULL, NULL),
                   ('otel', 'gen_ai.usage.total_tokens', NULL, NULL, NULL, NULL)
           ) plain (vendor, field, meter, only_without, same_as, quiet)
)
SELECT vendor, field, meter, sign, only_with, only_without, same_as, is_total, quiet,
       replace(lower(field), '_', '') AS spelling
  FROM listed;

COMMENT ON VIEW mart.usage_field IS
    'One row per field of a vendor''s usage object and meter that it counts for: what usage_from knows. A field without a meter is counted in another one, or is a total, or is no count.';
