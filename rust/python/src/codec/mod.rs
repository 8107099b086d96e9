//! Avro on Python objects: a schema becomes a plan once, and the plan walks objects without anything in between.

mod build;
mod fault;
mod logical;
mod read;
mod union;
mod values;
mod write;

pub use read::AvroReader;
pub use write::AvroWriter;
