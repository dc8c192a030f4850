"""The settings are those of db/settings.py, and .env.example and docker-compose.yml agree with them."""

import re
from pathlib import Path

import msgspec
import yaml

from db.settings import Settings, load

ROOT = Path(__file__).parent.parent.parent
FIELDS = {field.name.upper(): field for field in msgspec.structs.fields(Settings)}
#: The addresses, which .env.example shows by an example, and which have other names for their parts.
ADDRESSES = {"DATABASE_URL", "REDIS_URL"}
#: What containers have set, whatever the host says.
OF_CONTAINERS = {"DATA_DIR", "LISTEN_HOST", "WORKER_PORT", "KEEP_ALIVE_SECONDS"}


def examples() -> dict[str, str]:
    """What .env.example shows, by name."""
    return dict(re.findall(r"^#([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.M))


def test_the_example_has_each_setting_with_its_default() -> None:
    shown = examples()
    assert FIELDS.keys() <= shown.keys()
    for name in FIELDS.keys() - ADDRESSES:
        assert load({name: shown[name]}) == Settings(), name


def test_compose_hands_on_each_setting_with_its_default() -> None:
    environment = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["x-app"]["environment"]
    assert FIELDS.keys() - OF_CONTAINERS <= environment.keys()
    for name in FIELDS.keys() & environment.keys() - ADDRESSES - {"FORWARDED_ALLOW_IPS"}:
        default = re.fullmatch(rf"\$\{{{name}:-(.*)\}}", environment[name])
        assert default, name
        assert load({name: default[1]}) == Settings(), name


def test_the_readme_leads_to_them() -> None:
    assert "(.env.example)" in (ROOT / "README.md").read_text()
