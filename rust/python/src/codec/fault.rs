//! What goes wrong in a value, and where in it. The place is put together on the way out, so that no path is kept while
//! all goes well.

use ferrokafka_core::codec::schema::{NameId, MAX_DEPTH};
use ferrokafka_core::codec::wire::Stop;
use pyo3::exceptions::{PyException, PyImportError, PyMemoryError};
use pyo3::prelude::*;

use super::build::Tables;
use crate::error::python_object;

pub enum Step {
    Field(NameId),
    Index(usize),
    Key(String),
}

pub enum What {
    /// The object does not match the schema.
    Mismatch(String),
    /// A mismatch that Python code told.
    Raised(PyErr),
    Truncated,
    Corrupt(String),
    /// Writer's and reader's schema do not fit.
    Unresolvable(String),
    TooDeep,
}

pub struct Fault {
    /// Innermost first.
    pub path: Vec<Step>,
    pub what: What,
}

/// Boxed: results are passed on for every value, and faults are rare.
pub type Outcome<T> = Result<T, Box<Fault>>;

impl From<What> for Box<Fault> {
    #[cold]
    fn from(what: What) -> Self {
        Box::new(Fault { path: Vec::new(), what })
    }
}

impl From<PyErr> for Box<Fault> {
    #[cold]
    fn from(error: PyErr) -> Self {
        What::Raised(error).into()
    }
}

impl From<Stop> for Box<Fault> {
    #[cold]
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Truncated => What::Truncated,
            Stop::Corrupt(text) => What::Corrupt(text.to_owned()),
        }
        .into()
    }
}

/// Say where a fault is, from the inside out.
pub trait At<T> {
    fn at(self, step: impl FnOnce() -> Step) -> Outcome<T>;
}

impl<T> At<T> for Outcome<T> {
    #[inline]
    fn at(self, step: impl FnOnce() -> Step) -> Outcome<T> {
        self.map_err(|mut fault| {
            fault.path.push(step());
            fault
        })
    }
}

#[cold]
pub fn mismatch<T>(text: String) -> Outcome<T> {
    Err(What::Mismatch(text).into())
}

/// The name of an object's type, for messages. None is called by its own name.
#[cold]
pub fn type_name(object: &Bound<'_, PyAny>) -> String {
    if object.is_none() {
        return "None".to_owned();
    }
    object.get_type().name().map_or_else(|_| "object".to_owned(), |name| name.to_string())
}

fn path(tables: &Tables, steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps.iter().rev() {
        match step {
            Step::Index(index) => path.push_str(&format!("[{index}]")),
            Step::Field(name) => join(&mut path, &tables.texts[*name]),
            Step::Key(key) => join(&mut path, key),
        }
    }
    path
}

fn join(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}

impl Fault {
    /// The exception for what could not be written.
    #[cold]
    pub fn writing(self, py: Python<'_>, tables: &Tables) -> PyErr {
        let path = path(tables, &self.path);
        let mismatch = |text: &str| {
            python_object!(py, "confluent_kafka.schema_registry.error", "SchemaMismatchError")
                .and_then(|class| class.call1((text, &*path)))
                .map_or_else(|error| error, PyErr::from_value)
        };
        match self.what {
            What::Mismatch(text) => mismatch(&text),
            What::Raised(error) if passes(py, &error) => error,
            What::Raised(error) => {
                let value = error.value(py);
                let told = value.str().map_or_else(|_| String::new(), |text| text.to_string());
                let made = mismatch(&format!("{}: {told}", type_name(value)));
                made.set_cause(py, Some(error));
                made
            }
            What::TooDeep => serialization_error(
                py,
                &format!("the object is nested more than {MAX_DEPTH} levels deep, or contains itself"),
            ),
            What::Truncated => serialization_error(py, "the object cannot be written"),
            What::Corrupt(text) | What::Unresolvable(text) => serialization_error(py, &text),
        }
    }

    /// The exception for what could not be read.
    #[cold]
    pub fn reading(self, py: Python<'_>, tables: &Tables) -> PyErr {
        let path = path(tables, &self.path);
        let place = if path.is_empty() { String::new() } else { format!(" (field \"{path}\")") };
        let class = match &self.what {
            What::Truncated => python_object!(py, "confluent_kafka.schema_registry._core.framing", "TruncatedError"),
            What::Unresolvable(_) => {
                python_object!(py, "confluent_kafka.schema_registry._core.codecs.avro", "ResolutionError")
            }
            _ => python_object!(py, "confluent_kafka.error", "SerializationError"),
        };
        let corrupt = |why: &str| format!("the Avro data is corrupt, or was written with another schema{place}: {why}");
        let (text, cause) = match self.what {
            What::Truncated => (format!("the Avro data is cut off, or was written with another schema{place}"), None),
            What::Unresolvable(text) | What::Mismatch(text) => (format!("{text}{place}"), None),
            What::Corrupt(text) => (corrupt(&text), None),
            What::TooDeep => (corrupt(&format!("values nested more than {MAX_DEPTH} levels deep")), None),
            What::Raised(error) if passes(py, &error) => return error,
            What::Raised(error) => (corrupt(&reason(py, &error)), Some(error)),
        };
        let made = class.and_then(|class| class.call1((text,))).map_or_else(|error| error, PyErr::from_value);
        if cause.is_some() {
            made.set_cause(py, cause);
        }
        made
    }
}

/// Not about the value: Ctrl-C, no memory, a package that is not installed.
fn passes(py: Python<'_>, error: &PyErr) -> bool {
    !error.is_instance_of::<PyException>(py)
        || error.is_instance_of::<PyMemoryError>(py)
        || error.is_instance_of::<PyImportError>(py)
}

/// The kind of an error in data, and what it says: `str()` of a `UnicodeDecodeError` quotes the data, its reason does not.
fn reason(py: Python<'_>, error: &PyErr) -> String {
    let value = error.value(py);
    let told = value.getattr("reason").or_else(|_| value.str().map(Bound::into_any));
    format!("{}: {}", type_name(value), told.map_or_else(|_| String::new(), |text| text.to_string()))
}

fn serialization_error(py: Python<'_>, text: &str) -> PyErr {
    python_object!(py, "confluent_kafka.error", "SerializationError")
        .and_then(|class| class.call1((text,)))
        .map_or_else(|error| error, PyErr::from_value)
}
