//! Building of an `rd_kafka_conf_t`, and librdkafka's own description of its properties.

use std::os::raw::c_char;
use std::ptr::{self, NonNull};

use rdkafka_sys::bindings as sys;

use crate::error::{text, Error, Result};
use crate::native::c_string;

const ERROR_TEXT: usize = 512;

pub(crate) type ErrorText = [c_char; ERROR_TEXT];

pub(crate) fn error_text() -> ErrorText {
    [0; ERROR_TEXT]
}

/// Owns an `rd_kafka_conf_t` until a client takes it.
pub(crate) struct Conf(NonNull<sys::rd_kafka_conf_t>);

impl Conf {
    pub(crate) fn new(properties: &[(String, String)]) -> Result<Self> {
        // SAFETY: librdkafka aborts rather than return null.
        let conf = Conf(unsafe { NonNull::new_unchecked(sys::rd_kafka_conf_new()) });
        for (key, value) in properties {
            conf.set(key, value)?;
        }
        Ok(conf)
    }

    pub(crate) fn set(&self, key: &str, value: &str) -> Result<()> {
        let (c_key, c_value) = (c_string(key), c_string(value));
        let mut message = error_text();
        // SAFETY: all strings are NUL-terminated and copied; the error buffer's true size is given.
        let result = unsafe {
            sys::rd_kafka_conf_set(self.as_ptr(), c_key.as_ptr(), c_value.as_ptr(), message.as_mut_ptr(), message.len())
        };
        if result == sys::rd_kafka_conf_res_t::RD_KAFKA_CONF_OK {
            return Ok(());
        }
        Err(Error::Config { key: key.to_owned(), value: value.to_owned(), message: text(message.as_ptr()) })
    }

    pub(crate) fn as_ptr(&self) -> *mut sys::rd_kafka_conf_t {
        self.0.as_ptr()
    }

    /// Gives the configuration to a C call that takes ownership of it.
    pub(crate) fn release(self) {
        std::mem::forget(self);
    }
}

impl Drop for Conf {
    fn drop(&mut self) {
        // SAFETY: no client took it, the only owner destroys once.
        unsafe { sys::rd_kafka_conf_destroy(self.0.as_ptr()) }
    }
}

/// The value of a property in a client's or a new default configuration; `None` when it is unset or unknown.
pub(crate) fn get(conf: *const sys::rd_kafka_conf_t, key: &str) -> Option<String> {
    let c_key = c_string(key);
    let mut size = 0;
    // SAFETY: a null destination asks for the size, which includes the NUL.
    unsafe {
        if sys::rd_kafka_conf_get(conf, c_key.as_ptr(), ptr::null_mut(), &mut size)
            != sys::rd_kafka_conf_res_t::RD_KAFKA_CONF_OK
        {
            return None;
        }
        let mut value = vec![0 as c_char; size.max(1)];
        if sys::rd_kafka_conf_get(conf, c_key.as_ptr(), value.as_mut_ptr(), &mut size)
            != sys::rd_kafka_conf_res_t::RD_KAFKA_CONF_OK
        {
            return None;
        }
        Some(text(value.as_ptr()))
    }
}

/// librdkafka's table of properties, as text (`rd_kafka_conf_properties_show`).
pub fn properties() -> String {
    let mut buffer: *mut c_char = ptr::null_mut();
    let mut size = 0;
    // SAFETY: the stream owns the buffer until fclose; afterwards it is ours to copy and free.
    unsafe {
        let stream = libc::open_memstream(&mut buffer, &mut size);
        if stream.is_null() {
            return String::new();
        }
        sys::rd_kafka_conf_properties_show(stream.cast());
        libc::fclose(stream);
        let table = text(buffer);
        libc::free(buffer.cast());
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_properties_are_named() {
        let error = Conf::new(&[("bootstrap.server".into(), "x".into())]).err().unwrap();
        assert!(matches!(error, Error::Config { ref key, .. } if key == "bootstrap.server"));
    }

    #[test]
    fn values_can_be_read_back() {
        let conf = Conf::new(&[("linger.ms".into(), "17".into())]).unwrap();
        assert_eq!(get(conf.as_ptr(), "linger.ms").as_deref(), Some("17"));
        assert_eq!(get(conf.as_ptr(), "no.such.thing"), None);
    }

    #[test]
    fn the_table_lists_properties() {
        assert!(properties().contains("max.poll.interval.ms"));
    }
}
