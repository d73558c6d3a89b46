"""Who makes models, who only serves them, and which names tell the maker: what the rules of identity know by heart.

Slugs are those that most gateways use. Words are compared as ``slug`` leaves them, so ``Z.ai``, ``z-ai`` and ``zAI``
are one word. A maker that stands in no table keeps its own slug and is linked with nobody else.
"""

import re
from functools import lru_cache


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


ALIASES: dict[str, str] = {
    "01-ai": "01ai yi",
    "ai21": "ai21 ai21labs ai21studio",
    "aion-labs": "aionlabs",
    "allenai": "allenai ai2",
    "amazon": "amazon amazonnova",
    "anthropic": "anthropic anthropicai",
    "arcee-ai": "arcee arceeai",
    "assemblyai": "assemblyai",
    "baai": "baai",
    "baidu": "baidu qianfan wenxin",
    "black-forest-labs": "blackforestlabs bfl",
    "bytedance": "bytedance bytedanceseed byteplus doubao",
    "cognitivecomputations": "cognitivecomputations dphn",
    "cohere": "cohere cohereai cohereforai coherelabs",
    "deepcogito": "deepcogito cogito",
    "deepgram": "deepgram",
    "deepseek": "deepseek deepseekai",
    "eleutherai": "eleutherai",
    "elevenlabs": "elevenlabs",
    "google": "google gemini googleai googleaistudio googlegemini deepmind googledeepmind",
    "ideogram": "ideogram ideogramai",
    "ibm": "ibm ibmgranite",
    "inception": "inception inceptionlabs",
    "inflection": "inflection inflectionai",
    "inclusionai": "inclusionai",
    "jinaai": "jina jinaai",
    "kling": "kling klingai kuaishou",
    "kwaipilot": "kwaipilot",
    "lg": "lg lgai lgaiexaone",
    "liquid": "liquid liquidai",
    "luma": "luma lumaai",
    "meituan": "meituan meituanlongcat",
    "meta": "meta metallama metaai facebook",
    "microsoft": "microsoft",
    "minimax": "minimax minimaxai",
    "mistralai": "mistral mistralai",
    "moonshotai": "moonshot moonshotai",
    "nousresearch": "nous nousresearch",
    "nvidia": "nvidia",
    "openai": "openai openaidev openaiinternal",
    "perplexity": "perplexity perplexityai",
    "qwen": "qwen alibaba alibabacloud aliyun qwenlm tongyi alibabaqwen",
    "recraft": "recraft recraftai",
    "reka": "reka rekaai",
    "runway": "runway runwayml",
    "stabilityai": "stability stabilityai",
    "stepfun": "stepfun stepfunai",
    "tencent": "tencent tencenthunyuan",
    "twelvelabs": "twelvelabs",
    "tngtech": "tng tngtech",
    "upstage": "upstage",
    "voyage": "voyage voyageai",
    "writer": "writer",
    "x-ai": "xai spacexai grok",
    "xiaomi": "xiaomi xiaomimimo",
    "z-ai": "zai zaiorg zhipu zhipuai thudm bigmodel",
}

VENDORS = {alias: vendor for vendor, aliases in ALIASES.items() for alias in aliases.split()}
"""Every spelling of a maker, to its slug."""

HOSTS = _set(
    """
    302ai abacus abacusai accounts ai302 aihubmix aimlapi alibabacn alibabacodingplan amazonbedrock anyscale
    atlascloud atoma avian aws awsbedrock azure azureai azurecognitiveservices azurefoundry azureopenai bailing
    baseten bedrock bedrockconverse bedrockmantle bentoml berget bytez canopywave centml cerebras cf
    chatcompletions chutes clarifai cloudflare cloudflareaigateway cloudflareworkersai cloudrift cometapi
    compactifai converse copilot cortecs crusoe customopenai dashscope databricks deepinfra digitalocean
    doinference evroc fal falai fastrouter featherless fireworks fireworksai foundationmodel friendli friendliai
    galadriel gateway github githubcopilot githubmarketplace githubmodels gitlab gmi gmicloud googlegla
    googlevertex googlevertexai googlevertexanthropic gpt5series gradientai groq helicone heroku hf hostedvllm
    huggingface hyperbolic hyperstack iflowcn inceptron inference inferencenet infermatic infinity invoke io
    iointelligence ionet jiekou kilocode kimiforcoding kluster klusterai lambda lambdaai litellm litellmproxy
    llamafile llamagate llmgateway lmstudio local minimaxcn moark modal models modelscope moonshotaicn moonshotcn
    morpheus nanogpt ncompass nebius nebiusai nim nineteen nlpcloud novita novitaai nscale nvidianim oci ollama
    ollamacloud openaicompatible openailike opencode openrouter openrouterai oseries ovh ovhcloud parasail phala
    poe portkey ppinfra ppio predibase privatemodeai publicai publishers qihang qiniu regoloai relaxai replicate
    requesty responses runpod sagemaker sagemakerchat sambanova sap sapaicore scaleway sgl sglang siliconcloud
    siliconflow siliconflowcn siliconflowcom snowflake snowflakecortex stackit streamlake submodel synthetic
    targon textcompletionopenai together togetherai ubicloud unify venice vercel vercelaigateway vertex vertexai
    vertexaianthropic vertexaibeta vertexanthropic vivgrid vllm volcengine vultr wafer wandb watsonx workersai
    xinference zaicodingplan zenmux zhipuaicodingplan
    """
)
"""Words in a path that say who serves a model, never who made it."""

REGIONS = re.compile(
    r"global|global-standard|data-zone|us|eu|apac|ap|jp|au|ca|uk|us-gov|ussovereign|[a-z]{2}(-gov)?-[a-z]+-\d+"
    r"|(us|europe|asia|northamerica|southamerica|australia|me|africa)-[a-z]+\d+|eastus2?|westus[23]?|swedencentral"
)
"""Deployment regions as they stand in ids."""

SERVERS_THAT_MAKE = frozenset({"databricks", "groq", "openrouter", "snowflake", "venice", "vercel"})
"""Servers with models of their own: what stands behind their name and tells no other maker is theirs."""

NOBODY = _set("system user library vllm sglang unknown none custom organization organizationowner owner")
"""Authors that gateways put where they know none."""

FAMILIES: dict[str, str] = {
    "ai21": "jamba jurassic",
    "allenai": "olmo molmo",
    "amazon": "titan",
    "anthropic": "claude",
    "baai": "bge",
    "baidu": "ernie",
    "black-forest-labs": "flux",
    "bytedance": "doubao seedream seedance",
    "cohere": "command aya",
    "databricks": "dbrx",
    "deepseek": "deepseek",
    "google": "gemini gemma codegemma embeddinggemma medgemma paligemma shieldgemma translategemma imagen lyria veo",
    "ibm": "granite",
    "kling": "kling klingai kuaishou",
    "kwaipilot": "kwaipilot",
    "lg": "exaone",
    "liquid": "lfm",
    "luma": "luma lumaai",
    "meituan": "longcat",
    "meta": "llama codellama",
    "microsoft": "phi",
    "minimax": "minimax hailuo abab",
    "mistralai": "mistral mixtral codestral ministral magistral devstral pixtral voxtral mathstral leanstral",
    "moonshotai": "kimi moonshot",
    "openai": "gpt chatgpt whisper sora",
    "perplexity": "sonar pplx",
    "qwen": "qwen qwq qvq codeqwen",
    "snowflake": "arctic",
    "tencent": "hunyuan",
    "voyage": "voyage",
    "writer": "palmyra",
    "x-ai": "grok",
    "xiaomi": "mimo",
    "z-ai": "glm chatglm cogview cogvideox autoglm",
}

FAMILY = {word: vendor for vendor, words in FAMILIES.items() for word in words.split()}
"""First words of names, to the maker."""

MARKS = {
    "chimera": "tngtech",
    "deephermes": "nousresearch",
    "dolphin": "cognitivecomputations",
    "euryale": "sao10k",
    "hermes": "nousresearch",
    "lumimaid": "neversleep",
    "lunaris": "sao10k",
    "magnum": "anthracite-org",
    "mythomax": "gryphe",
    "nemotron": "nvidia",
    "noromaid": "neversleep",
    "openhermes": "teknium",
    "sonar": "perplexity",
    "stheno": "sao10k",
    "swallow": "tokyotech-llm",
    "tulu": "allenai",
    "vicuna": "lmsys",
    "wizardlm": "microsoft",
    "zephyr": "huggingfaceh4",
}
"""Words that name the maker of a finetune wherever they stand, whatever the model was made from."""

PATTERNS = (
    (re.compile(r"gpt-(j|neo|neox)\b"), "eleutherai"),
    (re.compile(r"o[134](-|$)|dall-?e-|tts-1\b|text-(embedding-(3|ada)|davinci|moderation)"), "openai"),
    (re.compile(r"(codex-mini|omni-moderation|computer-use-preview|davinci-002|babbage-002)\b"), "openai"),
    (re.compile(r"nova-(micro|lite|pro|premier|sonic|canvas|reel)\b|nova-2-(lite|pro|omni|sonic)\b"), "amazon"),
    (re.compile(r"(text|chat|code|codechat)-bison\b|text-(multilingual-)?embedding-00"), "google"),
    (re.compile(r"open-(mistral|mixtral|codestral)\b"), "mistralai"),
    (re.compile(r"r1-1776\b"), "perplexity"),
    (re.compile(r"r1-distill-"), "deepseek"),
    (re.compile(r"(nous|open|deep)-?hermes\b"), "nousresearch"),
    (re.compile(r"embed-(english|multilingual)|rerank-(english|multilingual)|c4ai-"), "cohere"),
    (re.compile(r"(stable-diffusion|sdxl|sd-3)\b"), "stabilityai"),
    (re.compile(r"seed-(oss|1\.|2\.)"), "bytedance"),
)
"""Beginnings of names, of more than one word, that tell the maker."""

CLOSED = re.compile(r"claude-|gemini-|chatgpt-|gpt-(\d|image|audio|realtime)|o[134](-|$)|grok-(\d|code)")
"""Names that their makers alone give: whoever stands before them in a path serves them. Open weights are retrained."""

SELF_NAMED = frozenset({"deepseek", "minimax"})
"""Makers whose name is their models' first name, and is left out now and then: deepseek.r1, minimax/m2."""


_PUNCTUATION = re.compile(r"[\W_]+")
_AMONG_AUTHORS = re.compile(r"\s*[/,&|]\s*")


@lru_cache(maxsize=10_000)
def slug(word: str) -> str:
    """A maker's or server's name without case and punctuation."""
    return _PUNCTUATION.sub("", word.casefold())


def vendor_slug(word: str) -> str:
    """A maker's name as it stands in canonical ids: known ones in one spelling, others in their own."""
    return vendor_of(word) or _PUNCTUATION.sub("-", word.casefold()).strip("-")


def is_glue(word: str) -> bool:
    """Whether a server puts its own name before those of makers, in one word: ``databricks-claude-sonnet-4``."""
    return word == "databricks"


def vendor_of(word: str) -> str | None:
    """The maker that a word names, in any spelling; null when it names none that is known here."""
    return VENDORS.get(slug(word))


@lru_cache(maxsize=10_000)
def is_host(word: str) -> bool:
    """Whether a part of a path says who or what serves, and where."""
    return slug(word) in HOSTS or REGIONS.fullmatch(word.casefold()) is not None


@lru_cache(maxsize=10_000)
def vendor_of_author(author: str | None) -> str | None:
    """The maker that a source's word for the author names: the first one known, in ``DeepSeek / Meta``."""
    words = [author, *_AMONG_AUTHORS.split(author)] if author else []
    return next((found for found in map(vendor_of, words) if found), None)


def vendor_of_name(name: str, words: tuple[str, ...]) -> str | None:
    """The maker that a name tells by its beginning."""
    for pattern, vendor in PATTERNS:
        if pattern.match(name):
            return vendor
    return FAMILY.get(words[0]) if words else None
