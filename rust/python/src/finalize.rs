//! Native threads and the end of the interpreter.
//!
//! A thread that asks for the GIL while the interpreter shuts down is ended or hung by CPython. Native threads
//! therefore ask through `attached`, and the `atexit` hook closes that door while the interpreter still works.

use std::sync::{Condvar, Mutex, PoisonError};

use pyo3::prelude::*;

struct Door {
    open: bool,
    inside: usize,
}

static DOOR: Mutex<Door> = Mutex::new(Door { open: true, inside: 0 });
static LEFT: Condvar = Condvar::new();

/// Runs `work` with the GIL from a native thread; None once the interpreter is ending.
pub fn attached<T>(work: impl FnOnce(Python<'_>) -> T) -> Option<T> {
    {
        let mut door = DOOR.lock().unwrap_or_else(PoisonError::into_inner);
        if !door.open {
            return None;
        }
        door.inside += 1;
    }
    let result = Python::try_attach(work);
    let mut door = DOOR.lock().unwrap_or_else(PoisonError::into_inner);
    door.inside -= 1;
    LEFT.notify_all();
    result
}

/// The `atexit` hook: waits for native threads that are inside, and lets none in afterwards.
#[pyfunction]
pub fn _interpreter_exits(py: Python<'_>) {
    py.detach(|| {
        let mut door = DOOR.lock().unwrap_or_else(PoisonError::into_inner);
        door.open = false;
        // A callback that never returns must not keep the process from ending.
        let limit = std::time::Duration::from_secs(1);
        let _left = LEFT.wait_timeout_while(door, limit, |door| door.inside > 0);
    });
}
