//! Administration of a cluster: requests, and their results in Rust's terms.
//!
//! A request returns at once. Its answer comes through one queue of the client, with the id the request was given.

pub mod acls;
pub mod cluster;
pub mod configs;
pub mod groups;
pub mod offsets;
mod options;
mod raw;
pub mod scram;
#[cfg(test)]
mod tests;
pub mod topics;

use std::ffi::CString;
use std::mem::ManuallyDrop;
use std::os::raw::c_char;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use rdkafka_sys::bindings as sys;

use crate::client::Client;
use crate::error::{describe, text, Error, Failure, Result};
use crate::native::{Destroy, Owned, Partition, Partitions, Queue, RawEvent};
pub use options::Options;

/// A request that was not made: what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub String);

impl Refused {
    fn new(reason: impl Into<String>) -> Self {
        Refused(reason.into())
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Refused(failure.reason.unwrap_or_else(|| describe(failure.code)))
    }
}

/// Whether a request is on its way.
pub type Asked = std::result::Result<(), Refused>;

/// The result of a request: for each family what its module says, in the order of the request where there is one.
#[derive(Debug)]
pub enum Reply {
    /// Topics, groups or users by name, with what went wrong.
    Named(Vec<(String, Option<Failure>)>),
    Topics(Vec<topics::Description>),
    Cluster(cluster::Description),
    /// Leaders elected, per partition.
    Elected(Vec<(String, i32, Option<Failure>)>),
    Configs(Vec<configs::Described>),
    Altered(Vec<(i32, String, Option<Failure>)>),
    AclsCreated(Vec<Option<Failure>>),
    Acls(Vec<acls::Acl>),
    AclsDeleted(Vec<(Option<Failure>, Vec<acls::Acl>)>),
    Groups(groups::Listed),
    GroupDescriptions(Vec<groups::Description>),
    /// Offsets of groups.
    Committed(Vec<(String, Option<Failure>, Vec<Partition>)>),
    /// Offsets of partitions, each with its timestamp.
    Offsets(Vec<(Partition, i64)>),
    /// Partitions whose offset is the low watermark.
    Deleted(Vec<Partition>),
    Users(Vec<scram::Description>),
}

/// What came of a request.
#[derive(Debug)]
pub struct Answer {
    pub id: usize,
    pub outcome: std::result::Result<Reply, Failure>,
}

/// The administrative side of a client.
pub struct Admin {
    /// Where the answers come. Taken by Drop only.
    queue: ManuallyDrop<Queue>,
    next_id: AtomicUsize,
    // After the queue: a queue must not outlive its client.
    pub client: Arc<Client>,
}

impl Admin {
    /// For a watched client, answers signal its event loop.
    pub fn new(client: Arc<Client>) -> Result<Self> {
        // SAFETY: the client is alive; the reference is owned by Queue.
        let queue = Queue::adopt(unsafe { sys::rd_kafka_queue_new(client.as_ptr()) })
            .ok_or_else(|| Error::System("librdkafka has no queue for answers".into()))?;
        if client.is_watched() {
            client.attend(&queue);
        }
        Ok(Admin { queue: ManuallyDrop::new(queue), next_id: AtomicUsize::new(1), client })
    }

    /// An id for a request; no other has it.
    pub fn next_id(&self) -> usize {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// A request with this id, to be given to a function of its family.
    pub fn call<'a>(&'a self, id: usize, options: &'a Options) -> Call<'a> {
        Call { admin: self, id, options }
    }

    /// Files errors, statistics and logs as notices.
    pub fn collect(&self) {
        if self.client.take_ready() {
            while let Some(event) = self.client.queue().poll() {
                drop(self.client.file(event));
            }
        }
    }

    /// The answers that are there.
    pub fn answers(&self) -> Vec<Answer> {
        std::iter::from_fn(|| self.queue.poll()).filter_map(answer).collect()
    }

    /// Waits for an answer, or for `interrupt`; gives what is there then. For a native thread.
    pub fn wait_for_answers(&self) -> Vec<Answer> {
        let first = self.queue.poll_for(-1).and_then(answer);
        first.into_iter().chain(self.answers()).collect()
    }

    /// Ends a `wait_for_answers` of another thread, now or when it begins.
    pub fn interrupt(&self) {
        self.queue.interrupt();
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        if !self.client.forked() {
            // SAFETY: drop runs once, and nothing reads the field afterwards. Answers still to come are dropped.
            unsafe { ManuallyDrop::drop(&mut self.queue) }
        }
    }
}

/// A request about to be made.
pub struct Call<'a> {
    admin: &'a Admin,
    id: usize,
    options: &'a Options,
}

/// A C call that takes an array of objects.
type Many<T> = unsafe extern "C" fn(
    *mut sys::rd_kafka_t,
    *mut *mut T,
    usize,
    *const sys::rd_kafka_AdminOptions_t,
    *mut sys::rd_kafka_queue_t,
);

impl Call<'_> {
    /// Makes a request of objects, which the C call copies.
    fn send_all<T: Destroy>(&self, operation: sys::rd_kafka_admin_op_t, call: Many<T>, objects: &[Owned<T>]) -> Asked {
        let array = objects.as_ptr().cast::<*mut T>().cast_mut();
        self.send(operation, |rk, options, queue| {
            // SAFETY: an array of owners is one of pointers, which the call only reads and whose objects it copies.
            unsafe { call(rk, array, objects.len(), options, queue) }
        })
    }

    /// Makes a request; `call` makes the C call with client, options and queue, all alive.
    fn send(
        &self,
        operation: sys::rd_kafka_admin_op_t,
        call: impl FnOnce(*mut sys::rd_kafka_t, *const sys::rd_kafka_AdminOptions_t, *mut sys::rd_kafka_queue_t),
    ) -> Asked {
        let client = &self.admin.client;
        let options = self.options.build(client, operation, self.id)?;
        call(client.as_ptr(), options.as_ptr(), self.admin.queue.as_ptr());
        Ok(())
    }
}

/// A C string; refuses what C would cut off.
fn c_text(what: &str, value: &str) -> std::result::Result<CString, Refused> {
    CString::new(value).map_err(|_| Refused(format!("{what} {value:?} holds a NUL character, which Kafka cannot take")))
}

/// C strings, and the array of pointers to them that C calls take.
fn c_texts(what: &str, values: &[String]) -> std::result::Result<(Vec<CString>, Vec<*const c_char>), Refused> {
    let texts = values.iter().map(|value| c_text(what, value)).collect::<std::result::Result<Vec<_>, _>>()?;
    let pointers = texts.iter().map(|text| text.as_ptr()).collect();
    Ok((texts, pointers))
}

/// A C list of partitions; refuses topic names that C would cut off.
fn partition_list(partitions: &[Partition]) -> std::result::Result<Partitions, Refused> {
    partitions.iter().try_for_each(|partition| c_text("topic name", &partition.topic).map(drop))?;
    Ok(Partitions::new(partitions))
}

fn answer(event: RawEvent) -> Option<Answer> {
    let pointer = event.0.as_ptr();
    // SAFETY: the event is alive; its text lives as long.
    let (id, failed) = unsafe {
        let code = raw::by_number::rd_kafka_event_error(pointer);
        let id = sys::rd_kafka_event_opaque(pointer) as usize;
        (id, (code != 0).then(|| Failure::new(code, text(sys::rd_kafka_event_error_string(pointer)))))
    };
    let outcome = match failed {
        Some(failure) => Err(failure),
        // SAFETY: the event is alive.
        None => Ok(unsafe { reply(pointer)? }),
    };
    Some(Answer { id, outcome })
}

/// Which function converts the result of which type of event.
macro_rules! replies {
    ($event:ident; $($type:ident, $result:ident => $convert:path;)*) => {
        // SAFETY: the event is alive by the caller's word, and its type says which result it holds.
        unsafe {
            match sys::rd_kafka_event_type($event) {
                $(sys::$type => Some($convert(sys::$result($event))),)*
                _ => None,
            }
        }
    };
}

/// The result in an event; None for an event of another kind.
///
/// # Safety
/// `event` must be alive.
unsafe fn reply(event: *mut sys::rd_kafka_event_t) -> Option<Reply> {
    replies! { event;
        RD_KAFKA_EVENT_CREATETOPICS_RESULT, rd_kafka_event_CreateTopics_result => topics::created;
        RD_KAFKA_EVENT_DELETETOPICS_RESULT, rd_kafka_event_DeleteTopics_result => topics::deleted;
        RD_KAFKA_EVENT_CREATEPARTITIONS_RESULT, rd_kafka_event_CreatePartitions_result => topics::extended;
        RD_KAFKA_EVENT_DESCRIBETOPICS_RESULT, rd_kafka_event_DescribeTopics_result => topics::described;
        RD_KAFKA_EVENT_DESCRIBECLUSTER_RESULT, rd_kafka_event_DescribeCluster_result => cluster::described;
        RD_KAFKA_EVENT_ELECTLEADERS_RESULT, rd_kafka_event_ElectLeaders_result => cluster::elected;
        RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT, rd_kafka_event_DescribeConfigs_result => configs::described;
        RD_KAFKA_EVENT_ALTERCONFIGS_RESULT, rd_kafka_event_AlterConfigs_result => configs::altered;
        RD_KAFKA_EVENT_INCREMENTALALTERCONFIGS_RESULT, rd_kafka_event_IncrementalAlterConfigs_result
            => configs::incrementally_altered;
        RD_KAFKA_EVENT_CREATEACLS_RESULT, rd_kafka_event_CreateAcls_result => acls::created;
        RD_KAFKA_EVENT_DESCRIBEACLS_RESULT, rd_kafka_event_DescribeAcls_result => acls::described;
        RD_KAFKA_EVENT_DELETEACLS_RESULT, rd_kafka_event_DeleteAcls_result => acls::deleted;
        RD_KAFKA_EVENT_LISTCONSUMERGROUPS_RESULT, rd_kafka_event_ListConsumerGroups_result => groups::listed;
        RD_KAFKA_EVENT_DESCRIBECONSUMERGROUPS_RESULT, rd_kafka_event_DescribeConsumerGroups_result
            => groups::described;
        RD_KAFKA_EVENT_DELETEGROUPS_RESULT, rd_kafka_event_DeleteGroups_result => groups::deleted;
        RD_KAFKA_EVENT_LISTCONSUMERGROUPOFFSETS_RESULT, rd_kafka_event_ListConsumerGroupOffsets_result
            => offsets::group_listed;
        RD_KAFKA_EVENT_ALTERCONSUMERGROUPOFFSETS_RESULT, rd_kafka_event_AlterConsumerGroupOffsets_result
            => offsets::group_altered;
        RD_KAFKA_EVENT_DELETECONSUMERGROUPOFFSETS_RESULT, rd_kafka_event_DeleteConsumerGroupOffsets_result
            => offsets::group_deleted;
        RD_KAFKA_EVENT_LISTOFFSETS_RESULT, rd_kafka_event_ListOffsets_result => offsets::listed;
        RD_KAFKA_EVENT_DELETERECORDS_RESULT, rd_kafka_event_DeleteRecords_result => offsets::records_deleted;
        RD_KAFKA_EVENT_DESCRIBEUSERSCRAMCREDENTIALS_RESULT, rd_kafka_event_DescribeUserScramCredentials_result
            => scram::described;
        RD_KAFKA_EVENT_ALTERUSERSCRAMCREDENTIALS_RESULT, rd_kafka_event_AlterUserScramCredentials_result
            => scram::altered;
    }
}
