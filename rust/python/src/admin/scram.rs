//! SCRAM credentials, in Python's terms.

use ferrokafka_core::admin::scram::{self, Alteration, Description, Upsertion};
use ferrokafka_core::admin::Call;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use super::kinds::{asked, done, fault, list};

pub fn describe(call: &Call<'_>, items: &Bound<'_, PyAny>) -> PyResult<()> {
    asked(scram::describe(call, items.extract::<Option<Vec<String>>>()?.as_deref()))
}

pub fn alter(call: &Call<'_>, items: &Bound<'_, PyAny>) -> PyResult<()> {
    let items = items.extract::<Vec<Bound<'_, PyTuple>>>()?;
    asked(scram::alter(call, &items.iter().map(alteration).collect::<PyResult<Vec<_>>>()?))
}

/// (user, mechanism) deletes, (user, mechanism, iterations, password, salt) sets.
fn alteration(fields: &Bound<'_, PyTuple>) -> PyResult<Alteration> {
    if fields.len() == 2 {
        let (user, mechanism) = fields.extract()?;
        return Ok(Alteration { user, mechanism, upsertion: None });
    }
    type Fields<'py> = (String, i32, i32, Bound<'py, PyBytes>, Option<Bound<'py, PyBytes>>);
    let (user, mechanism, iterations, password, salt) = fields.extract::<Fields<'_>>()?;
    let (password, salt) = (password.as_bytes().to_vec(), salt.map(|salt| salt.as_bytes().to_vec()));
    Ok(Alteration { user, mechanism, upsertion: Some(Upsertion { iterations, password, salt }) })
}

pub fn described(py: Python<'_>, users: Vec<Description>) -> PyResult<Py<PyAny>> {
    done(list(py, users, |Description { user, error, credentials }| Ok((user, fault(py, error)?, credentials))))
}
