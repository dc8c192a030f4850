"""The reporting app is made of settings: one when a server first needs it, and more where a test does."""

import msgspec
import pytest
from litestar.testing import TestClient

from apps import reporting
from apps.reporting import ReportingApp, create_app
from db.settings import SettingsError, load
from tests.apps.monitoring.test_metrics import values
from tests.servers.key import AUTHORIZED

HEALTH = "tjra_http_request_duration_seconds_count{method=GET}{route=/health}{status=200}"


def test_the_module_has_one_app() -> None:
    assert isinstance(reporting.app, ReportingApp)
    assert reporting.app is reporting.app
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = reporting.nothing


def test_no_app_is_made_without_its_servers() -> None:
    for lacking in ("database_url", "redis_url"):
        with pytest.raises(SettingsError, match=f"^{lacking.upper()} is not set"):
            create_app(msgspec.structs.replace(load(), **{lacking: None}))


def test_apps_have_settings_connections_and_metrics_of_their_own(database_url: str) -> None:
    settings = [msgspec.structs.replace(load(), report_timeout_seconds=seconds) for seconds in (1, 2)]
    apps = [create_app(one) for one in settings]
    assert [app.resources.settings for app in apps] == settings
    with TestClient(apps[0]) as one, TestClient(apps[1]) as other:
        for client in (one, other):
            client.headers.update(AUTHORIZED)
        for _ in range(3):
            assert one.get("/health").status_code == 200
        assert values(one.get("/metrics").text)[HEALTH] == 3
        assert HEALTH not in values(other.get("/metrics").text)
        assert other.get("/ready").json()["checks"]["postgresql"] == {"status": "ok"}
