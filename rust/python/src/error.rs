//! The one way from the core's errors to Python exceptions, whose classes live in `confluent_kafka.error`.

use ferrokafka_core::error::{Error, Failure};
use pyo3::exceptions::{PyOSError, PyRuntimeError};
use pyo3::prelude::*;

/// A Python object looked up once: `python_object!(py, "module", "name")`.
macro_rules! python_object {
    ($py:expr, $module:literal, $name:literal) => {{
        static CELL: pyo3::sync::PyOnceLock<pyo3::Py<pyo3::PyAny>> = pyo3::sync::PyOnceLock::new();
        CELL.get_or_try_init($py, || -> pyo3::PyResult<_> {
            use pyo3::types::PyAnyMethods;
            Ok($py.import($module)?.getattr($name)?.unbind())
        })
        .map(|object| object.bind($py))
    }};
}
pub(crate) use python_object;

/// A `KafkaError` object.
pub fn kafka_error<'py>(py: Python<'py>, failure: &Failure) -> PyResult<Bound<'py, PyAny>> {
    python_object!(py, "confluent_kafka.error", "KafkaError")?.call1((
        failure.code,
        failure.reason.as_deref(),
        failure.fatal,
        failure.retriable,
        failure.txn_requires_abort,
    ))
}

/// A `KafkaError` object for a code, or None for 0.
pub fn kafka_error_or_none(py: Python<'_>, code: i32) -> PyResult<Option<Py<PyAny>>> {
    if code == 0 {
        return Ok(None);
    }
    kafka_error(py, &Failure::from_code(code)).map(|error| Some(error.unbind()))
}

/// The `KafkaException` of the right family.
pub fn exception(py: Python<'_>, failure: &Failure) -> PyErr {
    let made = kafka_error(py, failure)
        .and_then(|error| python_object!(py, "confluent_kafka.error", "exception_for")?.call1((error,)));
    match made {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

/// A failure of `what`, in the form "Failed to get metadata: Local: Timed out".
pub fn during(what: &'static str) -> impl Fn(Error) -> Error {
    move |error| match error {
        Error::Kafka(failure) => {
            let reason = failure.reason.unwrap_or_else(|| ferrokafka_core::error::describe(failure.code));
            let failure = Failure { reason: Some(format!("{what}: {reason}")), ..failure };
            Error::Kafka(failure)
        }
        other => other,
    }
}

pub fn to_python(py: Python<'_>, error: Error) -> PyErr {
    match error {
        Error::Kafka(failure) => exception(py, &failure),
        // `calls::open` names the kind of the others: what is left is the embedded cluster's own client, a producer.
        Error::Config { key, value, message } => refused(py, "producer", &key, &value, &message),
        Error::Forked => forked(py),
        Error::Closing => closed("the consumer was closed by another thread during this call"),
        Error::System(message) => PyOSError::new_err(message),
    }
}

/// The exception for a refused property, which names the nearest known one.
pub fn refused(py: Python<'_>, kind: &str, key: &str, value: &str, message: &str) -> PyErr {
    match python_object!(py, "confluent_kafka._config", "refused").and_then(|f| f.call1((kind, key, value, message))) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

pub fn forked(py: Python<'_>) -> PyErr {
    let text = "this client was made before fork() and belongs to the parent process: \
                create a new one in the child (for multiprocessing, inside the worker)";
    match python_object!(py, "confluent_kafka.error", "ForkedClientError").and_then(|class| class.call1((text,))) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}

pub fn closed(text: &'static str) -> PyErr {
    PyRuntimeError::new_err(text)
}

/// `?` on the core's results in functions that have `py`.
pub trait OrRaise<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for Result<T, Error> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| to_python(py, error))
    }
}
