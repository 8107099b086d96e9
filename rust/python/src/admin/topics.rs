//! Topics, in Python's terms.

use std::collections::BTreeMap;

use ferrokafka_core::admin::topics::{self, Assignment, Description, NewPartitions, NewTopic, Partition};
use ferrokafka_core::admin::Call;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::cluster::{node, nodes};
use super::kinds::{asked, done, fault, list};
use crate::error::python_object;

type NewTopicFields = (String, i32, i32, Option<Assignment>, Option<BTreeMap<String, Option<String>>>);

pub fn create(call: &Call<'_>, items: &Bound<'_, PyAny>) -> PyResult<()> {
    let new = |(name, partitions, replication_factor, assignment, config): NewTopicFields| {
        let config = config.unwrap_or_default().into_iter().collect();
        NewTopic { name, partitions, replication_factor, assignment, config }
    };
    let topics: Vec<_> = items.extract::<Vec<NewTopicFields>>()?.into_iter().map(new).collect();
    asked(topics::create(call, &topics))
}

pub fn delete(call: &Call<'_>, items: &Bound<'_, PyAny>) -> PyResult<()> {
    asked(topics::delete(call, &items.extract::<Vec<String>>()?))
}

pub fn extend(call: &Call<'_>, items: &Bound<'_, PyAny>) -> PyResult<()> {
    let new = |(topic, total, assignment)| NewPartitions { topic, total, assignment };
    let topics: Vec<_> = items.extract::<Vec<(String, i32, Option<Assignment>)>>()?.into_iter().map(new).collect();
    asked(topics::extend(call, &topics))
}

pub fn describe(call: &Call<'_>, items: &Bound<'_, PyAny>) -> PyResult<()> {
    asked(topics::describe(call, &items.extract::<Vec<String>>()?))
}

pub fn described(py: Python<'_>, topics: Vec<Description>) -> PyResult<Py<PyAny>> {
    done(list(py, topics, |topic| {
        let uuid = python_object!(py, "confluent_kafka._model", "Uuid")?;
        let id = topic.id.map(|halves| uuid.call1(halves)).transpose()?;
        let partitions = list(py, topic.partitions, |each| partition(py, each))?;
        Ok((topic.name, fault(py, topic.error)?, id, topic.is_internal, partitions, topic.operations))
    }))
}

fn partition<'py>(py: Python<'py>, partition: Partition) -> PyResult<Bound<'py, PyTuple>> {
    let (replicas, in_sync) = (nodes(py, partition.replicas)?, nodes(py, partition.in_sync)?);
    (partition.id, partition.leader.map(node), replicas, in_sync).into_pyobject(py)
}
