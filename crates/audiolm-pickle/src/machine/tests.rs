//! The machine on pickles that Python has written, and on some that nobody should.

use super::*;
use crate::value::Value;

fn read(bytes: &[u8]) -> Result<Pickle, Fault> {
    read_within(bytes, &Limits::default())
}

fn read_within(bytes: &[u8], limits: &Limits) -> Result<Pickle, Fault> {
    let bytes = Bytes::of_memory(bytes.to_vec());
    read_pickle(&mut Stream::new(&bytes, 0, bytes.length()), limits, Dialect::Plain)
}

#[track_caller]
fn check_refused(bytes: &[u8], expected: &str) {
    let refusal = read(bytes).unwrap_err().to_string();
    assert!(refusal.contains(expected), "{refusal}");
}

fn ints(value: Value<'_>) -> Vec<i64> {
    value.items().unwrap().map(|it| it.as_int().unwrap()).collect()
}

#[track_caller]
fn check_values(protocol: u8) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let bytes = std::fs::read(format!("{folder}/values.{protocol}.pkl")).unwrap();
    let pickle = read(&bytes).unwrap();
    let get = |key: &str| pickle.root().get(key).unwrap();
    assert!(get("none").is_none());
    assert_eq!(get("truths").item(0).unwrap().as_bool(), Some(true));
    assert_eq!(get("truths").item(1).unwrap().as_bool(), Some(false));
    let (least, most) = (i64::MIN, i64::MAX);
    let expected = [0, 1, 255, 256, 65535, 65536, -1, -(1 << 31), 1 << 31, most, least];
    assert_eq!(ints(get("ints")), expected);
    assert_eq!(get("long").as_long().unwrap()[8], 1 << 6);
    assert_eq!(get("float").as_float(), Some(-2.5));
    assert_eq!(get("text").as_str(), Some("text"));
    let twice = get("twice").items().unwrap().map(|it| it.item(0).unwrap().as_str());
    assert!(twice.eq([Some("shared"); 2]));
    let ordered = get("ordered").entries().unwrap().map(|it| it.0.as_str().unwrap());
    assert!(ordered.eq(["a", "b"]));
    let object = get("object");
    assert_eq!(object.attribute("a").unwrap().as_int(), Some(1));
    assert!(object.describe().starts_with("an object ("), "{}", object.describe());
}

#[test]
fn values_of_python_are_read_in_protocol_0() {
    check_values(0);
}
#[test]
fn values_of_python_are_read_in_protocol_1() {
    check_values(1);
}
#[test]
fn values_of_python_are_read_in_protocol_2() {
    check_values(2);
}
#[test]
fn values_of_python_are_read_in_protocol_3() {
    check_values(3);
}
#[test]
fn values_of_python_are_read_in_protocol_4() {
    check_values(4);
}
#[test]
fn values_of_python_are_read_in_protocol_5() {
    check_values(5);
}

#[test]
fn a_call_of_the_system_is_only_a_record() {
    let pickle = read(b"cos\nsystem\n(S'rm -rf /'\ntR.").unwrap();
    let call = pickle.root();
    let callee = call.callee().unwrap();
    assert_eq!((callee.module, callee.name), ("os", "system"));
    assert_eq!(call.argument(0).unwrap().as_str(), Some("rm -rf /"));
}
#[test]
fn an_evaluation_is_only_a_record() {
    let pickle = read(b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93\x8c\x011\x85R.").unwrap();
    assert_eq!(pickle.root().describe(), "an object (builtins.eval)");
}
#[test]
fn what_python_2_called_instances_are_records() {
    let of_name = read(b"(I1\nios\nsystem\n.").unwrap();
    assert_eq!(of_name.root().describe(), "an object (os.system)");
    let of_stack = read(b"(cos\nsystem\nI1\no.").unwrap();
    assert_eq!(of_stack.root().argument(0).unwrap().as_int(), Some(1));
}
#[test]
fn a_list_within_itself_does_no_harm() {
    let pickle = read(b"]q\x00h\x00a.").unwrap();
    let inner = pickle.root().item(0).unwrap();
    assert_eq!(inner.items().unwrap().len(), 1);
}
#[test]
fn a_value_that_doubles_itself_stays_small() {
    // Thirty pairs, each of the one before it twice: a thousand million lists when written out.
    let pickle = read(&[b"]", &b"2\x86".repeat(30)[..], b"."].concat()).unwrap();
    assert_eq!(pickle.nodes.len(), 31);
}
#[test]
fn sizes_that_lie_are_refused() {
    check_refused(b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff.", "cut short");
    check_refused(b"X\xff\xff\xff\xffabc.", "cut short");
    check_refused(b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f.", "cut short");
}
#[test]
fn collections_in_one_another_are_limited() {
    check_refused(&[b'('; 2000], "more collections in one another than the 1000");
}
#[test]
fn values_are_limited() {
    let limits = Limits { values: 10, ..Limits::default() };
    let refusal = read_within(&[b'N'; 20], &limits).unwrap_err().to_string();
    assert_eq!(refusal, "more values than the 10 that are allowed");
}
#[test]
fn what_is_memorized_is_limited() {
    let limits = Limits { values: 10, ..Limits::default() };
    let memo: Vec<u8> = (0..20u32).flat_map(|it| [&b"r"[..], &it.to_le_bytes()].concat()).collect();
    let refusal = read_within(&[b"N", &memo[..], b"."].concat(), &limits).unwrap_err().to_string();
    assert_eq!(refusal, "more values to refer to than the 10 that are allowed");
}
#[test]
fn memory_is_limited() {
    let limits = Limits { memory: 1000, ..Limits::default() };
    let refusal = read_within(&[b']'; 200], &limits).unwrap_err().to_string();
    assert!(refusal.contains("more bytes of values than the 1000"), "{refusal}");
}
#[test]
fn an_index_of_the_memo_reserves_nothing() {
    let pickle = read(b"Nr\xff\xff\xff\xff0j\xff\xff\xff\xff.").unwrap();
    assert!(pickle.root().is_none());
}
#[test]
fn what_names_nothing_in_the_file_is_refused() {
    check_refused(b"\x82\x01.", "no instruction");
    check_refused(b"\x97.", "no instruction");
    check_refused(b"h\x07.", "a value that was memorized");
}
#[test]
fn the_stack_is_not_reached_below() {
    for program in [&b"."[..], b"0.", b"R.", b"b.", b"a.", b"s.", b"\x87.", b"N(0e.", b"N(a."] {
        check_refused(program, "expected");
    }
}
