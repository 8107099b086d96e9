//! Consumer groups, in Python's terms.

use std::sync::Arc;

use ferrokafka_core::admin::groups::{self, Description, Listed, Member};
use ferrokafka_core::admin::Call;
use ferrokafka_core::client::Client;
use ferrokafka_core::metadata::{self, GroupInfo};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use super::cluster::node;
use super::kinds::{asked, done, fault, list as to_list};
use crate::calls;
use crate::error::{kafka_error, kafka_error_or_none, python_object};
use crate::partition;

pub fn list(call: &Call<'_>, _items: &Bound<'_, PyAny>) -> PyResult<()> {
    asked(groups::list(call))
}

pub fn describe(call: &Call<'_>, items: &Bound<'_, PyAny>) -> PyResult<()> {
    asked(groups::describe(call, &items.extract::<Vec<String>>()?))
}

pub fn delete(call: &Call<'_>, items: &Bound<'_, PyAny>) -> PyResult<()> {
    asked(groups::delete(call, &items.extract::<Vec<String>>()?))
}

pub fn listed(py: Python<'_>, listed: Listed) -> PyResult<Py<PyAny>> {
    let groups = to_list(py, listed.groups, |each| Ok((each.group, each.is_simple, each.state, each.kind)))?;
    let errors = to_list(py, listed.errors, |failure| kafka_error(py, &failure))?;
    Ok((groups, errors).into_pyobject(py)?.into_any().unbind())
}

pub fn described(py: Python<'_>, groups: Vec<Description>) -> PyResult<Py<PyAny>> {
    done(to_list(py, groups, |group| {
        Ok((
            group.group,
            fault(py, group.error)?,
            group.is_simple,
            group.assignor,
            group.state,
            group.kind,
            group.coordinator.map(node),
            to_list(py, group.members, |each| member(py, each))?,
            group.operations,
        ))
    }))
}

fn member<'py>(py: Python<'py>, member: Member) -> PyResult<Bound<'py, PyTuple>> {
    let assignment = partition::to_python(py, &member.assignment)?;
    let target = member.target.map(|target| partition::to_python(py, &target)).transpose()?;
    (member.id, member.client_id, member.host, member.instance_id, assignment, target).into_pyobject(py)
}

/// The blocking call that knows groups of any protocol type.
pub fn list_groups(py: Python<'_>, client: &Arc<Client>, group: Option<String>, timeout: f64) -> PyResult<Py<PyAny>> {
    let ask = move |client: &Arc<Client>, timeout_ms| metadata::list_groups(client, group.as_deref(), timeout_ms);
    calls::blocking(py, client, timeout, "Failed to list groups", ask, |py, groups| {
        done(to_list(py, groups, |group| group_metadata(py, group)))
    })
}

fn group_metadata<'py>(py: Python<'py>, group: GroupInfo) -> PyResult<Bound<'py, PyAny>> {
    let broker_class = python_object!(py, "confluent_kafka.admin", "BrokerMetadata")?;
    let broker = broker_class.call1((group.broker.id, group.broker.host, group.broker.port))?;
    let member_class = python_object!(py, "confluent_kafka.admin", "GroupMember")?;
    let members = to_list(py, group.members, |member| {
        let (metadata, assignment) = (PyBytes::new(py, &member.metadata), PyBytes::new(py, &member.assignment));
        member_class.call1((member.id, member.client_id, member.client_host, metadata, assignment))
    })?;
    let error = kafka_error_or_none(py, group.error)?;
    let fields = (broker, group.name, error, group.state, group.protocol_type, group.protocol, members);
    python_object!(py, "confluent_kafka.admin", "GroupMetadata")?.call1(fields)
}
