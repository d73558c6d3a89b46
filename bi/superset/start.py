"""Brings Superset's metadata up to date, imports the bundle and serves it. Runs in Superset's own Python.

``SUPERSET_HOME`` is the folder of the metadata and of two secrets that are made on the first start: ``secret_key`` and
``admin_password``. ``WAREHOUSE_URL`` names the database, with the password in it or in ``WAREHOUSE_PASSWORD_FILE``.
"""

import os
import secrets
import sys
from hashlib import sha256
from pathlib import Path

from bi.superset import bundle

HERE = Path(__file__).parent
ADMIN = "admin"
_DATABASE = "databases/warehouse.yaml"


def main(address: str) -> None:
    """Prepare, then become the server on an address such as ``127.0.0.1:8088``."""
    home = Path(os.environ["SUPERSET_HOME"])
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ.setdefault("SUPERSET_CONFIG_PATH", str(HERE / "superset_config.py"))
    secret(home / "secret_key")
    prepare(home, secret(home / "admin_password"))
    # Threads, because each dashboard asks for all its charts at once; one process, because SQLite has one writer.
    serving = ["gunicorn", "--bind", address, "--worker-class", "gthread", "--workers", "1", "--threads", "8"]
    waiting = ["--timeout", "120", "--no-control-socket", "--worker-tmp-dir", str(home), "superset.app:create_app()"]
    os.execv(sys.executable, [sys.executable, "-m", *serving, *waiting])  # noqa: S606  our own program


def secret(file: Path) -> str:
    """What a file holds that only its owner reads; made on the first start."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(32), encoding="utf-8")
    return file.read_text(encoding="utf-8")


def prepare(home: Path, password: str) -> None:
    """Migrate the metadata, make the administrator and import the bundle, in one process: to start takes seconds."""
    from flask.cli import ScriptInfo  # noqa: PLC0415  Superset reads its configuration when it is imported.
    from superset.app import create_app  # noqa: PLC0415
    from superset.cli.main import superset  # noqa: PLC0415

    app = create_app()
    admin = ["--username", ADMIN, "--firstname", "Admin", "--lastname", "Admin", "--email", "admin@localhost"]
    for command in (["db", "upgrade"], ["fab", "create-admin", *admin, "--password", password], ["init"]):
        superset.main(command, "superset", obj=ScriptInfo(create_app=lambda: app), standalone_mode=False)
    contents = bundle.files()
    contents[_DATABASE] = contents[_DATABASE].replace(bundle.PLACEHOLDER, warehouse_url())
    # What was edited in the browser stays until the bundle or the address of the warehouse is another one.
    mark, known = sha256(repr(contents).encode()).hexdigest(), home / "imported"
    if not known.exists() or known.read_text(encoding="utf-8") != mark:
        with app.app_context():
            adopt(contents)
        known.write_text(mark, encoding="utf-8")


def adopt(contents: dict[str, str]) -> None:
    """Make everything as the files say; ``superset import-dashboards`` would leave charts as they were."""
    from superset import security_manager  # noqa: PLC0415
    from superset.commands.importers.v1.assets import ImportAssetsCommand  # noqa: PLC0415
    from superset.utils.core import override_user  # noqa: PLC0415

    whole = contents | {"metadata.yaml": contents["metadata.yaml"].replace("type: Dashboard", "type: assets")}
    with override_user(security_manager.find_user(username=ADMIN)):
        ImportAssetsCommand(whole).run()


def warehouse_url() -> str:
    """The address for SQLAlchemy 1.4 with psycopg2, which is what this Superset connects with."""
    from sqlalchemy.engine import make_url  # noqa: PLC0415

    url = make_url(os.environ["WAREHOUSE_URL"]).set(drivername="postgresql+psycopg2")
    file = os.environ.get("WAREHOUSE_PASSWORD_FILE")
    given = url.set(password=Path(file).read_text(encoding="utf-8").strip()) if file else url
    return given.render_as_string(hide_password=False)


if __name__ == "__main__":
    main(sys.argv[1])
