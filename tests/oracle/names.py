"""Which field of which source is which meter: the contract's tables, typed again."""

MODALITIES = ("image", "audio", "video", "file")
METERS = {
    *("input_token", "output_token", "reasoning_token", "cache_read_token", "cache_read_implicit_token"),
    *("cache_write_token", "cache_write_5m_token", "cache_write_1h_token", "cache_storage_token_hour"),
    *("input_image", "output_image", "request", "web_search", "input_character", "input_text_byte"),
    *(f"{way}_{what}_token" for way in ("input", "cache_read", "output") for what in MODALITIES),
    *("input_audio_second", "output_audio_second"),
}
HELICONE = {
    "input": "input_token",
    "output": "output_token",
    "thinking": "reasoning_token",
    "request": "request",
    "web_search": "web_search",
    "cacheStoragePerHour": "cache_storage_token_hour",
    "cacheRead": "cache_read_token",
    "cacheWrite": "cache_write_5m_token",
}
HELICONE_SPELLINGS = {"prompt": "input", "completion": "output", "internal_reasoning": "thinking"}
HELICONE_MULTIPLIERS = {
    "cachedInput": "cache_read_token",
    "write5m": "cache_write_5m_token",
    "write1h": "cache_write_1h_token",
}
PER_UNIT = {
    "prompt": "input_token",
    "completion": "output_token",
    "internal_reasoning": "reasoning_token",
    "input_cache_read": "cache_read_token",
    "input_cache_write": "cache_write_token",
    "image": "input_image",
    "request": "request",
    "web_search": "web_search",
}
PHASEO = {  # elsewhere the name itself, or its singular
    "input_text_tokens": "input_token",
    "output_text_tokens": "output_token",
    "cached_read_text_tokens": "cache_read_token",
    "implicit_cached_input_text_tokens": "cache_read_implicit_token",
    "cached_write_text_tokens": "cache_write_token",
    "cached_write_text_tokens_5m": "cache_write_5m_token",
    "cached_write_text_tokens_1h": "cache_write_1h_token",
}
