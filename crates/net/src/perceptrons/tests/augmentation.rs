use chiasm_core::Streams;
use ndarray::Array2;

use super::textures;
use crate::network::Supply;
use crate::perceptrons::{Augmentation, Augmented, Crop, Pixels};

fn seen(pixels: &Pixels, augmentation: Augmentation, epoch: usize) -> Array2<f64> {
    let supply = Augmented::new(pixels, augmentation, &Streams::new(5)).unwrap();
    let samples: Vec<usize> = (0..pixels.len()).collect();
    let mut rows = vec![0.0; pixels.len() * pixels.inputs()];
    Supply::<f64>::fill(&supply, epoch, 0, &samples, &mut rows);
    Array2::from_shape_vec((pixels.len(), pixels.inputs()), rows).unwrap()
}

#[test]
fn crops_and_flips_are_views_of_the_image() {
    let pixels = textures(40);
    let all: Vec<usize> = (0..40).collect();
    let plain: Array2<f64> = pixels.rows(&all);
    assert_eq!(seen(&pixels, Augmentation::default(), 0), plain);
    // A flip alone: each image is itself or its mirror, both occur.
    let flips = Augmentation {
        flip: true,
        ..Augmentation::default()
    };
    let flipped = seen(&pixels, flips, 0);
    let mirror = |i: usize| -> Vec<f64> {
        let image = plain.row(i).to_owned();
        let image = image.into_shape_with_order((3, 32, 32)).unwrap();
        let turned = image.slice(ndarray::s![.., .., ..;-1]);
        turned.iter().copied().collect()
    };
    let turned = (0..40).filter(|i| flipped.row(*i) != plain.row(*i));
    let turned: Vec<usize> = turned.collect();
    assert!((5..35).contains(&turned.len()));
    for i in turned {
        assert_eq!(flipped.row(i).to_vec(), mirror(i));
    }
    // A padded crop is the image moved, with black beside it.
    let padded = Augmentation {
        crop: Crop::Padded { pixels: 4 },
        ..Augmentation::default()
    };
    let moved = seen(&pixels, padded, 1);
    for i in 0..10 {
        let at = |down: isize, right: isize| {
            (0..32isize).all(|y| {
                (0..32isize).all(|x| {
                    let (fy, fx) = (y + down, x + right);
                    let inside = (0..32).contains(&fy) && (0..32).contains(&fx);
                    let found = moved[[i, (y * 32 + x) as usize]];
                    let expected = match inside {
                        true => plain[[i, (fy * 32 + fx) as usize]],
                        false => pixels.value(0, 0),
                    };
                    found == expected
                })
            })
        };
        let any = (-4..=4).any(|down| (-4..=4).any(|right| at(down, right)));
        assert!(any, "image {i}");
    }
    // A resized crop lies within the image's range, and a whole one is the image.
    let resized = |least, aspect| Augmentation {
        crop: Crop::Resized { least, aspect },
        ..Augmentation::default()
    };
    let part = seen(&pixels, resized(0.08, 4.0 / 3.0), 2);
    assert_ne!(part, plain);
    for (a, b) in part.rows().into_iter().zip(plain.rows()) {
        let most = |r: ndarray::ArrayView1<'_, f64>| r.fold(f64::MIN, |a, b| a.max(*b));
        assert!(most(a) <= most(b) + 1e-9);
    }
    assert_eq!(seen(&pixels, resized(1.0, 1.0), 0), plain);
}

#[test]
fn what_is_drawn_depends_on_seed_epoch_and_image_alone() {
    let pixels = textures(30);
    let supply = Augmented::new(&pixels, Augmentation::LIGHT, &Streams::new(5)).unwrap();
    let fill = |epoch: usize, samples: &[usize]| {
        let mut rows = vec![0f32; samples.len() * pixels.inputs()];
        assert!(Supply::<f32>::fill(&supply, epoch, 0, samples, &mut rows).is_none());
        rows
    };
    let (first, other) = (fill(0, &[3, 7]), fill(0, &[9, 7, 3]));
    assert_eq!(first[..3072], other[2 * 3072..]);
    assert_ne!(fill(1, &[3, 7]), first);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    assert_eq!(pool.install(|| fill(0, &[3, 7])), first);
}

#[test]
fn mixtures_are_between_two_images_of_the_batch() {
    let pixels = textures(8);
    let mixed = Augmentation {
        mixup: 0.8,
        ..Augmentation::default()
    };
    let supply = Augmented::new(&pixels, mixed, &Streams::new(5)).unwrap();
    let samples = [6, 1, 4];
    let mut rows = vec![0f64; 3 * 3072];
    let mix = Supply::<f64>::fill(&supply, 0, 4, &samples, &mut rows).expect("mixed");
    assert!((0.0..=1.0).contains(&mix.kept));
    let mut partners = mix.partners.clone();
    partners.sort_unstable();
    assert_eq!(partners, [1, 4, 6]);
    let plain: Array2<f64> = pixels.rows(&(0..8).collect::<Vec<_>>());
    for (i, row) in rows.chunks_exact(3072).enumerate() {
        for (j, v) in row.iter().enumerate().step_by(97) {
            let (own, other) = (plain[[samples[i], j]], plain[[mix.partners[i], j]]);
            assert!((v - (mix.kept * own + (1.0 - mix.kept) * other)).abs() < 1e-12);
        }
    }
}
