// SPDX-License-Identifier: Apache-2.0
//! What has to hold before librdkafka may start a mock cluster: descriptors, a silent handle, masked signals.

use std::ffi::{c_char, CStr};
use std::ptr::NonNull;

use rdkafka_sys as sys;

use super::check::{Error, Result};

pub(super) fn new_handle() -> Result<NonNull<sys::rd_kafka_t>> {
    let mut reason = [0 as c_char; 256];
    // SAFETY: conf is ours until rd_kafka_new succeeds, which then owns it; reason outlives the calls. Without a
    // log callback nothing is written to stderr ("no bootstrap.servers configured" would be, on every start).
    let handle = unsafe {
        let conf = sys::rd_kafka_conf_new();
        sys::rd_kafka_conf_set_log_cb(conf, None);
        let handle =
            sys::rd_kafka_new(sys::rd_kafka_type_t::RD_KAFKA_PRODUCER, conf, reason.as_mut_ptr(), reason.len());
        if handle.is_null() {
            sys::rd_kafka_conf_destroy(conf);
        }
        handle
    };
    NonNull::new(handle).ok_or_else(|| {
        // SAFETY: rd_kafka_new wrote a NUL-terminated text, or the array still holds zeros.
        Error::Create(unsafe { CStr::from_ptr(reason.as_ptr()) }.to_string_lossy().into_owned())
    })
}

/// rd_kafka_mock_cluster_new ends the process when it cannot open a listening socket: find out before.
pub(super) fn ensure_descriptors(brokers: usize) -> Result<()> {
    // Beside one socket per broker: wake-up pipes of the handle, its internal broker and the mock thread.
    const INTERNAL: usize = 12;
    let mut opened = Vec::new();
    for _ in 0..brokers + INTERNAL {
        opened.push(std::net::UdpSocket::bind(("127.0.0.1", 0)).map_err(|error| {
            Error::Create(format!(
                "{} file descriptors are needed for {brokers} broker(s), only {} could be opened ({error}); \
                 close some, or raise the limit (ulimit -n)",
                brokers + INTERNAL,
                opened.len()
            ))
        })?);
    }
    Ok(())
}

/// Blocks every signal in this thread while it lives; threads started meanwhile never run a signal handler.
pub(super) struct SignalsBlocked {
    #[cfg(unix)]
    before: libc::sigset_t,
}

impl SignalsBlocked {
    pub(super) fn new() -> Self {
        #[cfg(unix)]
        // SAFETY: plain C structures on this stack; both calls only touch this thread's mask and cannot fail
        // with these arguments.
        unsafe {
            let mut all: libc::sigset_t = std::mem::zeroed();
            let mut before: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
            Self { before }
        }
        #[cfg(not(unix))]
        Self {}
    }
}

impl Drop for SignalsBlocked {
    fn drop(&mut self) {
        #[cfg(unix)]
        // SAFETY: restores the mask read by new() in the same thread (the value never leaves its function).
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, std::ptr::null_mut());
        }
    }
}
