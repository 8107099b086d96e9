//! What Python values are to Avro: the conversions of single values, by the rules of fastavro.

use ferrokafka_core::codec::schema::Kind;
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use super::fault::{mismatch, type_name, Outcome, What};
use crate::error::python_object;

#[cold]
pub fn wrong<T>(expected: &str, object: &Bound<'_, PyAny>) -> Outcome<T> {
    mismatch(format!("expected {expected}, got {}", type_name(object)))
}

/// An int, or what `int()` makes one of without parsing it. `expected` is only asked for a message.
#[inline]
pub fn integer(object: &Bound<'_, PyAny>, expected: impl Fn() -> String) -> Outcome<i64> {
    match object.cast::<PyInt>() {
        Ok(number) => small(number, expected),
        Err(_) => other_integer(object, expected),
    }
}

#[inline]
fn small(number: &Bound<'_, PyInt>, expected: impl Fn() -> String) -> Outcome<i64> {
    number.extract::<i64>().or_else(|error| {
        if error.is_instance_of::<PyOverflowError>(number.py()) {
            mismatch(format!("expected {}, got an int of more than 64 bits", expected()))
        } else {
            Err(error.into())
        }
    })
}

#[cold]
fn other_integer(object: &Bound<'_, PyAny>, expected: impl Fn() -> String) -> Outcome<i64> {
    let method = if object.is_instance_of::<PyString>() { None } else { object.getattr_opt("__int__")? };
    let Some(method) = method else { return wrong(&expected(), object) };
    match method.call0()?.cast::<PyInt>() {
        Ok(number) => small(number, expected),
        Err(_) => wrong(&expected(), object),
    }
}

#[inline]
pub fn float(object: &Bound<'_, PyAny>, expected: impl Fn() -> String) -> Outcome<f64> {
    match object.cast::<PyFloat>() {
        Ok(number) => Ok(number.value()),
        Err(_) => object.extract::<f64>().or_else(|error| no_float(object, error, expected)),
    }
}

#[cold]
fn no_float<T>(object: &Bound<'_, PyAny>, error: PyErr, expected: impl Fn() -> String) -> Outcome<T> {
    let py = object.py();
    if error.is_instance_of::<PyOverflowError>(py) {
        mismatch(format!("expected {}, got an int too large for it", expected()))
    } else if error.is_instance_of::<PyTypeError>(py) || error.is_instance_of::<PyValueError>(py) {
        wrong(&expected(), object)
    } else {
        Err(error.into())
    }
}

/// What `float(object)` is: text as well.
#[inline]
pub fn parsed_float(object: &Bound<'_, PyAny>, expected: impl Fn() -> String) -> Outcome<f64> {
    if let Ok(number) = object.cast::<PyFloat>() {
        return Ok(number.value());
    }
    match object.py().get_type::<PyFloat>().call1((object,)) {
        Ok(number) => float(&number, expected),
        Err(error) => no_float(object, error, expected),
    }
}

/// Hand the bytes of an object to a function.
#[inline]
pub fn with_bytes<T>(
    object: &Bound<'_, PyAny>,
    expected: impl Fn() -> String,
    then: impl FnOnce(&[u8]) -> Outcome<T>,
) -> Outcome<T> {
    match object.cast::<PyBytes>() {
        Ok(bytes) => then(bytes.as_bytes()),
        Err(_) => then(&other_bytes(object, expected)?),
    }
}

#[cold]
fn other_bytes(object: &Bound<'_, PyAny>, expected: impl Fn() -> String) -> Outcome<Vec<u8>> {
    if let Ok(bytes) = object.cast::<PyByteArray>() {
        return Ok(bytes.to_vec());
    }
    let Ok(buffer) = PyBuffer::<u8>::get(object) else { return wrong(&expected(), object) };
    if buffer.dimensions() != 1 {
        return mismatch(format!("expected {}, got a buffer of {} dimensions", expected(), buffer.dimensions()));
    }
    Ok(buffer.to_vec(object.py())?)
}

/// Hand the UTF-8 bytes of a text to a function.
#[inline]
pub fn with_text<T>(
    object: &Bound<'_, PyAny>,
    expected: impl Fn() -> String,
    then: impl FnOnce(&[u8]) -> Outcome<T>,
) -> Outcome<T> {
    match object.cast::<PyString>() {
        Ok(text) => match text.to_str() {
            Ok(text) => then(text.as_bytes()),
            Err(_) => mismatch(format!("expected {}, got a str with code points that UTF-8 does not have", expected())),
        },
        Err(_) => encoded(object, expected, then),
    }
}

#[cold]
fn encoded<T>(
    object: &Bound<'_, PyAny>,
    expected: impl Fn() -> String,
    then: impl FnOnce(&[u8]) -> Outcome<T>,
) -> Outcome<T> {
    let Some(method) = object.getattr_opt("encode")? else { return wrong(&expected(), object) };
    match method.call0()?.cast::<PyBytes>() {
        Ok(bytes) => then(bytes.as_bytes()),
        Err(_) => wrong(&expected(), object),
    }
}

fn is_a(object: &Bound<'_, PyAny>, class: PyResult<&Bound<'_, PyAny>>) -> Outcome<bool> {
    Ok(object.is_instance(class?)?)
}

#[inline]
pub fn is_mapping(object: &Bound<'_, PyAny>) -> Outcome<bool> {
    if object.is_instance_of::<PyDict>() {
        return Ok(true);
    }
    if is_scalar(object) || object.is_instance_of::<PyList>() {
        return Ok(false);
    }
    is_a(object, python_object!(object.py(), "collections.abc", "Mapping"))
}

#[inline]
pub fn is_sequence(object: &Bound<'_, PyAny>) -> Outcome<bool> {
    if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() {
        return Ok(true);
    }
    if object.is_instance_of::<PyBytes>() {
        return Ok(true);
    }
    if is_scalar(object) || object.is_instance_of::<PyDict>() {
        return Ok(false);
    }
    let py = object.py();
    Ok(is_a(object, python_object!(py, "collections.abc", "Sequence"))?
        || is_a(object, python_object!(py, "array", "array"))?)
}

#[inline]
fn is_scalar(object: &Bound<'_, PyAny>) -> bool {
    object.is_none()
        || object.is_instance_of::<PyString>()
        || object.is_instance_of::<PyFloat>()
        || object.is_instance_of::<PyInt>()
}

fn is_integral(object: &Bound<'_, PyAny>) -> Outcome<bool> {
    if object.is_none() || object.is_instance_of::<PyString>() || object.is_instance_of::<PyFloat>() {
        return Ok(false);
    }
    if object.is_instance_of::<PyInt>() {
        return Ok(!object.is_instance_of::<PyBool>());
    }
    is_a(object, python_object!(object.py(), "numbers", "Integral"))
}

fn is_real(object: &Bound<'_, PyAny>) -> Outcome<bool> {
    if object.is_instance_of::<PyFloat>() {
        return Ok(true);
    }
    if object.is_none() || object.is_instance_of::<PyString>() {
        return Ok(false);
    }
    if object.is_instance_of::<PyInt>() {
        return Ok(!object.is_instance_of::<PyBool>());
    }
    is_a(object, python_object!(object.py(), "numbers", "Real"))
}

fn in_range(object: &Bound<'_, PyAny>, least: i64, most: i64) -> Outcome<bool> {
    if !is_integral(object)? {
        return Ok(false);
    }
    Ok(match integer(object, String::new) {
        Ok(number) => (least..=most).contains(&number),
        Err(fault) if matches!(fault.what, What::Mismatch(_)) => false,
        Err(fault) => return Err(fault),
    })
}

/// Whether a value is of a type, as the choice of a union's branch asks. None: it takes a look at its parts.
#[inline]
pub fn is_of(kind: &Kind, object: &Bound<'_, PyAny>) -> Outcome<Option<bool>> {
    Ok(Some(match kind {
        Kind::Null => object.is_none(),
        Kind::Boolean => object.is_instance_of::<PyBool>(),
        Kind::Int => in_range(object, i64::from(i32::MIN), i64::from(i32::MAX))?,
        Kind::Long => in_range(object, i64::MIN, i64::MAX)?,
        Kind::Float | Kind::Double => is_real(object)?,
        Kind::Bytes => object.is_instance_of::<PyBytes>() || object.is_instance_of::<PyByteArray>(),
        Kind::String => object.is_instance_of::<PyString>(),
        Kind::Fixed(fixed) => {
            (object.is_instance_of::<PyBytes>() || object.is_instance_of::<PyByteArray>())
                && object.len()? == fixed.size
        }
        Kind::Enum(enumeration) => match object.cast_exact::<PyString>() {
            Ok(text) => text.to_str().is_ok_and(|text| enumeration.places.contains_key(text)),
            Err(_) if object.is_none() => false,
            Err(_) => return Ok(None),
        },
        Kind::Array(_) if is_sequence(object)? => return Ok(None),
        Kind::Map(_) | Kind::Record(_) if is_mapping(object)? => return Ok(None),
        Kind::Union(_) => return Ok(None),
        _ => false,
    }))
}
