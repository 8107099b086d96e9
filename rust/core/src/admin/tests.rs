//! Without a broker: what is refused, and answers to requests that nobody hears.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::acls::Acl;
use super::scram::{Alteration, Upsertion};
use super::topics::NewTopic;
use super::*;
use crate::client::Kind;
use crate::inbox::Wanted;

const TIMED_OUT: i32 = -185;
const INVALID_ARGUMENT: i32 = -186;

fn admin() -> Admin {
    // A port where nothing listens; what the client says of it goes to the log queue, not to the terminal.
    let properties = [("bootstrap.servers".to_owned(), "127.0.0.1:1".to_owned())];
    let wanted = Wanted { log: true, ..Wanted::default() };
    Admin::new(Client::new(Kind::Producer, &properties, wanted, |_| ()).unwrap()).unwrap()
}

fn topic(name: &str) -> NewTopic {
    NewTopic { name: name.into(), partitions: 1, replication_factor: 1, assignment: None, config: Vec::new() }
}

fn acl() -> Acl {
    Acl {
        restype: 2,
        name: Some("t".into()),
        pattern: 3,
        principal: Some("User:a".into()),
        host: Some("*".into()),
        operation: 3,
        permission: 3,
    }
}

fn hurried(milliseconds: i32) -> Options {
    Options { request_timeout_ms: Some(milliseconds), ..Options::default() }
}

/// The reason of a refusal.
fn refusal(asked: Asked) -> String {
    asked.expect_err("not refused").0
}

#[test]
fn what_librdkafka_refuses_is_refused_with_its_reason() {
    let admin = admin();
    let options = Options::default();
    let call = admin.call(1, &options);
    let many = NewTopic { partitions: 1_000_000, ..topic("t") };
    assert!(refusal(topics::create(&call, &[many])).contains("topic \"t\": num_partitions out of expected range"));
    let both = NewTopic { assignment: Some(vec![vec![1]]), ..topic("t") };
    assert!(refusal(topics::create(&call, &[both])).contains("mutually exclusive"));
    let none = topics::NewPartitions { topic: "t".into(), total: -3, assignment: None };
    assert!(refusal(topics::extend(&call, &[none])).contains("new_total_cnt out of expected range"));
    assert_eq!(refusal(configs::describe(&call, &[(2, String::new())])), "Invalid ConfigResource(2,)");
    let change = ((2, "t".into()), vec![("retention.ms".into(), 9, Some("1".into()))]);
    assert!(refusal(configs::alter_incrementally(&call, &[change])).contains("Invalid alter config operation type"));
    let any = Acl { operation: 1, ..acl() };
    assert!(refusal(acls::create(&call, &[any])).contains("Invalid operation"));
    assert!(refusal(acls::create(&call, &[Acl { name: None, ..acl() }])).contains("Invalid resource name"));
    assert!(refusal(acls::describe(&call, &Acl { permission: -1, ..acl() })).contains("Invalid permission type"));
    assert!(admin.answers().is_empty());
}

#[test]
fn what_librdkafka_would_not_survive_or_notice_is_refused() {
    let admin = admin();
    let options = Options::default();
    let call = admin.call(1, &options);
    let upsertion = |salt| Some(Upsertion { iterations: 4096, password: b"secret".to_vec(), salt });
    let alteration = |mechanism, salt| [Alteration { user: "u".into(), mechanism, upsertion: upsertion(salt) }];
    assert!(refusal(scram::alter(&call, &alteration(7, None))).contains("unknown mechanism 7"));
    assert!(refusal(scram::alter(&call, &alteration(1, Some(Vec::new())))).contains("empty salt"));
    assert!(refusal(cluster::elect_leaders(&call, 2, None)).contains("unknown election type 2"));
    assert!(refusal(topics::delete(&call, &["a\0b".into()])).contains("NUL"));
    assert!(refusal(groups::describe(&call, &["a\0b".into()])).contains("NUL"));
    let nowhere =
        Partition { topic: "a\0b".into(), partition: 0, offset: 0, metadata: None, leader_epoch: None, error: 0 };
    assert!(refusal(offsets::delete_records(&call, &[nowhere])).contains("NUL"));
    assert!(!format!("{:?}", alteration(1, None)[0].upsertion).contains("secret"));
    assert!(admin.answers().is_empty());
}

#[test]
fn options_are_checked_against_the_kind_of_request() {
    let admin = admin();
    let refused = |options: Options| refusal(topics::delete(&admin.call(1, &options), &["t".into()]));
    assert_eq!(
        refused(hurried(-1)),
        "Invalid value type for \"request_timeout\": expecting integer in range 0..3600000"
    );
    let validate = Options { validate_only: Some(true), ..Options::default() };
    assert!(refused(validate).contains("\"validate_only\" is not supported"));
    let isolated = Options { isolation_level: Some(1), ..Options::default() };
    assert!(refused(isolated).contains("isolation_level"));
    let listed = |options: Options| groups::list(&admin.call(1, &options));
    let states = Options { states: Some(vec![1, 1]), ..Options::default() };
    assert!(refusal(listed(states)).contains("Duplicate states"));
    let types = Options { types: Some(vec![99]), ..Options::default() };
    assert!(refusal(listed(types)).contains("valid type"));
}

#[test]
fn every_request_is_answered_with_its_id() {
    let admin = admin();
    let options = hurried(100);
    let mut asked = BTreeSet::new();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let ask = |_| {
                        let id = admin.next_id();
                        topics::create(&admin.call(id, &options), &[topic("t")]).unwrap();
                        id
                    };
                    (0..250).map(ask).collect::<Vec<_>>()
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| asked.extend(thread.join().unwrap()));
    });
    assert_eq!(asked.len(), 1000);
    let limit = Instant::now() + Duration::from_secs(60);
    while !asked.is_empty() && Instant::now() < limit {
        for answer in admin.wait_for_answers() {
            assert!(asked.remove(&answer.id), "{} was answered twice", answer.id);
            assert!(matches!(answer.outcome, Err(Failure { code: TIMED_OUT, .. })), "{:?}", answer.outcome);
        }
    }
    assert!(asked.is_empty(), "{} not answered", asked.len());
}

#[test]
fn what_librdkafka_refuses_later_is_answered() {
    let admin = admin();
    let options = Options::default();
    groups::delete(&admin.call(7, &options), &["g".into(), "g".into()]).unwrap();
    let answers = admin.wait_for_answers();
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].id, 7);
    let failure = answers[0].outcome.as_ref().unwrap_err();
    assert_eq!(failure.code, INVALID_ARGUMENT);
    assert!(failure.reason.as_deref().unwrap().contains("Duplicate groups"), "{failure:?}");
}

#[test]
fn a_wait_for_answers_can_be_interrupted() {
    let admin = Arc::new(admin());
    let waiting = Arc::clone(&admin);
    let thread = std::thread::spawn(move || waiting.wait_for_answers().len());
    while !thread.is_finished() {
        admin.interrupt();
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(thread.join().unwrap(), 0);
}

#[test]
fn a_client_is_destroyed_with_requests_on_their_way() {
    let admin = admin();
    let options = Options::default(); // a minute
    for id in 1..=50 {
        topics::create(&admin.call(id, &options), &[topic("t")]).unwrap();
    }
    let (done, ended) = std::sync::mpsc::channel();
    crate::thread::spawn("test", move || {
        drop(admin); // a native thread destroys the client itself
        done.send(()).unwrap();
    })
    .unwrap();
    ended.recv_timeout(Duration::from_secs(20)).expect("the client was not destroyed");
}
