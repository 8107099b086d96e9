//! Delivery reports: callbacks in the polling thread, futures wherever the report is met.

use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use ferrokafka_core::error::Failure;
use ferrokafka_core::native::MessageView;
use ferrokafka_core::producer::{Producer as Core, Report};
use ferrokafka_core::sys;
use ferrokafka_core::thread;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::error::{exception, kafka_error, python_object};
use crate::finalize::attached;
use crate::loop_producer::Batch;
use crate::message::{call_report, Message};
use crate::names::Names;
use crate::producer::Inner;

/// A message's opaque pointer is an owned reference to its callback; the lowest bits tell other recipients apart.
const FUTURE: usize = 1;
const LOOP: usize = 2;
const PLACE: usize = 3;
const TAG: usize = 3;

/// `_PURGE_QUEUE` and `_PURGE_INFLIGHT`.
const PURGED: [i32; 2] = [-152, -151];

/// Whom a delivery report is for.
pub enum Recipient {
    Callback(Py<PyAny>),
    /// A `concurrent.futures.Future`, resolved by a native thread.
    Future(Py<PyAny>),
    /// An `asyncio.Future`, resolved on its loop, where reports are served.
    Loop(Py<PyAny>),
    Place(Box<Place>),
}

/// A message's place in a batch of an event loop.
pub struct Place {
    pub batch: Py<Batch>,
    pub index: usize,
}

impl Recipient {
    /// Turns the owned reference into an opaque value; `from_opaque` must take it back once.
    pub fn into_opaque(self) -> usize {
        match self {
            Recipient::Callback(object) => object.into_ptr() as usize,
            Recipient::Future(object) => object.into_ptr() as usize | FUTURE,
            Recipient::Loop(object) => object.into_ptr() as usize | LOOP,
            Recipient::Place(place) => Box::into_raw(place) as usize | PLACE,
        }
    }

    /// # Safety
    /// `opaque` must come from `into_opaque` and be given here only once.
    unsafe fn from_opaque(py: Python<'_>, opaque: usize) -> Self {
        let pointer = opaque & !TAG;
        // SAFETY: what the tag says, owned, by the caller's word.
        unsafe {
            let object = || Bound::from_owned_ptr(py, pointer as *mut ffi::PyObject).unbind();
            match opaque & TAG {
                FUTURE => Recipient::Future(object()),
                LOOP => Recipient::Loop(object()),
                PLACE => Recipient::Place(Box::from_raw(pointer as *mut Place)),
                _ => Recipient::Callback(object()),
            }
        }
    }
}

/// Takes back the reference of a message whose producer was dropped. Whoever waits for its future is told so.
pub fn release(opaque: usize) {
    // Without an interpreter there is nothing left to release.
    attached(|py| {
        // SAFETY: the core gives each undelivered opaque value once.
        let recipient = unsafe { Recipient::from_opaque(py, opaque) };
        if let Err(error) = abandon(py, recipient) {
            error.write_unraisable(py, None);
        }
    });
}

fn abandon(py: Python<'_>, recipient: Recipient) -> PyResult<()> {
    const DESTROYED: i32 = -197;
    let text = "the producer was dropped without close() while this message was on its way";
    let error = || exception(py, &Failure::new(DESTROYED, text)).into_value(py).into_any();
    // Loops' futures belong to the thread of their loop, which may be closed: then nobody waits.
    let on_loop = |future: &Bound<'_, PyAny>, call: Bound<'_, PyAny>, arguments: &[Py<PyAny>]| {
        let mut all = vec![call.unbind()];
        all.extend(arguments.iter().map(|argument| argument.clone_ref(py)));
        let event_loop = future.call_method0("get_loop")?;
        if !event_loop.call_method0("is_closed")?.is_truthy()? {
            event_loop.call_method1("call_soon_threadsafe", PyTuple::new(py, all)?)?;
        }
        Ok(())
    };
    match recipient {
        Recipient::Callback(_) => Ok(()),
        Recipient::Future(future) => fulfil(future.bind(py), Settle::Exception, error()),
        Recipient::Loop(future) => {
            let fail = python_object!(py, "confluent_kafka._native", "_fail")?;
            on_loop(future.bind(py), fail.clone(), &[future.clone_ref(py), error()])
        }
        Recipient::Place(place) => {
            let settle = place.batch.bind(py).getattr("_settle")?;
            let index = place.index.into_pyobject(py)?.into_any().unbind();
            on_loop(place.batch.get().future().bind(py), settle, &[index, error()])
        }
    }
}

/// Fails an `asyncio.Future`, unless it was cancelled meanwhile.
#[pyfunction]
pub fn _fail(future: &Bound<'_, PyAny>, error: Py<PyAny>) -> PyResult<()> {
    fulfil(future, Settle::Exception, error)
}

/// As `release`, for a caller that holds the GIL.
pub fn take_back(py: Python<'_>, opaque: usize) {
    if opaque != 0 {
        // SAFETY: the message was refused: librdkafka has forgotten its opaque value.
        drop(unsafe { Recipient::from_opaque(py, opaque) });
    }
}

fn error_of<'py>(py: Python<'py>, message: &sys::rd_kafka_message_t) -> PyResult<Option<Bound<'py, PyAny>>> {
    match message.error() {
        0 => Ok(None),
        code => kafka_error(py, &failure_of(code, message)).map(Some),
    }
}

fn failure_of(code: i32, message: &sys::rd_kafka_message_t) -> Failure {
    // SAFETY: the message is alive; the text is null or lives as long. (rd_kafka_message_errstr would give the payload.)
    let text = unsafe {
        let text = sys::rd_kafka_message_produce_errstr(message);
        (!text.is_null()).then(|| std::ffi::CStr::from_ptr(text).to_string_lossy().into_owned())
    };
    Failure { reason: text, ..Failure::from_code(code) }
}

/// Tells the owners of all messages of a report; gives their number. What comes after a callback that raises
/// stays for the next call.
pub fn report_all(py: Python<'_>, names: &Names, only_errors: bool, report: &Report) -> PyResult<usize> {
    // The topic's name, known by its handle, which cannot change while the report lives.
    let mut topic = (ptr::null_mut(), None);
    let mut served = 0;
    while let Some(message) = report.next() {
        if topic.0 != message.rkt {
            topic = (message.rkt, message.topic().map(|name| names.get(py, name)));
        }
        served += 1;
        tell(py, message, only_errors, &topic.1)?;
    }
    Ok(served)
}

/// Tells the owner of one message its outcome.
#[inline]
fn tell(
    py: Python<'_>,
    message: &sys::rd_kafka_message_t,
    only_errors: bool,
    topic: &Option<Py<PyAny>>,
) -> PyResult<()> {
    let topic = topic.as_ref().map(|topic| topic.clone_ref(py));
    // SAFETY: a report hands out each message once.
    match unsafe { Recipient::from_opaque(py, message._private as usize) } {
        Recipient::Callback(callback) => {
            if only_errors && message.error() == 0 {
                return Ok(());
            }
            let error = error_of(py, message)?.map(Bound::unbind);
            let view = Message::delivered(py, message, topic, error.as_ref().map(|error| error.clone_ref(py)))?;
            let result = call_report(callback.bind(py), error.as_ref(), &view).map(drop);
            Message::settle(view, py);
            result
        }
        Recipient::Future(future) => {
            let (settle, outcome) = outcome(py, message, topic)?;
            future.call_method1(py, settle.name(py), (outcome,)).map(drop)
        }
        Recipient::Loop(future) => {
            let (settle, outcome) = outcome(py, message, topic)?;
            fulfil(future.bind(py), settle, outcome)?;
            if PURGED.contains(&message.error()) && !future.call_method0(py, "cancelled")?.is_truthy(py)? {
                // Dropped on demand, by purge() or an abort: no complaint that nobody looked at it.
                future.call_method0(py, intern!(py, "exception"))?;
            }
            Ok(())
        }
        Recipient::Place(place) => {
            let (_, outcome) = outcome(py, message, topic)?;
            place.batch.get().settle(py, place.index, outcome)
        }
    }
}

/// How a future takes an outcome.
#[derive(Clone, Copy)]
pub enum Settle {
    Result,
    Exception,
}

impl Settle {
    fn name(self, py: Python<'_>) -> &Bound<'_, PyString> {
        match self {
            Settle::Result => intern!(py, "set_result"),
            Settle::Exception => intern!(py, "set_exception"),
        }
    }
}

/// The delivered message, or the exception of one that was not, and how a future takes it.
fn outcome(
    py: Python<'_>,
    message: &sys::rd_kafka_message_t,
    topic: Option<Py<PyAny>>,
) -> PyResult<(Settle, Py<PyAny>)> {
    match message.error() {
        0 => {
            let view = Message::delivered(py, message, topic, None)?;
            view.get().keep_headers(message);
            let kept = view.clone_ref(py).into_any();
            Message::settle(view, py);
            Ok((Settle::Result, kept))
        }
        code => {
            let error = exception(py, &failure_of(code, message));
            Ok((Settle::Exception, error.into_value(py).into_any()))
        }
    }
}

/// Resolves an `asyncio.Future`, unless it was cancelled meanwhile.
pub fn fulfil(future: &Bound<'_, PyAny>, settle: Settle, outcome: Py<PyAny>) -> PyResult<()> {
    match future.call_method1(settle.name(future.py()), (outcome,)) {
        Err(error) if !future.call_method0("done")?.is_truthy()? => Err(error),
        _ => Ok(()),
    }
}

/// A running future, which cannot be cancelled any more: the message is on its way.
pub fn new_future<'py>(py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
    let future = python_object!(py, "concurrent.futures", "Future")?.call0()?;
    future.call_method0("set_running_or_notify_cancel")?;
    Ok(future)
}

/// The native thread that resolves futures although nobody polls. It leaves callbacks to `poll`.
pub struct FutureThread {
    stop: Arc<AtomicBool>,
    core: Arc<Core>,
}

impl FutureThread {
    pub fn start(inner: &Arc<Inner>) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (core, weak, stopped) = (Arc::clone(&inner.core), Arc::downgrade(inner), Arc::clone(&stop));
        thread::spawn("kafka-futures", move || {
            while !stopped.load(Ordering::SeqCst) && serve_futures(&core, &weak) {
                core.collect_next();
            }
        })?;
        Ok(FutureThread { stop, core: Arc::clone(&inner.core) })
    }
}

impl Drop for FutureThread {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if !self.core.client.forked() {
            self.core.client.queue().interrupt();
        }
    }
}

/// False once the interpreter is ending or the producer is gone.
fn serve_futures(core: &Core, inner: &Weak<Inner>) -> bool {
    let mine = core.pick_reports(|opaque| opaque & TAG == FUTURE);
    if mine.is_empty() {
        return true;
    }
    let told = attached(|py| {
        let Some(inner) = inner.upgrade() else { return false };
        for delivered in &mine {
            let message = delivered.message();
            let topic = message.topic().map(|name| inner.names.get(py, name));
            if let Err(error) = tell(py, message, false, &topic) {
                error.write_unraisable(py, None);
            }
        }
        true
    });
    told.unwrap_or(false)
}
