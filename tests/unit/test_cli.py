# SPDX-License-Identifier: Apache-2.0
"""The command line without a broker: arguments, configuration, input, output, exit codes."""

from __future__ import annotations

import argparse
import base64
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from confluent_kafka import TIMESTAMP_CREATE_TIME, KafkaError, Message, TopicPartition
from confluent_kafka.cli import _format, _position, _records, _settings, _terminal, broker, consume, main, version
from confluent_kafka.cli._errors import UsageError

NONE = _records.Overrides()


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_SECURITY_PROTOCOL"):
        monkeypatch.delenv(name, raising=False)


def message(**fields: Any) -> Message:
    return Message(
        **{
            "topic": "words",
            "partition": 2,
            "offset": 41,
            "key": b"k",
            "value": b"v",
            "timestamp": (TIMESTAMP_CREATE_TIME, 1_700_000_000_123),
            **fields,
        }
    )


class TestUsage:
    def test_help_lists_the_commands_and_exits_with_0(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--help"]) == 0
        shown = capsys.readouterr().out
        for command in ("demo", "broker", "produce", "consume"):
            assert command in shown
        assert "130" in shown

    @pytest.mark.parametrize("command", ["demo", "broker", "produce", "consume"])
    def test_each_command_explains_itself_with_examples(self, command: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main([command, "--help"]) == 0
        shown = capsys.readouterr().out
        assert f"ferrokafka {command}" in shown
        assert "examples:" in shown
        assert "%(prog)s" not in shown

    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            ["fly"],
            ["produce"],
            ["consume", "words", "--count", "0"],
            ["consume", "words", "--json", "--format", "%s"],
            ["produce", "words", "--json", "--file", "x"],
            ["produce", "words", "-X", "linger.ms"],
            ["broker", "--topic", "words:many"],
            ["broker", "--brokers", "0"],
            ["demo", "--partitions", "0"],
        ],
    )
    def test_wrong_usage_exits_with_2(self, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert main(arguments) == 2
        assert capsys.readouterr().err

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["consume", "words"], "KAFKA_BOOTSTRAP_SERVERS"),
            (["produce", "words"], "KAFKA_BOOTSTRAP_SERVERS"),
            (["consume", "words", "-b", "x:1", "--from", "noon"], "beginning"),
            (["consume", "words", "-b", "x:1", "--format", "%q"], "%q"),
            (["consume", "words", "-b", "x:1", "--group", "g", "--from", "5"], "--group"),
            (["consume", "words", "-b", "x:1", "--group", "g", "--partition", "0"], "--partition"),
            (["consume", "words", "-b", "x:1", "-X", "no.such.property=1"], "no.such.property"),
            (["produce", "words", "-b", "x:1", "-X", "linger.ms=soon"], "linger.ms"),
            (["produce", "words", "-b", "x:1", "-H", "nameless"], "NAME=VALUE"),
            (["produce", "words", "-b", "x:1", "--json", "--key-separator", ":"], "--key-separator"),
            (["produce", "words", "--config", "/no/such/file"], "/no/such/file"),
        ],
    )
    def test_says_what_is_wrong_with_the_request(
        self,
        arguments: list[str],
        said: str,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
        assert main(arguments) == 2
        shown = capsys.readouterr().err
        assert said in shown
        assert "Traceback" not in shown

    def test_module_and_package_start_without_a_command(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "confluent_kafka"], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 2
        assert "usage: python -m confluent_kafka" in done.stderr


class TestVersion:
    def test_names_distribution_librdkafka_and_features(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--version"]) == 0
        shown = capsys.readouterr().out.splitlines()
        assert shown[0].startswith("ferrokafka ")
        assert shown[1].startswith("librdkafka ")
        assert "ssl" in shown[2]

    def test_as_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--version", "--json"]) == 0
        report = json.loads(capsys.readouterr().out)
        assert report["distribution"] == "ferrokafka"
        assert "gzip" in report["features"]

    def test_finds_the_other_owner_of_the_import_name(self) -> None:
        owners = {"confluent_kafka": ["Ferrokafka", "confluent-kafka", "ferrokafka"], "yaml": ["PyYAML"]}
        assert version.other_owners(owners) == ["confluent-kafka"]
        assert version.other_owners({"yaml": ["PyYAML"]}) == []

    def test_warns_about_another_distribution_with_the_same_import_name(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        installed = tmp_path / "confluent_kafka-2.16.1.dist-info"
        installed.mkdir()
        (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: confluent-kafka\nVersion: 2.16.1\n")
        (installed / "top_level.txt").write_text("confluent_kafka\n")
        monkeypatch.syspath_prepend(tmp_path)
        assert main(["--version"]) == 0
        assert "pip uninstall -y confluent-kafka" in capsys.readouterr().err


class TestSettings:
    @staticmethod
    def arguments(*words: str) -> argparse.Namespace:
        parser = argparse.ArgumentParser()
        _settings.add_client_options(parser)
        return parser.parse_args(words)

    def test_the_more_explicit_wins(self, tmp_path: Path) -> None:
        file = tmp_path / "client.properties"
        file.write_text("# ours\nlinger.ms = 7\nclient.id=file\nbootstrap.servers=file:1\n\n! old style comment\n")
        environ = {"KAFKA_BOOTSTRAP_SERVERS": "env:1", "KAFKA_CLIENT_ID": "env", "KAFKA_ACKS": "1"}
        given = self.arguments("--config", str(file), "-X", "client.id=x", "-X", "bootstrap.servers=x:1", "-b", "b:1")
        assert _settings.client_settings(given, environ) == {
            "acks": "1",
            "linger.ms": "7",
            "client.id": "x",
            "bootstrap.servers": "b:1",
        }

    def test_an_alias_in_the_environment_does_not_come_back(self) -> None:
        settings = _settings.client_settings(self.arguments("-b", "b:1"), {"KAFKA_METADATA_BROKER_LIST": "env:1"})
        assert settings == {"bootstrap.servers": "b:1"}

    def test_a_value_may_contain_the_sign(self) -> None:
        assert _settings.parse_property("sasl.password=a=b") == ("sasl.password", "a=b")

    def test_json_file(self, tmp_path: Path) -> None:
        file = tmp_path / "client.json"
        file.write_text('{"linger.ms": 7, "enable.idempotence": true, "client.id": "c"}')
        assert _settings.read_properties(str(file)) == {
            "linger.ms": "7",
            "enable.idempotence": "true",
            "client.id": "c",
        }

    def test_a_bad_line_is_named_without_its_content(self, tmp_path: Path) -> None:
        file = tmp_path / "client.properties"
        file.write_text("a=1\nsasl.password hunter2\n")
        with pytest.raises(UsageError, match="line 2") as caught:
            _settings.read_properties(str(file))
        assert "sasl.password" in str(caught.value)
        assert "hunter2" not in str(caught.value)

    def test_a_near_miss_in_the_environment_is_told(self, capsys: pytest.CaptureFixture[str]) -> None:
        _settings.client_settings(self.arguments(), {"KAFKA_BOOTSTRAP_SERVER": "b:1"})
        assert "KAFKA_BOOTSTRAP_SERVERS" in capsys.readouterr().err


class TestInput:
    def test_lines_keep_every_byte_but_the_line_feed(self) -> None:
        records = list(_records.lines(io.BytesIO(b"a\r\n\n\xff \nlast"), NONE))
        assert [record.value for record in records] == [b"a\r", b"", b"\xff ", b"last"]
        assert [record.where for record in records] == ["line 1", "line 2", "line 3", "line 4"]

    def test_key_separator_splits_once(self) -> None:
        (record,) = _records.lines([b"7::a::b\n"], NONE, b"::")
        assert (record.key, record.value) == (b"7", b"a::b")

    def test_a_line_without_the_separator_stops_with_its_number(self) -> None:
        reading = _records.lines([b"1:a\n", b"oops\n"], NONE, b":")
        assert next(reading).value == b"a"
        with pytest.raises(_records.BadRecord, match="line 2"):
            next(reading)

    def test_tombstones(self) -> None:
        records = list(_records.lines([b"k:\n", b"k:v\n"], _records.Overrides(tombstones=True), b":"))
        assert [record.value for record in records] == [None, b"v"]

    def test_the_command_line_wins_over_the_record(self) -> None:
        overrides = _records.Overrides(key=b"mine", partition=-1, headers=[("h", b"1")])
        line = b'{"value": "v", "key": "theirs", "partition": 3, "headers": {"a": "0"}}'
        (record,) = _records.ndjson([line], overrides)
        assert record == (b"v", b"mine", [("a", b"0"), ("h", b"1")], -1, 0, "line 1")

    @pytest.mark.parametrize(
        ("entry", "value"),
        [
            ('{"value": "hé"}', "hé".encode()),
            ('{"value": null}', None),
            ('{"value": {"a": [1, "é"]}}', '{"a":[1,"é"]}'.encode()),
            ('{"value": 12}', b"12"),
            ('{"value": ""}', b""),
            ('{"value_base64": "AP8="}', b"\x00\xff"),
        ],
    )
    def test_json_values(self, entry: str, value: bytes | None) -> None:
        (record,) = _records.ndjson([b"\n", entry.encode()], NONE)
        assert record.value == value
        assert record.where == "line 2"

    def test_json_record_in_full(self) -> None:
        entry = {
            "value": "v",
            "key_base64": base64.b64encode(b"\xfe").decode(),
            "headers": [["a", "1"], {"key": "a", "value": None}, {"key": "b", "value_base64": "/w=="}],
            "partition": 3,
            "timestamp": 12,
            "topic": "ignored",
            "offset": 9,
        }
        (record,) = _records.ndjson([json.dumps(entry).encode()], NONE)
        assert record == (b"v", b"\xfe", [("a", b"1"), ("a", None), ("b", b"\xff")], 3, 12, "line 1")

    @pytest.mark.parametrize(
        ("entry", "said"),
        [
            ("{", "not valid JSON"),
            ("[1]", "a list"),
            ("{}", '"value"'),
            ('{"key": "only"}', '"value"'),
            ('{"id": 1, "value": "v"}', "'id'"),
            ('{"value": "v", "value_base64": "AA=="}', "both"),
            ('{"value_base64": "not base64"}', "base64"),
            ('{"value_base64": 5}', "a number"),
            ('{"value": "v", "partition": "1"}', "partition"),
            ('{"value": "v", "timestamp": 1.5}', "timestamp"),
            ('{"value": "v", "partition": true}', "partition"),
            ('{"value": "v", "headers": 5}', "headers"),
            ('{"value": "v", "headers": [["a"]]}', "header"),
            ('{"value": "\\ud800"}', "surrogate"),
            ("\xff", "not valid JSON"),
        ],
    )
    def test_what_is_no_record_is_refused(self, entry: str, said: str) -> None:
        with pytest.raises(_records.BadRecord, match=said) as caught:
            list(_records.ndjson([entry.encode("latin-1")], NONE))
        assert str(caught.value).startswith("line 1: ")

    def test_files(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"one\n\x00two")
        reading = _records.files([str(tmp_path / "a"), str(tmp_path / "missing")], NONE)
        assert next(reading).value == b"one\n\x00two"
        with pytest.raises(_records.BadRecord, match="missing"):
            next(reading)


class TestFormat:
    @pytest.mark.parametrize(
        ("text", "written"),
        [
            (r"%s\n", b"v\n"),
            ("%k=%s", b"k=v"),
            ("%t[%p]@%o", b"words[2]@41"),
            ("%T %d", b"1700000000123 2023-11-14T22:13:20.123Z"),
            ("%S %K", b"1 1"),
            (r"%%\t\x41\\é", "%\tA\\é".encode()),
            ("", b""),
        ],
    )
    def test_escapes(self, text: str, written: bytes) -> None:
        assert _format.compile_format(text)(message()) == written

    def test_nulls(self) -> None:
        tombstone = message(key=None, value=None)
        assert _format.compile_format("%k|%s|%S")(tombstone) == b"||-1"
        assert _format.compile_format("%k|%s", null="NULL")(tombstone) == b"NULL|NULL"

    def test_headers_and_bytes_pass_through(self) -> None:
        sent = message(value=b"\xff\x00", headers=[("a", b"1"), ("b", None)])
        assert _format.compile_format("%h %s", null="-")(sent) == b"a=1,b=- \xff\x00"

    @pytest.mark.parametrize("text", ["%", "%z", "\\", r"\q", r"\xZZ"])
    def test_unknown_escapes_are_refused(self, text: str) -> None:
        with pytest.raises(UsageError, match="character 1"):
            _format.compile_format(text)

    def test_json(self) -> None:
        sent = message(key=b"\xff", value="hé".encode(), headers=[("a", b"1"), ("a", b"\xfe"), ("n", None)])
        line = _format.as_json(sent)
        assert line.endswith(b"\n")
        assert json.loads(line) == {
            "topic": "words",
            "partition": 2,
            "offset": 41,
            "timestamp": 1_700_000_000_123,
            "timestamp_type": "create",
            "key_base64": "/w==",
            "value": "hé",
            "headers": [
                {"key": "a", "value": "1"},
                {"key": "a", "value_base64": "/g=="},
                {"key": "n", "value": None},
            ],
        }

    def test_json_can_be_produced_again(self) -> None:
        sent = message(key=None, value=b"\x00\xff", headers=[("a", b"1"), ("a", None)])
        (record,) = _records.ndjson([_format.as_json(sent)], NONE)
        assert (record.key, record.value, record.headers) == (None, b"\x00\xff", [("a", b"1"), ("a", None)])
        assert (record.partition, record.timestamp) == (2, 1_700_000_000_123)

    def test_json_without_a_timestamp(self) -> None:
        assert json.loads(_format.as_json(message(timestamp=(0, 0))))["timestamp"] is None


class TestPosition:
    @pytest.mark.parametrize(
        ("text", "start"),
        [
            ("beginning", ("beginning", 0)),
            ("end", ("end", 0)),
            ("42", ("offset", 42)),
            ("-10", ("last", 10)),
            ("@1700000000123", ("time", 1_700_000_000_123)),
            ("@1970-01-01T00:00:01Z", ("time", 1000)),
            ("@1970-01-01T02:00:00+02:00", ("time", 0)),
            ("@1970-01-02", ("time", 86_400_000)),
        ],
    )
    def test_parse(self, text: str, start: tuple[str, int]) -> None:
        parsed = _position.parse_start(text)
        assert (parsed.kind, parsed.number) == start

    @pytest.mark.parametrize("text", ["", "noon", "1.5", "@noon", "@"])
    def test_refused(self, text: str) -> None:
        with pytest.raises(UsageError):
            _position.parse_start(text)

    @pytest.mark.parametrize(
        ("text", "found", "first"),
        [
            ("beginning", None, 10),
            ("end", None, 50),
            ("42", None, 42),
            ("5", None, 10),
            ("99", None, 50),
            ("-3", None, 47),
            ("-99", None, 10),
            ("@0", 30, 30),
            ("@0", -1, 50),
        ],
    )
    def test_span_stays_within_what_is_there(self, text: str, found: int | None, first: int) -> None:
        assert _position.span(_position.parse_start(text), 10, 50, found) == (first, 50)


class TestReading:
    FIRST = ("words", 0)

    def test_ends_when_every_span_is_read(self) -> None:
        spans = {("words", 0): _position.Span(0, 2), ("words", 1): _position.Span(5, 5)}
        reading = consume.Reading(spans, follow=False)
        closed = [reading.passed(self.FIRST, offset, at_end=False) for offset in (0, 1)]
        assert (closed, reading.done) == ([False, True], True)
        assert not reading.wants(self.FIRST, 2)

    def test_goes_on_while_something_is_left(self) -> None:
        reading = consume.Reading({("words", 0): _position.Span(0, 2)}, follow=False)
        assert not reading.passed(self.FIRST, 0, at_end=False)
        assert not reading.done

    def test_a_control_record_at_the_end_does_not_hold_it_up(self) -> None:
        reading = consume.Reading({("words", 0): _position.Span(0, 3)}, follow=False)
        assert reading.passed(self.FIRST, 3, at_end=True)
        assert reading.done

    def test_nothing_to_read_is_done_at_once_but_not_when_following(self) -> None:
        spans = {("words", 0): _position.Span(5, 5)}
        assert consume.Reading(spans, follow=False).done
        following = consume.Reading(spans, follow=True)
        assert not following.done
        assert following.wants(self.FIRST, 5)

    def test_a_member_waits_for_partitions_and_for_their_ends(self) -> None:
        reading = consume.Reading({}, follow=False)
        done = [reading.done]
        reading.assigned([TopicPartition("words", 0), TopicPartition("words", 1)])
        reading.passed(self.FIRST, 7, at_end=True)
        done.append(reading.done)
        reading.revoked([TopicPartition("words", 1)])
        done.append(reading.done)
        reading.revoked([TopicPartition("words", 0)])
        done.append(reading.done)
        reading.assigned([])
        done.append(reading.done)
        assert done == [False, False, True, False, True]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class TestTerminal:
    def test_progress_on_a_terminal_rewrites_one_line(self) -> None:
        now = [0.0]
        screen = Terminal()
        progress = _terminal.Progress(None, stream=screen, clock=lambda: now[0])
        progress.show(lambda: "too early")
        now[0] = 1.1
        progress.show(lambda: "a long line")
        progress.show(lambda: "too soon")
        now[0] = 1.5
        progress.show(lambda: "short")
        progress.clear()
        assert screen.getvalue() == "\ra long line\rshort      \r     \r"

    def test_a_message_takes_the_progress_line_away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        screen = Terminal()
        monkeypatch.setattr(sys, "stderr", screen)
        progress = _terminal.Progress(True, stream=screen)
        progress.show(lambda: "counting")
        _terminal.say("news")
        assert screen.getvalue() == "\rcounting\r        \rnews\n"

    def test_progress_is_silent_unless_asked_for(self) -> None:
        log = io.StringIO()
        _terminal.Progress(None, quiet_s=0, stream=log).show(lambda: "line")
        assert log.getvalue() == ""
        _terminal.Progress(True, stream=log).show(lambda: "line")
        assert log.getvalue() == "line\n"

    def test_client_errors_are_said_once(self) -> None:
        said: list[str] = []
        log = _terminal.ClientLog(verbose=False, write=said.append)
        for _ in range(3):
            log.on_error(KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down"))
        log.log(20, "%s %s", "CONNECT", "noise")
        log.log(30, "%s %s", "CONFWARN", "worth knowing")
        assert said == ["1/1 brokers are down (_ALL_BROKERS_DOWN)", "CONFWARN worth knowing"]

    @pytest.mark.parametrize(
        ("count", "text"), [(0, "0 bytes"), (1023, "1,023 bytes"), (1536, "1.5 KiB"), (3 * 2**20, "3.0 MiB")]
    )
    def test_readable_bytes(self, count: int, text: str) -> None:
        assert _terminal.readable_bytes(count) == text


class TestEnding:
    @pytest.mark.parametrize(
        ("error", "code"), [(KeyboardInterrupt(), 130), (BrokenPipeError(), 0), (OSError("disk full"), 1)]
    )
    def test_every_end_has_its_exit_code(
        self,
        error: BaseException,
        code: int,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        def run(_: argparse.Namespace) -> int:
            raise error

        monkeypatch.setattr(broker, "run", run)
        monkeypatch.setattr("confluent_kafka.cli._main.discard_output", lambda: None)
        assert main(["broker"]) == code
        assert "Traceback" not in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("text", "topic"), [("words", ("words", 1)), ("words:3", ("words", 3)), ("a.b-c_d:12", ("a.b-c_d", 12))]
    )
    def test_topic_argument(self, text: str, topic: tuple[str, int]) -> None:
        assert broker.parse_topic(text) == topic
