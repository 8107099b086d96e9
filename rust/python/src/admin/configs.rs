//! Configurations, in Python's terms.

use ferrokafka_core::admin::configs::{self, Change, Described, Entry, Setting};
use ferrokafka_core::admin::Call;
use ferrokafka_core::error::Failure;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::kinds::{asked, done, fault, list};

pub fn describe(call: &Call<'_>, items: &Bound<'_, PyAny>) -> PyResult<()> {
    asked(configs::describe(call, &items.extract::<Vec<(i32, String)>>()?))
}

/// Resources (type, name, entries).
fn resources<T>(items: Vec<(i32, String, Vec<T>)>) -> Vec<(configs::Resource, Vec<T>)> {
    items.into_iter().map(|(kind, name, entries)| ((kind, name), entries)).collect()
}

pub fn alter(call: &Call<'_>, items: &Bound<'_, PyAny>) -> PyResult<()> {
    asked(configs::alter(call, &resources(items.extract::<Vec<(i32, String, Vec<Setting>)>>()?)))
}

pub fn alter_incrementally(call: &Call<'_>, items: &Bound<'_, PyAny>) -> PyResult<()> {
    let items = items.extract::<Vec<(i32, String, Vec<Change>)>>()?;
    asked(configs::alter_incrementally(call, &resources(items)))
}

pub fn altered(py: Python<'_>, resources: Vec<(i32, String, Option<Failure>)>) -> PyResult<Py<PyAny>> {
    done(list(py, resources, |(kind, name, failure)| Ok((kind, name, fault(py, failure)?))))
}

pub fn described(py: Python<'_>, resources: Vec<Described>) -> PyResult<Py<PyAny>> {
    done(list(py, resources, |Described { resource: (kind, name), error, entries }| {
        Ok((kind, name, fault(py, error)?, list(py, entries, |each| entry(py, each))?))
    }))
}

fn entry<'py>(py: Python<'py>, each: Entry) -> PyResult<Bound<'py, PyTuple>> {
    let Entry { name, value, source, read_only, default, sensitive, synonym, synonyms } = each;
    let synonyms = list(py, synonyms, |each| entry(py, each))?;
    (name, value, source, read_only, default, sensitive, synonym, synonyms).into_pyobject(py)
}
