//! The cluster, in Python's terms.

use ferrokafka_core::admin::cluster::{self, Description, Node};
use ferrokafka_core::admin::Call;
use ferrokafka_core::error::Failure;
use pyo3::prelude::*;
use pyo3::types::PyList;

use super::kinds::{asked, done, fault, list};
use super::offsets::at;

/// (id, host, port, rack)
pub fn node(node: Node) -> (i32, String, u16, Option<String>) {
    (node.id, node.host, node.port, node.rack)
}

pub fn nodes<'py>(py: Python<'py>, nodes: Vec<Node>) -> PyResult<Bound<'py, PyList>> {
    list(py, nodes, |each| Ok(node(each)))
}

pub fn describe(call: &Call<'_>, _items: &Bound<'_, PyAny>) -> PyResult<()> {
    asked(cluster::describe(call))
}

pub fn elect_leaders(call: &Call<'_>, items: &Bound<'_, PyAny>) -> PyResult<()> {
    let (election, partitions) = items.extract::<(i32, Option<Vec<(String, i32)>>)>()?;
    let partitions: Option<Vec<_>> = partitions
        .map(|partitions| partitions.into_iter().map(|(topic, partition)| at(topic, partition, -1001)).collect());
    asked(cluster::elect_leaders(call, election, partitions.as_deref()))
}

pub fn described(py: Python<'_>, cluster: Description) -> PyResult<Py<PyAny>> {
    let Description { id, controller, nodes: all, operations } = cluster;
    let fields = (id, controller.map(node), nodes(py, all)?, operations);
    Ok(fields.into_pyobject(py)?.into_any().unbind())
}

pub fn elected(py: Python<'_>, partitions: Vec<(String, i32, Option<Failure>)>) -> PyResult<Py<PyAny>> {
    done(list(py, partitions, |(topic, partition, failure)| Ok((topic, partition, fault(py, failure)?))))
}
