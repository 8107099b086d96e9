//! Reading of librdkafka's results, with every number as a number.

use std::os::raw::c_char;

use rdkafka_sys::bindings as sys;

use crate::error::{text, Failure};

pub(super) mod by_number {
    //! As in librdkafka's header, but for any number: a value that the Rust enums do not have must not become one.
    use std::os::raw::{c_char, c_int};

    use rdkafka_sys::bindings as sys;

    extern "C" {
        pub fn rd_kafka_event_error(event: *mut sys::rd_kafka_event_t) -> c_int;
        pub fn rd_kafka_error_code(error: *const sys::rd_kafka_error_t) -> c_int;
        pub fn rd_kafka_topic_result_error(result: *const sys::rd_kafka_topic_result_t) -> c_int;
        pub fn rd_kafka_AdminOptions_set_isolation_level(
            options: *mut sys::rd_kafka_AdminOptions_t,
            value: c_int,
        ) -> *mut sys::rd_kafka_error_t;
        pub fn rd_kafka_AdminOptions_set_match_consumer_group_states(
            options: *mut sys::rd_kafka_AdminOptions_t,
            states: *const c_int,
            count: usize,
        ) -> *mut sys::rd_kafka_error_t;
        pub fn rd_kafka_AdminOptions_set_match_consumer_group_types(
            options: *mut sys::rd_kafka_AdminOptions_t,
            types: *const c_int,
            count: usize,
        ) -> *mut sys::rd_kafka_error_t;
        pub fn rd_kafka_ConfigEntry_source(entry: *const sys::rd_kafka_ConfigEntry_t) -> c_int;
        pub fn rd_kafka_ConfigResource_new(type_: c_int, name: *const c_char) -> *mut sys::rd_kafka_ConfigResource_t;
        pub fn rd_kafka_ConfigResource_type(resource: *const sys::rd_kafka_ConfigResource_t) -> c_int;
        pub fn rd_kafka_ConfigResource_error(resource: *const sys::rd_kafka_ConfigResource_t) -> c_int;
        pub fn rd_kafka_ConfigResource_add_incremental_config(
            resource: *mut sys::rd_kafka_ConfigResource_t,
            name: *const c_char,
            operation: c_int,
            value: *const c_char,
        ) -> *mut sys::rd_kafka_error_t;
        pub fn rd_kafka_AclBinding_new(
            restype: c_int,
            name: *const c_char,
            pattern: c_int,
            principal: *const c_char,
            host: *const c_char,
            operation: c_int,
            permission: c_int,
            message: *mut c_char,
            size: usize,
        ) -> *mut sys::rd_kafka_AclBinding_t;
        pub fn rd_kafka_AclBindingFilter_new(
            restype: c_int,
            name: *const c_char,
            pattern: c_int,
            principal: *const c_char,
            host: *const c_char,
            operation: c_int,
            permission: c_int,
            message: *mut c_char,
            size: usize,
        ) -> *mut sys::rd_kafka_AclBinding_t;
        pub fn rd_kafka_AclBinding_restype(acl: *const sys::rd_kafka_AclBinding_t) -> c_int;
        pub fn rd_kafka_AclBinding_resource_pattern_type(acl: *const sys::rd_kafka_AclBinding_t) -> c_int;
        pub fn rd_kafka_AclBinding_operation(acl: *const sys::rd_kafka_AclBinding_t) -> c_int;
        pub fn rd_kafka_AclBinding_permission_type(acl: *const sys::rd_kafka_AclBinding_t) -> c_int;
        pub fn rd_kafka_ConsumerGroupListing_state(group: *const sys::rd_kafka_ConsumerGroupListing_t) -> c_int;
        pub fn rd_kafka_ConsumerGroupListing_type(group: *const sys::rd_kafka_ConsumerGroupListing_t) -> c_int;
        pub fn rd_kafka_ConsumerGroupDescription_state(group: *const sys::rd_kafka_ConsumerGroupDescription_t)
            -> c_int;
        pub fn rd_kafka_ConsumerGroupDescription_type(group: *const sys::rd_kafka_ConsumerGroupDescription_t) -> c_int;
        pub fn rd_kafka_ElectLeaders_new(
            election: c_int,
            partitions: *mut sys::rd_kafka_topic_partition_list_t,
        ) -> *mut sys::rd_kafka_ElectLeaders_t;
        pub fn rd_kafka_ScramCredentialInfo_mechanism(info: *const sys::rd_kafka_ScramCredentialInfo_t) -> c_int;
        pub fn rd_kafka_UserScramCredentialUpsertion_new(
            user: *const c_char,
            mechanism: c_int,
            iterations: i32,
            password: *const u8,
            password_size: usize,
            salt: *const u8,
            salt_size: usize,
        ) -> *mut sys::rd_kafka_UserScramCredentialAlteration_t;
        pub fn rd_kafka_UserScramCredentialDeletion_new(
            user: *const c_char,
            mechanism: c_int,
        ) -> *mut sys::rd_kafka_UserScramCredentialAlteration_t;
    }
}

/// A getter of a C array of pointers, with its length.
type Getter<O, T> = unsafe extern "C" fn(*const O, *mut usize) -> *mut *const T;

/// Converts what `get` gives of `owner`. A place that librdkafka left empty is passed over.
///
/// # Safety
/// `owner` must be alive, and `convert` sound for what `get` gives.
pub(super) unsafe fn list<O, T, U>(owner: *const O, get: Getter<O, T>, convert: unsafe fn(*const T) -> U) -> Vec<U> {
    let mut count = 0;
    // SAFETY: by the caller's word; the array has `count` entries that live as long as the owner.
    unsafe {
        let first = get(owner, &mut count);
        if first.is_null() || count == 0 {
            return Vec::new();
        }
        let entries = std::slice::from_raw_parts(first, count);
        entries.iter().filter(|entry| !entry.is_null()).map(|entry| convert(*entry)).collect()
    }
}

/// The operations that `get` gives of `owner`; None when they were not asked for.
///
/// # Safety
/// `owner` must be alive.
pub(super) unsafe fn operations<O>(
    owner: *const O,
    get: unsafe extern "C" fn(*const O, *mut usize) -> *const sys::rd_kafka_AclOperation_t,
) -> Option<Vec<i32>> {
    let mut count = 0;
    // SAFETY: by the caller's word; the array has `count` entries. They are read as numbers.
    unsafe {
        let first = get(owner, &mut count);
        (!first.is_null()).then(|| match count {
            0 => Vec::new(),
            _ => std::slice::from_raw_parts(first.cast::<i32>(), count).to_vec(),
        })
    }
}

/// Copies an error that C keeps; None for null.
///
/// # Safety
/// `error` must be null or alive.
pub(super) unsafe fn failure(error: *const sys::rd_kafka_error_t) -> Option<Failure> {
    // SAFETY: by the caller's word.
    let code = unsafe { (!error.is_null()).then(|| by_number::rd_kafka_error_code(error)) };
    // SAFETY: as above.
    code.filter(|code| *code != 0).map(|code| unsafe {
        Failure {
            code,
            reason: Some(text(sys::rd_kafka_error_string(error))),
            fatal: sys::rd_kafka_error_is_fatal(error) != 0,
            retriable: sys::rd_kafka_error_is_retriable(error) != 0,
            txn_requires_abort: sys::rd_kafka_error_txn_requires_abort(error) != 0,
        }
    })
}

/// An error given as its code and what the broker says of it; None for 0.
pub(super) fn coded(code: i32, reason: *const c_char) -> Option<Failure> {
    (code != 0).then(|| Failure { reason: optional(reason), ..Failure::from_code(code) })
}

/// Copies a C string; None for null.
pub(super) fn optional(pointer: *const c_char) -> Option<String> {
    (!pointer.is_null()).then(|| text(pointer))
}
