"""Superset on this machine alone: metadata in SQLite below ``SUPERSET_HOME``, no Redis, nothing that calls other hosts.

Superset finds this file by ``SUPERSET_CONFIG_PATH``. ``start.py`` has made the key before anything reads it.
"""

import os
from pathlib import Path

from superset.config import TALISMAN_CONFIG as _SHIPPED

SUPERSET_HOME = Path(os.environ["SUPERSET_HOME"])

SQLALCHEMY_DATABASE_URI = f"sqlite:///{SUPERSET_HOME / 'superset.db'}?check_same_thread=false"
SECRET_KEY = os.environ.get("SUPERSET_SECRET_KEY") or (SUPERSET_HOME / "secret_key").read_text(encoding="utf-8")

# One process counts the attempts to log in; a shared store would be another service.
RATELIMIT_STORAGE_URI = "memory://"

# The policy that Superset ships stays on, because a dashboard shows names that a gateway chose. It is made narrower:
# fonts, maps and the picture that counts installations are on other hosts, and these dashboards need none of them.
TALISMAN_ENABLED = True
TALISMAN_CONFIG = {
    **_SHIPPED,
    "content_security_policy": {
        **_SHIPPED["content_security_policy"],
        "img-src": ["'self'", "blob:", "data:"],
        "connect-src": ["'self'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'"],
    },
}
ENABLE_CORS = False
