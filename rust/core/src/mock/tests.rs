// SPDX-License-Identifier: Apache-2.0
//! Against live mock brokers, spoken to over plain TCP: the smallest Kafka client is an ApiVersions request.

use std::collections::BTreeSet;
use std::io::{Error as IoError, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use super::*;

const API_VERSIONS: i16 = 18;
const NOT_COORDINATOR: i32 = 16;
const TRANSPORT: i32 = -195;

struct Versions {
    error: i16,
    apis: Vec<(i16, i16, i16)>,
}

/// Length-prefixed request header: key, version 0, correlation id 7, no client id. A dropped connection is an error.
fn api_versions(stream: &mut TcpStream) -> std::io::Result<Versions> {
    let mut request = 10_i32.to_be_bytes().to_vec();
    request.extend(API_VERSIONS.to_be_bytes());
    request.extend(0_i16.to_be_bytes());
    request.extend(7_i32.to_be_bytes());
    request.extend((-1_i16).to_be_bytes());
    stream.write_all(&request)?;
    let mut size = [0; 4];
    stream.read_exact(&mut size)?;
    let mut reply = vec![0; i32::from_be_bytes(size) as usize];
    stream.read_exact(&mut reply)?;
    let number = |at: usize| i16::from_be_bytes([reply[at], reply[at + 1]]);
    if number(2) != 7 {
        return Err(IoError::new(ErrorKind::InvalidData, "reply to another request"));
    }
    let apis = reply[10..].chunks_exact(6).enumerate();
    let apis = apis.map(|(i, _)| (number(10 + 6 * i), number(12 + 6 * i), number(14 + 6 * i)));
    Ok(Versions { error: number(4), apis: apis.collect() })
}

fn connect(cluster: &MockCluster, index: usize) -> std::io::Result<TcpStream> {
    let address = cluster.bootstraps().split(',').nth(index).expect("a broker");
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    Ok(stream)
}

fn ask(cluster: &MockCluster, index: usize) -> Versions {
    api_versions(&mut connect(cluster, index).expect("a listening broker")).expect("a reply")
}

fn highest(cluster: &MockCluster, api_key: i16) -> Option<i16> {
    ask(cluster, 0).apis.iter().find(|(key, ..)| *key == api_key).map(|(.., max)| *max)
}

fn is_invalid<T: fmt::Debug>(result: Result<T>, part: &str) -> bool {
    matches!(&result, Err(Error::Invalid(text)) if text.contains(part))
}

#[test]
fn mock_apis_are_those_of_the_bundled_library() {
    let cluster = MockCluster::new(1).unwrap();
    assert_eq!(ask(&cluster, 0).apis, APIS);
}

#[test]
fn mock_brokers_listen_on_separate_ports() {
    let cluster = MockCluster::new(3).unwrap();
    let ports: BTreeSet<&str> = cluster.bootstraps().split(',').collect();
    assert_eq!(ports.len(), 3);
    assert_eq!(cluster.brokers().unwrap(), [1, 2, 3]);
    for index in 0..3 {
        assert_eq!(ask(&cluster, index).error, 0);
    }
}

#[test]
fn mock_drop_closes_the_ports() {
    let cluster = MockCluster::new(1).unwrap();
    let address = cluster.bootstraps().to_owned();
    drop(cluster);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn mock_clusters_are_independent_in_any_drop_order() {
    let clusters: Vec<_> = (0..3).map(|_| MockCluster::new(2).unwrap()).collect();
    clusters[1].broker_set_down(None).unwrap();
    assert_eq!(ask(&clusters[0], 0).error, 0);
    let [first, second, third] = <[MockCluster; 3]>::try_from(clusters).unwrap();
    drop(second);
    assert_eq!(ask(&third, 1).error, 0);
    drop(first);
    assert_eq!(ask(&third, 0).error, 0);
}

#[test]
fn mock_pushed_errors_come_in_order_and_end() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.push_request_errors(API_VERSIONS, &[NOT_COORDINATOR, 0, 35]).unwrap();
    let mut stream = connect(&cluster, 0).unwrap();
    let errors: Vec<_> = (0..4).map(|_| api_versions(&mut stream).unwrap().error).collect();
    assert_eq!(errors, [16, 0, 35, 0]);
}

#[test]
fn mock_cleared_errors_do_not_come() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.push_request_errors(API_VERSIONS, &[NOT_COORDINATOR; 50]).unwrap();
    assert_eq!(ask(&cluster, 0).error, 16);
    cluster.clear_request_errors(API_VERSIONS).unwrap();
    assert_eq!(ask(&cluster, 0).error, 0);
}

#[test]
fn mock_transport_error_cuts_the_connection() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.push_request_errors(API_VERSIONS, &[TRANSPORT]).unwrap();
    let mut stream = connect(&cluster, 0).unwrap();
    assert!(api_versions(&mut stream).is_err());
    assert_eq!(ask(&cluster, 0).error, 0);
}

#[test]
fn mock_errors_of_one_broker_are_counted_down() {
    let cluster = MockCluster::new(2).unwrap();
    cluster.broker_push_request_error_rtts(2, API_VERSIONS, &[(16, 0), (15, 1)]).unwrap();
    assert_eq!(cluster.broker_error_stack_count(2, API_VERSIONS).unwrap(), 2);
    assert_eq!(cluster.broker_error_stack_count(1, API_VERSIONS).unwrap(), 0);
    assert_eq!(ask(&cluster, 0).error, 0);
    assert_eq!(ask(&cluster, 1).error, 16);
    assert_eq!(cluster.broker_error_stack_count(2, API_VERSIONS).unwrap(), 1);
    assert_eq!(ask(&cluster, 1).error, 15);
}

#[test]
fn mock_broker_down_refuses_and_up_listens_on_the_same_port() {
    let cluster = MockCluster::new(2).unwrap();
    let mut stream = connect(&cluster, 0).unwrap();
    api_versions(&mut stream).unwrap();
    cluster.broker_set_down(Some(1)).unwrap();
    assert!(api_versions(&mut stream).is_err());
    assert!(connect(&cluster, 0).is_err());
    assert_eq!(ask(&cluster, 1).error, 0);
    cluster.broker_set_down(Some(1)).unwrap();
    cluster.broker_set_up(Some(1)).unwrap();
    assert_eq!(ask(&cluster, 0).error, 0);
}

#[test]
fn mock_requests_are_tracked_between_start_and_stop() {
    let cluster = MockCluster::new(2).unwrap();
    ask(&cluster, 0);
    assert_eq!(cluster.requests().unwrap(), []);
    cluster.start_request_tracking().unwrap();
    ask(&cluster, 1);
    ask(&cluster, 0);
    let seen = cluster.requests().unwrap();
    let facts: Vec<_> = seen.iter().map(|request| (request.broker, request.api_key)).collect();
    assert_eq!(facts, [(2, API_VERSIONS), (1, API_VERSIONS)]);
    assert!(seen[0].timestamp_us <= seen[1].timestamp_us);
    cluster.clear_requests().unwrap();
    assert_eq!(cluster.requests().unwrap(), []);
    ask(&cluster, 1);
    assert_eq!(cluster.requests().unwrap().len(), 1);
    cluster.stop_request_tracking().unwrap();
    ask(&cluster, 1);
    assert_eq!(cluster.requests().unwrap(), []);
}

#[test]
fn mock_topics_are_created_once() {
    let cluster = MockCluster::new(2).unwrap();
    cluster.topic_create("orders", 4, None).unwrap();
    let again = cluster.topic_create("orders", 4, None).unwrap_err();
    assert!(matches!(&again, Error::Kafka(failure) if failure.code == 36), "{again:?}");
    let text = again.to_string();
    assert!(text.starts_with("cannot create topic orders: Broker: Topic"), "{text}");
}

#[test]
fn mock_arguments_that_would_end_the_process_are_refused() {
    let cluster = MockCluster::new(2).unwrap();
    assert!(is_invalid(MockCluster::new(0), "between 1 and 10000"));
    assert!(is_invalid(cluster.topic_create("t", 0, None), "partitions"));
    assert!(is_invalid(cluster.topic_create("t", -1, None), "partitions"));
    assert!(is_invalid(cluster.topic_create("t", i32::MAX, None), "partitions"));
    assert!(is_invalid(cluster.topic_create("t", 1, Some(0)), "replication factor"));
    assert!(is_invalid(cluster.topic_create("t", 1, Some(3)), "replication factor"));
    for name in ["", ".", "..", "a b", "a\0b", "caf\u{e9}", &"x".repeat(250)] {
        assert!(is_invalid(cluster.topic_create(name, 1, None), "topic name"), "{name}");
    }
    assert!(is_invalid(cluster.partition_set_leader("t", -1, Some(1)), "partition"));
    assert!(is_invalid(cluster.partition_set_leader("t", i32::MAX, Some(1)), "partition"));
    assert!(is_invalid(cluster.partition_set_leader("t", 0, Some(9)), "no broker 9"));
    assert!(is_invalid(cluster.partition_set_follower_wmarks("t", 0, Some(-5), None), "negative"));
    assert!(is_invalid(cluster.coordinator_set(Coordinator::Group, "g", 9), "no broker 9"));
    assert!(is_invalid(cluster.coordinator_set(Coordinator::Group, "g\0", 1), "NUL"));
    assert!(is_invalid(cluster.broker_decommission(-1), "no broker -1"));
    assert!(is_invalid(cluster.broker_set_down(Some(-1)), "no broker -1"));
    assert!(is_invalid(cluster.broker_set_rtt(None, -1), "negative"));
    assert!(is_invalid(cluster.broker_set_rack(None, "a\0"), "NUL"));
    assert!(is_invalid(cluster.broker_set_host_port(1, &"h".repeat(128), 1), "127"));
    assert!(is_invalid(cluster.broker_add(Some(2)), "exists"));
    assert!(is_invalid(cluster.broker_add(Some(-7)), "negative"));
    assert!(is_invalid(cluster.push_request_errors(19, &[1]), "API key 19"));
    assert!(is_invalid(cluster.push_request_errors(0, &[7777]), "error code 7777"));
    assert!(is_invalid(cluster.broker_push_request_error_rtts(1, 0, &[(0, -1)]), "negative"));
    assert!(is_invalid(cluster.set_apiversion(19, None), "API key 19"));
    assert!(is_invalid(cluster.set_apiversion(0, Some((0, 11))), "0 to 10"));
    assert!(is_invalid(cluster.set_apiversion(0, Some((5, 4))), "0 to 10"));
    assert!(is_invalid(cluster.group_initial_rebalance_delay_ms(-1), "negative"));
    assert_eq!(ask(&cluster, 0).error, 0);
}

#[test]
fn mock_cluster_keeps_its_last_broker() {
    let cluster = MockCluster::new(2).unwrap();
    cluster.topic_create("t", 3, None).unwrap();
    cluster.broker_decommission(1).unwrap();
    assert!(is_invalid(cluster.broker_decommission(1), "no broker 1"));
    assert!(is_invalid(cluster.broker_decommission(2), "last one"));
    assert_eq!(cluster.broker_add(None).unwrap(), 3);
    assert_eq!(cluster.broker_add(Some(1)).unwrap(), 1);
    assert_eq!(cluster.brokers().unwrap(), [1, 2, 3]);
}

#[test]
fn mock_versions_follow_partitions_without_a_leader() {
    let cluster = MockCluster::new(2).unwrap();
    cluster.topic_create("t", 2, None).unwrap();
    assert_eq!((highest(&cluster, 0), highest(&cluster, 1)), (Some(10), Some(16)));
    cluster.partition_set_leader("t", 0, None).unwrap();
    cluster.partition_set_leader("t", 1, None).unwrap();
    assert_eq!((highest(&cluster, 0), highest(&cluster, 1)), (Some(9), Some(11)));
    cluster.set_apiversion(0, Some((0, 10))).unwrap();
    assert_eq!(highest(&cluster, 0), Some(9));
    assert!(is_invalid(cluster.set_apiversion(0, Some((10, 10))), "without a leader"));
    cluster.partition_set_leader("t", 0, Some(1)).unwrap();
    assert_eq!(highest(&cluster, 1), Some(11));
    cluster.partition_set_leader("t", 1, Some(2)).unwrap();
    assert_eq!((highest(&cluster, 0), highest(&cluster, 1)), (Some(10), Some(16)));
    cluster.partition_set_leader("t", 1, None).unwrap();
    cluster.broker_decommission(2).unwrap();
    assert_eq!((highest(&cluster, 0), highest(&cluster, 1)), (Some(10), Some(16)));
}

#[test]
fn mock_refused_leader_leaves_the_versions_alone() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.topic_create("t", 1, None).unwrap();
    let refused = cluster.partition_set_leader("t", 5, None);
    assert!(matches!(&refused, Err(Error::Kafka(failure)) if failure.code == 3), "{refused:?}");
    assert_eq!(highest(&cluster, 0), Some(10));
    cluster.set_apiversion(0, Some((10, 10))).unwrap();
    assert!(is_invalid(cluster.partition_set_leader("t", 0, None), "version 10"));
    cluster.set_apiversion(0, None).unwrap();
    assert_eq!(highest(&cluster, 0), None);
    cluster.set_apiversion(0, Some((0, 10))).unwrap();
    cluster.set_apiversion(1, Some((12, 16))).unwrap();
    assert!(is_invalid(cluster.partition_set_leader("t", 0, None), "version 12"));
    assert_eq!((highest(&cluster, 0), highest(&cluster, 1)), (Some(10), Some(16)));
}

#[test]
fn mock_takes_every_setting() {
    let cluster = MockCluster::new(2).unwrap();
    cluster.topic_set_error("t", 3).unwrap();
    cluster.topic_set_error("t", 0).unwrap();
    cluster.partition_set_follower("t", 0, Some(2)).unwrap();
    cluster.partition_set_follower_wmarks("t", 0, Some(1), None).unwrap();
    cluster.partition_set_follower("t", 0, None).unwrap();
    cluster.partition_push_leader_response("t", 0, 2, 5).unwrap();
    cluster.broker_set_rtt(Some(1), 1).unwrap();
    cluster.broker_set_rtt(None, 0).unwrap();
    cluster.broker_set_rack(Some(1), "eu-1a").unwrap();
    cluster.broker_set_host_port(1, "localhost", 9092).unwrap();
    cluster.coordinator_set(Coordinator::Transaction, "tx", 2).unwrap();
    cluster.coordinator_set(Coordinator::Group, "g", 1).unwrap();
    cluster.group_initial_rebalance_delay_ms(0).unwrap();
    cluster.group_consumer_session_timeout_ms(6000).unwrap();
    cluster.group_consumer_heartbeat_interval_ms(100).unwrap();
    assert_eq!(ask(&cluster, 0).error, 0);
}

#[test]
fn mock_cluster_serves_many_threads() {
    let cluster = Arc::new(MockCluster::new(2).unwrap());
    let start = Arc::new(Barrier::new(8));
    let threads: Vec<_> = (0..8)
        .map(|n| {
            let (cluster, start) = (Arc::clone(&cluster), Arc::clone(&start));
            std::thread::spawn(move || {
                start.wait();
                for i in 0..20 {
                    cluster.topic_create(&format!("t-{n}-{i}"), 1, None).unwrap();
                    cluster.partition_set_leader(&format!("t-{n}-{i}"), 0, (i % 2 == 0).then_some(1)).unwrap();
                    assert_eq!(ask(&cluster, n % 2).error, 0);
                }
            })
        })
        .collect();
    drop(cluster);
    for thread in threads {
        thread.join().unwrap();
    }
}

/// A signal handler on the mock thread would end its poll(), and with it the cluster.
#[cfg(target_os = "linux")]
#[test]
fn mock_threads_block_signals() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.broker_set_rtt(None, 0).unwrap(); // answered by the thread, so it has its name by now
    let mut seen = 0;
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let task = task.unwrap().path();
        // Threads of tests that run meanwhile may be gone by now.
        let (Ok(name), Ok(status)) =
            (std::fs::read_to_string(task.join("comm")), std::fs::read_to_string(task.join("status")))
        else {
            continue;
        };
        if name.trim() == "rdk:mock" {
            let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap().trim();
            let mask = u64::from_str_radix(mask, 16).unwrap();
            for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGALRM, libc::SIGCHLD] {
                assert_ne!(mask & (1 << (signal - 1)), 0, "signal {signal}");
            }
            seen += 1;
        }
    }
    assert!(seen > 0);
}
