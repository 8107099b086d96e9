//! Native threads and the end of the interpreter.
//!
//! A thread that asks for the GIL while the interpreter shuts down is ended or hung by CPython. Native threads
//! therefore ask through `attached`, and the `atexit` hook closes that door while the interpreter still works.

use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use ferrokafka_core::fork::Birth;
use pyo3::prelude::*;

struct Door {
    /// A forked child has none of the threads that were inside, and perhaps a lock that one of them held: it gets a
    /// door of its own.
    birth: Birth,
    state: Mutex<State>,
    left: Condvar,
}

struct State {
    open: bool,
    inside: usize,
}

/// The door of this process.
fn door() -> &'static Door {
    static CURRENT: AtomicPtr<Door> = AtomicPtr::new(std::ptr::null_mut());
    let known = CURRENT.load(Ordering::Acquire);
    // SAFETY: doors are never freed: one per generation of forks.
    if let Some(door) = unsafe { known.as_ref() }.filter(|door| !door.birth.forked()) {
        return door;
    }
    let state = Mutex::new(State { open: true, inside: 0 });
    let made = Box::into_raw(Box::new(Door { birth: Birth::now(), state, left: Condvar::new() }));
    let found = match CURRENT.compare_exchange(known, made, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => made,
        Err(other) => {
            // SAFETY: nobody else has seen it.
            drop(unsafe { Box::from_raw(made) });
            other
        }
    };
    // SAFETY: as above.
    unsafe { &*found }
}

/// Runs `work` with the GIL from a native thread; None once the interpreter is ending.
pub fn attached<T>(work: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    let door = door();
    let state = || door.state.lock().unwrap_or_else(PoisonError::into_inner);
    {
        let mut state = state();
        if !state.open {
            return None;
        }
        state.inside += 1;
    }
    let result = Python::try_attach(work);
    state().inside -= 1;
    door.left.notify_all();
    result
}

/// The `atexit` hook: waits for native threads that are inside, and lets none in afterwards.
#[pyfunction]
pub fn _interpreter_exits(py: Python<'_>) {
    py.detach(|| {
        let door = door();
        let mut state = door.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.open = false;
        // A callback that never returns must not keep the process from ending.
        let limit = std::time::Duration::from_secs(1);
        let _left = door.left.wait_timeout_while(state, limit, |state| state.inside > 0);
    });
}
