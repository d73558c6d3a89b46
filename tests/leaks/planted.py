"""A secret in every place that can hold one, each different from all others, and every spelling of it."""

import base64
import html
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

SECRETS = {
    "database": "pg/Planted:01@%x+wörd",
    "bifrost": "sk-bf-Planted02/a+b=c.d",
    "majestix": "inf_Planted03/x+y==",
    "eu": "ph-Planted04~zz",
    "us": 'ph"Planted05\\quoted/slashed',
    "password": "pw:Planted06@/x?y#z",
    "token": "tok-Planted07/+=&x",
    "lone": "LonePlanted08",
    "eu_token": "tok-Planted09-eu",
    "slack": "T0Planted10/B0Planted10/xoxbPlanted10",
    "webhook": "hook-Planted11",
    "file_hook": "hook-Planted12",
    "ping": "ping-Planted13",
    "proxy": "proxyPlanted14",
}

USER = "somebody"

TOML = """
[sources.bifrost]
timeout_seconds = 4
[sources.majestix]
timeout_seconds = 4
[sources.eu]
kind = "phaseo"
credential_file = "eu.secret"
timeout_seconds = 4
[sources.us]
kind = "majestix"
url = "http://{host}/us"
credential = "US_KEY"
timeout_seconds = 4
[sources.helicone_gateway]
enabled = false
[sources.helicone_registry]
enabled = false
[[alerts.webhooks]]
name = "by-variable"
url_env = "OPERATORS_URL"
[[alerts.webhooks]]
name = "by-file"
url_file = "hook.secret"
"""


def plant(folder: Path, host: str) -> dict[str, str]:
    """Write the configuration and the files of secrets into a folder; returns the environment."""
    (folder / "etl.toml").write_text(TOML.format(host=host))
    files = {
        "eu": SECRETS["eu"],
        "hook": f"http://{host}/hook/{SECRETS['file_hook']}",
        "majestix": SECRETS["majestix"],
        "eu_url": f"http://{host}/eu?key={SECRETS['eu_token']}",
        "slack": f"http://{host}/services/{SECRETS['slack']}",
    }
    for name, text in files.items():
        (folder / f"{name}.secret").write_text(f"{text}\n")
    user_info = f"{USER}:{quote(SECRETS['password'], safe='')}"
    return {
        "BIFROST_API_KEY": SECRETS["bifrost"],
        "MAJESTIX_API_KEY_FILE": str(folder / "majestix.secret"),
        "US_KEY": SECRETS["us"],
        "ETL_BIFROST_URL": f"http://{user_info}@{host}/bifrost?token={quote(SECRETS['token'], safe='')}",
        "ETL_MAJESTIX_URL": f"http://{SECRETS['lone']}@{host}/majestix",
        "ETL_EU_URL_FILE": str(folder / "eu_url.secret"),
        "ETL_SLACK_URL_FILE": str(folder / "slack.secret"),
        "OPERATORS_URL": f"http://{host}/hook?token={SECRETS['webhook']}",
        "ETL_PING_URL": f"http://{host}/ping/{SECRETS['ping']}",
        "HTTPS_PROXY": f"http://{USER}:{SECRETS['proxy']}@127.0.0.1:1",
    }


def spellings(secret: str) -> set[str]:
    """How a secret may look where it got out: as it is, in a url, in JSON, in HTML, in base64."""
    plain = {secret, quote(secret), quote(secret, safe=""), quote(secret, safe=" +"), quote_plus(secret)}
    in_json = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1].replace("/", "\\/"), repr(secret)}
    encoded = {secret.encode(), f"{USER}:{secret}".encode(), f"{secret}:".encode()}
    in_base64 = {code(text).decode().rstrip("=") for text in encoded for code in _CODES}
    return plain | in_json | in_base64 | {html.escape(secret)}


_CODES = (base64.b64encode, base64.urlsafe_b64encode)


def leaks(text: str) -> Iterator[str]:
    """The names of the secrets that a text gives away, in whatever case: what was taken for a host is in lower case."""
    found = text.lower()
    for name, secret in SECRETS.items():
        if any(spelling.lower() in found for spelling in spellings(secret)):
            yield name
