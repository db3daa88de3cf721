use std::collections::BTreeMap;

use ndarray::ArrayD;

use super::*;
use crate::DiskFiles;
use crate::arrays::write_npz;

fn write_png(path: &Path, (rows, columns): (u32, u32), color: png::ColorType, pixels: &[u8]) {
    let file = std::fs::File::create(path).unwrap();
    let mut encoder = png::Encoder::new(file, columns, rows);
    encoder.set_color(color);
    encoder.set_depth(png::BitDepth::Eight);
    encoder
        .write_header()
        .unwrap()
        .write_image_data(pixels)
        .unwrap();
}

/// A JPEG of 8 x 8 pixels, 16 in its left half and 240 in its right, grey, written with Pillow at quality 95.
const JPEG: &[u8] = include_bytes!("halves.jpg");

#[test]
fn a_folder_is_read_by_name_in_grey_and_to_size() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let checks = [
        0, 100, 200, 50, 0, 100, 200, 50, 40, 40, 80, 80, 40, 40, 80, 80,
    ];
    write_png(&at("b.png"), (4, 4), png::ColorType::Grayscale, &checks);
    let color = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]].concat();
    write_png(&at("a.PNG"), (2, 2), png::ColorType::Rgb, &color);
    std::fs::write(at("c.jpg"), JPEG).unwrap();
    std::fs::write(at("notes.txt"), "no image").unwrap();
    let photos = Photos::read(folder.path(), 2, 2).unwrap();
    let names: Vec<bool> = photos.names.iter().map(|n| n.ends_with("g")).collect();
    assert_eq!(names.len(), 3);
    let image = |i: usize| {
        photos
            .images
            .index_axis(Axis(0), i)
            .iter()
            .copied()
            .collect::<Vec<u8>>()
    };
    assert_eq!(image(0), [76, 150, 29, 255]);
    assert_eq!(image(1), [50, 125, 40, 80]);
    let halves = image(2);
    assert!(
        halves[0].abs_diff(16) < 4 && halves[1].abs_diff(240) < 4,
        "{halves:?}"
    );

    // One bad image is named.
    std::fs::write(at("d.png"), b"\x89PNG\r\n\x1a\nhalf").unwrap();
    let error = Photos::read(folder.path(), 2, 2).unwrap_err().to_string();
    assert!(error.contains("d.png") && error.contains("PNG"), "{error}");
    std::fs::write(at("d.png"), &JPEG[..40]).unwrap();
    let error = Photos::read(folder.path(), 2, 2).unwrap_err().to_string();
    assert!(error.contains("d.png") && error.contains("JPEG"), "{error}");
    let empty = tempfile::tempdir().unwrap();
    assert!(Photos::read(empty.path(), 2, 2).is_err());
    assert!(Photos::read(&at("none"), 2, 2).is_err());
}

#[test]
fn a_list_gives_the_order() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for (name, level) in [("x.png", 10), ("y.png", 20), ("z.png", 30)] {
        write_png(&at(name), (1, 1), png::ColorType::Grayscale, &[level]);
    }
    let read = |text: &str| {
        std::fs::write(at("list.csv"), text).unwrap();
        let photos = Photos::read(&at("list.csv"), 1, 1)?;
        Ok::<Vec<u8>, DataError>(photos.images.iter().copied().collect())
    };
    assert_eq!(read("path\nz.png\nx.png\n").unwrap(), [30, 10]);
    let text = "path,place\nz.png,2\ny.png,10\nx.png,0\n";
    assert_eq!(read(text).unwrap(), [10, 30, 20]);
    assert!(
        read("path,place\nz.png,2\ny.png,2\n")
            .unwrap_err()
            .to_string()
            .contains("twice")
    );
    assert!(
        read("path,place\nz.png,two\n")
            .unwrap_err()
            .to_string()
            .contains("whole number")
    );
    assert!(
        read("path\nnone.png\n")
            .unwrap_err()
            .to_string()
            .contains("none.png")
    );
}

#[test]
fn a_stack_is_checked_and_brought_to_size() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stack.npz");
    let write = |shape: &[usize], value: f64| {
        let mut array = ArrayD::from_elem(shape.to_vec(), 8.0);
        array.iter_mut().last().into_iter().for_each(|v| *v = value);
        let arrays = BTreeMap::from([("images".to_owned(), array)]);
        write_npz(&DiskFiles, &path, &arrays).unwrap();
        Photos::read(&path, 1, 3)
    };
    let photos = write(&[2, 3, 2], 68.0).unwrap();
    // Of two columns the last third covers two thirds of a pixel: the second alone.
    assert_eq!(
        photos.images.iter().copied().collect::<Vec<u8>>(),
        [8, 8, 8, 8, 18, 28]
    );
    assert!(write(&[2, 2], 8.0).is_err());
    assert!(write(&[1, 2, 2], 256.0).is_err());
    assert!(write(&[1, 2, 2], f64::NAN).is_err());
}
