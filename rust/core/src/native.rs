//! Owner types for librdkafka's objects: the only callers of its destroy functions.
//!
//! Each owner that lives inside a client keeps that client alive, so that they may be dropped in any order.

use std::ffi::{CStr, CString};
use std::os::raw::c_void;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use rdkafka_sys::bindings as sys;

use crate::client::Client;
use crate::error::{text, Failure};

/// One entry of a partition list, in Rust's terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    pub metadata: Option<Vec<u8>>,
    pub leader_epoch: Option<i32>,
    /// Error code, 0 for none.
    pub error: i32,
}

/// Owns an `rd_kafka_topic_partition_list_t`.
pub struct Partitions(NonNull<sys::rd_kafka_topic_partition_list_t>);

// SAFETY: the list is plain memory without thread affinity and has one owner.
unsafe impl Send for Partitions {}
// SAFETY: shared only with a closure that runs while its owner waits for it; no two threads use it at once.
unsafe impl Sync for Partitions {}

impl Partitions {
    pub fn new(entries: &[Partition]) -> Self {
        // SAFETY: librdkafka aborts rather than return null; strings are copied by _add.
        unsafe {
            let list = sys::rd_kafka_topic_partition_list_new(entries.len().min(i32::MAX as usize) as i32);
            for entry in entries {
                let topic = c_string(&entry.topic);
                let added = sys::rd_kafka_topic_partition_list_add(list, topic.as_ptr(), entry.partition);
                (*added).offset = entry.offset;
                if let Some(epoch) = entry.leader_epoch {
                    sys::rd_kafka_topic_partition_set_leader_epoch(added, epoch);
                }
                if let Some(metadata) = entry.metadata.as_deref().filter(|m| !m.is_empty()) {
                    // The list frees it with free(): it must come from malloc.
                    let copy = libc::malloc(metadata.len());
                    if !copy.is_null() {
                        ptr::copy_nonoverlapping(metadata.as_ptr(), copy.cast(), metadata.len());
                        (*added).metadata = copy;
                        (*added).metadata_size = metadata.len();
                    }
                }
            }
            Partitions(NonNull::new_unchecked(list))
        }
    }

    /// Takes over a list that a C call returned; `None` for null.
    pub(crate) fn adopt(list: *mut sys::rd_kafka_topic_partition_list_t) -> Option<Self> {
        NonNull::new(list).map(Partitions)
    }

    /// Copies a list that C still owns; null gives an empty one.
    pub(crate) fn copy_of(list: *const sys::rd_kafka_topic_partition_list_t) -> Self {
        if list.is_null() {
            return Partitions::new(&[]);
        }
        // SAFETY: the caller's list is alive for this call.
        Partitions(unsafe { NonNull::new_unchecked(sys::rd_kafka_topic_partition_list_copy(list)) })
    }

    pub fn duplicate(&self) -> Self {
        Partitions::copy_of(self.as_ptr())
    }

    pub(crate) fn as_ptr(&self) -> *mut sys::rd_kafka_topic_partition_list_t {
        self.0.as_ptr()
    }

    pub fn is_empty(&self) -> bool {
        // SAFETY: owned and alive.
        unsafe { self.0.as_ref().cnt == 0 }
    }

    pub fn entries(&self) -> Vec<Partition> {
        // SAFETY: owned and alive.
        unsafe { partitions_of(self.as_ptr()) }
    }
}

/// Copies the entries of a list; null has none.
///
/// # Safety
/// `list` must be null or alive.
pub(crate) unsafe fn partitions_of(list: *const sys::rd_kafka_topic_partition_list_t) -> Vec<Partition> {
    // SAFETY: by the caller's word; elems holds cnt initialised entries.
    unsafe {
        list.as_ref().map_or_else(Vec::new, |list| {
            (0..list.cnt as usize).map(|index| partition_of(list.elems.add(index))).collect()
        })
    }
}

/// Copies an entry of a list.
///
/// # Safety
/// `entry` must be alive.
pub(crate) unsafe fn partition_of(entry: *const sys::rd_kafka_topic_partition_t) -> Partition {
    // SAFETY: by the caller's word; the entry's strings live as long as it.
    unsafe {
        let epoch = sys::rd_kafka_topic_partition_get_leader_epoch(entry);
        let metadata = (!(*entry).metadata.is_null())
            .then(|| std::slice::from_raw_parts((*entry).metadata.cast::<u8>(), (*entry).metadata_size).to_vec());
        Partition {
            topic: text((*entry).topic),
            partition: (*entry).partition,
            offset: (*entry).offset,
            metadata,
            leader_epoch: (epoch >= 0).then_some(epoch),
            // By its number: a broker's code that the Rust enum does not have must not become one.
            error: (&raw const (*entry).err).cast::<i32>().read(),
        }
    }
}

impl Drop for Partitions {
    fn drop(&mut self) {
        // SAFETY: the only owner destroys once.
        unsafe { sys::rd_kafka_topic_partition_list_destroy(self.0.as_ptr()) }
    }
}

/// Owns an `rd_kafka_queue_t` reference.
pub struct Queue {
    queue: NonNull<sys::rd_kafka_queue_t>,
}

// SAFETY: queue functions are thread-safe (rdkafka.h); the reference has one owner.
unsafe impl Send for Queue {}
// SAFETY: as above.
unsafe impl Sync for Queue {}

impl Queue {
    pub(crate) fn adopt(queue: *mut sys::rd_kafka_queue_t) -> Option<Self> {
        NonNull::new(queue).map(|queue| Queue { queue })
    }

    pub(crate) fn as_ptr(&self) -> *mut sys::rd_kafka_queue_t {
        self.queue.as_ptr()
    }

    /// Lets librdkafka signal `wake` whenever this queue becomes non-empty.
    pub(crate) fn signal_to(&self, wake: &crate::wake::WakeFd) {
        let payload = crate::wake::SIGNAL;
        // SAFETY: the payload is copied; the descriptor outlives the queue (both belong to the same client).
        unsafe {
            sys::rd_kafka_queue_io_event_enable(self.as_ptr(), wake.write_fd(), payload.as_ptr().cast(), payload.len());
        }
    }

    /// Lets librdkafka call `function` whenever this queue becomes non-empty.
    pub(crate) fn call(&self, function: unsafe extern "C" fn(*mut sys::rd_kafka_t, *mut c_void), opaque: *mut c_void) {
        // SAFETY: the caller keeps what `opaque` points to until the client has been destroyed.
        unsafe { sys::rd_kafka_queue_cb_event_enable(self.as_ptr(), Some(function), opaque) }
    }

    /// The next event without waiting. Serves C callbacks, which only enqueue.
    pub(crate) fn poll(&self) -> Option<RawEvent> {
        self.poll_for(0)
    }

    /// As `poll`, after a wait of so many milliseconds (negative: endless): for native threads.
    pub(crate) fn poll_for(&self, timeout_ms: i32) -> Option<RawEvent> {
        // SAFETY: the queue is alive; the returned event is owned by RawEvent.
        NonNull::new(unsafe { sys::rd_kafka_queue_poll(self.as_ptr(), timeout_ms) }).map(RawEvent)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn len(&self) -> usize {
        // SAFETY: the queue is alive.
        unsafe { sys::rd_kafka_queue_length(self.as_ptr()) }
    }

    /// Ends a `poll_for` of another thread, now or when it begins.
    pub fn interrupt(&self) {
        // SAFETY: the queue is alive.
        unsafe { sys::rd_kafka_queue_yield(self.as_ptr()) }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: gives back the reference taken when it was adopted.
        unsafe { sys::rd_kafka_queue_destroy(self.queue.as_ptr()) }
    }
}

/// Owns an `rd_kafka_event_t`. Must not outlive its client.
pub(crate) struct RawEvent(pub(crate) NonNull<sys::rd_kafka_event_t>);

// SAFETY: an event has one owner at a time and no thread affinity.
unsafe impl Send for RawEvent {}

impl Drop for RawEvent {
    fn drop(&mut self) {
        // SAFETY: the only owner destroys once.
        unsafe { sys::rd_kafka_event_destroy(self.0.as_ptr()) }
    }
}

/// A reference to an `rd_kafka_topic_t`: saves the look-up by name for each message.
pub struct Topic {
    pub(crate) topic: NonNull<sys::rd_kafka_topic_t>,
    pub(crate) client: Arc<Client>,
}

// SAFETY: topic handles are reference-counted and thread-safe in librdkafka.
unsafe impl Send for Topic {}
// SAFETY: as above.
unsafe impl Sync for Topic {}

impl Topic {
    pub fn new(client: &Arc<Client>, name: &str) -> Result<Self, Failure> {
        let c_name = c_string(name);
        // SAFETY: the client is alive; a null configuration means the defaults of the client.
        let topic = unsafe { sys::rd_kafka_topic_new(client.as_ptr(), c_name.as_ptr(), ptr::null_mut()) };
        match NonNull::new(topic) {
            Some(topic) => Ok(Topic { topic, client: Arc::clone(client) }),
            // SAFETY: reads the calling thread's last error.
            None => Err(Failure::from_code(unsafe { sys::rd_kafka_last_error() } as i32)),
        }
    }

    pub fn as_ptr(&self) -> *mut sys::rd_kafka_topic_t {
        self.topic.as_ptr()
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        if !self.client.forked() {
            // SAFETY: gives back the reference of rd_kafka_topic_new; the client is still alive.
            unsafe { sys::rd_kafka_topic_destroy(self.topic.as_ptr()) }
        }
    }
}

/// Owns a list of headers.
pub struct Headers(NonNull<sys::rd_kafka_headers_t>);

// SAFETY: plain memory with one owner.
unsafe impl Send for Headers {}
// SAFETY: only read through &self.
unsafe impl Sync for Headers {}

impl Headers {
    pub fn with_capacity(n: usize) -> Self {
        // SAFETY: librdkafka aborts rather than return null.
        Headers(unsafe { NonNull::new_unchecked(sys::rd_kafka_headers_new(n)) })
    }

    pub fn adopt(headers: *mut sys::rd_kafka_headers_t) -> Option<Self> {
        NonNull::new(headers).map(Headers)
    }

    /// Gives the list to a C call that takes ownership of it.
    pub fn release(self) -> *mut sys::rd_kafka_headers_t {
        let pointer = self.0.as_ptr();
        std::mem::forget(self);
        pointer
    }

    pub fn add(&mut self, name: &str, value: Option<&[u8]>) {
        let (pointer, size) = match value {
            // A zero length with a pointer is an empty value; null is no value.
            Some(value) => (value.as_ptr().cast::<c_void>(), value.len() as isize),
            None => (ptr::null(), 0),
        };
        // SAFETY: name and value are copied by the call, the list is owned.
        unsafe {
            sys::rd_kafka_header_add(self.0.as_ptr(), name.as_ptr().cast(), name.len() as isize, pointer, size);
        }
    }

    /// Calls `each` with every name and value, in order.
    pub fn for_each<E>(&self, mut each: impl FnMut(&[u8], Option<&[u8]>) -> Result<(), E>) -> Result<(), E> {
        let mut index = 0;
        loop {
            let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
            // SAFETY: the out pointers are local; name and value live as long as the list.
            unsafe {
                let code = sys::rd_kafka_header_get_all(self.0.as_ptr(), index, &mut name, &mut value, &mut size);
                if code as i32 != 0 {
                    return Ok(());
                }
                let value = (!value.is_null()).then(|| std::slice::from_raw_parts(value.cast::<u8>(), size));
                each(CStr::from_ptr(name).to_bytes(), value)?;
            }
            index += 1;
        }
    }
}

impl Drop for Headers {
    fn drop(&mut self) {
        // SAFETY: the only owner destroys once.
        unsafe { sys::rd_kafka_headers_destroy(self.0.as_ptr()) }
    }
}

/// A fetched message or consumer error, owned until it has been copied out.
///
/// It holds a reference to the fetch buffer that it lies in: keep it for the conversion only.
pub struct Fetched(NonNull<sys::rd_kafka_message_t>);

// SAFETY: a message has one owner at a time and no thread affinity.
unsafe impl Send for Fetched {}

impl Fetched {
    pub(crate) fn adopt(message: *mut sys::rd_kafka_message_t) -> Option<Self> {
        NonNull::new(message).map(Fetched)
    }

    pub fn raw(&self) -> &sys::rd_kafka_message_t {
        // SAFETY: owned and alive.
        unsafe { self.0.as_ref() }
    }

    /// Marks the message as consumed: the next commit of stored offsets includes it.
    #[inline]
    pub fn store_offset(&self) {
        if self.raw().err as i32 == 0 {
            // SAFETY: the message is owned. It fails for a partition that is no longer assigned, as it must.
            drop(Failure::from_error(unsafe { sys::rd_kafka_offset_store_message(self.0.as_ptr()) }));
        }
    }

    /// True for a message of this partition.
    pub fn is_of(&self, topic: &str, partition: i32) -> bool {
        self.raw().partition == partition && self.topic() == Some(topic.as_bytes())
    }

    /// Parses the headers and separates them from the message; `None` when there are none.
    pub fn detach_headers(&self) -> Option<Headers> {
        if self.has_no_headers() {
            return None;
        }
        let mut headers = ptr::null_mut();
        // SAFETY: the message is owned; on success the headers belong to the caller.
        let code = unsafe { sys::rd_kafka_message_detach_headers(self.0.as_ptr(), &mut headers) };
        if code as i32 == 0 {
            Headers::adopt(headers)
        } else {
            None
        }
    }
}

impl Fetched {
    /// A copy of the headers: the message keeps them.
    pub fn clone_headers(&self) -> Option<Headers> {
        if self.has_no_headers() {
            return None;
        }
        self.copy_headers()
    }

    /// True when a look at the fetched record says that no headers follow; false when that is not known.
    ///
    /// librdkafka allocates a reader to find that out, a tenth of what a polled message costs. In a record of
    /// Kafka's record batch version 2 the number of headers follows the value, as a varint; the payload points into
    /// the batch, which only in that version has a leader epoch. An empty value points elsewhere.
    #[inline]
    fn has_no_headers(&self) -> bool {
        const LAYOUT_KNOWN: bool = sys::RD_KAFKA_VERSION == 0x020c_01ff;
        let raw = self.raw();
        LAYOUT_KNOWN
            && raw.err as i32 == 0
            && raw.len > 0
            && !raw.payload.is_null()
            && self.leader_epoch() >= 0
            // SAFETY: by the above the value is followed by at least one byte of the same record, in one piece of
            // memory (librdkafka refuses a batch in which it is not) that lives as long as the message.
            && unsafe { *raw.payload.cast::<u8>().add(raw.len) == 0 }
    }
}

impl Drop for Fetched {
    fn drop(&mut self) {
        // SAFETY: the only owner destroys once.
        unsafe { sys::rd_kafka_message_destroy(self.0.as_ptr()) }
    }
}

/// Reading of a message that librdkafka owns: a fetched one or one in a delivery report.
pub trait MessageView {
    fn message(&self) -> &sys::rd_kafka_message_t;

    fn error(&self) -> i32 {
        self.message().err as i32
    }

    /// The topic's name, as librdkafka stores it: bytes that lived as UTF-8 when the topic was named.
    fn topic(&self) -> Option<&[u8]> {
        let topic = self.message().rkt;
        if topic.is_null() {
            return None;
        }
        // SAFETY: a message keeps its topic alive; the name lives as long.
        Some(unsafe { CStr::from_ptr(sys::rd_kafka_topic_name(topic)) }.to_bytes())
    }

    fn payload(&self) -> Option<&[u8]> {
        slice(self.message().payload, self.message().len)
    }

    fn key(&self) -> Option<&[u8]> {
        slice(self.message().key, self.message().key_len)
    }

    /// (type, milliseconds since the epoch); type 0 is "not available".
    fn timestamp(&self) -> (i32, i64) {
        let mut kind = sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message is alive and `kind` is local.
        let value = unsafe { sys::rd_kafka_message_timestamp(self.message(), &mut kind) };
        (kind as i32, value)
    }

    fn leader_epoch(&self) -> i32 {
        // SAFETY: the message is alive.
        unsafe { sys::rd_kafka_message_leader_epoch(self.message()) }
    }

    /// Microseconds from produce() to the acknowledgement; negative when not available.
    fn latency_us(&self) -> i64 {
        // SAFETY: the message is alive.
        unsafe { sys::rd_kafka_message_latency(self.message()) }
    }

    /// A copy of the headers.
    fn copy_headers(&self) -> Option<Headers> {
        let mut headers = ptr::null_mut();
        // SAFETY: the message is alive; the headers stay its property and are copied.
        unsafe {
            if sys::rd_kafka_message_headers(self.message(), &mut headers) as i32 != 0 {
                return None;
            }
            Headers::adopt(sys::rd_kafka_headers_copy(headers))
        }
    }

    /// What librdkafka says of the error, beyond its code.
    fn error_text(&self) -> String {
        // SAFETY: the message is alive; the returned string lives as long.
        text(unsafe { sys::rd_kafka_message_errstr(self.message()) })
    }
}

impl MessageView for Fetched {
    #[inline]
    fn message(&self) -> &sys::rd_kafka_message_t {
        self.raw()
    }
}

impl MessageView for sys::rd_kafka_message_t {
    #[inline]
    fn message(&self) -> &sys::rd_kafka_message_t {
        self
    }
}

fn slice<'a>(pointer: *mut c_void, length: usize) -> Option<&'a [u8]> {
    // SAFETY: a message's payload and key are null or point to `length` bytes that live as long as it.
    (!pointer.is_null()).then(|| unsafe { std::slice::from_raw_parts(pointer.cast::<u8>(), length) })
}

/// A C type whose objects have one owner, with the call that destroys them.
pub(crate) trait Destroy {
    /// # Safety
    /// `object` must be alive and owned by the caller.
    unsafe fn destroy(object: *mut Self);
}

macro_rules! destroyed_by {
    ($($type:ident: $destroy:ident,)*) => {$(
        impl Destroy for sys::$type {
            unsafe fn destroy(object: *mut Self) {
                // SAFETY: by the caller's word.
                unsafe { sys::$destroy(object) }
            }
        }
    )*};
}

destroyed_by! {
    rd_kafka_AdminOptions_t: rd_kafka_AdminOptions_destroy,
    rd_kafka_NewTopic_t: rd_kafka_NewTopic_destroy,
    rd_kafka_DeleteTopic_t: rd_kafka_DeleteTopic_destroy,
    rd_kafka_NewPartitions_t: rd_kafka_NewPartitions_destroy,
    rd_kafka_TopicCollection_t: rd_kafka_TopicCollection_destroy,
    rd_kafka_ConfigResource_t: rd_kafka_ConfigResource_destroy,
    rd_kafka_AclBinding_t: rd_kafka_AclBinding_destroy,
    rd_kafka_DeleteGroup_t: rd_kafka_DeleteGroup_destroy,
    rd_kafka_ListConsumerGroupOffsets_t: rd_kafka_ListConsumerGroupOffsets_destroy,
    rd_kafka_AlterConsumerGroupOffsets_t: rd_kafka_AlterConsumerGroupOffsets_destroy,
    rd_kafka_DeleteConsumerGroupOffsets_t: rd_kafka_DeleteConsumerGroupOffsets_destroy,
    rd_kafka_DeleteRecords_t: rd_kafka_DeleteRecords_destroy,
    rd_kafka_ElectLeaders_t: rd_kafka_ElectLeaders_destroy,
    rd_kafka_UserScramCredentialAlteration_t: rd_kafka_UserScramCredentialAlteration_destroy,
}

/// Owns a part of an administrative request, which the C call copies. A slice of them is what such calls take.
#[repr(transparent)]
pub(crate) struct Owned<T: Destroy>(NonNull<T>);

impl<T: Destroy> Owned<T> {
    /// # Safety
    /// `object` must be null or owned by nobody else.
    pub(crate) unsafe fn adopt(object: *mut T) -> Option<Self> {
        NonNull::new(object).map(Owned)
    }

    pub(crate) fn as_ptr(&self) -> *mut T {
        self.0.as_ptr()
    }
}

impl<T: Destroy> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: the only owner destroys once.
        unsafe { T::destroy(self.0.as_ptr()) }
    }
}

/// A C string; what follows an embedded NUL is cut, which librdkafka would do as well.
pub fn c_string(value: &str) -> CString {
    let end = value.find('\0').unwrap_or(value.len());
    CString::new(&value[..end]).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_keep_every_field() {
        let entries = vec![
            Partition {
                topic: "a".into(),
                partition: 3,
                offset: 42,
                metadata: Some(b"m\0x".to_vec()),
                leader_epoch: Some(7),
                error: 0,
            },
            Partition { topic: "b".into(), partition: -1, offset: -1001, metadata: None, leader_epoch: None, error: 0 },
        ];
        let list = Partitions::new(&entries);
        assert_eq!(list.entries(), entries);
        assert_eq!(Partitions::copy_of(list.as_ptr()).entries(), entries);
        assert!(Partitions::copy_of(ptr::null()).is_empty());
    }

    #[test]
    fn headers_keep_order_duplicates_and_nul() {
        let mut headers = Headers::with_capacity(2);
        headers.add("k", Some(b"a\0b"));
        headers.add("k", None);
        headers.add("", Some(b""));
        let mut seen = Vec::new();
        headers
            .for_each(|name, value| {
                seen.push((name.to_vec(), value.map(<[u8]>::to_vec)));
                Ok::<(), ()>(())
            })
            .unwrap();
        assert_eq!(
            seen,
            vec![(b"k".to_vec(), Some(b"a\0b".to_vec())), (b"k".to_vec(), None), (b"".to_vec(), Some(b"".to_vec())),]
        );
    }
}
