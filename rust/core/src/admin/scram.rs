//! SCRAM credentials of users (KIP-554).

use std::fmt;
use std::ptr;

use rdkafka_sys::bindings as sys;
use sys::rd_kafka_admin_op_t as Operation;

use super::raw::{self, by_number};
use super::{c_text, c_texts, Asked, Call, Refused, Reply};
use crate::error::{text, Failure};
use crate::native::Owned;

/// A change of one user's credential; mechanisms are `rd_kafka_ScramMechanism_t`.
pub struct Alteration {
    pub user: String,
    pub mechanism: i32,
    /// None deletes the credential.
    pub upsertion: Option<Upsertion>,
}

pub struct Upsertion {
    pub iterations: i32,
    pub password: Vec<u8>,
    /// None lets librdkafka choose a random one.
    pub salt: Option<Vec<u8>>,
}

impl fmt::Debug for Upsertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upsertion").field("iterations", &self.iterations).finish_non_exhaustive()
    }
}

#[derive(Debug)]
pub struct Description {
    pub user: String,
    pub error: Option<Failure>,
    /// Mechanism and number of iterations.
    pub credentials: Vec<(i32, i32)>,
}

type Raw = sys::rd_kafka_UserScramCredentialAlteration_t;

/// Asks for these users, or for all. Source: rd_kafka_DescribeUserScramCredentials.
pub fn describe(call: &Call<'_>, users: Option<&[String]>) -> Asked {
    let (_texts, mut pointers) = c_texts("user", users.unwrap_or_default())?;
    let (first, count) = if users.is_some() { (pointers.as_mut_ptr(), pointers.len()) } else { (ptr::null_mut(), 0) };
    call.send(Operation::RD_KAFKA_ADMIN_OP_DESCRIBEUSERSCRAMCREDENTIALS, |rk, options, queue| {
        // SAFETY: all are alive; the call copies the names.
        unsafe { sys::rd_kafka_DescribeUserScramCredentials(rk, first, count, options, queue) }
    })
}

/// Source: rd_kafka_AlterUserScramCredentials.
pub fn alter(call: &Call<'_>, alterations: &[Alteration]) -> Asked {
    let made = alterations.iter().map(new_alteration).collect::<Result<Vec<_>, _>>()?;
    let operation = Operation::RD_KAFKA_ADMIN_OP_ALTERUSERSCRAMCREDENTIALS;
    call.send_all(operation, sys::rd_kafka_AlterUserScramCredentials, &made)
}

fn new_alteration(alteration: &Alteration) -> Result<Owned<Raw>, Refused> {
    let Alteration { user, mechanism, upsertion } = alteration;
    let name = c_text("user", user)?;
    // librdkafka ends the process when it has to hash for a mechanism that it does not know.
    if !(1..=2).contains(mechanism) {
        let reason = format!("user {user:?}: unknown mechanism {mechanism}: 1 (SHA-256) or 2 (SHA-512) expected");
        return Err(Refused(reason));
    }
    let made = match upsertion {
        // SAFETY: the name is copied.
        None => unsafe { by_number::rd_kafka_UserScramCredentialDeletion_new(name.as_ptr(), *mechanism) },
        Some(Upsertion { iterations, password, salt }) => {
            // An empty salt would mean a random one.
            if salt.as_ref().is_some_and(Vec::is_empty) {
                return Err(Refused(format!("user {user:?}: empty salt: leave it out for a random one")));
            }
            let salt = salt.as_deref().unwrap_or_default();
            // SAFETY: name, password and salt are copied; their sizes are true.
            unsafe {
                by_number::rd_kafka_UserScramCredentialUpsertion_new(
                    name.as_ptr(),
                    *mechanism,
                    *iterations,
                    password.as_ptr(),
                    password.len(),
                    salt.as_ptr(),
                    salt.len(),
                )
            }
        }
    };
    // SAFETY: nobody else owns the new object.
    unsafe { Owned::adopt(made) }.ok_or_else(|| Refused(format!("invalid user {user:?}")))
}

/// # Safety
/// `result` must be alive.
pub(super) unsafe fn described(result: *const sys::rd_kafka_DescribeUserScramCredentials_result_t) -> Reply {
    let getter = sys::rd_kafka_DescribeUserScramCredentials_result_descriptions;
    // SAFETY: by the caller's word.
    Reply::Users(unsafe { raw::list(result, getter, description) })
}

/// # Safety
/// `user` must be alive.
unsafe fn description(user: *const sys::rd_kafka_UserScramCredentialsDescription_t) -> Description {
    // SAFETY: by the caller's word; what the getters give lives as long.
    unsafe {
        let count = sys::rd_kafka_UserScramCredentialsDescription_scramcredentialinfo_count(user);
        Description {
            user: text(sys::rd_kafka_UserScramCredentialsDescription_user(user)),
            error: raw::failure(sys::rd_kafka_UserScramCredentialsDescription_error(user)),
            credentials: (0..count)
                .map(|index| {
                    let info = sys::rd_kafka_UserScramCredentialsDescription_scramcredentialinfo(user, index);
                    let mechanism = by_number::rd_kafka_ScramCredentialInfo_mechanism(info);
                    (mechanism, sys::rd_kafka_ScramCredentialInfo_iterations(info))
                })
                .collect(),
        }
    }
}

/// # Safety
/// `result` must be alive.
pub(super) unsafe fn altered(result: *const sys::rd_kafka_AlterUserScramCredentials_result_t) -> Reply {
    unsafe fn outcome(
        response: *const sys::rd_kafka_AlterUserScramCredentials_result_response_t,
    ) -> (String, Option<Failure>) {
        // SAFETY: given by a result that is alive.
        unsafe {
            let failure = raw::failure(sys::rd_kafka_AlterUserScramCredentials_result_response_error(response));
            (text(sys::rd_kafka_AlterUserScramCredentials_result_response_user(response)), failure)
        }
    }
    // SAFETY: by the caller's word.
    Reply::Named(unsafe { raw::list(result, sys::rd_kafka_AlterUserScramCredentials_result_responses, outcome) })
}
