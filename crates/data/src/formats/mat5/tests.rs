use std::io::Write;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;

const PLAIN: &[u8] = include_bytes!("../../../tests/golden/mat5/plain.mat");
const PACKED: &[u8] = include_bytes!("../../../tests/golden/mat5/packed.mat");

fn parsed(bytes: &[u8]) -> Vec<MatVariable> {
    parse(bytes, Path::new("test.mat")).unwrap()
}

fn refused(bytes: &[u8]) -> String {
    let error = parse(bytes, Path::new("test.mat")).unwrap_err().to_string();
    assert!(error.starts_with("test.mat: "), "{error}");
    error
}

fn get<'a>(variables: &'a [MatVariable], name: &str) -> &'a MatValue {
    &variables.iter().find(|v| v.name == name).unwrap().value
}

#[test]
fn every_class_that_scipy_writes() {
    for bytes in [PLAIN, PACKED] {
        let file = parsed(bytes);
        let numbers = |name: &str| {
            let array = get(&file, name).as_numeric().unwrap().clone();
            (array.class, array.values.to_f64())
        };
        let double = get(&file, "double").as_numeric().unwrap();
        assert_eq!(double.matrix_dims(), Some((2, 3)));
        let values = double.to_f64().unwrap();
        assert_eq!(values[..5], [1.5, 4.0, 2.0, 5.0, 3.0]);
        assert!(values[5].is_nan());
        assert_eq!(numbers("single"), (MatClass::Single, vec![1.0, 2.0]));
        assert_eq!(numbers("i8"), (MatClass::Int8, vec![-1.0, 2.0]));
        assert_eq!(numbers("u8"), (MatClass::Uint8, vec![255.0]));
        assert_eq!(numbers("i16"), (MatClass::Int16, vec![-300.0]));
        assert_eq!(numbers("u16"), (MatClass::Uint16, vec![65535.0]));
        assert_eq!(numbers("i32"), (MatClass::Int32, vec![-70000.0]));
        assert_eq!(numbers("u32"), (MatClass::Uint32, vec![4e9]));
        assert_eq!(numbers("i64"), (MatClass::Int64, vec![-(2f64.powi(53))]));
        assert_eq!(numbers("u64"), (MatClass::Uint64, vec![2f64.powi(63)]));
        assert_eq!(numbers("logical"), (MatClass::Logical, vec![1.0, 0.0, 1.0]));
        let complex = get(&file, "complex").as_numeric().unwrap();
        assert_eq!(complex.to_f64(), None);
        assert_eq!(complex.imaginary, Some(Numbers::F64(vec![2.0, -4.0])));
        assert_eq!(get(&file, "text").as_text(), Some("héllo"));
        assert_eq!(
            get(&file, "rows"),
            &MatValue::Char(vec!["abc".into(), "xyz".into()])
        );
        let empty = get(&file, "empty").as_numeric().unwrap();
        assert_eq!(
            (empty.dims.as_slice(), empty.values.len()),
            (&[0, 3][..], 0)
        );
        let cube = get(&file, "cube").as_numeric().unwrap();
        assert_eq!(cube.dims, [2, 3, 4]);
        assert_eq!(cube.matrix_dims(), None);
        // (1, 2, 3) is 1*12 + 2*4 + 3 in C order.
        assert_eq!(cube.to_f64().unwrap()[1 + 2 * 2 + 3 * 6], 23.0);
        let MatValue::Cell { dims, items } = get(&file, "cell") else {
            panic!("a cell array");
        };
        assert_eq!((dims.as_slice(), items.len()), (&[1, 3][..], 3));
        assert_eq!(items[1].as_text(), Some("two"));
        let structs = get(&file, "struct").as_struct().unwrap();
        assert_eq!(structs.fields, ["RDM", "name"]);
        assert_eq!(structs.position(1), [1, 0]);
        assert_eq!(structs.get(1, "name").unwrap().as_text(), Some("r1 c0"));
        let rdm = structs.get(2, "RDM").unwrap().as_numeric().unwrap();
        assert_eq!(rdm.to_f64(), Some(vec![1.0; 3]));
        assert!(structs.get(4, "name").is_none() && structs.get(0, "none").is_none());
        let MatValue::Sparse(sparse) = get(&file, "sparse") else {
            panic!("a sparse matrix");
        };
        assert_eq!((sparse.dims, &sparse.rows), ([3, 2], &vec![2, 0]));
        assert_eq!(sparse.values.to_f64(), [1.0, 2.5]);
        assert_eq!(get(&file, "struct").describe(), "2x2 struct");
        assert_eq!(get(&file, "double").describe(), "2x3 double");
    }
}

/// Writes elements in either byte order: what scipy cannot do.
struct Writer {
    big: bool,
    bytes: Vec<u8>,
}

impl Writer {
    fn new(big: bool) -> Self {
        let mut bytes = vec![b' '; 124];
        bytes.extend(if big { *b"\x01\x00MI" } else { *b"\x00\x01IM" });
        Self { big, bytes }
    }
    fn u32(&self, x: u32) -> [u8; 4] {
        if self.big {
            x.to_be_bytes()
        } else {
            x.to_le_bytes()
        }
    }
    fn f64(&self, x: f64) -> [u8; 8] {
        if self.big {
            x.to_be_bytes()
        } else {
            x.to_le_bytes()
        }
    }
    fn element(&self, kind: u32, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(self.u32(kind));
        out.extend(self.u32(data.len() as u32));
        out.extend(data);
        out.resize(out.len().next_multiple_of(8), 0);
        out
    }
    fn small(&self, kind: u32, data: &[u8]) -> Vec<u8> {
        let mut out = self.u32((data.len() as u32) << 16 | kind).to_vec();
        out.extend(data);
        out.resize(8, 0);
        out
    }
    fn array(&self, class: u32, dims: &[u32], name: &str, rest: &[u8]) -> Vec<u8> {
        let mut inner = self.element(6, &[self.u32(class), self.u32(0)].concat());
        let dims: Vec<u8> = dims.iter().flat_map(|&d| self.u32(d)).collect();
        inner.extend(self.element(5, &dims));
        inner.extend(self.small(1, name.as_bytes()));
        inner.extend(rest);
        self.element(14, &inner)
    }
    fn file(&self, elements: &[u8]) -> Vec<u8> {
        [&self.bytes, elements].concat()
    }
}

#[test]
fn both_byte_orders_and_small_elements() {
    for big in [false, true] {
        let w = Writer::new(big);
        let values: Vec<u8> = [1.5, -2.0].iter().flat_map(|&x| w.f64(x)).collect();
        let a = w.array(6, &[1, 2], "a", &w.element(9, &values));
        // A double array stored as three bytes in a small element.
        let b = w.array(6, &[3, 1], "b", &w.small(2, &[7, 8, 9]));
        let file = parsed(&w.file(&[a, b].concat()));
        let all = |name| get(&file, name).as_numeric().unwrap().to_f64().unwrap();
        assert_eq!(all("a"), [1.5, -2.0]);
        assert_eq!(all("b"), [7.0, 8.0, 9.0]);
        assert!(is_mat5(&w.bytes));
    }
}

#[test]
fn hostile_files_are_refused_with_the_reason() {
    let w = Writer::new(false);
    let one = w.element(9, &w.f64(1.0));
    let huge = w.array(6, &[0x7fff_ffff, 0x7fff_ffff, 0x7fff_ffff], "x", &one);
    assert!(refused(&w.file(&huge)).contains("product overflows"));
    let short = w.array(6, &[0x7fff_ffff, 1], "x", &one);
    assert!(refused(&w.file(&short)).contains("1 numbers in an array of 2147483647"));
    let cells = w.array(1, &[0x7fff_ffff, 1], "x", &[]);
    assert!(refused(&w.file(&cells)).contains("elements announced"));
    let negative = w.array(6, &[u32::MAX, 1], "x", &one);
    assert!(refused(&w.file(&negative)).contains("negative dimension"));
    let strange = w.array(99, &[1, 1], "x", &one);
    assert!(refused(&w.file(&strange)).contains("array class 99"));
    assert!(refused(b"").contains("128 bytes"));
    assert!(refused(&[b'x'; 200]).contains("byte-order mark"));
    let mut hdf5 = w.file(&[]);
    hdf5[124..126].copy_from_slice(&[0, 2]);
    assert!(refused(&hdf5).contains("7.3"));
    assert!(refused(&PLAIN[..PLAIN.len() - 9]).contains("are left"));
    assert!(refused(&PACKED[..PACKED.len() - 1]).contains("are left"));
    let mut deep = w.array(6, &[1, 1], "", &one);
    for _ in 0..70 {
        deep = w.array(1, &[1, 1], "x", &deep);
    }
    assert!(refused(&w.file(&deep)).contains("nesting"));
}

#[test]
fn a_bomb_stops_at_the_bound() {
    let w = Writer::new(false);
    let zeros = w.array(6, &[1, 1 << 20], "x", &w.element(9, &vec![0; 8 << 20]));
    let mut packer = flate2::write::ZlibEncoder::new(vec![], flate2::Compression::best());
    packer.write_all(&zeros).unwrap();
    let packed = packer.finish().unwrap();
    let mut bytes = w.file(&[]);
    bytes.extend(w.u32(15));
    bytes.extend(w.u32(packed.len() as u32));
    bytes.extend(&packed);
    assert!(bytes.len() < 20_000);
    assert_eq!(parsed(&bytes).len(), 1);
    let error = parse_within(&bytes, Path::new("test.mat"), 1 << 20).unwrap_err();
    assert!(error.to_string().contains("memory bound"), "{error}");
}

proptest! {
    #[test]
    fn no_change_of_bytes_makes_it_panic(
        packed in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = if packed { PACKED.to_vec() } else { PLAIN.to_vec() };
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = parse_within(&bytes, Path::new("test.mat"), 1 << 24);
    }

    #[test]
    fn noise_after_a_header_does_not_panic(noise in prop::collection::vec(any::<u8>(), 0..200), big in any::<bool>()) {
        let w = Writer::new(big);
        let _ = parse_within(&w.file(&noise), Path::new("test.mat"), 1 << 24);
    }
}

/// A file of the folder of real data, if that is at hand.
fn real(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folders = std::env::var_os("CHIASM_DATA").map(PathBuf::from);
    let found = folders
        .into_iter()
        .chain([root])
        .map(|folder| folder.join("rsa").join(name))
        .find(|path| path.is_file());
    if found.is_none() {
        println!("skipped: {name} is neither in CHIASM_DATA nor in ../shared/data");
    }
    found
}

#[test]
fn the_published_rdm_files() {
    let expected: [(&str, &str, &[usize], &[usize]); 4] = [
        ("92_brainRDMs.mat", "RDMs", &[1, 4, 2], &[92, 92]),
        ("92_modelRDMs.mat", "Models", &[1, 8], &[92, 92]),
        ("92_behavRDMs.mat", "rdms_behav_92", &[1, 16], &[92, 92]),
        ("modelRDMs_A2020.mat", "modelRDMs", &[1, 63], &[1, 4186]),
    ];
    for (file, variable, dims, rdm_dims) in expected {
        let Some(path) = real(file) else { continue };
        let variables = read(&path).unwrap();
        let structs = get(&variables, variable).as_struct().unwrap();
        assert_eq!(structs.dims, dims);
        for i in 0..structs.len() {
            assert_eq!(
                structs.get(i, "RDM").unwrap().as_numeric().unwrap().dims,
                rdm_dims
            );
        }
        if file == "92_brainRDMs.mat" {
            // Column-major: the second element is the second subject's first session.
            assert_eq!(
                structs.get(1, "name").unwrap().as_text(),
                Some("hIT | KO | Session: 1")
            );
        }
    }
}
