//! Configuration of topics, brokers and groups.

use std::ffi::CString;
use std::ptr;

use rdkafka_sys::bindings as sys;
use sys::rd_kafka_admin_op_t as Operation;

use super::raw::{self, by_number};
use super::{c_text, Asked, Call, Refused, Reply};
use crate::error::{text, Failure};
use crate::native::Owned;

/// A resource by its type (`rd_kafka_ResourceType_t`) and name.
pub type Resource = (i32, String);

/// Name and value; without one, the default.
pub type Setting = (String, Option<String>);

/// One change of an incremental alteration: name, operation (`rd_kafka_AlterConfigOpType_t`), value.
pub type Change = (String, i32, Option<String>);

#[derive(Debug)]
pub struct Described {
    pub resource: Resource,
    pub error: Option<Failure>,
    pub entries: Vec<Entry>,
}

#[derive(Debug)]
pub struct Entry {
    pub name: String,
    /// None for a sensitive value, too.
    pub value: Option<String>,
    pub source: i32,
    pub read_only: bool,
    pub default: bool,
    pub sensitive: bool,
    pub synonym: bool,
    /// Where the value may come from, the strongest first; they have no synonyms themselves.
    pub synonyms: Vec<Entry>,
}

type Raw = sys::rd_kafka_ConfigResource_t;

fn new_resource((kind, name): &Resource) -> Result<Owned<Raw>, Refused> {
    let c_name = c_text("resource name", name)?;
    // SAFETY: the name is copied, the object is owned here.
    unsafe { Owned::adopt(by_number::rd_kafka_ConfigResource_new(*kind, c_name.as_ptr())) }
        .ok_or_else(|| Refused(format!("Invalid ConfigResource({kind},{name})")))
}

/// Name and value of an entry as C strings.
fn entry_texts(name: &str, value: Option<&str>) -> Result<(CString, Option<CString>), Refused> {
    let value = value.map(|value| c_text("configuration value", value)).transpose()?;
    Ok((c_text("configuration name", name)?, value))
}

/// Source: rd_kafka_DescribeConfigs.
pub fn describe(call: &Call<'_>, resources: &[Resource]) -> Asked {
    let resources = resources.iter().map(new_resource).collect::<Result<Vec<_>, _>>()?;
    call.send_all(Operation::RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, sys::rd_kafka_DescribeConfigs, &resources)
}

/// Replaces the whole configuration of each resource. Source: rd_kafka_AlterConfigs.
pub fn alter(call: &Call<'_>, resources: &[(Resource, Vec<Setting>)]) -> Asked {
    let make = |(resource, settings): &(Resource, Vec<Setting>)| {
        let made = new_resource(resource)?;
        for (name, value) in settings {
            let (c_name, c_value) = entry_texts(name, value.as_deref())?;
            let value = c_value.as_ref().map_or(ptr::null(), |value| value.as_ptr());
            // SAFETY: the object is owned, the strings are copied.
            let code = unsafe { sys::rd_kafka_ConfigResource_set_config(made.as_ptr(), c_name.as_ptr(), value) };
            if code as i32 != 0 {
                return Err(Refused(format!("{}: invalid configuration name {name:?}", named(resource))));
            }
        }
        Ok(made)
    };
    let made = resources.iter().map(make).collect::<Result<Vec<_>, _>>()?;
    call.send_all(Operation::RD_KAFKA_ADMIN_OP_ALTERCONFIGS, sys::rd_kafka_AlterConfigs, &made)
}

/// Changes single entries. Source: rd_kafka_IncrementalAlterConfigs, KIP-339.
pub fn alter_incrementally(call: &Call<'_>, resources: &[(Resource, Vec<Change>)]) -> Asked {
    let make = |(resource, changes): &(Resource, Vec<Change>)| {
        let made = new_resource(resource)?;
        for (name, operation, value) in changes {
            let (c_name, c_value) = entry_texts(name, value.as_deref())?;
            let value = c_value.as_ref().map_or(ptr::null(), |value| value.as_ptr());
            // SAFETY: the object is owned, the strings are copied; a returned error is ours.
            let refused = Failure::from_error(unsafe {
                let (made, name) = (made.as_ptr(), c_name.as_ptr());
                by_number::rd_kafka_ConfigResource_add_incremental_config(made, name, *operation, value)
            });
            if let Some(failure) = refused {
                return Err(Refused(format!("{}: {name:?}: {}", named(resource), Refused::from(failure).0)));
            }
        }
        Ok(made)
    };
    let made = resources.iter().map(make).collect::<Result<Vec<_>, _>>()?;
    let operation = Operation::RD_KAFKA_ADMIN_OP_INCREMENTALALTERCONFIGS;
    call.send_all(operation, sys::rd_kafka_IncrementalAlterConfigs, &made)
}

fn named((kind, name): &Resource) -> String {
    format!("ConfigResource({kind},{name})")
}

/// # Safety
/// `result` must be alive.
pub(super) unsafe fn described(result: *const sys::rd_kafka_DescribeConfigs_result_t) -> Reply {
    // SAFETY: by the caller's word.
    Reply::Configs(unsafe { raw::list(result, sys::rd_kafka_DescribeConfigs_result_resources, description) })
}

/// # Safety
/// `result` must be alive.
pub(super) unsafe fn altered(result: *const sys::rd_kafka_AlterConfigs_result_t) -> Reply {
    // SAFETY: by the caller's word.
    Reply::Altered(unsafe { raw::list(result, sys::rd_kafka_AlterConfigs_result_resources, outcome) })
}

/// # Safety
/// `result` must be alive.
pub(super) unsafe fn incrementally_altered(result: *const sys::rd_kafka_IncrementalAlterConfigs_result_t) -> Reply {
    // SAFETY: by the caller's word.
    Reply::Altered(unsafe { raw::list(result, sys::rd_kafka_IncrementalAlterConfigs_result_resources, outcome) })
}

/// # Safety
/// `resource` must be alive.
unsafe fn outcome(resource: *const Raw) -> (i32, String, Option<Failure>) {
    // SAFETY: by the caller's word; the strings live as long.
    unsafe {
        let code = by_number::rd_kafka_ConfigResource_error(resource);
        (
            by_number::rd_kafka_ConfigResource_type(resource),
            text(sys::rd_kafka_ConfigResource_name(resource)),
            raw::coded(code, sys::rd_kafka_ConfigResource_error_string(resource)),
        )
    }
}

/// # Safety
/// `resource` must be alive.
unsafe fn description(resource: *const Raw) -> Described {
    // SAFETY: by the caller's word.
    unsafe {
        let (kind, name, error) = outcome(resource);
        let entries = raw::list(resource, sys::rd_kafka_ConfigResource_configs, entry);
        Described { resource: (kind, name), error, entries }
    }
}

/// # Safety
/// `entry` must be alive.
unsafe fn entry(entry: *const sys::rd_kafka_ConfigEntry_t) -> Entry {
    // SAFETY: by the caller's word; what the getters give lives as long.
    unsafe {
        // -1 means that the broker did not say.
        let flag = |get: unsafe extern "C" fn(*const sys::rd_kafka_ConfigEntry_t) -> i32| get(entry) > 0;
        Entry {
            name: text(sys::rd_kafka_ConfigEntry_name(entry)),
            value: raw::optional(sys::rd_kafka_ConfigEntry_value(entry)),
            source: by_number::rd_kafka_ConfigEntry_source(entry),
            read_only: flag(sys::rd_kafka_ConfigEntry_is_read_only),
            default: flag(sys::rd_kafka_ConfigEntry_is_default),
            sensitive: flag(sys::rd_kafka_ConfigEntry_is_sensitive),
            synonym: flag(sys::rd_kafka_ConfigEntry_is_synonym),
            synonyms: raw::list(entry, sys::rd_kafka_ConfigEntry_synonyms, self::entry),
        }
    }
}
