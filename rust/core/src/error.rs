//! Errors of the core, and librdkafka's error table.

use std::ffi::CStr;
use std::fmt;
use std::os::raw::c_char;
use std::ptr;

use rdkafka_sys::bindings as sys;

/// A failed Kafka operation, with librdkafka's classification of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub code: i32,
    /// What librdkafka says beyond the code's own text.
    pub reason: Option<String>,
    pub fatal: bool,
    pub retriable: bool,
    pub txn_requires_abort: bool,
}

impl Failure {
    pub fn new(code: i32, reason: impl Into<String>) -> Self {
        Failure { reason: Some(reason.into()), ..Failure::from_code(code) }
    }

    pub fn from_code(code: i32) -> Self {
        Failure { code, reason: None, fatal: false, retriable: false, txn_requires_abort: false }
    }

    /// Takes over an `rd_kafka_error_t`; `None` when there is no error.
    pub(crate) fn from_error(error: *mut sys::rd_kafka_error_t) -> Option<Self> {
        if error.is_null() {
            return None;
        }
        // SAFETY: the caller gives its only pointer to a live rd_kafka_error_t; it is read and then destroyed once.
        unsafe {
            let failure = Failure {
                code: sys::rd_kafka_error_code(error) as i32,
                reason: Some(text(sys::rd_kafka_error_string(error))),
                fatal: sys::rd_kafka_error_is_fatal(error) != 0,
                retriable: sys::rd_kafka_error_is_retriable(error) != 0,
                txn_requires_abort: sys::rd_kafka_error_txn_requires_abort(error) != 0,
            };
            sys::rd_kafka_error_destroy(error);
            Some(failure)
        }
    }
}

#[derive(Clone, Debug)]
pub enum Error {
    Kafka(Failure),
    /// librdkafka refused a property.
    Config {
        key: String,
        value: String,
        message: String,
    },
    /// The client belongs to the parent process.
    Forked,
    /// Another thread closes the client meanwhile.
    Closing,
    /// The operating system refused a resource (event fd, thread).
    System(String),
}

pub type Result<T> = std::result::Result<T, Error>;

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Error::Kafka(failure)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Error::System(error.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Kafka(failure) => match &failure.reason {
                Some(reason) => write!(f, "{}: {reason}", name(failure.code)),
                None => write!(f, "{}: {}", name(failure.code), describe(failure.code)),
            },
            // The value is left out: it may be a secret.
            Error::Config { key, message, .. } => write!(f, "{key}: {message}"),
            Error::Forked => write!(f, "this client was made before fork()"),
            Error::Closing => write!(f, "another thread closes the client"),
            Error::System(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}

/// Turns a C return code into a result.
pub(crate) fn check(code: sys::rd_kafka_resp_err_t) -> Result<()> {
    match code as i32 {
        0 => Ok(()),
        code => Err(Error::Kafka(Failure::from_code(code))),
    }
}

/// Turns a returned `rd_kafka_error_t` into a result and destroys it.
pub(crate) fn check_error(error: *mut sys::rd_kafka_error_t) -> Result<()> {
    Failure::from_error(error).map_or(Ok(()), |failure| Err(Error::Kafka(failure)))
}

/// Copies a C string; a null pointer gives an empty one.
pub(crate) fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: librdkafka's strings are NUL-terminated and outlive this copy.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}

/// One line of librdkafka's error table.
pub struct Description {
    pub code: i32,
    pub name: String,
    pub text: String,
}

/// Every error code that this librdkafka knows (`rd_kafka_get_err_descs`).
pub fn table() -> Vec<Description> {
    let mut descriptions = ptr::null();
    let mut count = 0;
    // SAFETY: librdkafka fills in a pointer to `count` static entries, sparse ones with a null name.
    let entries = unsafe {
        sys::rd_kafka_get_err_descs(&mut descriptions, &mut count);
        // The code is read as an integer: a sparse entry is no value of the Rust enum.
        std::slice::from_raw_parts(descriptions.cast::<RawDescription>(), count)
    };
    entries
        .iter()
        .filter(|entry| !entry.name.is_null())
        .map(|entry| Description { code: entry.code, name: text(entry.name), text: text(entry.desc) })
        .collect()
}

#[repr(C)]
struct RawDescription {
    code: i32,
    name: *const c_char,
    desc: *const c_char,
}

mod by_number {
    //! As in librdkafka's header, but for any number: a code that the Rust enum does not have must not become one.
    use std::os::raw::{c_char, c_int};

    extern "C" {
        pub fn rd_kafka_err2name(code: c_int) -> *const c_char;
        pub fn rd_kafka_err2str(code: c_int) -> *const c_char;
    }
}

/// The symbolic name, `ERR_99999?` for a code that librdkafka does not know.
pub fn name(value: i32) -> String {
    // SAFETY: returns a static or thread-local C string for any code.
    text(unsafe { by_number::rd_kafka_err2name(value) })
}

/// The text for a code, `Err-99999?` for one that librdkafka does not know.
pub fn describe(value: i32) -> String {
    // SAFETY: returns a static or thread-local C string for any code.
    text(unsafe { by_number::rd_kafka_err2str(value) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_has_both_families() {
        let table = table();
        assert!(table.iter().any(|entry| entry.code == -195 && entry.name == "_TRANSPORT"));
        assert!(table.iter().any(|entry| entry.code == 3 && entry.name == "UNKNOWN_TOPIC_OR_PART"));
        assert!(table.len() > 150);
    }

    #[test]
    fn unknown_codes_are_named() {
        assert_eq!(name(99999), "ERR_99999?");
        assert_eq!(describe(99999), "Err-99999?");
    }
}
