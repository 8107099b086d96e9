//! Avro without Python: its binary form, schemas, and what reading one schema as another takes.

pub mod calendar;
pub mod resolve;
pub mod schema;
pub mod wire;
