//! Topic names as Python strings, made once.

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::slot::GilCell;

/// The names a client has met. The last one is found first: consecutive messages mostly share their topic.
pub struct Names(GilCell<Known>);

#[derive(Default)]
struct Known {
    names: Vec<(Box<[u8]>, Py<PyString>)>,
    last: usize,
}

impl Default for Names {
    fn default() -> Self {
        Names(GilCell::new(Known::default()))
    }
}

impl Names {
    #[inline]
    pub fn get(&self, py: Python<'_>, name: &[u8]) -> Py<PyAny> {
        // SAFETY: counts a reference or makes a str, which starts no collection; nothing is dropped.
        unsafe { self.0.with(py, |known| known.get(py, name)) }
    }
}

impl Known {
    #[inline]
    fn get(&mut self, py: Python<'_>, name: &[u8]) -> Py<PyAny> {
        if let Some((text, string)) = self.names.get(self.last) {
            if **text == *name {
                return string.clone_ref(py).into_any();
            }
        }
        self.find(py, name)
    }

    #[cold]
    fn find(&mut self, py: Python<'_>, name: &[u8]) -> Py<PyAny> {
        let found = self.names.iter().position(|(text, _)| **text == *name);
        self.last = found.unwrap_or_else(|| {
            let string = PyString::new(py, &String::from_utf8_lossy(name)).unbind();
            self.names.push((name.into(), string));
            self.names.len() - 1
        });
        self.names[self.last].1.clone_ref(py).into_any()
    }
}
