//! `confluent_kafka._native`: the Python face of `ferrokafka-core`.

mod admin;
mod batch;
mod buffer;
mod calls;
mod codec;
mod consumer;
mod delivery;
mod error;
mod finalize;
mod freelist;
mod loop_consumer;
mod loop_producer;
mod message;
mod mock;
mod names;
mod notices;
mod partition;
mod pending;
mod polling;
mod producer;
mod slot;
mod stream;
mod tokens;
mod transactions;
mod wait;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use super::admin::{Admin, LoopAdmin};
    #[pymodule_export]
    use super::codec::{AvroReader, AvroWriter};
    #[pymodule_export]
    use super::consumer::Consumer;
    #[pymodule_export]
    use super::delivery::_fail;
    #[pymodule_export]
    use super::finalize::_interpreter_exits;
    #[pymodule_export]
    use super::loop_consumer::LoopConsumer;
    #[pymodule_export]
    use super::loop_producer::{Batch, LoopProducer};
    #[pymodule_export]
    use super::message::Message;
    #[pymodule_export]
    use super::mock::MockCluster;
    #[pymodule_export]
    use super::partition::TopicPartition;
    #[pymodule_export]
    use super::pending::Pending;
    #[pymodule_export]
    use super::producer::Producer;
    #[pymodule_export]
    use super::stream::Stream;
    use ferrokafka_core::error;
    use ferrokafka_core::partitioners::Partitioner;
    use pyo3::exceptions::PyValueError;
    use pyo3::prelude::*;
    use pyo3::types::PyBytes;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        ferrokafka_core::initialise();
        super::freelist::install(module.py());
        super::stream::install(module.py());
        Ok(())
    }

    #[pyfunction]
    fn librdkafka_version() -> (String, i32) {
        ferrokafka_core::librdkafka_version()
    }

    #[pyfunction]
    fn error_table() -> Vec<(i32, String, String)> {
        error::table().into_iter().map(|entry| (entry.code, entry.name, entry.text)).collect()
    }

    #[pyfunction]
    fn err_name(code: i32) -> String {
        error::name(code)
    }

    #[pyfunction]
    fn err_str(code: i32) -> String {
        error::describe(code)
    }

    #[pyfunction]
    fn config_properties() -> String {
        ferrokafka_core::config::properties()
    }

    fn partition(partitioner: Partitioner, key: &Bound<'_, PyBytes>, count: i32) -> PyResult<i32> {
        if count <= 0 {
            return Err(PyValueError::new_err(format!("partition_count must be > 0, got {count}")));
        }
        Ok(partitioner.partition(key.as_bytes(), count))
    }

    #[pyfunction]
    #[pyo3(signature = (key, partition_count))]
    fn murmur2(key: &Bound<'_, PyBytes>, partition_count: i32) -> PyResult<i32> {
        partition(Partitioner::Murmur2, key, partition_count)
    }

    #[pyfunction]
    #[pyo3(signature = (key, partition_count))]
    fn consistent(key: &Bound<'_, PyBytes>, partition_count: i32) -> PyResult<i32> {
        partition(Partitioner::Consistent, key, partition_count)
    }

    #[pyfunction]
    #[pyo3(signature = (key, partition_count))]
    fn fnv1a(key: &Bound<'_, PyBytes>, partition_count: i32) -> PyResult<i32> {
        partition(Partitioner::Fnv1a, key, partition_count)
    }
}
