//! Bytes of Python objects: bytes, str, or anything with a buffer.

use std::mem::MaybeUninit;

use ferrokafka_core::native::Headers;
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

/// A contiguous, readable buffer held for the time of a call.
pub struct View(Box<ffi::Py_buffer>);

impl View {
    fn get(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut view = Box::new(MaybeUninit::<ffi::Py_buffer>::uninit());
        // SAFETY: the GIL is held; on success the view is initialised and released in Drop.
        unsafe {
            if ffi::PyObject_GetBuffer(object.as_ptr(), view.as_mut_ptr(), ffi::PyBUF_SIMPLE) != 0 {
                return Err(PyErr::fetch(object.py()));
            }
            Ok(View(Box::from_raw(Box::into_raw(view).cast())))
        }
    }

    fn bytes(&self) -> &[u8] {
        if self.0.buf.is_null() || self.0.len <= 0 {
            return &[];
        }
        // SAFETY: a simple buffer is `len` contiguous bytes, which the exporter keeps until it is released.
        // Another thread may write to them meanwhile, which gives a torn copy, as in every consumer of buffers.
        unsafe { std::slice::from_raw_parts(self.0.buf.cast::<u8>(), self.0.len as usize) }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // SAFETY: views are made and dropped within a call that holds the GIL; released once.
        unsafe { ffi::PyBuffer_Release(&mut *self.0) }
    }
}

/// What an argument's bytes are borrowed from.
pub enum Bytes<'a> {
    None,
    Borrowed(&'a [u8]),
    Buffer(View),
}

impl<'a> Bytes<'a> {
    /// `what` names the argument in the error.
    #[inline]
    pub fn of(object: Option<&'a Bound<'_, PyAny>>, what: &dyn std::fmt::Display) -> PyResult<Self> {
        let Some(object) = object else { return Ok(Bytes::None) };
        if let Ok(bytes) = object.cast_exact::<PyBytes>() {
            return Ok(Bytes::Borrowed(bytes.as_bytes()));
        }
        if object.is_none() {
            return Ok(Bytes::None);
        }
        if let Ok(text) = object.cast::<PyString>() {
            return text.to_str().map(|text| Bytes::Borrowed(text.as_bytes()));
        }
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Bytes::Borrowed(bytes.as_bytes()));
        }
        View::get(object).map(Bytes::Buffer).map_err(|error| {
            let py = object.py();
            if error.is_instance_of::<PyTypeError>(py) {
                let kind = object.get_type();
                let name = kind.name().map_or_else(|_| "object".to_owned(), |name| name.to_string());
                PyTypeError::new_err(format!(
                    "{what} must be bytes, str, a buffer or None, not {name}: serialize it first"
                ))
            } else {
                error
            }
        })
    }

    #[inline]
    pub fn get(&self) -> Option<&[u8]> {
        match self {
            Bytes::None => None,
            Bytes::Borrowed(bytes) => Some(bytes),
            Bytes::Buffer(view) => Some(view.bytes()),
        }
    }
}

/// Headers from a dict or a list of (key, value) tuples; `None` for None and for none.
pub fn headers(object: &Bound<'_, PyAny>) -> PyResult<Option<Headers>> {
    if object.is_none() {
        return Ok(None);
    }
    let mut headers = Headers::with_capacity(8);
    let mut any = false;
    let mut add = |key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>| -> PyResult<()> {
        any = true;
        let name = key.str()?;
        let name = name.to_str()?;
        let bytes = Bytes::of(Some(value), &format_args!("the value of header {name:?}"))?;
        headers.add(name, bytes.get());
        Ok(())
    };
    if let Ok(dict) = object.cast::<PyDict>() {
        for (key, value) in dict.iter() {
            add(&key, &value)?;
        }
    } else if let Ok(list) = object.cast::<PyList>() {
        for item in list.iter() {
            let pair = item
                .cast::<PyTuple>()
                .ok()
                .filter(|pair| pair.len() == 2)
                .ok_or_else(|| PyTypeError::new_err("Headers are expected to be a list of (key, value) tuples"))?;
            add(&pair.get_item(0)?, &pair.get_item(1)?)?;
        }
    } else {
        let kind = object.get_type();
        let name = kind.name()?;
        let text = format!("expected headers to be dict or list of (key, value) tuples, not {name}");
        return Err(PyTypeError::new_err(text));
    }
    Ok(any.then_some(headers))
}

/// Headers as Python sees them: a list of (str, bytes or None).
pub fn headers_to_python<'py>(py: Python<'py>, headers: &Headers) -> PyResult<Bound<'py, PyAny>> {
    let list = PyList::empty(py);
    headers.for_each(|name, value| {
        let name = PyString::new(py, &String::from_utf8_lossy(name));
        let value = value.map(|value| PyBytes::new(py, value));
        list.append((name, value))
    })?;
    Ok(list.into_any())
}
