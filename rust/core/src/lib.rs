//! Safe Rust over librdkafka, without Python: every handle, its owner, its wake-ups and its end.
//!
//! `unsafe` stays behind this crate's functions; DESIGN.md says which file owns what.

pub mod admin;
mod buffer;
pub mod client;
pub mod codec;
pub mod config;
pub mod consumer;
pub mod error;
pub mod fork;
pub mod inbox;
mod leaving;
pub mod metadata;
pub mod mock;
pub mod native;
pub mod oauth;
mod offsets;
pub mod partitioners;
pub mod producer;
pub mod thread;
pub mod txn;
pub mod wake;

pub use rdkafka_sys::bindings as sys;

extern "C" {
    fn OPENSSL_init_crypto(options: u64, settings: *const std::os::raw::c_void) -> std::os::raw::c_int;
}

/// Keeps glibc from giving the memory of each batch back to the system, to be faulted in again by the next one.
///
/// Messages are allocated by the thousand and freed together, which makes the top of the heap shrink and grow by
/// megabytes: page faults were a third of the CPU time of produce(). The values are within what glibc's own dynamic
/// thresholds reach. A program that sets them itself (MALLOC_TRIM_THRESHOLD_) is left alone.
fn tune_allocator() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    if std::env::var_os("MALLOC_TRIM_THRESHOLD_").is_none() {
        const TRIM_BYTES: i32 = 64 << 20;
        const MMAP_BYTES: i32 = 4 << 20;
        // SAFETY: documented to be callable at any time.
        unsafe {
            libc::mallopt(libc::M_TRIM_THRESHOLD, TRIM_BYTES);
            libc::mallopt(libc::M_MMAP_THRESHOLD, MMAP_BYTES);
        }
    }
}

/// Must run once, before the first client: fork detection, and a process exit that does not race with TLS.
pub fn initialise() {
    tune_allocator();
    const NO_ATEXIT: u64 = 0x0008_0000;
    fork::watch();
    // SAFETY: documented to be callable before any other OpenSSL call. Without it OpenSSL's exit handler frees
    // its state while librdkafka's threads, which nobody joins at exit, may still be using it.
    unsafe { OPENSSL_init_crypto(NO_ATEXIT, std::ptr::null()) };
}

/// librdkafka's version: text such as "2.12.1", and its number 0xMMmmrrpp.
pub fn librdkafka_version() -> (String, i32) {
    // SAFETY: returns a static string.
    unsafe { (error::text(sys::rd_kafka_version_str()), sys::rd_kafka_version()) }
}
