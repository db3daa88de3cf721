//! Colors of the house: a categorical set that colour-blind readers tell apart, and two color maps.

/// A color of the house in light and in dark surroundings, `0xrrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tone {
    pub(super) light: u32,
    pub(super) dark: u32,
}

const fn tone(light: u32, dark: u32) -> Tone {
    Tone { light, dark }
}

/// Text and axes.
pub(super) const INK: Tone = tone(0x1f_2328, 0xe4_e6e8);
/// Tick labels, legends, reference lines.
pub(super) const MUTED: Tone = tone(0x57_5e66, 0xa3_abb3);
/// What is drawn behind the data when it has no name of its own.
pub(super) const FAINT: Tone = tone(0x9a_a1a8, 0x6b_7279);
/// Paper behind a standalone figure.
pub(super) const PAPER: Tone = tone(0xff_ffff, 0x16_181b);

/// Series colors, after Okabe and Ito (2008) without their yellow, which vanishes on white. On dark paper the darker ones
/// are lifted so that each keeps a contrast of at least 4.5.
pub(super) const SERIES: [Tone; 7] = [
    tone(0x00_72b2, 0x4f_a8e0),
    tone(0xd5_5e00, 0xf0_8a3c),
    tone(0x00_9e73, 0x35_c79a),
    tone(0xb8_5a92, 0xdc_93bd),
    tone(0xd9_8c00, 0xf2_b134),
    tone(0x3f_9fd6, 0x86_cdf5),
    tone(0x6b_6f75, 0xb5_bac0),
];

/// Colors of shaded spans, drawn at [`SPAN_OPACITY`].
pub(super) const SPANS: [Tone; 4] = [
    tone(0x8a_9199, 0x8a_9199),
    tone(0xe6_9f00, 0xe6_9f00),
    tone(0x56_b4e9, 0x56_b4e9),
    tone(0xcc_79a7, 0xcc_79a7),
];

/// Opacity of shaded spans.
pub(super) const SPAN_OPACITY: f64 = 0.24;

/// Color of a cell without a value, in both color maps.
pub(super) const MISSING: u32 = 0xb4_b8bc;

/// Viridis (van der Walt and Smith, CC0), every sixteenth color.
const SEQUENTIAL: [u32; 17] = [
    0x44_0154, 0x48_186a, 0x47_2d7b, 0x42_4086, 0x3b_528b, 0x33_638d, 0x2c_728e, 0x26_828e,
    0x21_918c, 0x1f_a088, 0x28_ae80, 0x3f_bc73, 0x5e_c962, 0x84_d44b, 0xad_dc30, 0xd8_e219,
    0xfd_e725,
];

/// Blue over white to red, for values on both sides of zero.
const DIVERGING: [u32; 9] = [
    0x15_4a8f, 0x3b_7fbf, 0x82_b4dc, 0xc4_dcee, 0xf7_f7f7, 0xf8_d2bf, 0xea_9478, 0xcf_4f47,
    0x95_1527,
];

/// The color at `t` (clamped to 0 to 1) of the diverging or the sequential map, as red, green, blue.
pub(super) fn color_at(t: f64, diverging: bool) -> [u8; 3] {
    let stops: &[u32] = if diverging { &DIVERGING } else { &SEQUENTIAL };
    let place = t.clamp(0.0, 1.0) * (stops.len() - 1) as f64;
    let below = (place.floor() as usize).min(stops.len() - 2);
    let (a, b, part) = (
        rgb(stops[below]),
        rgb(stops[below + 1]),
        place - below as f64,
    );
    std::array::from_fn(|c| {
        (f64::from(a[c]) + part * (f64::from(b[c]) - f64::from(a[c]))).round() as u8
    })
}

/// Red, green and blue of `0xrrggbb`.
pub(super) fn rgb(color: u32) -> [u8; 3] {
    let [_, r, g, b] = color.to_be_bytes();
    [r, g, b]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance as WCAG 2 defines it.
    fn luminance(color: u32) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.03928 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        };
        let [r, g, b] = rgb(color);
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    fn contrast(a: u32, b: u32) -> f64 {
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        a.max(b) / a.min(b)
    }

    #[test]
    fn text_and_series_stand_out_from_the_paper() {
        for text in [INK, MUTED] {
            assert!(contrast(text.light, PAPER.light) > 4.5);
            assert!(contrast(text.dark, PAPER.dark) > 4.5);
        }
        for s in SERIES {
            assert!(contrast(s.light, PAPER.light) > 2.5, "{s:x?}");
            assert!(contrast(s.dark, PAPER.dark) > 4.5, "{s:x?}");
        }
    }

    #[test]
    fn lightness_rises_along_the_sequential_map_and_peaks_in_the_middle_of_the_diverging_one() {
        let light = |t: f64, diverging| {
            let [r, g, b] = color_at(t, diverging);
            luminance(u32::from_be_bytes([0, r, g, b]))
        };
        for i in 0..50 {
            let (t, next) = (f64::from(i) / 50.0, f64::from(i + 1) / 50.0);
            assert!(light(t, false) < light(next, false));
            assert_eq!(light(t, true) < light(next, true), i < 25, "at {t}");
        }
        assert_eq!(color_at(f64::NAN, false).len(), 3);
    }
}
