//! The one way out of the GIL for calls that block: Ctrl-C, `close()` and `wakeup()` end every wait.
//!
//! CPython's C signal handler, whichever thread the kernel runs it on, writes to the wake-up descriptor of the
//! `signal` module. While the main thread waits here, that descriptor is a pipe of ours which is part of the
//! wait: a signal before the exchange is seen by the check after it, a later one makes the pipe readable.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ferrokafka_core::fork::generation;
use ferrokafka_core::wake;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

use crate::error::python_object;

/// Releases the GIL until one of `fds` (three at most) is readable or the time is over.
///
/// Gives the mask of readable descriptors. On the main thread Python's signal handlers run before it
/// returns; one that raises (Ctrl-C) ends the wait with its exception.
pub fn wait(py: Python<'_>, fds: &[RawFd], timeout: Option<Duration>) -> PyResult<u32> {
    if !on_main_thread(py)? {
        return Ok(py.detach(|| wake::wait(fds, timeout)));
    }
    let pipe = signal_pipe()?;
    let mut all = [-1; 4];
    let n = fds.len().min(3);
    all[..n].copy_from_slice(&fds[..n]);
    all[n] = pipe.0.as_raw_fd();
    let watch = Watch::begin(py, &pipe)?;
    py.check_signals()?;
    let ready = py.detach(|| wake::wait(&all[..=n], timeout));
    drop(watch);
    py.check_signals()?;
    Ok(ready & !(1 << n))
}

/// Handlers run on the main thread only; the others need no watch.
fn on_main_thread(py: Python<'_>) -> PyResult<bool> {
    let main = python_object!(py, "threading", "main_thread")?.call0()?.getattr("ident")?;
    // SAFETY: takes no arguments and reads the calling thread's identity.
    let current = unsafe { pyo3::ffi::PyThread_get_thread_ident() };
    Ok(main.extract::<std::os::raw::c_ulong>().is_ok_and(|ident| ident == current as std::os::raw::c_ulong))
}

type Pipe = (OwnedFd, OwnedFd);

/// One pipe a process: a child must not share its parent's.
fn signal_pipe() -> std::io::Result<Arc<Pipe>> {
    static PIPE: Mutex<Option<(u32, Arc<Pipe>)>> = Mutex::new(None);
    let mut slot = PIPE.lock().unwrap_or_else(PoisonError::into_inner);
    match &*slot {
        Some((born, pipe)) if *born == generation() => Ok(Arc::clone(pipe)),
        _ => {
            let pipe = Arc::new(wake::pipe()?);
            *slot = Some((generation(), Arc::clone(&pipe)));
            Ok(pipe)
        }
    }
}

/// The exchange of the wake-up descriptor, taken back when dropped.
struct Watch<'a> {
    pipe: &'a Pipe,
    previous: RawFd,
    py: Python<'a>,
}

impl<'a> Watch<'a> {
    fn begin(py: Python<'a>, pipe: &'a Pipe) -> PyResult<Self> {
        let previous = set_wakeup_fd(py, pipe.1.as_raw_fd())?;
        Ok(Watch { pipe, previous, py })
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Err(error) = set_wakeup_fd(self.py, self.previous) {
            error.write_unraisable(self.py, None); // somebody closed the descriptor meanwhile
        }
        let mut bytes = [0u8; 256];
        // SAFETY: reads at most the buffer's size from our own pipe, which does not block.
        let n = unsafe { libc::read(self.pipe.0.as_raw_fd(), bytes.as_mut_ptr().cast(), bytes.len()) };
        if self.previous >= 0 && n > 0 {
            // Somebody else (asyncio) waits for these signals on the descriptor we displaced.
            // SAFETY: writes n initialised bytes; a full pipe is as good as a signalled one.
            unsafe { libc::write(self.previous, bytes.as_ptr().cast(), n as usize) };
        }
    }
}

/// Without the warning about a full pipe, as asyncio has it: a full pipe is readable, which is all that matters.
fn set_wakeup_fd(py: Python<'_>, fd: RawFd) -> PyResult<RawFd> {
    static QUIET: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let quiet = QUIET.get_or_try_init(py, || {
        let options = PyDict::new(py);
        options.set_item("warn_on_full_buffer", false)?;
        Ok::<_, PyErr>(options.unbind())
    })?;
    python_object!(py, "signal", "set_wakeup_fd")?.call((fd,), Some(quiet.bind(py)))?.extract()
}
