//! Logical types: what stands for dates, times, decimals and UUIDs, as fastavro converts them.

use ferrokafka_core::codec::calendar::{civil_from_days, days_from_civil, DAY_SECONDS};
use ferrokafka_core::codec::schema::Logical;
use ferrokafka_core::codec::wire::{integer_bytes, integer_from};
use pyo3::prelude::*;
use pyo3::types::{
    PyBytes, PyDate, PyDateAccess, PyDateTime, PyDelta, PyDeltaAccess, PyInt, PyString, PyTime, PyTimeAccess, PyTzInfo,
    PyTzInfoAccess,
};

use super::build::Decimal;
use super::fault::{mismatch, type_name, Outcome, What};
use crate::error::python_object;

const MILLIS: i64 = 1_000;
const MICROS: i64 = 1_000_000;
/// More digits than any schema has; 10^n is not computed for a larger n.
const MOST_DIGITS: i64 = 100_000;
/// No decimal takes more bytes; a schema can announce any size.
const MOST_BYTES: usize = 1 << 24;

/// The word for what a logical type takes, in messages.
pub fn word(logical: Logical) -> &'static str {
    match logical {
        Logical::Date => "date",
        Logical::TimeMillis => "time-millis",
        Logical::TimeMicros => "time-micros",
        Logical::TimestampMillis => "timestamp-millis",
        Logical::TimestampMicros => "timestamp-micros",
        Logical::LocalTimestampMillis => "local-timestamp-millis",
        Logical::LocalTimestampMicros => "local-timestamp-micros",
        Logical::Decimal(_) => "decimal",
        Logical::Uuid => "uuid",
        Logical::Custom(_) => "",
    }
}

/// What a value of a number's logical type is as that number; None for a value that stands for itself.
#[inline]
pub fn number(logical: Logical, object: &Bound<'_, PyAny>) -> Outcome<Option<i64>> {
    if object.is_exact_instance_of::<PyInt>() {
        return Ok(None);
    }
    match logical {
        Logical::Date => {
            if let Ok(date) = object.cast::<PyDate>() {
                return Ok(Some(days_from_civil(date.get_year(), date.get_month(), date.get_day())));
            }
            if object.is_instance_of::<PyString>() {
                return date_of_text(object).map(Some);
            }
            Ok(None)
        }
        Logical::TimeMillis | Logical::TimeMicros => {
            let Ok(time) = object.cast::<PyTime>() else { return Ok(None) };
            let seconds = clock(time);
            let micros = i64::from(time.get_microsecond());
            Ok(Some(if logical == Logical::TimeMillis {
                seconds * MILLIS + micros / 1000
            } else {
                seconds * MICROS + micros
            }))
        }
        _ => {
            let Ok(moment) = object.cast::<PyDateTime>() else { return Ok(None) };
            let local = matches!(logical, Logical::LocalTimestampMillis | Logical::LocalTimestampMicros);
            let (seconds, micros) = if local { wall_clock(moment) } else { instant(moment)? };
            let millis = matches!(logical, Logical::TimestampMillis | Logical::LocalTimestampMillis);
            Ok(Some(if millis { seconds * MILLIS + micros / 1000 } else { seconds * MICROS + micros }))
        }
    }
}

#[cold]
fn date_of_text(object: &Bound<'_, PyAny>) -> Outcome<i64> {
    let py = object.py();
    match py.get_type::<PyDate>().call_method1("fromisoformat", (object,)) {
        Ok(date) => {
            let date = date.cast_into::<PyDate>().map_err(PyErr::from)?;
            Ok(days_from_civil(date.get_year(), date.get_month(), date.get_day()))
        }
        Err(_) => mismatch("expected date, got a str that is no ISO date".to_owned()),
    }
}

fn clock(time: &impl PyTimeAccess) -> i64 {
    i64::from(time.get_hour()) * 3600 + i64::from(time.get_minute()) * 60 + i64::from(time.get_second())
}

/// Seconds and microseconds from 1970 to what the clock on the wall shows.
fn wall_clock(moment: &Bound<'_, PyDateTime>) -> (i64, i64) {
    let days = days_from_civil(moment.get_year(), moment.get_month(), moment.get_day());
    (days * DAY_SECONDS + clock(moment), i64::from(moment.get_microsecond()))
}

/// Seconds and microseconds from 1970 in UTC. Without a time zone it is the machine's.
fn instant(moment: &Bound<'_, PyDateTime>) -> Outcome<(i64, i64)> {
    let py = moment.py();
    let (seconds, micros) = wall_clock(moment);
    let Some(zone) = moment.get_tzinfo() else { return local_instant(moment, seconds, micros) };
    if zone.is(PyTzInfo::utc(py)?) {
        return Ok((seconds, micros));
    }
    let offset = moment.call_method0("utcoffset")?;
    let Ok(offset) = offset.cast_into::<PyDelta>() else { return local_instant(moment, seconds, micros) };
    let offset_micros = i64::from(offset.get_microseconds());
    let seconds = seconds - i64::from(offset.get_days()) * DAY_SECONDS - i64::from(offset.get_seconds());
    let micros = micros - offset_micros;
    Ok((seconds + micros.div_euclid(MICROS), micros.rem_euclid(MICROS)))
}

#[cfg(unix)]
fn local_instant(moment: &Bound<'_, PyDateTime>, _: i64, micros: i64) -> Outcome<(i64, i64)> {
    // SAFETY: all zeros is a valid value of this C struct.
    let mut parts: libc::tm = unsafe { std::mem::zeroed() };
    parts.tm_sec = i32::from(moment.get_second());
    parts.tm_min = i32::from(moment.get_minute());
    parts.tm_hour = i32::from(moment.get_hour());
    parts.tm_mday = i32::from(moment.get_day());
    parts.tm_mon = i32::from(moment.get_month()) - 1;
    parts.tm_year = moment.get_year() - 1900;
    parts.tm_isdst = -1;
    // SAFETY: the struct lives through the call, which fills in what it normalises.
    Ok((unsafe { libc::mktime(&mut parts) }, micros))
}

#[cfg(not(unix))]
fn local_instant(_: &Bound<'_, PyDateTime>, seconds: i64, micros: i64) -> Outcome<(i64, i64)> {
    Ok((seconds, micros))
}

/// What a number of a logical type stands for. None: no value of Python's does.
pub fn value_of(py: Python<'_>, logical: Logical, number: i64) -> Outcome<Py<PyAny>> {
    let made = match logical {
        Logical::Date => civil_from_days(number).map(|(y, m, d)| PyDate::new(py, y, m, d).map(Bound::into_any)),
        Logical::TimeMillis => time(py, number, MILLIS),
        Logical::TimeMicros => time(py, number, MICROS),
        Logical::TimestampMillis => moment(py, number, MILLIS, true),
        Logical::TimestampMicros => moment(py, number, MICROS, true),
        Logical::LocalTimestampMillis => moment(py, number, MILLIS, false),
        Logical::LocalTimestampMicros => moment(py, number, MICROS, false),
        Logical::Decimal(_) | Logical::Uuid | Logical::Custom(_) => None,
    };
    match made {
        Some(object) => Ok(object?.unbind()),
        None => Err(What::Corrupt(format!("a {} out of range", word(logical))).into()),
    }
}

fn moment(py: Python<'_>, number: i64, unit: i64, utc: bool) -> Option<PyResult<Bound<'_, PyAny>>> {
    let seconds = number.div_euclid(unit);
    let micros = number.rem_euclid(unit) * (MICROS / unit);
    let (year, month, day) = civil_from_days(seconds.div_euclid(DAY_SECONDS))?;
    let second = seconds.rem_euclid(DAY_SECONDS);
    let (hour, minute, second) = ((second / 3600) as u8, (second / 60 % 60) as u8, (second % 60) as u8);
    let zone = if utc {
        match PyTzInfo::utc(py) {
            Ok(zone) => Some(zone),
            Err(error) => return Some(Err(error)),
        }
    } else {
        None
    };
    let made = PyDateTime::new(py, year, month, day, hour, minute, second, micros as u32, zone.as_deref());
    Some(made.map(Bound::into_any))
}

/// Divided as Python code would: hours toward zero, the rest into what is positive.
fn time(py: Python<'_>, number: i64, unit: i64) -> Option<PyResult<Bound<'_, PyAny>>> {
    let hour = u8::try_from(number / (unit * 3600)).ok().filter(|hour| *hour < 24)?;
    let minute = (number / (unit * 60)).rem_euclid(60) as u8;
    let second = (number / unit).rem_euclid(60) as u8;
    let micros = number.rem_euclid(unit) * (MICROS / unit);
    Some(PyTime::new(py, hour, minute, second, micros as u32, None).map(Bound::into_any))
}

/// Coefficient and exponent of a finite decimal.
struct Parts {
    negative: bool,
    digits: String,
    exponent: i64,
}

fn parts(object: &Bound<'_, PyAny>) -> Outcome<Parts> {
    let class = python_object!(object.py(), "decimal", "Decimal")?;
    // of a subclass, which may print itself otherwise, the plain number
    let text = if object.get_type().is(class) { object.str()? } else { class.call1((object,))?.str()? };
    let text = text.to_str()?;
    let (negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (coefficient, exponent) = match text.split_once('E') {
        Some((coefficient, exponent)) => (coefficient, exponent.parse::<i64>().ok()),
        None => (text, Some(0)),
    };
    let (whole, fraction) = coefficient.split_once('.').unwrap_or((coefficient, ""));
    let finite = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    let (true, Some(exponent)) = (finite, exponent) else {
        return mismatch("expected a finite decimal".to_owned());
    };
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    Ok(Parts { negative, digits: digits.to_owned(), exponent: exponent - fraction.len() as i64 })
}

pub fn is_decimal(object: &Bound<'_, PyAny>) -> Outcome<bool> {
    Ok(object.is_instance(python_object!(object.py(), "decimal", "Decimal")?)?)
}

/// The two's complement of a decimal's unscaled value, big-endian: as few bytes as hold it, or `size`.
pub fn decimal_bytes(info: &Decimal, object: &Bound<'_, PyAny>, size: Option<usize>) -> Outcome<Vec<u8>> {
    let Parts { negative, digits, exponent } = parts(object)?;
    let Some(precision) = info.precision else {
        return mismatch("the schema has a decimal without precision".to_owned());
    };
    let zeros = exponent + info.scale as i64;
    if zeros < 0 {
        return mismatch(format!("expected a decimal of scale {}, got one of scale {}", info.scale, -exponent));
    }
    if digits.len() > precision || zeros > MOST_DIGITS {
        let got = digits.len() as i64 + zeros;
        return mismatch(format!("expected a decimal of precision {precision}, got one of precision {got}"));
    }
    let small = if digits.len() as i64 + zeros <= 38 {
        digits
            .parse::<i128>()
            .ok()
            .map(|value| value * 10_i128.pow(zeros as u32))
            .map(|v| if negative { -v } else { v })
    } else {
        None
    };
    let bytes = match small {
        Some(value) => {
            let (bytes, count) = integer_bytes(value);
            bytes[17 - count..].to_vec()
        }
        None => large_bytes(object.py(), negative, &digits, zeros)?,
    };
    match size {
        None => Ok(bytes),
        Some(size) => sized(bytes, size),
    }
}

/// The same number in exactly that many bytes.
fn sized(bytes: Vec<u8>, size: usize) -> Outcome<Vec<u8>> {
    if size > MOST_BYTES {
        return mismatch(format!("decimals of {size} bytes are not supported"));
    }
    let filler = if bytes[0] & 0x80 == 0 { 0 } else { 0xff };
    let same_sign = |rest: &[u8]| rest.first().is_some_and(|first| (first ^ filler) & 0x80 == 0);
    let mut spare = 0;
    while bytes.len() - spare > size {
        if bytes[spare] != filler || !same_sign(&bytes[spare + 1..]) {
            return mismatch(format!("expected a decimal of {size} bytes, got a larger one"));
        }
        spare += 1;
    }
    let mut made = vec![filler; size - (bytes.len() - spare)];
    made.extend_from_slice(&bytes[spare..]);
    Ok(made)
}

#[cold]
fn large_bytes(py: Python<'_>, negative: bool, digits: &str, zeros: i64) -> Outcome<Vec<u8>> {
    let int = py.get_type::<PyInt>();
    // in pieces: int() refuses texts of some thousand digits
    let mut value = int.call1((0,))?;
    for piece in digits.as_bytes().chunks(1000) {
        let factor = int.call1((10,))?.pow(piece.len(), py.None())?;
        value = value.mul(factor)?.add(int.call1((std::str::from_utf8(piece).unwrap_or("0"),))?)?;
    }
    value = value.mul(int.call1((10,))?.pow(zeros, py.None())?)?;
    let count = (value.call_method0("bit_length")?.extract::<usize>()? + 8) / 8;
    if negative {
        value = value.neg()?;
    }
    let signed = pyo3::types::PyDict::new(py);
    signed.set_item("signed", true)?;
    let bytes = value.call_method("to_bytes", (count, "big"), Some(&signed))?;
    Ok(bytes.cast::<PyBytes>().map_err(PyErr::from)?.as_bytes().to_vec())
}

/// The decimal that bytes stand for, rounded to the precision.
pub fn decimal_of<'py>(py: Python<'py>, info: &Decimal, bytes: &[u8]) -> Outcome<Bound<'py, PyAny>> {
    let Some(precision) = info.precision else {
        return Err(What::Corrupt("the schema has a decimal without precision".to_owned()).into());
    };
    let class = python_object!(py, "decimal", "Decimal")?;
    if let Some(value) = integer_from(bytes) {
        let digits = value.unsigned_abs().to_string();
        // exact: nothing to round, nothing that the context would refuse
        if digits.len() <= precision {
            return Ok(class.call1((scaled(value < 0, &digits, info.scale),))?);
        }
    }
    let context = python_object!(py, "decimal", "Context")?.call1((precision,))?;
    let signed = pyo3::types::PyDict::new(py);
    signed.set_item("signed", true)?;
    let value = py.get_type::<PyInt>().call_method("from_bytes", (PyBytes::new(py, bytes), "big"), Some(&signed))?;
    let made = context.call_method1("create_decimal", (value,))?;
    Ok(made.call_method1("scaleb", (-(info.scale as i64), context))?)
}

/// A number's text, with that many digits behind the point: what a decimal with this coefficient and exponent prints.
fn scaled(negative: bool, digits: &str, scale: usize) -> String {
    let sign = if negative { "-" } else { "" };
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    format!("{sign}{digits}E-{scale}")
}

pub fn uuid_text<'py>(object: &Bound<'py, PyAny>) -> Outcome<Option<Bound<'py, PyString>>> {
    if object.is_instance(python_object!(object.py(), "uuid", "UUID")?)? {
        return Ok(Some(object.str()?));
    }
    Ok(None)
}

pub fn uuid_of<'py>(py: Python<'py>, text: &Bound<'py, PyAny>) -> Outcome<Bound<'py, PyAny>> {
    python_object!(py, "uuid", "UUID")?
        .call1((text,))
        .map_err(|error| What::Corrupt(format!("{}: no UUID", type_name(error.value(py)))).into())
}
