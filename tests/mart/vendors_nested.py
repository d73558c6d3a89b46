"""Usage objects of Gemini, Bedrock and OpenTelemetry, and the usage that each of them is."""

from typing import Any

Case = tuple[dict[str, Any], dict[str, Any]]
"""The vendor's object and ours."""


def _details(**counts: int | None) -> list[dict[str, Any]]:
    return [{"modality": modality, "tokenCount": count} for modality, count in counts.items()]


GEMINI: dict[str, Case] = {
    "text": (
        {"promptTokenCount": 19, "candidatesTokenCount": 10, "totalTokenCount": 29},
        {"input_token": 19, "output_token": 10},
    ),
    "snake case": (
        {"prompt_token_count": 19, "candidates_token_count": 10, "cache_tokens_details": None, "total_token_count": 29},
        {"input_token": 19, "output_token": 10},
    ),
    "thoughts": (
        {"promptTokenCount": 19, "candidatesTokenCount": 10, "thoughtsTokenCount": 90, "totalTokenCount": 119},
        {"input_token": 19, "output_token": 100, "reasoning_token": 90},
    ),
    "thoughts alone": (
        {"promptTokenCount": 19, "thoughtsTokenCount": 90},
        {"input_token": 19, "output_token": 90, "reasoning_token": 90},
    ),
    "images made": (
        {
            "promptTokenCount": 10,
            "candidatesTokenCount": 1345,
            "candidatesTokensDetails": _details(TEXT=225, IMAGE=1120),
            "promptTokensDetails": _details(TEXT=10),
        },
        {"input_token": 10, "output_token": 1345, "output_image_token": 1120},
    ),
    "all that goes in": (
        {"promptTokenCount": 100, "promptTokensDetails": _details(TEXT=10, IMAGE=20, AUDIO=30, VIDEO=35, DOCUMENT=5)},
        {
            "input_token": 100,
            "input_image_token": 20,
            "input_audio_token": 30,
            "input_video_token": 35,
            "input_file_token": 5,
        },
    ),
    "cached": ({"promptTokenCount": 100, "cachedContentTokenCount": 60}, {"input_token": 100, "cache_read_token": 60}),
    "cached audio": (
        {
            "promptTokenCount": 100,
            "cachedContentTokenCount": 60,
            "cacheTokensDetails": _details(AUDIO=20, TEXT=40),
            "promptTokensDetails": _details(AUDIO=50, TEXT=50),
        },
        {"input_token": 100, "input_audio_token": 50, "cache_read_token": 40, "cache_read_audio_token": 20},
    ),
    "tools": (
        {
            "promptTokenCount": 100,
            "toolUsePromptTokenCount": 30,
            "toolUsePromptTokensDetails": _details(TEXT=30),
            "candidatesTokenCount": 5,
            "totalTokenCount": 135,
        },
        {"input_token": 130, "output_token": 5},
    ),
    "the live API": (
        {"promptTokenCount": 4, "responseTokenCount": 9, "responseTokensDetails": _details(AUDIO=9)},
        {"input_token": 4, "output_token": 9, "output_audio_token": 9},
    ),
    "details without their totals": (
        {
            "promptTokensDetails": _details(TEXT=10, AUDIO=5),
            "cacheTokensDetails": _details(TEXT=4, AUDIO=2),
            "candidatesTokensDetails": _details(TEXT=3),
        },
        {
            "input_token": 15,
            "input_audio_token": 5,
            "cache_read_token": 4,
            "cache_read_audio_token": 2,
            "output_token": 3,
        },
    ),
    "one modality twice": (
        {"promptTokenCount": 100, "promptTokensDetails": [*_details(AUDIO=20), *_details(AUDIO=30)]},
        {"input_token": 100, "input_audio_token": 50},
    ),
    "more cached audio than was cached": (
        {"promptTokenCount": 100, "cachedContentTokenCount": 60, "cacheTokensDetails": _details(AUDIO=70)},
        {
            "input_token": 100,
            "cache_read_token": -10,
            "cache_read_audio_token": 70,
            "note": "a total and its parts disagree: cacheTokensDetails.AUDIO.tokenCount 70,"
            " cachedContentTokenCount 60",
        },
    ),
    "another total": (
        {"promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 4},
        {
            "input_token": 1,
            "output_token": 2,
            "note": "a total and its parts disagree: totalTokenCount 4, input_token 1, output_token 2",
        },
    ),
    "unknown modality": (
        {"promptTokenCount": 9, "promptTokensDetails": _details(SMELL=9), "trafficType": "PROVISIONED_THROUGHPUT"},
        {
            "input_token": 9,
            "note": "no meter for: promptTokensDetails.SMELL.tokenCount 9, trafficType PROVISIONED_THROUGHPUT",
        },
    ),
    "nulls": (
        {
            "promptTokenCount": 9,
            "candidatesTokenCount": None,
            "promptTokensDetails": _details(TEXT=9, AUDIO=None),
            "trafficType": "ON_DEMAND",
        },
        {"input_token": 9},
    ),
}
BEDROCK: dict[str, Case] = {
    "text": ({"inputTokens": 19, "outputTokens": 10, "totalTokens": 29}, {"input_token": 19, "output_token": 10}),
    "read and written": (
        {
            "inputTokens": 19,
            "outputTokens": 10,
            "totalTokens": 1029,
            "cacheReadInputTokens": 600,
            "cacheWriteInputTokens": 400,
        },
        {"input_token": 1019, "output_token": 10, "cache_read_token": 600, "cache_write_token": 400},
    ),
    "a total without the cache": (
        {"inputTokens": 19, "outputTokens": 10, "totalTokens": 29, "cacheReadInputTokens": 600},
        {"input_token": 619, "output_token": 10, "cache_read_token": 600},
    ),
    "both lifetimes": (
        {
            "inputTokens": 19,
            "cacheWriteInputTokens": 400,
            "cacheDetails": [{"ttl": "1h", "inputTokens": 100}, {"ttl": "5m", "inputTokens": 300}],
        },
        {"input_token": 419, "cache_write_token": 400, "cache_write_5m_token": 300, "cache_write_1h_token": 100},
    ),
    "lifetimes without their total": (
        {"inputTokens": 19, "cacheDetails": [{"ttl": "1h", "inputTokens": 100}]},
        {"input_token": 119, "cache_write_1h_token": 100},
    ),
    "no details": (
        {"inputTokens": 19, "cacheDetails": [], "cacheWriteInputTokens": 0},
        {"input_token": 19, "cache_write_token": 0},
    ),
    "the names of Nova": (
        {"inputTokens": 19, "cacheReadInputTokenCount": 6, "cacheWriteInputTokenCount": 4},
        {"input_token": 29, "cache_read_token": 6, "cache_write_token": 4},
    ),
    "both names": (
        {"inputTokens": 19, "cacheReadInputTokens": 6, "cacheReadInputTokenCount": 6},
        {"input_token": 25, "cache_read_token": 6},
    ),
    "nulls": ({"inputTokens": 19, "cacheReadInputTokens": None, "outputTokens": None}, {"input_token": 19}),
    "another lifetime": (
        {"inputTokens": 19, "cacheWriteInputTokens": 4, "cacheDetails": [{"ttl": "1d", "inputTokens": 4}]},
        {"input_token": 23, "cache_write_token": 4, "note": "no meter for: cacheDetails.1d.inputTokens 4"},
    ),
    "unknown fields": (
        {"inputTokens": 19, "toolTokens": 4, "serverToolUsage": {"calls": 2}},
        {"input_token": 19, "note": "no meter for: serverToolUsage.calls 2, toolTokens 4"},
    ),
    "another total": (
        {"inputTokens": 19, "outputTokens": 10, "totalTokens": 30},
        {"input_token": 19, "output_token": 10}
        | {"note": "a total and its parts disagree: totalTokens 30, input_token 19, output_token 10"},
    ),
}
OTEL: dict[str, Case] = {
    "text": (
        {"gen_ai.usage.input_tokens": 19, "gen_ai.usage.output_tokens": 10},
        {"input_token": 19, "output_token": 10},
    ),
    "nested": (
        {"gen_ai": {"usage": {"input_tokens": 19, "output_tokens": 10}}},
        {"input_token": 19, "output_token": 10},
    ),
    "cached": (
        {
            "gen_ai.usage.input_tokens": 1000,
            "gen_ai.usage.cache_read.input_tokens": 600,
            "gen_ai.usage.cache_creation.input_tokens": 300,
        },
        {"input_token": 1000, "cache_read_token": 600, "cache_write_token": 300},
    ),
    "cached, nested": (
        {"gen_ai": {"usage": {"input_tokens": 1000, "cache_read": {"input_tokens": 600}}}},
        {"input_token": 1000, "cache_read_token": 600},
    ),
    "reasoning": (
        {"gen_ai.usage.output_tokens": 500, "gen_ai.usage.reasoning.output_tokens": 400},
        {"output_token": 500, "reasoning_token": 400},
    ),
    "the old names": (
        {"gen_ai.usage.prompt_tokens": 19, "gen_ai.usage.completion_tokens": 10, "gen_ai.usage.total_tokens": 29},
        {"input_token": 19, "output_token": 10},
    ),
    "old and new names": (
        {"gen_ai.usage.prompt_tokens": 19, "gen_ai.usage.input_tokens": 19},
        {"input_token": 19},
    ),
    "old and new names that differ": (
        {"gen_ai.usage.prompt_tokens": 18, "gen_ai.usage.input_tokens": 19},
        {"input_token": 19, "note": "no meter for: gen_ai.usage.prompt_tokens 18"},
    ),
    "other attributes": (
        {"gen_ai.usage.input_tokens": 19, "gen_ai.request.model": "gpt-5", "gen_ai.usage.image_tokens": 4},
        {"input_token": 19, "note": "no meter for: gen_ai.request.model gpt-5, gen_ai.usage.image_tokens 4"},
    ),
    "nulls": ({"gen_ai.usage.input_tokens": 19, "gen_ai.usage.output_tokens": None}, {"input_token": 19}),
    "zero": ({"gen_ai.usage.input_tokens": 0}, {"input_token": 0}),
    "text for a number": ({"gen_ai.usage.input_tokens": "19"}, {"input_token": "19"}),
}
