//! What librdkafka calls back with. A C callback only puts it here; the thread that polls runs the user's code.

use std::collections::VecDeque;
use std::os::raw::{c_char, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka_sys::bindings as sys;

use crate::config::Conf;
use crate::error::{text, Failure};
use crate::native::{Partitions, RawEvent};

/// One thing for a Python callback.
pub enum Notice {
    Error(Failure),
    Stats(String),
    Throttle { broker: String, id: i32, milliseconds: i32 },
    Log { level: i32, facility: String, text: String },
    Commit { code: i32, offsets: Partitions },
    Rebalance { assign: bool, lost: bool, code: i32, partitions: Partitions },
}

/// The callbacks that a client's owner wants.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    pub stats: bool,
    pub throttle: bool,
    pub log: bool,
    pub commit: bool,
    pub oauth: bool,
}

/// Notices that wait for the next poll, in order.
#[derive(Default)]
pub struct Inbox {
    notices: Mutex<VecDeque<Notice>>,
    /// Read without the lock on every poll.
    any: AtomicBool,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Notice>> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn push(&self, notice: Notice) {
        let mut notices = self.lock();
        notices.push_back(notice);
        self.any.store(true, Ordering::Release);
    }

    pub(crate) fn pop(&self) -> Option<Notice> {
        if !self.any() {
            return None;
        }
        let mut notices = self.lock();
        let notice = notices.pop_front();
        self.any.store(!notices.is_empty(), Ordering::Release);
        notice
    }

    #[inline]
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Files an event of the main queue; gives it back when it is none of the inbox's kinds.
    pub(crate) fn file(&self, event: RawEvent) -> Option<RawEvent> {
        let pointer = event.0.as_ptr();
        // SAFETY: the event is alive and its strings live as long; each getter fits the event's type.
        unsafe {
            match sys::rd_kafka_event_type(pointer) {
                sys::RD_KAFKA_EVENT_ERROR => {
                    let fatal = sys::rd_kafka_event_error_is_fatal(pointer) != 0;
                    let code = sys::rd_kafka_event_error(pointer) as i32;
                    let failure = Failure::new(code, text(sys::rd_kafka_event_error_string(pointer)));
                    self.push(Notice::Error(Failure { fatal, ..failure }));
                }
                sys::RD_KAFKA_EVENT_STATS => self.push(Notice::Stats(text(sys::rd_kafka_event_stats(pointer)))),
                sys::RD_KAFKA_EVENT_LOG => {
                    let (mut facility, mut message, mut level) = (ptr::null(), ptr::null(), 0);
                    if sys::rd_kafka_event_log(pointer, &mut facility, &mut message, &mut level) == 0 {
                        self.push(Notice::Log { level, facility: text(facility), text: text(message) });
                    }
                }
                _ => return Some(event),
            }
        }
        None
    }
}

/// Registers the C callbacks of `wanted` on a configuration whose opaque is an `Inbox`.
///
/// # Safety
/// `inbox` must stay alive until the client made from `conf` has been destroyed.
pub(crate) unsafe fn register(conf: &Conf, inbox: *const Inbox, wanted: Wanted, consumer: bool) {
    let pointer = conf.as_ptr();
    // SAFETY: the configuration is owned; the functions below match the declared types.
    unsafe {
        sys::rd_kafka_conf_set_opaque(pointer, inbox.cast_mut().cast());
        sys::rd_kafka_conf_set_error_cb(pointer, Some(on_error));
        if wanted.stats {
            sys::rd_kafka_conf_set_stats_cb(pointer, Some(on_stats));
        }
        if wanted.throttle {
            sys::rd_kafka_conf_set_throttle_cb(pointer, Some(on_throttle));
        }
        if wanted.log {
            sys::rd_kafka_conf_set_log_cb(pointer, Some(on_log));
        }
        if consumer {
            sys::rd_kafka_conf_set_rebalance_cb(pointer, Some(on_rebalance));
            if wanted.commit {
                sys::rd_kafka_conf_set_offset_commit_cb(pointer, Some(on_commit));
            }
        }
    }
}

/// # Safety
/// `opaque` must be the pointer given to `register`, still alive.
unsafe fn inbox<'a>(opaque: *mut c_void) -> &'a Inbox {
    // SAFETY: guaranteed by the caller.
    unsafe { &*opaque.cast::<Inbox>() }
}

unsafe extern "C" fn on_error(rk: *mut sys::rd_kafka_t, code: c_int, reason: *const c_char, opaque: *mut c_void) {
    const FATAL: i32 = -150;
    let failure = if code == FATAL {
        fatal_error(rk).unwrap_or_else(|| Failure { fatal: true, ..Failure::new(code, text(reason)) })
    } else {
        Failure::new(code, text(reason))
    };
    // SAFETY: librdkafka passes the opaque of `register`.
    unsafe { inbox(opaque) }.push(Notice::Error(failure));
}

/// The error that made the client unusable, if there was one.
pub(crate) fn fatal_error(rk: *mut sys::rd_kafka_t) -> Option<Failure> {
    let mut message = crate::config::error_text();
    // SAFETY: the client is alive and the buffer's true size is given.
    let code = unsafe { sys::rd_kafka_fatal_error(rk, message.as_mut_ptr(), message.len()) } as i32;
    (code != 0).then(|| Failure { fatal: true, ..Failure::new(code, text(message.as_ptr())) })
}

unsafe extern "C" fn on_stats(_: *mut sys::rd_kafka_t, json: *mut c_char, length: usize, opaque: *mut c_void) -> c_int {
    // SAFETY: json holds `length` bytes during this call; opaque as in `register`.
    unsafe {
        let json = std::slice::from_raw_parts(json.cast::<u8>(), length);
        inbox(opaque).push(Notice::Stats(String::from_utf8_lossy(json).into_owned()));
    }
    0
}

unsafe extern "C" fn on_throttle(
    _: *mut sys::rd_kafka_t,
    broker: *const c_char,
    id: i32,
    milliseconds: c_int,
    opaque: *mut c_void,
) {
    // SAFETY: librdkafka passes the opaque of `register`.
    unsafe { inbox(opaque) }.push(Notice::Throttle { broker: text(broker), id, milliseconds });
}

unsafe extern "C" fn on_log(rk: *const sys::rd_kafka_t, level: c_int, facility: *const c_char, line: *const c_char) {
    if rk.is_null() {
        return;
    }
    // SAFETY: log.queue is on, so that this runs in a poll of a live client, whose opaque is an Inbox.
    unsafe {
        let opaque = sys::rd_kafka_opaque(rk);
        if !opaque.is_null() {
            inbox(opaque).push(Notice::Log { level, facility: text(facility), text: text(line) });
        }
    }
}

unsafe extern "C" fn on_commit(
    _: *mut sys::rd_kafka_t,
    code: sys::rd_kafka_resp_err_t,
    offsets: *mut sys::rd_kafka_topic_partition_list_t,
    opaque: *mut c_void,
) {
    // SAFETY: librdkafka passes the opaque of `register`; the list is copied.
    unsafe { inbox(opaque) }.push(Notice::Commit { code: code as i32, offsets: Partitions::copy_of(offsets) });
}

unsafe extern "C" fn on_rebalance(
    rk: *mut sys::rd_kafka_t,
    code: sys::rd_kafka_resp_err_t,
    partitions: *mut sys::rd_kafka_topic_partition_list_t,
    opaque: *mut c_void,
) {
    const ASSIGN: i32 = -175;
    let code = code as i32;
    // SAFETY: as above. The yield makes the running poll return at once: a message behind this event in the
    // queue must not reach the application before its rebalance callback.
    unsafe {
        let lost = sys::rd_kafka_assignment_lost(rk) != 0;
        inbox(opaque).push(Notice::Rebalance {
            assign: code == ASSIGN,
            lost,
            code,
            partitions: Partitions::copy_of(partitions),
        });
        sys::rd_kafka_yield(rk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_keep_their_order() {
        let inbox = Inbox::default();
        assert!(!inbox.any());
        inbox.push(Notice::Stats("1".into()));
        inbox.push(Notice::Stats("2".into()));
        assert!(inbox.any());
        assert!(matches!(inbox.pop(), Some(Notice::Stats(s)) if s == "1"));
        assert!(matches!(inbox.pop(), Some(Notice::Stats(s)) if s == "2"));
        assert!(inbox.pop().is_none());
        assert!(!inbox.any());
    }
}
