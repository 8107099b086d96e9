//! Access control lists.

use std::ffi::CString;
use std::fmt;
use std::ptr;

use rdkafka_sys::bindings as sys;
use sys::rd_kafka_admin_op_t as Operation;

use super::raw::{self, by_number};
use super::{c_text, Asked, Call, Refused, Reply};
use crate::config::error_text;
use crate::error::{text, Failure};
use crate::native::Owned;

/// An access control list entry, or a filter, in which None matches everything. Numbers are librdkafka's enums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acl {
    pub restype: i32,
    pub name: Option<String>,
    pub pattern: i32,
    pub principal: Option<String>,
    pub host: Option<String>,
    pub operation: i32,
    pub permission: i32,
}

impl fmt::Display for Acl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text =
            |value: &Option<String>| value.as_ref().map_or_else(|| "None".to_owned(), |text| format!("{text:?}"));
        let (name, principal, host) = (text(&self.name), text(&self.principal), text(&self.host));
        let Acl { restype, pattern, operation, permission, .. } = self;
        write!(f, "ACL ({restype}, {name}, {pattern}, {principal}, {host}, {operation}, {permission})")
    }
}

type Raw = sys::rd_kafka_AclBinding_t;

impl Acl {
    /// `filter`: None and the values that match any are allowed.
    fn build(&self, filter: bool) -> Result<Owned<Raw>, Refused> {
        let text_of = |what: &str, value: &Option<String>| -> Result<Option<CString>, Refused> {
            value.as_deref().map(|value| c_text(what, value)).transpose()
        };
        let (name, principal) = (text_of("resource name", &self.name)?, text_of("principal", &self.principal)?);
        let host = text_of("host", &self.host)?;
        let pointer = |text: &Option<CString>| text.as_ref().map_or(ptr::null(), |text| text.as_ptr());
        let make = if filter { by_number::rd_kafka_AclBindingFilter_new } else { by_number::rd_kafka_AclBinding_new };
        let mut message = error_text();
        // SAFETY: the strings are copied, the error buffer has the size given, the object is owned here.
        unsafe {
            let made = make(
                self.restype,
                pointer(&name),
                self.pattern,
                pointer(&principal),
                pointer(&host),
                self.operation,
                self.permission,
                message.as_mut_ptr(),
                message.len(),
            );
            Owned::adopt(made).ok_or_else(|| Refused(format!("{} in {self}", text(message.as_ptr()))))
        }
    }

    /// # Safety
    /// `acl` must be alive.
    unsafe fn copy_of(acl: *const Raw) -> Self {
        // SAFETY: by the caller's word; the strings live as long.
        unsafe {
            Acl {
                restype: by_number::rd_kafka_AclBinding_restype(acl),
                name: raw::optional(sys::rd_kafka_AclBinding_name(acl)),
                pattern: by_number::rd_kafka_AclBinding_resource_pattern_type(acl),
                principal: raw::optional(sys::rd_kafka_AclBinding_principal(acl)),
                host: raw::optional(sys::rd_kafka_AclBinding_host(acl)),
                operation: by_number::rd_kafka_AclBinding_operation(acl),
                permission: by_number::rd_kafka_AclBinding_permission_type(acl),
            }
        }
    }
}

/// Source: rd_kafka_CreateAcls.
pub fn create(call: &Call<'_>, acls: &[Acl]) -> Asked {
    let acls = acls.iter().map(|acl| acl.build(false)).collect::<Result<Vec<_>, _>>()?;
    call.send_all(Operation::RD_KAFKA_ADMIN_OP_CREATEACLS, sys::rd_kafka_CreateAcls, &acls)
}

/// Source: rd_kafka_DescribeAcls.
pub fn describe(call: &Call<'_>, filter: &Acl) -> Asked {
    let filter = filter.build(true)?;
    call.send(Operation::RD_KAFKA_ADMIN_OP_DESCRIBEACLS, |rk, options, queue| {
        // SAFETY: all are alive; the call copies the filter.
        unsafe { sys::rd_kafka_DescribeAcls(rk, filter.as_ptr(), options, queue) }
    })
}

/// Source: rd_kafka_DeleteAcls.
pub fn delete(call: &Call<'_>, filters: &[Acl]) -> Asked {
    let filters = filters.iter().map(|filter| filter.build(true)).collect::<Result<Vec<_>, _>>()?;
    call.send_all(Operation::RD_KAFKA_ADMIN_OP_DELETEACLS, sys::rd_kafka_DeleteAcls, &filters)
}

/// # Safety
/// `result` must be alive.
pub(super) unsafe fn created(result: *const sys::rd_kafka_CreateAcls_result_t) -> Reply {
    unsafe fn outcome(result: *const sys::rd_kafka_acl_result_t) -> Option<Failure> {
        // SAFETY: given by a result that is alive.
        unsafe { raw::failure(sys::rd_kafka_acl_result_error(result)) }
    }
    // SAFETY: by the caller's word.
    Reply::AclsCreated(unsafe { raw::list(result, sys::rd_kafka_CreateAcls_result_acls, outcome) })
}

/// # Safety
/// `result` must be alive.
pub(super) unsafe fn described(result: *const sys::rd_kafka_DescribeAcls_result_t) -> Reply {
    // SAFETY: by the caller's word.
    Reply::Acls(unsafe { raw::list(result, sys::rd_kafka_DescribeAcls_result_acls, Acl::copy_of) })
}

/// # Safety
/// `result` must be alive.
pub(super) unsafe fn deleted(result: *const sys::rd_kafka_DeleteAcls_result_t) -> Reply {
    // SAFETY: by the caller's word.
    Reply::AclsDeleted(unsafe { raw::list(result, sys::rd_kafka_DeleteAcls_result_responses, deletion) })
}

/// What matched a filter and is deleted. An entry that could not be is left out, its error is that of the filter.
///
/// # Safety
/// `response` must be alive.
unsafe fn deletion(response: *const sys::rd_kafka_DeleteAcls_result_response_t) -> (Option<Failure>, Vec<Acl>) {
    unsafe fn matched(acl: *const Raw) -> Result<Acl, Failure> {
        // SAFETY: given by a response that is alive.
        unsafe { raw::failure(sys::rd_kafka_AclBinding_error(acl)).map_or_else(|| Ok(Acl::copy_of(acl)), Err) }
    }
    // SAFETY: by the caller's word.
    unsafe {
        let mut failure = raw::failure(sys::rd_kafka_DeleteAcls_result_response_error(response));
        let mut deleted = Vec::new();
        for outcome in raw::list(response, sys::rd_kafka_DeleteAcls_result_response_matching_acls, matched) {
            match outcome {
                Ok(acl) => deleted.push(acl),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        (failure, deleted)
    }
}
