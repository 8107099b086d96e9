//! librdkafka's partitioners as plain functions of key and partition count.

use std::os::raw::c_void;
use std::ptr;

use rdkafka_sys::bindings as sys;

type PartitionerFn =
    unsafe extern "C" fn(*const sys::rd_kafka_topic_t, *const c_void, usize, i32, *mut c_void, *mut c_void) -> i32;

#[derive(Clone, Copy, Debug)]
pub enum Partitioner {
    Murmur2,
    Consistent,
    Fnv1a,
}

impl Partitioner {
    /// The partition for `key` among `count`, which must be positive.
    pub fn partition(self, key: &[u8], count: i32) -> i32 {
        let function: PartitionerFn = match self {
            Partitioner::Murmur2 => sys::rd_kafka_msg_partitioner_murmur2,
            Partitioner::Consistent => sys::rd_kafka_msg_partitioner_consistent,
            Partitioner::Fnv1a => sys::rd_kafka_msg_partitioner_fnv1a,
        };
        // SAFETY: these partitioners read key and count only.
        unsafe { function(ptr::null(), key.as_ptr().cast(), key.len(), count, ptr::null_mut(), ptr::null_mut()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let of = |key: &[u8], count| {
            [Partitioner::Murmur2, Partitioner::Consistent, Partitioner::Fnv1a].map(|p| p.partition(key, count))
        };
        assert_eq!(of(b"abc", 10), [7, 8, 1]);
        assert_eq!(of(b"", 10), [1, 0, 5]);
    }
}
