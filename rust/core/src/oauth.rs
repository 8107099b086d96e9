//! OAUTHBEARER tokens: a native thread per client that serves librdkafka's requests for one.

use std::os::raw::{c_char, c_void};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use rdkafka_sys::bindings as sys;

use crate::client::Client;
use crate::config::{error_text, Conf};
use crate::error::{text, Error, Failure, Result};
use crate::native::{c_string, Queue, RawEvent};
use crate::thread;
use crate::wake::{wait, WakeFd};

/// A token as `rd_kafka_oauthbearer_set_token` takes it.
pub struct Token {
    pub value: String,
    /// Milliseconds since the epoch.
    pub expires_ms: i64,
    pub principal: String,
    pub extensions: Vec<(String, String)>,
}

unsafe extern "C" fn never_called(_: *mut sys::rd_kafka_t, _: *const c_char, _: *mut c_void) {}

/// Sends token requests to the SASL queue, which only the token thread reads.
pub(crate) fn prepare(conf: &Conf) {
    // SAFETY: the configuration is owned. librdkafka asks for tokens only when a callback is set; the thread
    // takes the requests as events, so that it is never called.
    unsafe {
        sys::rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf.as_ptr(), Some(never_called));
        sys::rd_kafka_conf_enable_sasl_queue(conf.as_ptr(), 1);
    }
}

struct Shared {
    stop: AtomicBool,
    wake: WakeFd,
    ended: WakeFd,
}

/// Serves token requests until dropped. Dropping waits for a callback under way: do it on a native thread.
pub struct TokenThread(Arc<Shared>);

struct Handle(NonNull<sys::rd_kafka_t>);
// SAFETY: the thread ends before the client is destroyed (TokenThread::drop waits for it).
unsafe impl Send for Handle {}

impl TokenThread {
    /// `refresh` gets `sasl.oauthbearer.config` and gives a token or the text of a failure.
    pub fn start(
        client: &Client,
        mut refresh: impl FnMut(&str) -> std::result::Result<Token, String> + Send + 'static,
    ) -> Result<Self> {
        // SAFETY: the client is alive; the reference is owned by Queue.
        let queue = Queue::adopt(unsafe { sys::rd_kafka_queue_get_sasl(client.as_ptr()) })
            .ok_or_else(|| Error::System("librdkafka has no SASL queue for this client".into()))?;
        let shared = Arc::new(Shared { stop: AtomicBool::new(false), wake: WakeFd::new()?, ended: WakeFd::new()? });
        queue.signal_to(&shared.wake);
        let (worker, handle) = (Arc::clone(&shared), Handle(NonNull::new(client.as_ptr()).ok_or(Error::Forked)?));
        thread::spawn("kafka-token", move || {
            let handle = handle;
            while !worker.stop.load(Ordering::SeqCst) {
                match queue.poll() {
                    Some(event) => serve(handle.0.as_ptr(), &event, &mut refresh),
                    None => {
                        wait(&[worker.wake.read_fd()], None);
                        worker.wake.drain();
                    }
                }
            }
            drop(queue);
            worker.ended.signal();
        })?;
        Ok(TokenThread(shared))
    }
}

impl Drop for TokenThread {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::SeqCst);
        self.0.wake.signal();
        wait(&[self.0.ended.read_fd()], None);
    }
}

fn serve(
    rk: *mut sys::rd_kafka_t,
    event: &RawEvent,
    refresh: &mut impl FnMut(&str) -> std::result::Result<Token, String>,
) {
    // SAFETY: the event is alive; the getter returns null or a string that lives as long.
    let config = text(unsafe { sys::rd_kafka_event_config_string(event.0.as_ptr()) });
    let outcome = refresh(&config).and_then(|token| set_token(rk, &token));
    if let Err(reason) = outcome {
        let reason = c_string(&reason);
        // SAFETY: the client is alive until this thread has ended; the text is copied.
        unsafe { sys::rd_kafka_oauthbearer_set_token_failure(rk, reason.as_ptr()) };
    }
}

fn set_token(rk: *mut sys::rd_kafka_t, token: &Token) -> std::result::Result<(), String> {
    let (value, principal) = (c_string(&token.value), c_string(&token.principal));
    let extensions: Vec<_> = token.extensions.iter().flat_map(|(k, v)| [c_string(k), c_string(v)]).collect();
    let mut pointers: Vec<_> = extensions.iter().map(|text| text.as_ptr()).collect();
    let list = if pointers.is_empty() { ptr::null_mut() } else { pointers.as_mut_ptr() };
    let mut message = error_text();
    // SAFETY: every string lives through the call, which copies them; sizes are true.
    let code = unsafe {
        sys::rd_kafka_oauthbearer_set_token(
            rk,
            value.as_ptr(),
            token.expires_ms,
            principal.as_ptr(),
            list,
            pointers.len(),
            message.as_mut_ptr(),
            message.len(),
        )
    };
    match code as i32 {
        0 => Ok(()),
        code => Err(format!("{}: {}", crate::error::name(code), text(message.as_ptr()))),
    }
}

/// The error for a client whose first token never came.
pub fn no_token(reason: &str) -> Failure {
    const SASL_AUTHENTICATION_FAILED: i32 = 58;
    Failure::new(SASL_AUTHENTICATION_FAILED, reason)
}
