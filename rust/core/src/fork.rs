//! Knows whether this process was forked after a client was made.
//!
//! A forked child has the parent's memory but none of librdkafka's threads: its mutexes may be held for
//! ever and its sockets belong to the parent. Every handle therefore remembers the generation it was
//! made in and is never touched, not even destroyed, in a later one.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Once;

static GENERATION: AtomicU32 = AtomicU32::new(0);
static REGISTER: Once = Once::new();

extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// The number of forks between the first process that loaded this library and the current one.
#[inline]
pub fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// Makes `generation` count from now on; called once, when the library is loaded.
pub fn watch() {
    REGISTER.call_once(|| {
        // SAFETY: the handler only increments an atomic, which is allowed in a child between fork and exec.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
}

/// Remembers the process it was made in.
#[derive(Clone, Copy, Debug)]
pub struct Birth(u32);

impl Birth {
    pub fn now() -> Self {
        watch();
        Birth(generation())
    }

    /// True in a child of the process that made this value.
    #[inline]
    pub fn forked(self) -> bool {
        self.0 != generation()
    }
}
