//! `TopicPartition`, and lists of them.

use std::sync::atomic::{AtomicI32, AtomicI64, Ordering};

use ferrokafka_core::native::{Partition, Partitions};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pyclass::CompareOp;
use pyo3::types::{PyList, PyString, PyTuple, PyType};

use crate::error::kafka_error_or_none;

const OFFSET_INVALID: i64 = -1001;

#[pyclass(frozen, subclass, module = "confluent_kafka.cimpl", name = "TopicPartition")]
pub struct TopicPartition {
    #[pyo3(get)]
    topic: Py<PyString>,
    partition: AtomicI32,
    offset: AtomicI64,
    #[pyo3(get)]
    metadata: Option<Py<PyString>>,
    epoch: i32,
    error: Option<Py<PyAny>>,
}

#[pymethods]
impl TopicPartition {
    #[new]
    #[pyo3(signature = (topic, partition=-1, offset=OFFSET_INVALID, metadata=Given::Absent, leader_epoch=Given::Absent))]
    fn new(
        topic: Bound<'_, PyString>,
        partition: i32,
        offset: i64,
        metadata: Given<Py<PyString>>,
        leader_epoch: Given<i32>,
    ) -> Self {
        TopicPartition {
            topic: topic.unbind(),
            partition: AtomicI32::new(partition),
            offset: AtomicI64::new(offset),
            metadata: metadata.into(),
            epoch: Option::from(leader_epoch).unwrap_or(-1),
            error: None,
        }
    }

    #[getter]
    fn partition(&self) -> i32 {
        self.partition.load(Ordering::Relaxed)
    }

    #[setter]
    fn set_partition(&self, value: i32) {
        self.partition.store(value, Ordering::Relaxed);
    }

    #[getter]
    fn offset(&self) -> i64 {
        self.offset.load(Ordering::Relaxed)
    }

    #[setter]
    fn set_offset(&self, value: i64) {
        self.offset.store(value, Ordering::Relaxed);
    }

    #[getter]
    fn leader_epoch(&self) -> Option<i32> {
        (self.epoch >= 0).then_some(self.epoch)
    }

    #[getter]
    fn error(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.error.as_ref().map(|error| error.clone_ref(py))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let epoch = self.leader_epoch().map_or_else(|| "None".to_owned(), |epoch| epoch.to_string());
        let error = match &self.error {
            Some(error) => error.bind(py).str()?.to_string(),
            None => "None".to_owned(),
        };
        Ok(format!(
            "TopicPartition{{topic={},partition={},offset={},leader_epoch={epoch},error={error}}}",
            self.topic.bind(py).to_str()?,
            self.partition(),
            self.offset(),
        ))
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        let hash = self.topic.bind(py).hash()? ^ self.partition() as isize;
        Ok(if hash == -1 { -2 } else { hash })
    }

    fn __richcmp__(&self, other: &Bound<'_, PyAny>, op: CompareOp, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let Ok(other) = other.cast::<TopicPartition>() else { return Ok(py.NotImplemented()) };
        let other = other.get();
        let (mine, theirs) = (self.topic.bind(py).to_str()?, other.topic.bind(py).to_str()?);
        let ordering = mine.cmp(theirs).then_with(|| self.partition().cmp(&other.partition()));
        Ok(op.matches(ordering).into_pyobject(py)?.to_owned().into_any().unbind())
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let (py, this) = (slf.py(), slf.get());
        let restore = slf.get_type().getattr("_restore")?;
        let fields = (
            this.topic.clone_ref(py),
            this.partition(),
            this.offset(),
            this.metadata.as_ref().map(|metadata| metadata.clone_ref(py)),
            this.epoch,
            this.error(py),
        );
        (restore, fields).into_pyobject(py)
    }

    #[classmethod]
    fn _restore<'py>(
        class: &Bound<'py, PyType>,
        topic: Py<PyString>,
        partition: i32,
        offset: i64,
        metadata: Option<Py<PyString>>,
        epoch: i32,
        error: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = class.py();
        let (partition, offset) = (AtomicI32::new(partition), AtomicI64::new(offset));
        let plain = Bound::new(py, TopicPartition { topic, partition, offset, metadata, epoch, error })?;
        if class.is(py.get_type::<TopicPartition>()) {
            return Ok(plain.into_any());
        }
        // A subclass is made by its own constructor; its error, if any, is not one of its arguments.
        let this = plain.get();
        class.call1((this.topic.clone_ref(py), this.partition(), this.offset()))
    }
}

/// An argument for which None is not the same as nothing.
pub enum Given<T> {
    Absent,
    Value(T),
}

impl<'a, 'py, T: FromPyObject<'a, 'py>> FromPyObject<'a, 'py> for Given<T> {
    type Error = T::Error;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> Result<Self, Self::Error> {
        T::extract(object).map(Given::Value)
    }
}

impl<T> From<Given<T>> for Option<T> {
    fn from(given: Given<T>) -> Self {
        match given {
            Given::Absent => None,
            Given::Value(value) => Some(value),
        }
    }
}

impl TopicPartition {
    /// The core's form of it.
    pub fn to_core(&self, py: Python<'_>) -> PyResult<Partition> {
        Ok(Partition {
            topic: self.topic.bind(py).to_str()?.to_owned(),
            partition: self.partition(),
            offset: self.offset(),
            metadata: match &self.metadata {
                Some(metadata) => Some(metadata.bind(py).to_str()?.as_bytes().to_vec()),
                None => None,
            },
            leader_epoch: self.leader_epoch(),
            error: 0,
        })
    }

    fn from_core(py: Python<'_>, entry: &Partition) -> PyResult<Self> {
        let metadata =
            entry.metadata.as_deref().map(|bytes| PyString::new(py, &String::from_utf8_lossy(bytes)).unbind());
        Ok(TopicPartition {
            topic: PyString::new(py, &entry.topic).unbind(),
            partition: AtomicI32::new(entry.partition),
            offset: AtomicI64::new(entry.offset),
            metadata,
            epoch: entry.leader_epoch.unwrap_or(-1),
            error: kafka_error_or_none(py, entry.error)?,
        })
    }
}

/// A list of TopicPartition from Python.
pub fn entries(object: &Bound<'_, PyAny>) -> PyResult<Vec<Partition>> {
    let list = object.cast::<PyList>().map_err(|_| PyTypeError::new_err("requires list of TopicPartition"))?;
    list.iter().map(|item| one(&item)).collect()
}

/// One TopicPartition from Python.
pub fn one(object: &Bound<'_, PyAny>) -> PyResult<Partition> {
    object
        .cast::<TopicPartition>()
        .map_err(|_| PyTypeError::new_err("expected cimpl.TopicPartition"))?
        .get()
        .to_core(object.py())
}

pub fn to_python<'py>(py: Python<'py>, entries: &[Partition]) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for entry in entries {
        list.append(Bound::new(py, TopicPartition::from_core(py, entry)?)?)?;
    }
    Ok(list)
}

pub fn list_to_python<'py>(py: Python<'py>, partitions: &Partitions) -> PyResult<Bound<'py, PyList>> {
    to_python(py, &partitions.entries())
}
