//! `oauth_cb`: run by the client's token thread, so that a refresh needs no poll.

use std::sync::{Arc, Mutex, PoisonError};

use ferrokafka_core::client::Client;
use ferrokafka_core::error::Error;
use ferrokafka_core::oauth::{no_token, Token, TokenThread};
use ferrokafka_core::wake::{Deadline, WakeFd};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::error::{exception, OrRaise};
use crate::finalize::attached;
use crate::wait::wait;

const FIRST_TOKEN_SECONDS: f64 = 10.0;

/// The outcome of the first call, for the constructor that waits for it.
#[derive(Default)]
struct First {
    outcome: Mutex<Option<Result<(), PyErr>>>,
}

/// Starts the token thread and waits for the first token.
pub fn serve(py: Python<'_>, client: &Arc<Client>, callback: Py<PyAny>) -> PyResult<()> {
    let first = Arc::new(First::default());
    let ready = Arc::new(WakeFd::new().map_err(Error::from).or_raise(py)?);
    let (shared, signal) = (Arc::clone(&first), Arc::clone(&ready));
    let thread = TokenThread::start(client, move |config| {
        let result = attached(|py| token(py, &callback, config))
            .unwrap_or_else(|| Err(PyTypeError::new_err("the interpreter is shutting down")));
        let mut outcome = shared.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(token) => {
                *outcome = Some(Ok(()));
                signal.signal();
                Ok(token)
            }
            Err(error) => {
                // Only the kind: the text of an exception from a login library may hold credentials.
                let kind = attached(|py| error.get_type(py).name().map(|name| name.to_string()).ok()).flatten();
                *outcome = Some(Err(error));
                signal.signal();
                Err(format!("oauth_cb raised {}", kind.as_deref().unwrap_or("an exception")))
            }
        }
    })
    .or_raise(py)?;
    client.serve_tokens(thread);
    if client.is_watched() {
        return Ok(()); // the callback runs on the event loop, which must not wait for itself
    }
    let deadline = Deadline::after(FIRST_TOKEN_SECONDS);
    loop {
        let outcome = first.outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
        match outcome {
            Some(Ok(())) => return Ok(()),
            Some(Err(cause)) => {
                let failure = no_token("oauth_cb gave no token (its exception is the cause of this one)");
                let error = exception(py, &failure);
                error.set_cause(py, Some(cause));
                return Err(error);
            }
            None if deadline.passed() => {
                return Err(exception(py, &no_token("OAuth token not set within 10 seconds timeout")));
            }
            None => {
                wait(py, &[ready.read_fd()], deadline.remaining())?;
            }
        }
    }
}

/// Calls `oauth_cb(config)`: `(token, expiry in epoch seconds[, principal[, extensions]])`.
fn token(py: Python<'_>, callback: &Py<PyAny>, config: &str) -> PyResult<Token> {
    let result = callback.bind(py).call1((config,))?;
    let shape = || PyTypeError::new_err("oauth_cb must return (token, expiry_seconds[, principal, extensions])");
    let fields = result.cast::<PyTuple>().map_err(|_| shape())?;
    if !(2..=4).contains(&fields.len()) {
        return Err(shape());
    }
    let expires: f64 = fields.get_item(1)?.extract().map_err(|_| shape())?;
    let principal = match fields.get_item(2) {
        Ok(principal) if !principal.is_none() => principal.extract().map_err(|_| shape())?,
        _ => String::new(),
    };
    let mut extensions = Vec::new();
    if let Ok(given) = fields.get_item(3) {
        if !given.is_none() {
            for (key, value) in given.cast::<PyDict>().map_err(|_| shape())?.iter() {
                extensions.push((key.extract()?, value.extract()?));
            }
        }
    }
    let value = fields.get_item(0)?.extract().map_err(|_| shape())?;
    Ok(Token { value, expires_ms: (expires * 1000.0) as i64, principal, extensions })
}
