//! One librdkafka client: its handle, its queue, its wake-ups and its end.

use std::mem::ManuallyDrop;
use std::os::raw::c_void;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rdkafka_sys::bindings as sys;

use crate::config::{self, error_text, Conf};
use crate::error::{check, check_error, text, Error, Failure, Result};
use crate::fork::Birth;
use crate::inbox::{self, Inbox, Notice, Wanted};
use crate::native::{c_string, Queue, RawEvent};
use crate::oauth::TokenThread;
use crate::thread;
use crate::wake::WakeFd;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Producer,
    Consumer,
}

/// Releases what a message's opaque pointer stands for when no delivery report will reach its owner.
pub type ReleaseOpaque = fn(usize);

const AUTO_STORE: &str = "enable.auto.offset.store";

/// How librdkafka's threads tell that the queue, which was empty, is so no more.
///
/// Every waiter has a descriptor of its own: with a shared one, a thread that starts to wait would take the signal
/// of another that has been woken but has not run yet.
#[derive(Default)]
struct Signal {
    ready: AtomicBool,
    /// The length of `waiters`, read without the lock.
    count: AtomicUsize,
    /// Threads in a wait, or about to look at the queue for the last time before one.
    waiters: Mutex<Vec<Arc<WakeFd>>>,
}

impl Signal {
    fn waiters(&self) -> MutexGuard<'_, Vec<Arc<WakeFd>>> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes every waiter up; without one there is no system call.
    fn nudge(&self) {
        if self.count.load(Ordering::SeqCst) > 0 {
            self.waiters().iter().for_each(|wake| wake.signal());
        }
    }
}

/// Runs on librdkafka's threads, with the queue locked.
unsafe extern "C" fn on_ready(_: *mut sys::rd_kafka_t, opaque: *mut c_void) {
    // SAFETY: the opaque is the client's Signal, which outlives the queue (Remains::destroy).
    let signal = unsafe { &*opaque.cast::<Signal>() };
    signal.ready.store(true, Ordering::SeqCst);
    signal.nudge();
}

pub struct Client {
    rk: NonNull<sys::rd_kafka_t>,
    kind: Kind,
    birth: Birth,
    inbox: Arc<Inbox>,
    /// The queue that carries everything for the application. Taken only by Drop.
    queue: ManuallyDrop<Queue>,
    signal: Arc<Signal>,
    /// Signalled while a close is under way: ends every wait of other threads.
    closing: WakeFd,
    /// The thread that closes, 0 for none: its own calls, from callbacks, go on working.
    closer: AtomicUsize,
    wakeups: AtomicU64,
    wakeups_seen: AtomicU64,
    release: ReleaseOpaque,
    oauth: Mutex<Option<TokenThread>>,
    name: String,
    stores_offsets: bool,
    kept: Mutex<Vec<(Queue, Arc<WakeFd>)>>,
    /// A consumer's group is being left: what asks for something of it may get no answer.
    pub(crate) leaving: AtomicBool,
    watch: OnceLock<Arc<WakeFd>>,
}

// SAFETY: librdkafka's client functions are thread-safe; every other field is Sync by itself.
unsafe impl Send for Client {}
// SAFETY: as above.
unsafe impl Sync for Client {}

impl Client {
    pub fn new(
        kind: Kind,
        properties: &[(String, String)],
        wanted: Wanted,
        release: ReleaseOpaque,
    ) -> Result<Arc<Self>> {
        let conf = Conf::new(properties)?;
        let inbox = Arc::new(Inbox::default());
        let consumer = kind == Kind::Consumer;
        if wanted.log {
            conf.set("log.queue", "true")?;
        }
        // SAFETY: the inbox is dropped in Remains::destroy, after the client.
        unsafe { inbox::register(&conf, Arc::as_ptr(&inbox), wanted, consumer) };
        if !consumer {
            // Delivery reports come as events: a batch each. The others would come as events anyway.
            let mut events = sys::RD_KAFKA_EVENT_DR | sys::RD_KAFKA_EVENT_ERROR;
            events |= if wanted.stats { sys::RD_KAFKA_EVENT_STATS } else { 0 };
            // SAFETY: the configuration is owned.
            unsafe { sys::rd_kafka_conf_set_events(conf.as_ptr(), events) };
        }
        if wanted.oauth {
            crate::oauth::prepare(&conf);
        }
        // librdkafka would store a message's offset when it leaves its queue for our buffer; we store it when the
        // message leaves the buffer for the application.
        let stores_offsets = consumer && config::get(conf.as_ptr(), AUTO_STORE).as_deref() == Some("true");
        if stores_offsets {
            conf.set(AUTO_STORE, "false")?;
        }
        let (signal, closing) = (Arc::new(Signal::default()), WakeFd::new()?);
        let birth = Birth::now();
        let rk = create(kind, conf)?;
        // SAFETY: the client was just made; the queue reference is owned by Queue.
        let queue = unsafe {
            if wanted.log {
                check(sys::rd_kafka_set_log_queue(rk.as_ptr(), std::ptr::null_mut()))?;
            }
            if consumer {
                check(sys::rd_kafka_poll_set_consumer(rk.as_ptr()))?;
                sys::rd_kafka_queue_get_consumer(rk.as_ptr())
            } else {
                sys::rd_kafka_queue_get_main(rk.as_ptr())
            }
        };
        let queue =
            Queue::adopt(queue).ok_or_else(|| Error::System("librdkafka has no queue for the client".into()))?;
        queue.call(on_ready, Arc::as_ptr(&signal).cast_mut().cast());
        // It may hold something since before.
        signal.ready.store(true, Ordering::SeqCst);
        // SAFETY: the client is alive; its name lives as long as it.
        let name = text(unsafe { sys::rd_kafka_name(rk.as_ptr()) });
        Ok(Arc::new(Client {
            rk,
            kind,
            birth,
            inbox,
            queue: ManuallyDrop::new(queue),
            signal,
            closing,
            closer: AtomicUsize::new(0),
            wakeups: AtomicU64::new(0),
            wakeups_seen: AtomicU64::new(0),
            release,
            oauth: Mutex::new(None),
            name,
            stores_offsets,
            kept: Mutex::default(),
            leaving: AtomicBool::new(false),
            watch: OnceLock::new(),
        }))
    }

    #[inline]
    pub fn as_ptr(&self) -> *mut sys::rd_kafka_t {
        self.rk.as_ptr()
    }

    /// True when offsets of messages are to be stored as they are handed out (`enable.auto.offset.store`).
    #[inline]
    pub fn stores_offsets(&self) -> bool {
        self.stores_offsets
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// True in a child process that inherited this client.
    #[inline]
    pub fn forked(&self) -> bool {
        self.birth.forked()
    }

    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Lets another queue of this client wake its waiters up.
    pub(crate) fn attend(&self, queue: &Queue) {
        queue.call(on_ready, Arc::as_ptr(&self.signal).cast_mut().cast());
    }

    /// True when the queue may hold something; false from then on until it was empty and is so no more. Whoever
    /// gets true must empty the queue.
    #[inline]
    pub fn take_ready(&self) -> bool {
        self.signal.ready.load(Ordering::Relaxed) && self.signal.ready.swap(false, Ordering::SeqCst)
    }

    /// Keeps the queue of an answer that nobody waits for: librdkafka may still write to its descriptor, whose number
    /// must not become another file's meanwhile.
    pub(crate) fn keep_until_destroyed(&self, parts: (Queue, Arc<WakeFd>)) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Answered ones are done with.
        kept.retain(|(queue, _)| queue.is_empty());
        kept.push(parts);
    }

    /// The configured value of a property.
    pub fn property(&self, key: &str) -> Option<String> {
        // SAFETY: the client is alive; its configuration is read only.
        config::get(unsafe { sys::rd_kafka_conf(self.as_ptr()) }, key)
    }

    pub fn fatal_error(&self) -> Option<Failure> {
        inbox::fatal_error(self.as_ptr())
    }

    /// The next notice for a Python callback.
    #[inline]
    pub fn next_notice(&self) -> Option<Notice> {
        self.inbox.pop()
    }

    #[inline]
    pub fn has_notices(&self) -> bool {
        self.inbox.any()
    }

    /// Files an event as a notice; a delivery report comes back.
    pub(crate) fn file(&self, event: RawEvent) -> Option<RawEvent> {
        self.inbox.file(event)
    }

    /// Messages of a producer whose delivery report event was not destroyed yet.
    pub fn messages(&self) -> usize {
        let queue = self.queue();
        let events = queue.len();
        // SAFETY: the client is alive. The count includes the events of its main queue, errors and statistics too.
        let all = usize::try_from(unsafe { sys::rd_kafka_outq_len(self.as_ptr()) }).unwrap_or(0);
        // An event that comes or goes between the looks may make the result too high for now, never too low.
        all.saturating_sub(events.min(queue.len()))
    }

    pub fn set_sasl_credentials(&self, username: &str, password: &str) -> Result<()> {
        let (username, password) = (c_string(username), c_string(password));
        // SAFETY: the client is alive; both strings are copied.
        check_error(unsafe { sys::rd_kafka_sasl_set_credentials(self.as_ptr(), username.as_ptr(), password.as_ptr()) })
    }

    /// Runs the token callback of `wanted.oauth` on its own native thread from now on.
    pub fn serve_tokens(&self, thread: TokenThread) {
        *self.oauth.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
    }

    /// The descriptor that an event loop watches instead of waiting: it is signalled like a waiter's, from now on.
    pub fn watch(&self) -> Result<&WakeFd> {
        if let Some(wake) = self.watch.get() {
            return Ok(wake);
        }
        let made = Arc::new(WakeFd::new()?);
        let wake = self.watch.get_or_init(|| made);
        let mut waiters = self.signal.waiters();
        if !waiters.iter().any(|known| Arc::ptr_eq(known, wake)) {
            waiters.push(Arc::clone(wake));
            self.signal.count.store(waiters.len(), Ordering::SeqCst);
        }
        Ok(wake)
    }

    /// True when an event loop watches this client: nothing may wait then.
    #[inline]
    pub fn is_watched(&self) -> bool {
        self.watch.get().is_some()
    }

    /// True once after each call of `wakeup`.
    pub fn take_wakeup(&self) -> bool {
        let now = self.wakeups.load(Ordering::SeqCst);
        self.wakeups_seen.swap(now, Ordering::SeqCst) != now
    }

    /// Starts a wait of the calling thread; must come before its last look at the queue.
    pub fn waiting(&self) -> Result<Waiting<'_>> {
        let wake = WakeFd::of_thread()?;
        let mut waiters = self.signal.waiters();
        waiters.push(Arc::clone(&wake));
        self.signal.count.store(waiters.len(), Ordering::SeqCst);
        drop(waiters);
        Ok(Waiting { client: self, wake, wakeups: self.wakeups_seen.load(Ordering::SeqCst) })
    }

    /// Wakes threads up that may be waiting for something which did not come through the queue.
    pub fn nudge(&self) {
        self.signal.nudge();
    }

    /// Ends the blocking calls under way, or else the next one.
    pub fn wakeup(&self) {
        self.wakeups.fetch_add(1, Ordering::SeqCst);
        self.signal.nudge();
    }

    /// Ends every wait of other threads, and lets none begin.
    pub fn begin_close(&self) {
        self.closer.store(current_thread(), Ordering::SeqCst);
        self.closing.signal();
    }

    /// Takes a close back that was interrupted.
    pub fn cancel_close(&self) {
        self.closer.store(0, Ordering::SeqCst);
        self.closing.drain();
    }

    /// True while another thread closes the client.
    #[inline]
    pub fn is_closing(&self) -> bool {
        let closer = self.closer.load(Ordering::SeqCst);
        closer != 0 && closer != current_thread()
    }

    /// True while this or another thread closes the client.
    pub fn close_began(&self) -> bool {
        self.closer.load(Ordering::SeqCst) != 0
    }

    /// Readable while another thread closes the client; -1, which is never readable, on the closing thread.
    pub fn closing_fd(&self) -> std::os::fd::RawFd {
        if self.closer.load(Ordering::SeqCst) == current_thread() {
            return -1;
        }
        self.closing.read_fd()
    }
}

/// Differs between living threads.
fn current_thread() -> usize {
    thread_local!(static PLACE: u8 = const { 0 });
    PLACE.with(|place| std::ptr::from_ref(place) as usize)
}

fn create(kind: Kind, conf: Conf) -> Result<NonNull<sys::rd_kafka_t>> {
    let (type_, what) = match kind {
        Kind::Producer => (sys::rd_kafka_type_t::RD_KAFKA_PRODUCER, "producer"),
        Kind::Consumer => (sys::rd_kafka_type_t::RD_KAFKA_CONSUMER, "consumer"),
    };
    let mut message = error_text();
    // SAFETY: on success the client owns the configuration, on failure we keep it; the buffer's true size is given.
    let rk = unsafe { sys::rd_kafka_new(type_, conf.as_ptr(), message.as_mut_ptr(), message.len()) };
    match NonNull::new(rk) {
        Some(rk) => {
            conf.release();
            Ok(rk)
        }
        None => {
            // SAFETY: reads the calling thread's last error.
            let code = unsafe { sys::rd_kafka_last_error() } as i32;
            let reason = format!("Failed to create {what}: {}", text(message.as_ptr()));
            Err(Failure::new(code, reason).into())
        }
    }
}

/// A thread that waits, or is about to, for something on a client's queue.
pub struct Waiting<'a> {
    client: &'a Client,
    wake: Arc<WakeFd>,
    wakeups: u64,
}

impl Waiting<'_> {
    /// True once `Client::wakeup` was called after this wait began, or before it and nobody noticed.
    pub fn woken(&self) -> bool {
        let now = self.client.wakeups.load(Ordering::SeqCst);
        if now == self.wakeups {
            return false;
        }
        self.client.wakeups_seen.store(now, Ordering::SeqCst);
        true
    }

    /// The waiter's own descriptor, and that of a close by another thread.
    pub fn fds(&self) -> [std::os::fd::RawFd; 2] {
        [self.wake.read_fd(), self.client.closing_fd()]
    }

    /// Takes the signal before a look at the queue: what comes after the look signals again.
    pub fn acknowledge(&self) {
        self.wake.drain();
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.client.forked() {
            return; // the lock may have been held by a thread that the child does not have
        }
        let mut waiters = self.client.signal.waiters();
        if let Some(index) = waiters.iter().rposition(|wake| Arc::ptr_eq(wake, &self.wake)) {
            waiters.swap_remove(index);
        }
        self.client.signal.count.store(waiters.len(), Ordering::SeqCst);
        drop(waiters);
        WakeFd::back_to_thread(Arc::clone(&self.wake));
    }
}

/// What is left of a client whose last owner has gone.
struct Remains {
    rk: NonNull<sys::rd_kafka_t>,
    kind: Kind,
    queue: Queue,
    inbox: Arc<Inbox>,
    signal: Arc<Signal>,
    oauth: Option<TokenThread>,
    release: ReleaseOpaque,
    kept: Vec<(Queue, Arc<WakeFd>)>,
    leaving: bool,
}

// SAFETY: the only owner of a handle whose functions are thread-safe.
unsafe impl Send for Remains {}

impl Drop for Client {
    fn drop(&mut self) {
        // SAFETY: drop runs once, and nothing reads the field afterwards.
        let queue = unsafe { ManuallyDrop::take(&mut self.queue) };
        let remains = Remains {
            rk: self.rk,
            kind: self.kind,
            queue,
            inbox: Arc::clone(&self.inbox),
            signal: Arc::clone(&self.signal),
            oauth: self.oauth.get_mut().map_or(None, Option::take),
            release: self.release,
            kept: self.kept.get_mut().map_or_else(|_| Vec::new(), std::mem::take),
            leaving: *self.leaving.get_mut(),
        };
        if self.forked() {
            std::mem::forget(remains);
        } else if thread::is_native() {
            remains.destroy();
        } else {
            // Destruction waits for librdkafka's threads: never on a Python thread, least of all in a collection.
            let mut remains = Some(remains);
            let cell = Arc::new(Mutex::new(remains.take()));
            let worker = Arc::clone(&cell);
            let spawned = thread::spawn("kafka-destroy", move || destroy_in(&worker));
            if spawned.is_err() {
                destroy_in(&cell);
            }
        }
    }
}

fn destroy_in(cell: &Mutex<Option<Remains>>) {
    let remains = cell.lock().map_or(None, |mut remains| remains.take());
    if let Some(remains) = remains {
        remains.destroy();
    }
}

impl Remains {
    fn destroy(self) {
        let Remains { rk, kind, queue, inbox, signal, oauth, release, kept, leaving } = self;
        drop(oauth);
        match kind {
            Kind::Producer => release_undelivered(rk, &queue, release),
            Kind::Consumer if leaving => {}
            Kind::Consumer => crate::consumer::settle_assignment(rk.as_ptr()),
        }
        drop(queue);
        let (queues, descriptors): (Vec<_>, Vec<_>) = kept.into_iter().unzip();
        drop(queues);
        // SAFETY: no owner of the client or of anything inside it is left. A consumer that was not closed
        // explicitly must not leave its group now: another process may be meant to take its place.
        unsafe { sys::rd_kafka_destroy_flags(rk.as_ptr(), sys::RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE) };
        // The inbox and the signal were reachable from librdkafka's threads until here.
        drop((inbox, signal, descriptors));
    }
}

/// Messages nobody will be told about: their callbacks are released, which librdkafka would not do.
fn release_undelivered(rk: NonNull<sys::rd_kafka_t>, queue: &Queue, release: ReleaseOpaque) {
    const PATIENCE: Duration = Duration::from_secs(5);
    let started = Instant::now();
    // SAFETY: the client is alive until the caller destroys it.
    let left = || unsafe { sys::rd_kafka_outq_len(rk.as_ptr()) };
    if left() <= 0 {
        return;
    }
    let flags = sys::RD_KAFKA_PURGE_F_QUEUE | sys::RD_KAFKA_PURGE_F_INFLIGHT | sys::RD_KAFKA_PURGE_F_NON_BLOCKING;
    // SAFETY: as above.
    unsafe { sys::rd_kafka_purge(rk.as_ptr(), flags) };
    while left() > 0 && started.elapsed() < PATIENCE {
        // SAFETY: the queue is alive; this thread is native and may wait.
        let event = NonNull::new(unsafe { sys::rd_kafka_queue_poll(queue.as_ptr(), 100) }).map(RawEvent);
        let Some(event) = event else { continue };
        // SAFETY: the event and its messages are alive; the getter gives null for other event types.
        unsafe {
            loop {
                let message = sys::rd_kafka_event_message_next(event.0.as_ptr());
                if message.is_null() {
                    break;
                }
                if !(*message)._private.is_null() {
                    release((*message)._private as usize);
                }
            }
        }
    }
}
