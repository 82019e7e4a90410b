//! Files that PyTorch itself has written: see `fixtures/README.md`.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod support;

use audiolm_pickle::{Element, Fault, TorchFile, Value};
use support::fixture;

const FORMS: [&str; 3] = ["zip.pt", "zip_protocol_4.pt", "legacy.pt"];

/// The bytes of one tensor of a file.
fn read(file: &TorchFile, tensor: Value<'_>) -> Vec<u8> {
    file.tensor(tensor).unwrap().unwrap().read().unwrap()
}

fn model(file: &TorchFile) -> Value<'_> {
    file.root().get("model").unwrap()
}

/// 0, 1, 2, ... with the lowest byte first.
fn counted<const N: usize>(n: u8, bytes: impl Fn(u8) -> [u8; N]) -> Vec<u8> {
    (0..n).flat_map(bytes).collect()
}

fn floats(values: impl IntoIterator<Item = u8>) -> Vec<u8> {
    values.into_iter().flat_map(|it| f32::from(it).to_le_bytes()).collect()
}

#[track_caller]
fn check(name: &str, element: Element, shape: &[usize], expected: &[u8]) {
    for form in FORMS {
        let file = TorchFile::open(&fixture(form)).unwrap();
        let tensor = file.tensor(model(&file).get(name).unwrap()).unwrap().unwrap();
        assert_eq!((tensor.element(), tensor.shape()), (element, shape), "{form}");
        assert_eq!(tensor.read().unwrap(), expected, "{form}");
    }
}

#[test]
fn floats_are_read_at_every_width() {
    check("float64", Element::F64, &[2, 3], &counted(6, |it| f64::from(it).to_le_bytes()));
    check("float32", Element::F32, &[2, 3], &floats(0..6));
    let half: [u16; 6] = [0, 0x3c00, 0x4000, 0x4200, 0x4400, 0x4500];
    check("float16", Element::F16, &[2, 3], &half.map(u16::to_le_bytes).concat());
    let brain = counted(6, |it| ((f32::from(it).to_bits() >> 16) as u16).to_le_bytes());
    check("bfloat16", Element::Bf16, &[2, 3], &brain);
}

#[test]
fn integers_are_read_at_every_width() {
    check("int64", Element::I64, &[2, 3], &counted(6, |it| i64::from(it).to_le_bytes()));
    check("int32", Element::I32, &[2, 3], &counted(6, |it| i32::from(it).to_le_bytes()));
    check("int16", Element::I16, &[2, 3], &counted(6, |it| i16::from(it).to_le_bytes()));
    check("int8", Element::I8, &[2, 3], &[0, 1, 2, 3, 4, 5]);
    check("uint8", Element::U8, &[2, 3], &[0, 1, 2, 3, 4, 5]);
    check("bool", Element::Bool, &[2, 3], &[0, 0, 0, 1, 1, 1]);
}

#[test]
fn parts_of_one_storage_are_read_where_they_lie() {
    check("whole", Element::F32, &[4, 6], &floats(0..24));
    check("part", Element::F32, &[2, 3], &floats([8, 9, 10, 14, 15, 16]));
    let transposed = (0..6).flat_map(|column| (0..4).map(move |row| 6 * row + column));
    check("transposed", Element::F32, &[6, 4], &floats(transposed));
    check("row", Element::F32, &[6], &floats(18..24));
}

#[test]
fn a_number_alone_an_empty_tensor_and_a_parameter_are_tensors() {
    check("scalar", Element::F32, &[], &floats([7]));
    check("empty", Element::F32, &[0, 3], &[]);
    check("parameter", Element::F32, &[2, 3], &floats(0..6));
}

#[test]
fn what_stands_beside_the_tensors_is_there() {
    for form in FORMS {
        let file = TorchFile::open(&fixture(form)).unwrap();
        let root = file.root();
        assert_eq!(root.get("epoch").and_then(Value::as_count), Some(3));
        assert!(root.get("cfg").unwrap().is_none());
        let args = root.get("args").unwrap();
        assert_eq!(args.describe(), "an object (argparse.Namespace)");
        assert_eq!(args.attribute("arch").and_then(Value::as_str), Some("hubert"));
        assert_eq!(args.attribute("dropout").and_then(Value::as_float), Some(0.5));
        assert_eq!(args.attribute("conv_bias").and_then(Value::as_bool), Some(false));
        let nested = root.get("nested").unwrap();
        let inner = nested.get("tuple").and_then(|it| it.item(1)).and_then(|it| it.get("inner"));
        assert_eq!(read(&file, inner.unwrap()), floats(0..2));
    }
}

#[test]
fn a_dict_of_tensors_is_read_by_name() {
    let file = TorchFile::open(&fixture("pytorch_model.bin")).unwrap();
    let tensors = file.tensors(file.root()).unwrap();
    assert_eq!(tensors.len(), 17);
    assert_eq!(tensors["row"].read().unwrap(), floats(18..24));
}

#[test]
fn what_is_no_tensor_is_named() {
    let file = TorchFile::open(&fixture("zip.pt")).unwrap();
    let refusal = file.tensors(file.root()).unwrap_err().to_string();
    assert!(refusal.contains("zip.pt: expected a tensor "), "{refusal}");
    assert!(file.tensor(file.root()).unwrap().is_none());
}

#[test]
fn a_tensor_larger_than_its_storage_is_refused() {
    for form in FORMS {
        let file = TorchFile::open(&fixture(form)).unwrap();
        let refusal = file.tensor(file.root().get("expanded").unwrap()).unwrap_err().to_string();
        assert!(refusal.contains("a tensor within 3 elements"), "{refusal}");
    }
}

#[test]
fn files_of_another_kind_are_refused() {
    let refusal = TorchFile::open(&fixture("k_means.joblib")).unwrap_err();
    assert!(matches!(refusal.fault, Fault::Unexpected { .. }), "{refusal}");
    let refusal = TorchFile::open(&fixture("nowhere.pt")).unwrap_err();
    assert!(matches!(refusal.fault, Fault::Io(_)), "{refusal}");
    let refusal = TorchFile::open(&fixture("")).unwrap_err().to_string();
    assert!(refusal.contains("expected a file"), "{refusal}");
}
