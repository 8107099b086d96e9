//! The kinds of requests by name, their options, and the results of all.

use ferrokafka_core::admin::{Asked, Call, Options, Refused, Reply};
use ferrokafka_core::error::Failure;
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use super::{acls, cluster, configs, groups, offsets, scram, topics};
use crate::error::kafka_error;

/// Makes a request of what Python gives.
pub type Ask = fn(&Call<'_>, &Bound<'_, PyAny>) -> PyResult<()>;

pub fn find(kind: &str) -> PyResult<Ask> {
    Ok(match kind {
        "create_topics" => topics::create,
        "delete_topics" => topics::delete,
        "create_partitions" => topics::extend,
        "describe_topics" => topics::describe,
        "describe_cluster" => cluster::describe,
        "elect_leaders" => cluster::elect_leaders,
        "describe_configs" => configs::describe,
        "alter_configs" => configs::alter,
        "incremental_alter_configs" => configs::alter_incrementally,
        "create_acls" => acls::create,
        "describe_acls" => acls::describe,
        "delete_acls" => acls::delete,
        "list_consumer_groups" => groups::list,
        "describe_consumer_groups" => groups::describe,
        "delete_consumer_groups" => groups::delete,
        "list_consumer_group_offsets" => offsets::list_group,
        "alter_consumer_group_offsets" => offsets::alter_group,
        "delete_consumer_group_offsets" => offsets::delete_group,
        "list_offsets" => offsets::list,
        "delete_records" => offsets::delete_records,
        "describe_user_scram_credentials" => scram::describe,
        "alter_user_scram_credentials" => scram::alter,
        _ => return Err(PyValueError::new_err(format!("unknown kind of request: {kind:?}"))),
    })
}

pub fn to_python(py: Python<'_>, reply: Reply) -> PyResult<Py<PyAny>> {
    match reply {
        Reply::Named(outcomes) => done(list(py, outcomes, |(name, failure)| Ok((name, fault(py, failure)?)))),
        Reply::Topics(topics) => topics::described(py, topics),
        Reply::Cluster(cluster) => cluster::described(py, cluster),
        Reply::Elected(partitions) => cluster::elected(py, partitions),
        Reply::Configs(resources) => configs::described(py, resources),
        Reply::Altered(resources) => configs::altered(py, resources),
        Reply::AclsCreated(outcomes) => done(list(py, outcomes, |failure| fault(py, failure))),
        Reply::Acls(acls) => acls::described(py, acls),
        Reply::AclsDeleted(outcomes) => acls::deleted(py, outcomes),
        Reply::Groups(listed) => groups::listed(py, listed),
        Reply::GroupDescriptions(groups) => groups::described(py, groups),
        Reply::Committed(groups) => offsets::committed(py, groups),
        Reply::Offsets(offsets) => offsets::listed(py, offsets),
        Reply::Deleted(partitions) => offsets::records_deleted(py, partitions),
        Reply::Users(users) => scram::described(py, users),
    }
}

pub fn options(given: &Bound<'_, PyDict>) -> PyResult<Options> {
    let mut options = Options::default();
    for (key, value) in given.iter() {
        let key: String = key.extract()?;
        match key.as_str() {
            "request_timeout" => options.request_timeout_ms = value.extract()?,
            "operation_timeout" => options.operation_timeout_ms = value.extract()?,
            "validate_only" => options.validate_only = value.extract()?,
            "include_authorized_operations" => options.include_authorized_operations = value.extract()?,
            "require_stable" => options.require_stable = value.extract()?,
            "broker" => options.broker = value.extract()?,
            "isolation_level" => options.isolation_level = value.extract()?,
            "states" => options.states = value.extract()?,
            "types" => options.types = value.extract()?,
            _ => return Err(PyValueError::new_err(format!("unknown option: {key:?}"))),
        }
    }
    Ok(options)
}

/// A number that C cannot take is a bad value like those that librdkafka refuses.
pub fn in_range(py: Python<'_>, kind: &str, error: PyErr) -> PyErr {
    if !error.is_instance_of::<PyOverflowError>(py) {
        return error;
    }
    let refused = PyValueError::new_err(format!("{kind}: a number is too large: {}", error.value(py)));
    refused.set_cause(py, Some(error));
    refused
}

pub fn asked(asked: Asked) -> PyResult<()> {
    asked.map_err(|Refused(reason)| PyValueError::new_err(reason))
}

/// The only one of the items of a request that takes one.
pub fn only<T>(what: &str, mut items: Vec<T>) -> PyResult<T> {
    match (items.pop(), items.len()) {
        (Some(item), 0) => Ok(item),
        (popped, left) => {
            let count = left + usize::from(popped.is_some());
            Err(PyValueError::new_err(format!("this request takes exactly one {what}, not {count}")))
        }
    }
}

pub fn fault<'py>(py: Python<'py>, failure: Option<Failure>) -> PyResult<Option<Bound<'py, PyAny>>> {
    failure.map(|failure| kafka_error(py, &failure)).transpose()
}

pub fn list<'py, T, U: IntoPyObject<'py>>(
    py: Python<'py>,
    items: Vec<T>,
    convert: impl FnMut(T) -> PyResult<U>,
) -> PyResult<Bound<'py, PyList>> {
    let converted = items.into_iter().map(convert).collect::<PyResult<Vec<_>>>()?;
    PyList::new(py, converted)
}

pub fn done(list: PyResult<Bound<'_, PyList>>) -> PyResult<Py<PyAny>> {
    list.map(|list| list.into_any().unbind())
}
