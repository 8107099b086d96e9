//! `produce_batch`: everything is checked before anything is produced.

use std::sync::Arc;

use ferrokafka_core::error::{describe, Failure};
use ferrokafka_core::native::Topic;
use ferrokafka_core::producer::{Record, QUEUE_FULL};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use crate::buffer::Bytes;
use crate::delivery::{take_back, Place, Recipient};
use crate::error::{exception, kafka_error};
use crate::loop_producer::Batch;
use crate::producer::{Extra, Inner};

/// One checked item.
struct Item<'py> {
    value: Option<Bound<'py, PyAny>>,
    key: Option<Bound<'py, PyAny>>,
    headers: Option<Bound<'py, PyAny>>,
    callback: Option<Bound<'py, PyAny>>,
    partition: Option<i32>,
    timestamp: i64,
    /// The caller's dict, which is told of a refusal.
    dict: Option<Bound<'py, PyDict>>,
    had_error: bool,
}

impl<'py> Item<'py> {
    fn plain(value: Bound<'py, PyAny>) -> Self {
        Item {
            value: Some(value),
            key: None,
            headers: None,
            callback: None,
            partition: None,
            timestamp: 0,
            dict: None,
            had_error: false,
        }
    }

    fn of(item: Bound<'py, PyAny>, index: usize) -> PyResult<Self> {
        let py = item.py();
        let dict = match item.cast_into::<PyDict>() {
            Ok(dict) => dict,
            Err(error) => {
                let item = error.into_inner();
                if item.is_instance_of::<PyBytes>() || item.is_instance_of::<PyString>() {
                    return Ok(Item::plain(item));
                }
                if Bytes::of(Some(&item), &"").is_ok_and(|bytes| bytes.get().is_some()) {
                    return Ok(Item::plain(item));
                }
                let text = format!("Message at index {index} must be a dict, bytes or str");
                return Err(PyTypeError::new_err(text));
            }
        };
        let mut checked = Item { value: None, dict: None, ..Item::plain(py.None().into_bound(py)) };
        // One pass over what is there instead of six look-ups; the usual keys are interned.
        for (name, value) in dict.iter() {
            if name.is(intern!(py, "value")) {
                checked.value = Some(value);
            } else if name.is(intern!(py, "key")) {
                checked.key = Some(value);
            } else if let Ok(name) = name.cast::<PyString>() {
                checked.set(name.to_str()?, value, index)?;
            }
        }
        for (field, name) in [(&checked.value, "value"), (&checked.key, "key")] {
            let Some(object) = field else { continue };
            if object.is_exact_instance_of::<PyBytes>() || object.is_none() {
                continue;
            }
            if Bytes::of(Some(object), &"").is_err() {
                let text = format!("Message {name} at index {index} must be bytes or str");
                return Err(PyTypeError::new_err(text));
            }
        }
        checked.dict = Some(dict);
        Ok(checked)
    }

    /// Puts the message into the queue; gives why not, and the recipient back, when it was refused.
    #[inline]
    fn send(
        &self,
        inner: &Inner,
        topic: &Topic,
        partition: i32,
        recipient: impl FnOnce() -> PyResult<usize>,
    ) -> PyResult<Option<(Failure, usize)>> {
        let (value, key) = (Bytes::of(self.value.as_ref(), &"value")?, Bytes::of(self.key.as_ref(), &"key")?);
        let opaque = recipient()?;
        let partition = self.partition.unwrap_or(partition);
        let record = Record { partition, payload: value.get(), key: key.get(), opaque };
        let extra = Extra { timestamp: self.timestamp, headers: self.headers.as_ref() };
        let mut outcome = inner.attempt(topic, &record, &extra)?;
        if outcome.as_ref().is_err_and(|failure| failure.code == QUEUE_FULL) {
            inner.core.collect();
            outcome = inner.attempt(topic, &record, &extra)?;
        }
        Ok(outcome.err().map(|failure| (failure, opaque)))
    }

    fn set(&mut self, name: &str, value: Bound<'py, PyAny>, index: usize) -> PyResult<()> {
        match name {
            "value" => self.value = Some(value),
            "key" => self.key = Some(value),
            "partition" if !value.is_none() => {
                let wrong = |_| PyTypeError::new_err(format!("Message partition at index {index} must be int"));
                self.partition = Some(value.extract().map_err(wrong)?);
            }
            "timestamp" if !value.is_none() => {
                let wrong = |_| {
                    let text = format!("Message timestamp at index {index} must be int, milliseconds since the epoch");
                    PyTypeError::new_err(text)
                };
                self.timestamp = value.extract().map_err(wrong)?;
            }
            "headers" if !value.is_none() => {
                if let Err(error) = crate::buffer::headers(&value) {
                    let wrong = PyValueError::new_err(format!("Invalid headers at index {index}"));
                    wrong.set_cause(value.py(), Some(error));
                    return Err(wrong);
                }
                self.headers = Some(value);
            }
            "callback" if !value.is_none() => {
                if !value.is_callable() {
                    let text = format!("Message callback at index {index} must be callable as callback(err, msg)");
                    return Err(PyTypeError::new_err(text));
                }
                self.callback = Some(value);
            }
            "_error" => self.had_error = true,
            _ => {}
        }
        Ok(())
    }
}

/// Gives the number of accepted messages. Those refused get `_error` in their dict.
///
/// After the queue was full once, all that follow are refused as well: what was accepted keeps its order.
pub fn produce(
    py: Python<'_>,
    inner: &Arc<Inner>,
    topic: &Bound<'_, PyString>,
    messages: &Bound<'_, PyList>,
    partition: i32,
    callback: Option<&Bound<'_, PyAny>>,
) -> PyResult<usize> {
    let mut items = Vec::with_capacity(messages.len());
    for (index, item) in messages.iter().enumerate() {
        items.push(Item::of(item, index)?);
    }
    let topic = inner.topic(topic)?;
    // Checked once for the whole batch.
    take_back(py, inner.recipient(py, callback)?);
    let mut accepted = 0;
    let mut full: Option<Failure> = None;
    for (index, item) in items.iter().enumerate() {
        let failure = match &full {
            Some(failure) => failure.clone(),
            None => {
                let recipient = || inner.recipient(py, item.callback.as_ref().or(callback));
                match item.send(inner, &topic, partition, recipient)? {
                    None => {
                        accepted += 1;
                        if let (true, Some(dict)) = (item.had_error, &item.dict) {
                            dict.del_item("_error")?;
                        }
                        continue;
                    }
                    Some((failure, opaque)) => {
                        take_back(py, opaque);
                        failure
                    }
                }
            }
        };
        if failure.code == QUEUE_FULL {
            full = Some(failure.clone());
        }
        refuse(py, item, index, accepted, &failure)?;
    }
    Ok(accepted)
}

/// As `produce` from the item at `start` on, for an event loop: each outcome goes to its place in `batch`. Gives the
/// place of the first item that found the queue full, or the number of items.
pub fn produce_for_loop(
    py: Python<'_>,
    inner: &Arc<Inner>,
    topic: &Bound<'_, PyString>,
    messages: &Bound<'_, PyList>,
    start: usize,
    partition: i32,
    batch: &Bound<'_, Batch>,
) -> PyResult<usize> {
    let mut items = Vec::with_capacity(messages.len().saturating_sub(start));
    for (index, item) in messages.iter().enumerate().skip(start) {
        items.push(Item::of(item, index)?);
    }
    let topic = inner.topic(topic)?;
    for (item, index) in items.iter().zip(start..) {
        let place = || Recipient::Place(Box::new(Place { batch: batch.clone().unbind(), index })).into_opaque();
        let Some((failure, opaque)) = item.send(inner, &topic, partition, || Ok(place()))? else { continue };
        take_back(py, opaque);
        if failure.code == QUEUE_FULL {
            return Ok(index);
        }
        let error = crate::producer::refused(py, failure).into_value(py).into_any();
        batch.get().settle(py, index, error)?;
    }
    Ok(start + items.len())
}

fn refuse(py: Python<'_>, item: &Item<'_>, index: usize, accepted: usize, failure: &Failure) -> PyResult<()> {
    let reason = failure.reason.clone().unwrap_or_else(|| describe(failure.code));
    match &item.dict {
        Some(dict) => {
            let failure = Failure { reason: Some(format!("Message failed: {reason}")), ..failure.clone() };
            dict.set_item("_error", kafka_error(py, &failure)?)
        }
        // The count tells how many were accepted: the first ones.
        None if failure.code == QUEUE_FULL => Ok(()),
        // A plain item has no place for its error.
        None => {
            let text = format!("Unable to produce message at index {index} ({accepted} accepted before it): {reason}");
            Err(exception(py, &Failure { reason: Some(text), ..failure.clone() }))
        }
    }
}
