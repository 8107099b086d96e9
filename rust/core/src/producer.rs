//! Producing, and delivery reports in batches.

use std::collections::VecDeque;
use std::os::raw::c_void;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka_sys::bindings as sys;

use crate::client::Client;
use crate::error::{Failure, Result};
use crate::native::{Headers, RawEvent, Topic};
use crate::thread;

pub const QUEUE_FULL: i32 = -184;

/// A record for `Producer::produce`; `opaque` comes back with its delivery report.
pub struct Record<'a> {
    pub partition: i32,
    pub payload: Option<&'a [u8]>,
    pub key: Option<&'a [u8]>,
    pub opaque: usize,
}

/// Everything of a producer besides its handle.
pub struct Producer {
    pub client: Arc<Client>,
    /// Reports taken off the queue whose opaque pointers were not handed out yet.
    reports: Mutex<VecDeque<Arc<Report>>>,
    /// Messages that count in `Client::messages` although their report has been handed out.
    reported: Arc<AtomicUsize>,
    /// Messages with an opaque pointer whose report has not been taken off the queue.
    tracked: AtomicUsize,
    /// Those who flush.
    flushes: AtomicUsize,
    /// 1 while the thread that flushes for them lives.
    flusher: AtomicUsize,
    /// 1 while that thread may be in `rd_kafka_flush`, or about to call it.
    in_flush: AtomicUsize,
}

impl Producer {
    pub fn new(client: Arc<Client>) -> Self {
        Producer {
            client,
            reports: Mutex::default(),
            reported: Arc::default(),
            tracked: AtomicUsize::new(0),
            flushes: AtomicUsize::new(0),
            flusher: AtomicUsize::new(0),
            in_flush: AtomicUsize::new(0),
        }
    }

    /// Puts a copy of the record into the send queue; gives librdkafka's error code otherwise.
    #[inline]
    pub fn produce(&self, topic: &Topic, record: &Record<'_>) -> std::result::Result<(), i32> {
        let (payload, length) = parts(record.payload);
        let (key, key_length) = parts(record.key);
        if record.opaque != 0 {
            // Before the call: the report may come before it returns.
            self.tracked.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: F_COPY makes librdkafka copy payload and key before it returns; the topic is alive.
        let code = unsafe {
            sys::rd_kafka_produce(
                topic.as_ptr(),
                record.partition,
                sys::RD_KAFKA_MSG_F_COPY,
                payload,
                length,
                key,
                key_length,
                record.opaque as *mut c_void,
            )
        };
        if code == 0 {
            return Ok(());
        }
        if record.opaque != 0 {
            self.tracked.fetch_sub(1, Ordering::Relaxed);
        }
        // SAFETY: reads the calling thread's last error, set by the failed call.
        Err(unsafe { sys::rd_kafka_last_error() } as i32)
    }

    /// As `produce`, with a timestamp (milliseconds, 0 is now) and headers, which are taken on success only.
    pub fn produce_with(
        &self,
        topic: &Topic,
        record: &Record<'_>,
        timestamp: i64,
        headers: Option<Headers>,
    ) -> std::result::Result<(), (Failure, Option<Headers>)> {
        let (payload, length) = parts(record.payload);
        let (key, key_length) = parts(record.key);
        let headers = headers.map(Headers::release);
        use sys::rd_kafka_vtype_t as Tag;
        let mem = |ptr, size| sys::rd_kafka_vu_s__bindgen_ty_1__bindgen_ty_1 { ptr, size };
        let mut arguments = [
            argument(Tag::RD_KAFKA_VTYPE_RKT, |u| u.rkt = topic.as_ptr()),
            argument(Tag::RD_KAFKA_VTYPE_PARTITION, |u| u.i32_ = record.partition),
            argument(Tag::RD_KAFKA_VTYPE_VALUE, |u| u.mem = mem(payload, length)),
            argument(Tag::RD_KAFKA_VTYPE_KEY, |u| u.mem = mem(key, key_length)),
            argument(Tag::RD_KAFKA_VTYPE_MSGFLAGS, |u| u.i = sys::RD_KAFKA_MSG_F_COPY),
            argument(Tag::RD_KAFKA_VTYPE_TIMESTAMP, |u| u.i64_ = timestamp),
            argument(Tag::RD_KAFKA_VTYPE_OPAQUE, |u| u.ptr = record.opaque as *mut c_void),
            argument(Tag::RD_KAFKA_VTYPE_HEADERS, |u| u.headers = headers.unwrap_or(ptr::null_mut())),
        ];
        let count = arguments.len() - usize::from(headers.is_none());
        if record.opaque != 0 {
            self.tracked.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: each argument's union field fits its tag; F_COPY copies payload and key; headers are taken
        // over on success only, so that a failure gives them back below.
        let error = unsafe { sys::rd_kafka_produceva(self.client.as_ptr(), arguments.as_mut_ptr(), count) };
        match Failure::from_error(error) {
            None => Ok(()),
            Some(failure) => {
                if record.opaque != 0 {
                    self.tracked.fetch_sub(1, Ordering::Relaxed);
                }
                Err((failure, headers.and_then(Headers::adopt)))
            }
        }
    }

    fn reports(&self) -> MutexGuard<'_, VecDeque<Arc<Report>>> {
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes everything off the queue: reports and notices. Gives the number of messages that nobody must be told of.
    pub fn collect(&self) -> usize {
        let mut untold = 0;
        if !self.client.take_ready() {
            return untold;
        }
        while let Some(event) = self.client.queue().poll() {
            untold += self.file(event);
        }
        untold
    }

    /// Waits for one event and files it: for a native thread, which does not take the queue's signal from others.
    pub fn collect_next(&self) {
        if let Some(event) = self.client.queue().poll_for(-1) {
            self.file(event);
            self.client.nudge();
        }
    }

    fn file(&self, event: RawEvent) -> usize {
        let Some(event) = self.client.file(event) else { return 0 };
        // SAFETY: the event is alive; the count is 0 for an event that is no delivery report.
        let count = unsafe { sys::rd_kafka_event_message_count(event.0.as_ptr()) };
        if self.tracked.load(Ordering::Relaxed) == 0 {
            drop(event);
            self.client.nudge();
            return count;
        }
        let mut messages = Vec::with_capacity(count);
        // SAFETY: the array has room for `count` pointers; the messages live as long as the event.
        let (total, messages) = unsafe {
            let total = sys::rd_kafka_event_message_array(event.0.as_ptr(), messages.as_mut_ptr(), count);
            messages.set_len(total);
            messages.retain(|message| !(**message)._private.is_null());
            (total, messages)
        };
        let told = messages.len();
        self.tracked.fetch_sub(told, Ordering::Relaxed);
        self.reported.fetch_add(total - told, Ordering::Relaxed);
        let owner = EventOwner {
            total,
            reported: Arc::clone(&self.reported),
            client: Arc::clone(&self.client),
            event: Some(event),
        };
        if !messages.is_empty() {
            let report = Report { messages, next: AtomicUsize::new(0), owner: Arc::new(owner) };
            self.reports().push_back(Arc::new(report));
        }
        total - told
    }

    /// A report with messages whose owners must be told; it is served when it gives none any more.
    ///
    /// It stays in line meanwhile: a callback that polls or flushes goes on where its caller is.
    pub fn next_report(&self) -> Option<Arc<Report>> {
        let mut reports = self.reports();
        while let Some(report) = reports.front() {
            if report.next.load(Ordering::Relaxed) < report.messages.len() {
                return Some(Arc::clone(report));
            }
            reports.pop_front();
        }
        None
    }

    /// Takes the messages for which `pick` says yes out of the waiting reports.
    pub fn pick_reports(&self, pick: impl Fn(usize) -> bool) -> Vec<Delivered> {
        let mut picked = Vec::new();
        let mut reports = self.reports();
        let waiting = std::mem::take(&mut *reports);
        for report in waiting {
            // Taken whole: what is not picked goes back as a new report.
            let next = report.next.swap(report.messages.len(), Ordering::Relaxed).min(report.messages.len());
            // SAFETY: the report keeps its messages alive.
            let opaque = |message: &MessagePointer| unsafe { (**message)._private as usize };
            // Two views of one event: the picked messages now, the others when their turn comes.
            let (mine, others): (Vec<_>, Vec<_>) =
                report.messages[next..].iter().copied().partition(|message| pick(opaque(message)));
            self.reported.fetch_add(mine.len(), Ordering::Relaxed);
            let owner = &report.owner;
            picked.extend(mine.into_iter().map(|message| Delivered { message, owner: Arc::clone(owner) }));
            if !others.is_empty() {
                let rest = Report { messages: others, next: AtomicUsize::new(0), owner: Arc::clone(owner) };
                reports.push_back(Arc::new(rest));
            }
        }
        picked
    }

    /// True when a report waits for its callback.
    pub fn has_reports(&self) -> bool {
        self.next_report().is_some()
    }

    /// Messages whose outcome nobody has been told yet.
    pub fn len(&self) -> usize {
        self.client.messages().saturating_sub(self.reported.load(Ordering::Relaxed))
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes librdkafka send without lingering for as long as the returned value lives.
    pub fn flush(self: &Arc<Self>) -> Result<Flushing> {
        self.flushes.fetch_add(1, Ordering::SeqCst);
        let flushing = Flushing(Arc::clone(self));
        if self.flusher.swap(1, Ordering::SeqCst) == 0 {
            let producer = Arc::clone(self);
            if let Err(error) = thread::spawn("kafka-flush", move || producer.keep_flushing()) {
                self.flusher.store(0, Ordering::SeqCst);
                return Err(error.into());
            }
        }
        Ok(flushing)
    }

    /// Whether what is produced from now on lingers as configured, or somebody else wants it not to: the end of a flush
    /// waits for this, at most for one slice; `Client::nudge` tells.
    pub fn flush_is_over(&self) -> bool {
        self.flushes.load(Ordering::SeqCst) > 0 || self.in_flush.load(Ordering::SeqCst) == 0
    }

    /// `rd_kafka_flush` returns when all is done or after its slice; it is renewed while somebody flushes.
    fn keep_flushing(&self) {
        loop {
            while self.flush_slice() {}
            self.flusher.store(0, Ordering::SeqCst);
            // A flush that began between the check and the store relies on this thread.
            if self.flushes.load(Ordering::SeqCst) == 0
                || self.is_empty()
                || self.flusher.swap(1, Ordering::SeqCst) != 0
            {
                return;
            }
        }
    }

    /// Flushes for a slice, if anybody wants it still.
    fn flush_slice(&self) -> bool {
        const SLICE: Duration = Duration::from_millis(100);
        // Before the look at `flushes`: whoever ends a flush counts down there first and looks here then.
        self.in_flush.store(1, Ordering::SeqCst);
        let wanted = self.flushes.load(Ordering::SeqCst) > 0 && !self.is_empty();
        if wanted {
            // SAFETY: the client is alive. With delivery reports as events it only waits.
            unsafe { sys::rd_kafka_flush(self.client.as_ptr(), SLICE.as_millis() as i32) };
        }
        self.in_flush.store(0, Ordering::SeqCst);
        self.client.nudge();
        wanted
    }

    /// Drops messages: their reports carry `_PURGE_QUEUE` or `_PURGE_INFLIGHT`.
    pub fn purge(&self, in_queue: bool, in_flight: bool, blocking: bool) -> Result<()> {
        let mut flags = 0;
        flags |= if in_queue { sys::RD_KAFKA_PURGE_F_QUEUE } else { 0 };
        flags |= if in_flight { sys::RD_KAFKA_PURGE_F_INFLIGHT } else { 0 };
        flags |= if blocking { 0 } else { sys::RD_KAFKA_PURGE_F_NON_BLOCKING };
        // SAFETY: the client is alive.
        crate::error::check(unsafe { sys::rd_kafka_purge(self.client.as_ptr(), flags) })
    }
}

/// A flush under way.
pub struct Flushing(Arc<Producer>);

impl Drop for Flushing {
    fn drop(&mut self) {
        self.0.flushes.fetch_sub(1, Ordering::SeqCst);
    }
}

type MessagePointer = *const sys::rd_kafka_message_t;

/// Owns a delivery report event, whose messages count in `Client::messages` until it is destroyed.
struct EventOwner {
    total: usize,
    reported: Arc<AtomicUsize>,
    event: Option<RawEvent>,
    client: Arc<Client>,
}

// SAFETY: shared owners only keep the event alive; it is touched by the last one's drop alone.
unsafe impl Sync for EventOwner {}

impl Drop for EventOwner {
    fn drop(&mut self) {
        if self.client.forked() {
            std::mem::forget(self.event.take());
            return;
        }
        drop(self.event.take());
        self.reported.fetch_sub(self.total, Ordering::Relaxed);
        // The queue has room again, and a flush may be done.
        self.client.nudge();
    }
}

/// Messages of one event that have an opaque pointer, handed out one by one.
pub struct Report {
    messages: Vec<MessagePointer>,
    next: AtomicUsize,
    owner: Arc<EventOwner>,
}

// SAFETY: the messages belong to the event, which `owner` keeps alive, and are only read.
unsafe impl Send for Report {}
// SAFETY: as above; `next` hands each message to one thread.
unsafe impl Sync for Report {}

impl Report {
    /// The next message, which counts as reported from now on.
    #[inline]
    pub fn next(&self) -> Option<&sys::rd_kafka_message_t> {
        let message = self.messages.get(self.next.fetch_add(1, Ordering::Relaxed))?;
        self.owner.reported.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the event, which `owner` keeps alive, owns the message.
        Some(unsafe { &**message })
    }
}

/// A message taken out of its report.
pub struct Delivered {
    message: MessagePointer,
    owner: Arc<EventOwner>,
}

// SAFETY: the event's owner keeps the message alive, which is only read.
unsafe impl Send for Delivered {}

impl Delivered {
    pub fn message(&self) -> &sys::rd_kafka_message_t {
        debug_assert!(self.owner.event.is_some());
        // SAFETY: the owner of the event that owns the message is held here.
        unsafe { &*self.message }
    }
}

fn parts(bytes: Option<&[u8]>) -> (*mut c_void, usize) {
    match bytes {
        // An empty value has a pointer, unlike none.
        Some(bytes) => (bytes.as_ptr().cast_mut().cast(), bytes.len()),
        None => (ptr::null_mut(), 0),
    }
}

fn argument(
    vtype: sys::rd_kafka_vtype_t,
    set: impl FnOnce(&mut sys::rd_kafka_vu_s__bindgen_ty_1),
) -> sys::rd_kafka_vu_t {
    let mut u = sys::rd_kafka_vu_s__bindgen_ty_1 { _pad: [0; 64] };
    set(&mut u);
    sys::rd_kafka_vu_t { vtype, u }
}
