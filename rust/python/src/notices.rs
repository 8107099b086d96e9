//! The user's callbacks: what the inbox holds is given to them on the polling thread.

use std::sync::{Mutex, PoisonError};

use ferrokafka_core::client::Client;
use ferrokafka_core::inbox::{Notice, Wanted};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::{exception, kafka_error, python_object};

/// The callables of a client's configuration.
#[derive(Default)]
pub struct Callbacks(Mutex<Table>);

#[derive(Default)]
struct Table {
    error: Option<Py<PyAny>>,
    stats: Option<Py<PyAny>>,
    throttle: Option<Py<PyAny>>,
    logger: Option<Py<PyAny>>,
    commit: Option<Py<PyAny>>,
    oauth: Option<Py<PyAny>>,
    delivery: Option<Py<PyAny>>,
}

macro_rules! getters {
    ($($name:ident),*) => {$(
        pub fn $name(&self, py: Python<'_>) -> Option<Py<PyAny>> {
            self.lock().$name.as_ref().map(|callback| callback.clone_ref(py))
        }
    )*};
}

impl Callbacks {
    pub fn from_dict(callbacks: &Bound<'_, PyDict>) -> PyResult<Self> {
        let get = |key: &str| -> PyResult<Option<Py<PyAny>>> {
            Ok(callbacks.get_item(key)?.filter(|value| !value.is_none()).map(Bound::unbind))
        };
        Ok(Callbacks(Mutex::new(Table {
            error: get("error_cb")?,
            stats: get("stats_cb")?,
            throttle: get("throttle_cb")?,
            logger: get("logger")?,
            commit: get("on_commit")?,
            oauth: get("oauth_cb")?,
            delivery: get("on_delivery")?,
        })))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    getters!(error, stats, throttle, logger, commit, oauth, delivery);

    pub fn wanted(&self) -> Wanted {
        let table = self.lock();
        Wanted {
            stats: table.stats.is_some(),
            throttle: table.throttle.is_some(),
            log: table.logger.is_some(),
            commit: table.commit.is_some(),
            oauth: table.oauth.is_some(),
        }
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Never waits for a lock: the collector may run inside a section that holds it.
        if let Ok(table) = self.0.try_lock() {
            let all = [&table.error, &table.stats, &table.throttle, &table.logger];
            for callback in all.into_iter().chain([&table.commit, &table.oauth, &table.delivery]).flatten() {
                visit.call(callback)?;
            }
        }
        Ok(())
    }

    pub fn clear(&self) {
        let table = std::mem::take(&mut *self.lock());
        drop(table);
    }

    /// Gives one notice to its callback; a fatal error is raised instead. A rebalance comes back.
    pub fn run(&self, py: Python<'_>, client: &Client, notice: Notice) -> PyResult<Option<Notice>> {
        match notice {
            Notice::Error(failure) if failure.fatal => return Err(exception(py, &failure)),
            Notice::Error(failure) => {
                if let Some(callback) = self.error(py) {
                    callback.call1(py, (kafka_error(py, &failure)?,))?;
                }
            }
            Notice::Stats(json) => {
                if let Some(callback) = self.stats(py) {
                    callback.call1(py, (json,))?;
                }
            }
            Notice::Throttle { broker, id, milliseconds } => {
                if let Some(callback) = self.throttle(py) {
                    let seconds = f64::from(milliseconds) / 1000.0;
                    let event =
                        python_object!(py, "confluent_kafka._model", "ThrottleEvent")?.call1((broker, id, seconds))?;
                    callback.call1(py, (event,))?;
                }
            }
            Notice::Log { level, facility, text } => {
                if let Some(logger) = self.logger(py) {
                    let arguments = (python_level(level), "%s [%s] %s", facility, client.name(), text);
                    logger.call_method1(py, "log", arguments)?;
                }
            }
            Notice::Commit { code, offsets } => {
                if let Some(callback) = self.commit(py) {
                    let error = crate::error::kafka_error_or_none(py, code)?;
                    callback.call1(py, (error, crate::partition::list_to_python(py, &offsets)?))?;
                }
            }
            rebalance @ Notice::Rebalance { .. } => return Ok(Some(rebalance)),
        }
        Ok(None)
    }
}

/// Syslog severities as `logging` levels.
fn python_level(syslog: i32) -> i32 {
    match syslog {
        ..=2 => 50,
        3 => 40,
        4 => 30,
        5 | 6 => 20,
        _ => 10,
    }
}
