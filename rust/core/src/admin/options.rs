//! What a request may be told besides its subject.

use std::os::raw::{c_char, c_int, c_void};

use rdkafka_sys::bindings as sys;

use super::raw::by_number;
use super::Refused;
use crate::client::Client;
use crate::config::error_text;
use crate::error::{text, Failure};
use crate::native::Owned;

/// Options of a request; None leaves librdkafka's default.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub request_timeout_ms: Option<i32>,
    /// How long brokers may take for the operation.
    pub operation_timeout_ms: Option<i32>,
    pub validate_only: Option<bool>,
    pub require_stable: Option<bool>,
    pub include_authorized_operations: Option<bool>,
    /// The broker to ask in place of the one that librdkafka would choose.
    pub broker: Option<i32>,
    pub isolation_level: Option<i32>,
    pub states: Option<Vec<i32>>,
    pub types: Option<Vec<i32>>,
}

type Raw = sys::rd_kafka_AdminOptions_t;
/// A setter that tells of a refusal in a buffer.
type Setter = unsafe extern "C" fn(*mut Raw, c_int, *mut c_char, usize) -> sys::rd_kafka_resp_err_t;
/// A setter that tells of a refusal by an error object.
type Checker = unsafe extern "C" fn(*mut Raw, c_int) -> *mut sys::rd_kafka_error_t;
type ListSetter = unsafe extern "C" fn(*mut Raw, *const c_int, usize) -> *mut sys::rd_kafka_error_t;

impl Options {
    /// librdkafka's form of them, for requests of one kind; refuses what that kind does not know.
    pub(super) fn build(
        &self,
        client: &Client,
        operation: sys::rd_kafka_admin_op_t,
        id: usize,
    ) -> Result<Owned<Raw>, Refused> {
        let numbers: [(Setter, Option<c_int>); 4] = [
            (sys::rd_kafka_AdminOptions_set_request_timeout, self.request_timeout_ms),
            (sys::rd_kafka_AdminOptions_set_operation_timeout, self.operation_timeout_ms),
            (sys::rd_kafka_AdminOptions_set_validate_only, self.validate_only.map(c_int::from)),
            (sys::rd_kafka_AdminOptions_set_broker, self.broker),
        ];
        let flags: [(Checker, Option<c_int>); 3] = [
            (sys::rd_kafka_AdminOptions_set_require_stable_offsets, self.require_stable.map(c_int::from)),
            (
                sys::rd_kafka_AdminOptions_set_include_authorized_operations,
                self.include_authorized_operations.map(c_int::from),
            ),
            (by_number::rd_kafka_AdminOptions_set_isolation_level, self.isolation_level),
        ];
        let lists: [(ListSetter, &Option<Vec<c_int>>); 2] = [
            (by_number::rd_kafka_AdminOptions_set_match_consumer_group_states, &self.states),
            (by_number::rd_kafka_AdminOptions_set_match_consumer_group_types, &self.types),
        ];
        // SAFETY: the client is alive, the options are owned here; buffers and arrays have the size given.
        unsafe {
            let options = Owned::adopt(sys::rd_kafka_AdminOptions_new(client.as_ptr(), operation))
                .ok_or_else(|| Refused::new("librdkafka does not know this kind of request"))?;
            for (set, value) in numbers.into_iter().filter_map(|(set, value)| Some((set, value?))) {
                let mut message = error_text();
                if set(options.as_ptr(), value, message.as_mut_ptr(), message.len()) as i32 != 0 {
                    return Err(Refused::new(text(message.as_ptr())));
                }
            }
            for (set, value) in flags.into_iter().filter_map(|(set, value)| Some((set, value?))) {
                accepted(Failure::from_error(set(options.as_ptr(), value)))?;
            }
            for (set, values) in lists.into_iter().filter_map(|(set, values)| Some((set, values.as_ref()?))) {
                accepted(Failure::from_error(set(options.as_ptr(), values.as_ptr(), values.len())))?;
            }
            sys::rd_kafka_AdminOptions_set_opaque(options.as_ptr(), id as *mut c_void);
            Ok(options)
        }
    }
}

fn accepted(failure: Option<Failure>) -> Result<(), Refused> {
    failure.map_or(Ok(()), |failure| Err(failure.into()))
}
