"""Usage objects of each vendor as its public description shows them, and the usage that each of them is."""

from tests.mart.vendors_nested import BEDROCK, GEMINI, OTEL, Case


def openai(prompt: str, completion: str) -> dict[str, Case]:
    """The two APIs of OpenAI differ in the names of the two totals alone."""
    inside, made = f"{prompt}_details", f"{completion}_details"
    plain = {prompt: 1000, completion: 500, "total_tokens": 1500}
    ours = {"input_token": 1000, "output_token": 500}
    return {
        "text": (plain, ours),
        "nulls": (plain | {inside: None, made: {"reasoning_tokens": None}}, ours),
        "no details": (plain | {inside: {}, made: {}}, ours),
        "cached": (plain | {inside: {"cached_tokens": 600}}, ours | {"cache_read_token": 600}),
        "written": (plain | {inside: {"cache_write_tokens": 6}}, ours | {"cache_write_token": 6}),
        "reasoning": (plain | {made: {"reasoning_tokens": 400}}, ours | {"reasoning_token": 400}),
        "audio": (
            plain | {inside: {"audio_tokens": 30, "text_tokens": 970}, made: {"audio_tokens": 20, "text_tokens": 480}},
            ours | {"input_audio_token": 30, "output_audio_token": 20},
        ),
        "cached audio": (
            plain
            | {
                inside: {
                    "cached_tokens": 90,
                    "audio_tokens": 30,
                    "cached_tokens_details": {"audio_tokens": 20, "text_tokens": 70},
                }
            },
            ours | {"cache_read_token": 70, "cache_read_audio_token": 20, "input_audio_token": 30},
        ),
        "images": (
            plain | {inside: {"image_tokens": 300}, made: {"image_tokens": 400}},
            ours | {"input_image_token": 300, "output_image_token": 400},
        ),
        "predictions": (plain | {made: {"accepted_prediction_tokens": 9, "rejected_prediction_tokens": 3}}, ours),
        "zero": ({prompt: 0, completion: 0, "total_tokens": 0}, {"input_token": 0, "output_token": 0}),
        "unknown fields": (
            plain | {"cost": 0.25, inside: {"smell_tokens": 7, "cached_tokens": 5}},
            ours | {"cache_read_token": 5, "note": f"no meter for: cost 0.25, {inside}.smell_tokens 7"},
        ),
        "another total": (
            plain | {"total_tokens": 1700},
            ours | {"note": "a total and its parts disagree: total_tokens 1700, input_token 1000, output_token 500"},
        ),
        "text for a number": (
            plain | {completion: "500"},
            {"input_token": 1000, "output_token": "500"} | _total("1500", "input_token 1000"),
        ),
        "negative": ({prompt: -3, completion: 5}, {"input_token": -3, "output_token": 5}),
        "camel case": ({_camel(prompt): 7, _camel(completion): 5}, {"input_token": 7, "output_token": 5}),
        "two spellings": ({prompt: 7, _camel(prompt): 7}, {"input_token": 7}),
        "two spellings that differ": (
            {prompt: 7, _camel(prompt): 9},
            {"input_token": 9, "note": f"no meter for: {prompt} 7"},
        ),
    }


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def _total(total: str, parts: str) -> dict[str, str]:
    return {"note": f"a total and its parts disagree: total_tokens {total}, {parts}"}


ANTHROPIC: dict[str, Case] = {
    "text": ({"input_tokens": 19, "output_tokens": 10}, {"input_token": 19, "output_token": 10}),
    "nulls": (
        {
            "input_tokens": 19,
            "output_tokens": 10,
            "cache_creation": None,
            "cache_read_input_tokens": None,
            "server_tool_use": None,
        },
        {"input_token": 19, "output_token": 10},
    ),
    "read": (
        {"input_tokens": 19, "cache_read_input_tokens": 600, "output_tokens": 10},
        {"input_token": 619, "cache_read_token": 600, "output_token": 10},
    ),
    "written, lifetime unknown": (
        {"input_tokens": 19, "cache_creation_input_tokens": 400},
        {"input_token": 419, "cache_write_token": 400},
    ),
    "both lifetimes": (
        {
            "input_tokens": 19,
            "cache_creation_input_tokens": 400,
            "cache_read_input_tokens": 600,
            "cache_creation": {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 100},
            "output_tokens": 10,
            "service_tier": "standard",
        },
        {
            "input_token": 1019,
            "cache_write_token": 400,
            "cache_write_5m_token": 300,
            "cache_write_1h_token": 100,
            "cache_read_token": 600,
            "output_token": 10,
        },
    ),
    "lifetimes without their total": (
        {"input_tokens": 19, "cache_creation": {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 100}},
        {"input_token": 419, "cache_write_5m_token": 300, "cache_write_1h_token": 100},
    ),
    "thinking": (
        {"output_tokens": 500, "output_tokens_details": {"thinking_tokens": 400}},
        {"output_token": 500, "reasoning_token": 400},
    ),
    "tool calls": (
        {"input_tokens": 5, "server_tool_use": {"web_search_requests": 3, "web_fetch_requests": 2}},
        {"input_token": 5, "web_search": 3},
    ),
    "zero": (
        {"input_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 0},
        {"input_token": 0, "cache_write_token": 0, "cache_read_token": 0, "output_token": 0},
    ),
    "another tier": (
        {"input_tokens": 5, "service_tier": "batch", "inference_geo": "us"},
        {"input_token": 5, "note": "no meter for: inference_geo us, service_tier batch"},
    ),
    "unknown tools": (
        {"input_tokens": 5, "server_tool_use": {"code_execution_requests": 2}},
        {"input_token": 5, "note": "no meter for: server_tool_use.code_execution_requests 2"},
    ),
    "a part that is no number": (
        {"input_tokens": 5, "cache_read_input_tokens": "many"},
        {"input_token": "many", "cache_read_token": "many"},
    ),
    "a negative part": (
        {"input_tokens": 5, "cache_read_input_tokens": -2},
        {"input_token": -2, "cache_read_token": -2},
    ),
    "iterations": ({"input_tokens": 5, "iterations": [{"input_tokens": 2}, {"input_tokens": 3}]}, {"input_token": 5}),
}
CASES = {
    "openai.chat": openai("prompt_tokens", "completion_tokens"),
    "openai.responses": openai("input_tokens", "output_tokens"),
    "anthropic": ANTHROPIC,
    "gemini": GEMINI,
    "bedrock": BEDROCK,
    "otel": OTEL,
}
