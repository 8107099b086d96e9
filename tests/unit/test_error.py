# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import copy
import gc
import pickle
import weakref
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confluent_kafka import _native, error
from confluent_kafka._error_codes import NAMES, NEWER_TEXTS, ErrorCodes
from confluent_kafka.error import (
    AbortableError,
    AuthorizationError,
    ConcurrentModificationException,
    ConfigurationError,
    ConsumeError,
    Error,
    FatalError,
    ForkedClientError,
    IllegalStateException,
    InvalidArgumentError,
    KafkaError,
    KafkaException,
    KafkaTimeoutError,
    KeyDeserializationError,
    KeySerializationError,
    ProduceError,
    ProducerFencedError,
    QueueFullError,
    RetriableError,
    SerializationError,
    TransportError,
    UnavailableError,
    ValueDeserializationError,
    ValueSerializationError,
    exception_for,
)

codes = st.one_of(
    st.sampled_from(sorted(NAMES)),
    st.integers(-(2**31), 2**31 - 1),
)
errors = st.builds(KafkaError, codes, st.none() | st.text(), st.booleans(), st.booleans(), st.booleans())


def fields(err: KafkaError) -> tuple[Any, ...]:
    return err.code(), err.str(), err.fatal(), err.retriable(), err.txn_requires_abort()


def test_error_tells_name_and_standard_text_of_its_code() -> None:
    err = KafkaError(KafkaError._TRANSPORT)
    assert (err.code(), err.name(), err.str()) == (-195, "_TRANSPORT", "Local: Broker transport failure")
    assert (err.fatal(), err.retriable(), err.txn_requires_abort()) == (False, False, False)
    assert str(err) == repr(err) == 'KafkaError{code=_TRANSPORT,val=-195,str="Local: Broker transport failure"}'


def test_a_given_reason_replaces_the_text_and_fatal_is_shown() -> None:
    err = KafkaError(1, "no such offset", True)
    assert err.str() == "no such offset"
    assert repr(err) == 'KafkaError{FATAL,code=OFFSET_OUT_OF_RANGE,val=1,str="no such offset"}'
    assert KafkaError(1, "").str() == ""


@pytest.mark.parametrize("code", [99999, -3, 134, -(2**31)])
def test_unknown_codes_have_placeholder_names(code: int) -> None:
    assert KafkaError(code).name() == f"ERR_{code}?"
    assert KafkaError(code).str() == f"Err-{code}?"


def test_every_code_of_librdkafka_is_a_class_attribute_with_its_text() -> None:
    table = [(code, name, text) for code, name, text in _native.error_table() if text]
    assert len(table) > 150
    for code, name, text in table:
        assert getattr(KafkaError, name) == code
        assert (KafkaError(code).name(), KafkaError(code).str()) == (name, text)


def test_codes_newer_than_librdkafka_have_names_and_texts() -> None:
    for code in NEWER_TEXTS:
        assert "?" not in KafkaError(code).name() + KafkaError(code).str()
    assert KafkaError.TRANSACTION_ABORTABLE == 120
    assert KafkaError.SHARE_SESSION_LIMIT_REACHED == 133


def test_no_two_names_share_a_code() -> None:
    named = {name: code for name, code in vars(ErrorCodes).items() if name.upper() == name and name[:2] != "__"}
    assert len(named) == len(set(named.values())) >= 188
    assert {name: code for code, name in NAMES.items()} == named


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ((), TypeError),
        (("1",), TypeError),
        ((1.0,), TypeError),
        ((None,), TypeError),
        ((1, 2), TypeError),
        ((2**31,), OverflowError),
    ],
)
def test_wrong_constructor_arguments_are_refused(args: tuple[Any, ...], expected: type[Exception]) -> None:
    with pytest.raises(expected):
        KafkaError(*args)


def test_the_code_has_two_keyword_names() -> None:
    assert KafkaError(error=3) == KafkaError(code=3) == 3
    with pytest.raises(TypeError, match="two names"):
        KafkaError(3, error=3)


@given(a=errors, b=errors)
def test_comparisons_go_by_code(a: KafkaError, b: KafkaError) -> None:
    for other in (b, b.code()):
        assert (a == other) is (a.code() == b.code())
        assert (a != other) is (a.code() != b.code())
        assert (a < other) is (a.code() < b.code())
        assert (a <= other) is (a.code() <= b.code())
        assert (a > other) is (a.code() > b.code())
        assert (a >= other) is (a.code() >= b.code())
    if a == b:
        assert hash(a) == hash(b) == hash(b.code())


@pytest.mark.parametrize("other", [None, "x", 1.5, object()])
def test_other_types_are_unequal_and_have_no_order(other: Any) -> None:
    err = KafkaError(1)
    assert not err == other
    assert err != other
    with pytest.raises(TypeError):
        err < other  # noqa: B015


def test_an_error_is_true_even_without_error() -> None:
    assert KafkaError(KafkaError.NO_ERROR)


def test_an_error_is_immutable() -> None:
    err = KafkaError(1)
    for name in ("_code", "_reason", "other", "args"):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(err, name, 5)
    with pytest.raises(AttributeError, match="immutable"):
        del err._code
    assert fields(err) == fields(KafkaError(1))


def test_a_raised_error_is_caught_as_exception_that_carries_it() -> None:
    err = KafkaError(KafkaError._STATE, "not now")
    with pytest.raises(KafkaException) as caught:
        raise err
    assert caught.value.args == (err,)
    assert caught.value.args[0] is err
    assert caught.value is err


def test_interpreter_and_contextlib_may_keep_their_notes_on_an_error() -> None:
    @contextlib.contextmanager
    def passing() -> Any:
        yield

    cause = ValueError("cause")
    with pytest.raises(KafkaError) as caught, passing():
        raise KafkaError(1) from cause
    assert caught.value.__cause__ is cause
    assert caught.value.__traceback__ is not None


def test_an_error_is_freed_without_the_garbage_collector() -> None:
    class Err(KafkaError):
        pass

    gc.disable()
    try:
        err = Err(1)
        assert err.args[0] is err
        gone = weakref.ref(err)
        del err
        assert gone() is None
    finally:
        gc.enable()


@given(err=errors)
def test_errors_pickle_and_copy_with_all_fields(err: KafkaError) -> None:
    for other in (pickle.loads(pickle.dumps(err)), copy.copy(err), copy.deepcopy(err)):
        assert type(other) is KafkaError
        assert fields(other) == fields(err)


def test_pickles_name_the_class_where_existing_code_has_it() -> None:
    assert KafkaError.__module__ == "confluent_kafka.cimpl"
    assert b"confluent_kafka.cimpl" in pickle.dumps(KafkaError(1))


class OwnError(KafkaError):
    def __init__(self, where: str) -> None:
        super().__init__(KafkaError._FAIL, f"failed in {where}")
        self.where = where


class LazyError(KafkaError):
    def __init__(self) -> None:
        pass


class OwnException(KafkaException):
    def __init__(self, code: int, where: str) -> None:
        super().__init__(KafkaError(code))
        self.where = where

    def __reduce__(self) -> Any:
        return OwnException, (self.args[0].code(), self.where)


def test_errors_can_be_subclassed() -> None:
    err = OwnError("cellar")
    assert (err.code(), err.str(), err.where) == (-196, "failed in cellar", "cellar")
    other = pickle.loads(pickle.dumps(err))
    assert (type(other), fields(other), other.where) == (OwnError, fields(err), "cellar")
    assert LazyError().code() == 0


def test_exceptions_can_be_subclassed_and_keep_their_class() -> None:
    exc = OwnException(KafkaError._TIMED_OUT, "attic")
    assert type(exc) is OwnException
    other = pickle.loads(pickle.dumps(exc))
    assert (type(other), other.args, other.where) == (OwnException, exc.args, "attic")


@pytest.mark.parametrize(
    ("err", "families"),
    [
        (KafkaError(KafkaError._TIMED_OUT), {KafkaTimeoutError, RetriableError}),
        (KafkaError(KafkaError._MSG_TIMED_OUT), {KafkaTimeoutError}),
        (KafkaError(KafkaError._TRANSPORT), {TransportError, RetriableError}),
        (KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED), {AuthorizationError}),
        (KafkaError(KafkaError._INVALID_ARG), {InvalidArgumentError}),
        (KafkaError(KafkaError._NOT_CONFIGURED), {ConfigurationError}),
        (KafkaError(KafkaError._FENCED, fatal=True), {ProducerFencedError, FatalError}),
        (KafkaError(KafkaError.UNKNOWN_MEMBER_ID, txn_requires_abort=True), {AbortableError}),
        (KafkaError(KafkaError.TRANSACTION_ABORTABLE), {AbortableError}),
        (KafkaError(99999, retriable=True), {RetriableError}),
        (KafkaError(99999), set()),
    ],
)
def test_an_error_decides_the_families_of_its_exception(err: KafkaError, families: set[type[KafkaException]]) -> None:
    exc = exception_for(err)
    assert exc.args == (err,)
    assert exc.args[0] is err
    assert str(exc) == str(err)
    assert type(KafkaException(err)) is type(exc)
    assert all(isinstance(exc, family) for family in families)
    advice = {FatalError, AbortableError, RetriableError}
    assert {family for family in advice if isinstance(exc, family)} == families & advice
    if not families:
        assert type(exc) is KafkaException


def test_classes_made_for_several_families_are_made_once_and_named_after_them() -> None:
    exc = exception_for(KafkaError(KafkaError._TIMED_OUT))
    assert type(exc).__name__ == "RetriableKafkaTimeoutError"
    assert type(exc).__module__ == "confluent_kafka.error"
    assert type(exc) is type(exception_for(KafkaError(KafkaError.REQUEST_TIMED_OUT)))


@given(err=errors)
def test_exceptions_of_every_error_pickle_and_copy(err: KafkaError) -> None:
    exc = exception_for(err)
    exc.topic = "t"  # type: ignore[attr-defined]
    for other in (pickle.loads(pickle.dumps(exc)), copy.copy(exc), copy.deepcopy(exc)):
        assert type(other) is type(exc)
        assert fields(other.args[0]) == fields(err)
        assert vars(other) == {"topic": "t"}
    assert isinstance(exc, KafkaException)
    assert not isinstance(exc, (FatalError, AbortableError)) or not isinstance(exc, RetriableError)


@pytest.mark.parametrize("args", [(), ("text",), ("text", 5), (None,)])
def test_exceptions_take_any_arguments(args: tuple[Any, ...]) -> None:
    exc = KafkaException(*args)
    assert type(exc) is KafkaException
    assert exc.args == args
    assert pickle.loads(pickle.dumps(exc)).args == args


def test_client_errors_carry_exception_and_message() -> None:
    cause = ValueError("bad bytes")
    message: Any = "m"
    key = KeyDeserializationError(exception=cause, kafka_message=message)
    assert isinstance(key, ConsumeError)
    assert isinstance(key, SerializationError)
    assert (key.code, key.name) == (KafkaError._KEY_DESERIALIZATION, "_KEY_DESERIALIZATION")
    assert (key.exception, key.kafka_message, key.args[0].str()) == (cause, message, "bad bytes")
    assert ValueDeserializationError(cause).code == KafkaError._VALUE_DESERIALIZATION
    for produce, code in ((KeySerializationError, -162), (ValueSerializationError, -161)):
        exc = produce(cause)
        assert isinstance(exc, ProduceError)
        assert isinstance(exc, SerializationError)
        assert (exc.code, exc.exception, exc.kafka_message) == (code, cause, None)
    plain = ProduceError(KafkaError(KafkaError._MSG_TIMED_OUT))
    assert (plain.code, plain.exception, plain.kafka_message) == (-192, None, None)


@pytest.mark.parametrize(
    "exc",
    [
        ConsumeError(KafkaError(3, "gone"), ValueError("v"), "message"),  # type: ignore[arg-type]
        KeyDeserializationError(ValueError("v"), "message"),  # type: ignore[arg-type]
        ValueDeserializationError(ValueError("v"), "message"),  # type: ignore[arg-type]
        ProduceError(KafkaError(3, "gone"), ValueError("v")),
        KeySerializationError(ValueError("v")),
        ValueSerializationError(ValueError("v")),
    ],
    ids=lambda exc: type(exc).__name__,
)
def test_client_errors_pickle_and_copy_with_their_fields(exc: Any) -> None:
    for other in (pickle.loads(pickle.dumps(exc)), copy.copy(exc), copy.deepcopy(exc)):
        assert type(other) is type(exc)
        assert fields(other.args[0]) == fields(exc.args[0])
        assert str(other.exception) == "v"
        assert other.kafka_message == exc.kafka_message
        assert str(other) == str(exc)


def test_a_full_queue_is_a_buffer_error_and_no_kafka_exception() -> None:
    exc = QueueFullError()
    assert isinstance(exc, BufferError)
    assert not isinstance(exc, KafkaException)
    assert str(exc).startswith("Local: Queue full")
    assert "poll()" in str(exc)
    assert exc.error == KafkaError._QUEUE_FULL
    other = pickle.loads(pickle.dumps(QueueFullError(KafkaError(KafkaError._QUEUE_FULL, "Local: Queue full here"))))
    assert str(other).startswith("Local: Queue full here")
    assert other.error == KafkaError._QUEUE_FULL


@pytest.mark.parametrize(
    ("cls", "builtin"),
    [
        (ForkedClientError, RuntimeError),
        (IllegalStateException, RuntimeError),
        (ConcurrentModificationException, RuntimeError),
        (UnavailableError, NotImplementedError),
    ],
)
def test_plain_errors_are_builtin_ones_too(cls: type[Error], builtin: type[Exception]) -> None:
    exc = cls("text")
    assert isinstance(exc, builtin)
    assert isinstance(exc, Error)
    other = pickle.loads(pickle.dumps(exc))
    assert (type(other), str(other)) == (cls, "text")


def test_every_exception_is_below_the_root_and_in_the_drawn_tree() -> None:
    classes = [
        value
        for value in vars(error).values()
        if isinstance(value, type) and issubclass(value, BaseException) and value.__name__ != "Error"
    ]
    assert len(classes) > 20
    assert error.__doc__ is not None
    for cls in classes:
        assert issubclass(cls, Error)
        assert cls.__name__ in error.__doc__
