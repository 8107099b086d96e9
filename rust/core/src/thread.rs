//! Native threads and the blocking C calls that run on them.

use std::cell::Cell;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::wake::WakeFd;

thread_local! {
    static NATIVE: Cell<bool> = const { Cell::new(false) };
}

/// True on a thread made by `spawn`: nothing of Python's waits for it, so it may block.
pub fn is_native() -> bool {
    NATIVE.with(Cell::get)
}

/// Starts a detached thread that receives no signals, so that Ctrl-C always reaches a Python thread.
pub fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    // The new thread inherits the mask: it must be set before the thread exists.
    let _mask = SignalMask::block_all();
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        NATIVE.with(|native| native.set(true));
        work();
    })?;
    Ok(())
}

struct SignalMask(libc::sigset_t);

impl SignalMask {
    fn block_all() -> Self {
        // SAFETY: both sets are local and initialised by the calls before they are read.
        unsafe {
            let mut all = std::mem::zeroed();
            let mut previous = std::mem::zeroed();
            libc::sigfillset(&mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut previous);
            SignalMask(previous)
        }
    }
}

impl Drop for SignalMask {
    fn drop(&mut self) {
        // SAFETY: restores the mask read in block_all on the same thread (the value never leaves `spawn`).
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.0, std::ptr::null_mut()) };
    }
}

/// A blocking call under way on a native thread. Its caller may stop waiting; the call then ends by itself.
pub struct Job<T> {
    result: Mutex<Option<T>>,
    pub done: WakeFd,
}

impl<T: Send + 'static> Job<T> {
    pub fn start(name: &str, work: impl FnOnce() -> T + Send + 'static) -> io::Result<Arc<Self>> {
        let job = Arc::new(Job { result: Mutex::new(None), done: WakeFd::new()? });
        let worker = Arc::clone(&job);
        spawn(name, move || {
            let result = work();
            *worker.result.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            worker.done.signal();
        })?;
        Ok(job)
    }

    /// The result, once, after the call has ended.
    pub fn take(&self) -> Option<T> {
        self.result.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// True when the call has ended and its result was not taken.
    pub fn has_result(&self) -> bool {
        self.result.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// A copy of the result after the call has ended, for each of several waiting threads.
    pub fn result(&self) -> Option<T>
    where
        T: Clone,
    {
        self.result.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wake::wait;

    #[test]
    fn a_job_signals_its_result() {
        let job = Job::start("test", || 6 * 7).unwrap();
        assert_eq!(wait(&[job.done.read_fd()], None), 1);
        assert_eq!(job.result(), Some(42));
        assert_eq!(job.take(), Some(42));
        assert_eq!(job.take(), None);
    }
}
