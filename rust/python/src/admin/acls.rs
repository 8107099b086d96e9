//! Access control lists, in Python's terms.

use ferrokafka_core::admin::acls::{self, Acl};
use ferrokafka_core::admin::Call;
use ferrokafka_core::error::Failure;
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::kinds::{asked, done, fault, list, only};

/// (restype, name, pattern, principal, host, operation, permission)
type Fields = (i32, Option<String>, i32, Option<String>, Option<String>, i32, i32);

fn extract(items: &Bound<'_, PyAny>) -> PyResult<Vec<Acl>> {
    let acl = |(restype, name, pattern, principal, host, operation, permission): Fields| Acl {
        restype,
        name,
        pattern,
        principal,
        host,
        operation,
        permission,
    };
    Ok(items.extract::<Vec<Fields>>()?.into_iter().map(acl).collect())
}

pub fn create(call: &Call<'_>, items: &Bound<'_, PyAny>) -> PyResult<()> {
    asked(acls::create(call, &extract(items)?))
}

pub fn describe(call: &Call<'_>, items: &Bound<'_, PyAny>) -> PyResult<()> {
    asked(acls::describe(call, &only("filter", extract(items)?)?))
}

pub fn delete(call: &Call<'_>, items: &Bound<'_, PyAny>) -> PyResult<()> {
    asked(acls::delete(call, &extract(items)?))
}

pub fn described(py: Python<'_>, acls: Vec<Acl>) -> PyResult<Py<PyAny>> {
    done(tuples(py, acls))
}

pub fn deleted(py: Python<'_>, outcomes: Vec<(Option<Failure>, Vec<Acl>)>) -> PyResult<Py<PyAny>> {
    done(list(py, outcomes, |(failure, acls)| Ok((fault(py, failure)?, tuples(py, acls)?))))
}

fn tuples<'py>(py: Python<'py>, acls: Vec<Acl>) -> PyResult<Bound<'py, PyList>> {
    list(py, acls, |Acl { restype, name, pattern, principal, host, operation, permission }| {
        Ok((restype, name, pattern, principal, host, operation, permission))
    })
}
