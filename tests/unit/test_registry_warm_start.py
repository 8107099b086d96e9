# SPDX-License-Identifier: Apache-2.0
"""The registry client's caches as a file."""

from __future__ import annotations

import json
from typing import Any

import pytest

from confluent_kafka.schema_registry._core import ops, warm_start
from tests.unit.registry_kit import DOWN, Script, reply
from tests.unit.test_registry_ops import ANSWER, SCHEMA, SUBJECT


class TestWarmStart:
    def filled(self) -> Script:
        script = Script(**{"basic.auth.user.info": "user:hunter2"})
        script.run(ops.get_latest_version(script.reg, SUBJECT, None), reply(ANSWER))
        script.run(ops.get_version(script.reg, SUBJECT, 3, False, None), reply(ANSWER))
        script.run(ops.get_schema(script.reg, 9, None, None, None), reply({"schema": "nine"}))
        script.run(ops.get_schema(script.reg, 9, None, "f", None), reply({"schema": "formatted"}))
        return script

    def test_round_trip(self, tmp_path: Any) -> None:
        path = tmp_path / "cache.json"
        written = warm_start.save(self.filled().caches, ["http://registry:8081"], path)
        assert "hunter2" not in path.read_text()
        script = Script(**{"max.retries": 0})
        assert warm_start.load(script.caches, ["http://registry:8081"], path) == written == 6
        assert script.run(ops.get_schema(script.reg, 9, None, None, None)).schema_str == "nine"
        assert script.run(ops.get_schema(script.reg, 7, SUBJECT, None, None)) == SCHEMA
        assert script.run(ops.get_schema_by_guid(script.reg, "g7", None)) == SCHEMA
        assert script.run(ops.register(script.reg, SUBJECT, SCHEMA, False)).schema_id == 7
        assert script.run(ops.get_version(script.reg, SUBJECT, 3, False, None)).schema_id == 7
        # the latest version may be another one by now: it counts only while the registry is away
        assert script.run(ops.get_latest_version(script.reg, SUBJECT, None), DOWN).version == 3
        script.now += 1
        assert (
            script.run(ops.get_latest_version(script.reg, SUBJECT, None), reply({**ANSWER, "version": 4})).version == 4
        )

    def test_what_was_fetched_since_is_newer(self, tmp_path: Any) -> None:
        path = tmp_path / "cache.json"
        warm_start.save(self.filled().caches, ["u"], path)
        script = Script()
        script.run(ops.get_latest_version(script.reg, SUBJECT, None), reply({**ANSWER, "version": 4}))
        warm_start.load(script.caches, ["u", "v"], path)
        assert script.run(ops.get_latest_version(script.reg, SUBJECT, None)).version == 4

    def test_no_file(self, tmp_path: Any) -> None:
        assert warm_start.load(Script().caches, ["u"], tmp_path / "none") == 0

    def test_another_registry(self, tmp_path: Any) -> None:
        path = tmp_path / "cache.json"
        warm_start.save(self.filled().caches, ["http://a"], path)
        with pytest.raises(ValueError, match="cache of another registry: http://a"):
            warm_start.load(Script().caches, ["http://b"], path)

    def test_damaged(self, tmp_path: Any) -> None:
        path = tmp_path / "cache.json"
        warm_start.save(self.filled().caches, ["u"], path)
        good = json.loads(path.read_text())
        broken: list[Any] = [
            "", "[]", "{}", "{", {**good, "version": 2}, {**good, "format": "x"}, {**good, "schemas": [1]},
            {**good, "latest": [["s", 5]]}, {**good, "urls": 5}, {k: v for k, v in good.items() if k != "guids"},
        ]  # fmt: skip
        for content in broken:
            path.write_text(content if isinstance(content, str) else json.dumps(content))
            script = Script()
            with pytest.raises(ValueError, match="no schema cache that can be used"):
                warm_start.load(script.caches, ["u"], path)
            assert not script.caches.schemas

    def test_whole_or_not_at_all(self, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "cache.json"
        warm_start.save(self.filled().caches, ["u"], path)
        before = path.read_text()

        def full(*_: Any) -> None:
            raise OSError("no space left")

        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="no space"):
            warm_start.save(Script().caches, ["u"], path)
        assert path.read_text() == before
        assert [entry.name for entry in tmp_path.iterdir()] == ["cache.json"]
