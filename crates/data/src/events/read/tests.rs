use std::collections::BTreeMap;

use chiasm_core::Streams;

use super::*;
use crate::arrays::write_npz;
use crate::files::DiskFiles;
use crate::generate::{Saccades, drawn_digits, saccades};

/// Events of an image under a moving eye, within 34 x 34.
fn seen() -> Vec<Event> {
    let (images, _) = drawn_digits(1, &Streams::new(2)).unwrap();
    let eye = Saccades {
        size: 34,
        spacing: 1.0,
        ..Saccades::default()
    };
    let image = images.index_axis(ndarray::Axis(0), 0);
    saccades(image, &eye).unwrap().as_slice().to_vec()
}

fn bin(events: &[Event]) -> Vec<u8> {
    let mut bytes = vec![];
    let mut ran_over = 0;
    for e in events {
        // 23 bits of time; the clock is said to run over early, as the cameras do.
        while e.t_us - ran_over > 1 << 17 {
            bytes.extend([0, CLOCK, 0, 0, 0]);
            ran_over += CLOCK_US;
        }
        let t = e.t_us - ran_over;
        bytes.extend([
            e.x as u8,
            e.y as u8,
            u8::from(e.on) << 7 | (t >> 16) as u8,
            (t >> 8) as u8,
            t as u8,
        ]);
    }
    bytes
}

fn aedat_2(events: &[Event], davis: bool) -> Vec<u8> {
    let mut bytes = b"#!AER-DAT2.0\r\n# This is a raw AE data file\r\n".to_vec();
    if davis {
        bytes.extend(b"# AEChip: eu.seebetter.ini.chips.davis.DAVIS240C\r\n");
    }
    for e in events {
        let (x, y) = (u32::from(e.x), u32::from(e.y));
        let address = match davis {
            true => (179 - y) << 22 | x << 12 | u32::from(e.on) << 11,
            false => (127 - y) << 8 | (127 - x) << 1 | u32::from(!e.on),
        };
        bytes.extend(address.to_be_bytes());
        bytes.extend((e.t_us as u32 + 1_000_000).to_be_bytes());
        if davis {
            // A sample of a frame and one of the inertial unit.
            bytes.extend((1u32 << 31).to_be_bytes());
            bytes.extend(0u32.to_be_bytes());
            bytes.extend(0x400u32.to_be_bytes());
            bytes.extend(0u32.to_be_bytes());
        }
    }
    bytes
}

fn aedat_3(events: &[Event]) -> Vec<u8> {
    let mut bytes = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#!END-HEADER\r\n".to_vec();
    let mut packet = |kind: u16, held: &[(u32, u32)]| {
        bytes.extend(kind.to_le_bytes());
        bytes.extend(1u16.to_le_bytes());
        for word in [
            8,
            4,
            0,
            held.len() as u32,
            held.len() as u32,
            held.len() as u32,
        ] {
            bytes.extend(word.to_le_bytes());
        }
        for (data, time) in held {
            bytes.extend(data.to_le_bytes());
            bytes.extend(time.to_le_bytes());
        }
    };
    for some in events.chunks(100) {
        let held = some.iter().map(|e| {
            let data = u32::from(e.x) << 17 | u32::from(e.y) << 2 | u32::from(e.on) << 1 | 1;
            (data, e.t_us as u32)
        });
        // A special event, and one that was struck out.
        packet(0, &[(1, 0)]);
        packet(1, &held.chain([(0, 0)]).collect::<Vec<_>>());
    }
    bytes
}

fn from_first(events: &[Event]) -> Vec<Event> {
    let first = events[0].t_us;
    let shifted = events.iter().map(|e| Event {
        t_us: e.t_us - first,
        ..*e
    });
    shifted.collect()
}

#[test]
fn a_moving_eye_is_read_back_from_every_format() {
    let temp = tempfile::tempdir().unwrap();
    let events = seen();
    assert!(events.len() > 200, "{}", events.len());
    let read = |name: &str, bytes: &[u8]| {
        let path = temp.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        Events::read(&path, None).unwrap()
    };
    let n_mnist = read("a.bin", &bin(&events));
    assert_eq!(
        (n_mnist.sensor(), n_mnist.as_slice()),
        (N_MNIST, events.as_slice())
    );
    let moved = from_first(&events);
    for (name, bytes, width) in [
        ("a.aedat", aedat_2(&events, false), 128),
        ("b.aedat", aedat_2(&events, true), 240),
        ("c.AEDAT", aedat_3(&events), 346),
    ] {
        let found = read(name, &bytes);
        assert_eq!(found.sensor().width, width);
        assert_eq!(found.as_slice(), moved, "{name}");
    }
    let path = temp.path().join("a.npz");
    let column =
        |of: fn(&Event) -> f64| ndarray::Array1::from_iter(events.iter().map(of)).into_dyn();
    let columns = [
        ("t".to_owned(), column(|e| e.t_us as f64)),
        ("x".to_owned(), column(|e| e.x.into())),
        ("y".to_owned(), column(|e| e.y.into())),
        ("p".to_owned(), column(|e| u8::from(e.on).into())),
    ];
    write_npz(&DiskFiles, &path, &BTreeMap::from(columns)).unwrap();
    assert_eq!(Events::read(&path, None).unwrap().as_slice(), events);
}

#[test]
fn times_and_units_are_events_of_a_cochlea() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a.npz");
    let list = |v: &[f64]| ndarray::Array1::from_vec(v.to_vec()).into_dyn();
    let columns = [
        ("times".to_owned(), list(&[0.001, 0.0025])),
        ("units".to_owned(), list(&[699.0, 3.0])),
    ];
    write_npz(&DiskFiles, &path, &BTreeMap::from(columns)).unwrap();
    let events = Events::read(&path, None).unwrap();
    assert_eq!(events.sensor(), Sensor::new(700, 1));
    assert_eq!(
        events.as_slice()[1],
        Event {
            t_us: 2500,
            x: 3,
            y: 0,
            on: true
        }
    );
}

#[test]
fn faults_name_the_file_and_what_is_wrong() {
    let at = Path::new("a.bin");
    let events = seen();
    let refused = |r: Result<Events, DataError>| r.unwrap_err().to_string();
    let cut = &bin(&events)[1..];
    assert!(
        refused(Events::decode_bin(cut, None, at)).starts_with("a.bin: not readable as N-MNIST")
    );
    let small = refused(Events::decode_bin(
        &bin(&events),
        Some(Sensor::new(4, 4)),
        at,
    ));
    assert!(
        small.starts_with("a.bin, `") && small.contains("0 to 3 on a sensor of 4 x 4"),
        "{small}"
    );
    let last = [bin(&events[events.len() - 1..]), bin(&events[..1])].concat();
    let unsorted = refused(Events::decode_bin(&last, None, at));
    assert!(unsorted.contains("`t`, index 1"), "{unsorted}");
    let aedat = |bytes: &[u8]| refused(Events::decode_aedat(bytes, None, Path::new("a.aedat")));
    assert!(aedat(b"").contains("first line"));
    assert!(aedat(b"#!AER-DAT4.0\r\n").contains("version 4.0 is not supported"));
    assert!(aedat(&aedat_2(&events, false)[..400]).contains("no whole number of events of 8"));
    let three = aedat_3(&events);
    assert!(aedat(&three[..three.len() - 3]).contains("cut short"));
    // A packet that claims to be larger than memory.
    let mut vast = three.clone();
    let start = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#!END-HEADER\r\n".len();
    vast[start + 16..start + 20].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(aedat(&vast).contains("cut short"));
    let missing = refused(Events::read(Path::new("nowhere.bin"), None));
    assert!(missing.contains("nowhere.bin"), "{missing}");
}
