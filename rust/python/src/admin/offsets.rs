//! Offsets of groups and partitions, in Python's terms.

use ferrokafka_core::admin::{offsets, Call};
use ferrokafka_core::error::Failure;
use ferrokafka_core::native::Partition;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use super::kinds::{asked, done, fault, list as to_list, only};
use crate::error::kafka_error_or_none;
use crate::partition;

pub fn at(topic: String, partition: i32, offset: i64) -> Partition {
    Partition { topic, partition, offset, metadata: None, leader_epoch: None, error: 0 }
}

/// A group and its partitions, None for all.
type Group = (String, Option<Vec<Partition>>);

fn group(items: &Bound<'_, PyAny>) -> PyResult<Group> {
    let (group, partitions) = only("group", items.extract::<Vec<(String, Option<Bound<'_, PyAny>>)>>()?)?;
    Ok((group, partitions.as_ref().map(partition::entries).transpose()?))
}

fn group_with_partitions(items: &Bound<'_, PyAny>) -> PyResult<(String, Vec<Partition>)> {
    let (group, partitions) = group(items)?;
    Ok((group, partitions.ok_or_else(|| PyTypeError::new_err("requires list of TopicPartition"))?))
}

pub fn list_group(call: &Call<'_>, items: &Bound<'_, PyAny>) -> PyResult<()> {
    let (group, partitions) = group(items)?;
    asked(offsets::list_group(call, &group, partitions.as_deref()))
}

pub fn alter_group(call: &Call<'_>, items: &Bound<'_, PyAny>) -> PyResult<()> {
    let (group, partitions) = group_with_partitions(items)?;
    asked(offsets::alter_group(call, &group, &partitions))
}

pub fn delete_group(call: &Call<'_>, items: &Bound<'_, PyAny>) -> PyResult<()> {
    let (group, partitions) = group_with_partitions(items)?;
    asked(offsets::delete_group(call, &group, &partitions))
}

/// Partitions (topic, partition, offset).
fn partitions(items: &Bound<'_, PyAny>) -> PyResult<Vec<Partition>> {
    let items = items.extract::<Vec<(String, i32, i64)>>()?;
    Ok(items.into_iter().map(|(topic, partition, offset)| at(topic, partition, offset)).collect())
}

pub fn list(call: &Call<'_>, items: &Bound<'_, PyAny>) -> PyResult<()> {
    asked(offsets::list(call, &partitions(items)?))
}

pub fn delete_records(call: &Call<'_>, items: &Bound<'_, PyAny>) -> PyResult<()> {
    asked(offsets::delete_records(call, &partitions(items)?))
}

pub fn committed(py: Python<'_>, groups: Vec<(String, Option<Failure>, Vec<Partition>)>) -> PyResult<Py<PyAny>> {
    done(to_list(py, groups, |(group, failure, partitions)| {
        Ok((group, fault(py, failure)?, partition::to_python(py, &partitions)?))
    }))
}

pub fn listed(py: Python<'_>, offsets: Vec<(Partition, i64)>) -> PyResult<Py<PyAny>> {
    done(to_list(py, offsets, |(at, timestamp)| {
        let error = kafka_error_or_none(py, at.error)?;
        Ok((at.topic, at.partition, error, at.offset, timestamp, at.leader_epoch.unwrap_or(-1)))
    }))
}

pub fn records_deleted(py: Python<'_>, partitions: Vec<Partition>) -> PyResult<Py<PyAny>> {
    done(to_list(py, partitions, |at| Ok((at.topic, at.partition, kafka_error_or_none(py, at.error)?, at.offset))))
}
