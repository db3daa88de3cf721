//! Scales, ticks and the writing of numbers.

/// A scale from data to pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    /// The data value at `start`.
    low: f64,
    /// The data value at `end`; below `low` on an axis that runs backwards.
    high: f64,
    log: bool,
    /// Pixel of `low`.
    start: f64,
    /// Pixel of `high`.
    end: f64,
}

/// A tick: where it stands in the data, and what is written there (nothing at a minor one).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: String,
}

/// Ticks of an axis, and the power of ten taken out of their labels.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Ticks {
    pub(super) ticks: Vec<Tick>,
    pub(super) power: i32,
}

/// Beyond this, sums and differences of limits overflow.
const HUGE: f64 = 1e300;
/// Below this, differences of limits lose their digits.
const TINY: f64 = 1e-290;

impl Scale {
    /// A scale over these limits, made usable: finite, apart, and above zero where logarithmic.
    pub(super) fn new(low: f64, high: f64, log: bool) -> Self {
        let tame = |v: f64| {
            if v.is_nan() {
                0.0
            } else {
                v.clamp(-HUGE, HUGE)
            }
        };
        let (mut low, mut high) = (tame(low), tame(high));
        if log {
            let floor = 1e-300;
            (low, high) = (low.max(floor), high.max(floor));
            if low == high {
                (low, high) = (low / 3.0, high * 3.0);
            }
        } else if (high - low).abs() <= TINY + 1e-12 * low.abs().max(high.abs()) {
            // A constant: room around it, so that it stands in the middle.
            let room = if low.abs() <= TINY {
                1.0
            } else {
                low.abs() * 0.1
            };
            let (a, b) = (low.min(high), low.max(high));
            (low, high) = (a - room, b + room);
        }
        Self {
            low,
            high,
            log,
            start: 0.0,
            end: 1.0,
        }
    }

    pub(super) fn to_pixels(self, start: f64, end: f64) -> Self {
        Self { start, end, ..self }
    }

    pub(super) fn is_log(self) -> bool {
        self.log
    }

    /// The lower limit, whichever way the axis runs.
    pub(super) fn min(self) -> f64 {
        self.low.min(self.high)
    }

    /// The upper limit, whichever way the axis runs.
    pub(super) fn max(self) -> f64 {
        self.low.max(self.high)
    }

    pub(super) fn start(self) -> f64 {
        self.start
    }

    pub(super) fn end(self) -> f64 {
        self.end
    }

    /// The pixel of a value; `None` where it has none (NaN, infinite, or not positive on a logarithmic axis). Values far
    /// outside stay a screen away, so that no renderer meets an absurd coordinate.
    pub(super) fn place(self, value: f64) -> Option<f64> {
        if !value.is_finite() || (self.log && value <= 0.0) {
            return None;
        }
        let part = if self.log {
            (value.ln() - self.low.ln()) / (self.high.ln() - self.low.ln())
        } else {
            // Halved first: the difference of two huge limits would overflow.
            (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0)
        };
        // Limits of one logarithm leave no room: everything between them lies in the middle.
        let part = if part.is_nan() { 0.5 } else { part };
        Some(self.start + part.clamp(-20.0, 20.0) * (self.end - self.start))
    }

    /// About `target` ticks; no closer than 1 apart on an axis of whole numbers.
    pub(super) fn ticks(self, target: usize, whole: bool) -> Ticks {
        if self.log {
            return self.log_ticks(target);
        }
        // One tick alone does not make a scale.
        (target..target + 4)
            .map(|target| self.linear_ticks(target, whole))
            .find(|ticks| ticks.ticks.len() > 1)
            .unwrap_or_else(|| self.linear_ticks(target, whole))
    }

    fn linear_ticks(self, target: usize, whole: bool) -> Ticks {
        let (low, high) = (self.min(), self.max());
        let mut step = nice_step((high / 2.0 - low / 2.0) / target.max(1) as f64 * 2.0);
        if whole {
            step = step.max(1.0);
            if step.fract() != 0.0 {
                step = 2.0;
            }
        }
        let largest = low.abs().max(high.abs());
        // Steps finer than the numbers' own precision cannot be told apart.
        if !step.is_finite() || step <= 0.0 || step < largest * 1e-13 {
            return Ticks::default();
        }
        let first = (low / step - 1e-9).ceil();
        let last = (high / step + 1e-9).floor();
        let count = ((last - first).clamp(-1.0, 100.0) + 1.0) as usize;
        let power = if !(2e-3..99_999.5).contains(&largest) {
            largest.log10().floor() as i32
        } else {
            0
        };
        let decimals = decimals(step, power);
        let ticks = (0..count)
            .map(|i| {
                let at = (first + i as f64) * step;
                // The sum of many steps can miss zero by a rounding error.
                let at = if at.abs() < step * 1e-9 { 0.0 } else { at };
                Tick {
                    at,
                    label: fixed(shift(at, power), decimals),
                }
            })
            .collect();
        Ticks { ticks, power }
    }

    fn log_ticks(self, target: usize) -> Ticks {
        let (low, high) = (self.min().log10(), self.max().log10());
        let decades = high - low;
        if decades < 0.8 {
            // Less than a decade: decades alone would leave the axis bare.
            let linear = Self { log: false, ..self };
            return linear.linear_ticks(target.min(4), false);
        }
        let (first, last) = ((low - 1e-9).ceil() as i32, (high + 1e-9).floor() as i32);
        let every = (f64::from(last - first + 1) / target.max(2) as f64)
            .ceil()
            .max(1.0) as i32;
        let plain = low >= -3.01 && high <= 4.01;
        let mut ticks = vec![];
        for decade in first - 1..=last {
            let unit = 10f64.powi(decade);
            if decade >= first {
                let label = match (decade - first) % every {
                    0 if plain => fixed(unit, (-decade).max(0) as usize),
                    0 => format!("10{}", superscript(decade)),
                    _ => String::new(),
                };
                // Over very many decades, those between the written ones would merge.
                if !label.is_empty() || decades <= 40.0 {
                    ticks.push(Tick { at: unit, label });
                }
            }
            if every > 1 || decades > 8.0 {
                continue;
            }
            for digit in 2..10 {
                let at = unit * f64::from(digit);
                if at.log10() < low - 1e-9 || at.log10() > high + 1e-9 {
                    continue;
                }
                // With fewer than two whole decades the 2 and the 5 are written too.
                let label = if plain && last - first < 1 && (digit == 2 || digit == 5) {
                    fixed(at, (-decade).max(0) as usize)
                } else {
                    String::new()
                };
                ticks.push(Tick { at, label });
            }
        }
        Ticks { ticks, power: 0 }
    }
}

/// The smallest of 1, 2, 2.5 and 5 times a power of ten that is not much smaller than `step`.
fn nice_step(step: f64) -> f64 {
    if !step.is_finite() || step <= 0.0 {
        return f64::NAN;
    }
    let unit = 10f64.powf(step.log10().floor());
    let part = step / unit;
    let nice = [1.0, 2.0, 2.5, 5.0, 10.0];
    let chosen = nice.iter().find(|n| **n >= part * 0.85);
    chosen.unwrap_or(&10.0) * unit
}

/// Decimals that tell multiples of `step` apart once `power` powers of ten are taken out.
fn decimals(step: f64, power: i32) -> usize {
    let step = shift(step, power);
    (0..12)
        .find(|d| {
            let scaled = step * 10f64.powi(*d);
            (scaled - scaled.round()).abs() < 1e-6 * scaled
        })
        .unwrap_or(12) as usize
}

/// `value` divided by ten to the `power`, without overflow on the way.
fn shift(value: f64, power: i32) -> f64 {
    let half = power / 2;
    value / 10f64.powi(half) / 10f64.powi(power - half)
}

/// A number with fixed decimals and a true minus sign; no negative zero.
pub(super) fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|b| b == b'0' || b == b'.') => rest.to_owned(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

/// A number for readers: `digits` significant ones, powers of ten where it is very large or small.
pub(super) fn significant(value: f64, digits: usize) -> String {
    if value.is_nan() {
        return "not a number".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞" } else { "−∞" }.into();
    }
    if value == 0.0 {
        return "0".into();
    }
    let digits = digits.max(1);
    // Written in scientific form first: 9.996 with three digits is 10.0, one power higher.
    let written = format!("{:.*e}", digits - 1, value);
    let power: i32 = written
        .split_once('e')
        .and_then(|(_, p)| p.parse().ok())
        .unwrap_or(0);
    if (-4..7).contains(&power) {
        let text = fixed(value, (digits as i32 - 1 - power).max(0) as usize);
        trim_zeros(&text)
    } else {
        let part = fixed(shift(value, power), digits - 1);
        format!("{} × 10{}", trim_zeros(&part), superscript(power))
    }
}

fn trim_zeros(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

/// A whole number in raised digits.
pub(super) fn superscript(number: i32) -> String {
    number
        .to_string()
        .chars()
        .map(|c| match c {
            '-' => '⁻',
            '1' => '¹',
            '2' => '²',
            '3' => '³',
            d => char::from_u32('⁰' as u32 + d.to_digit(10).unwrap_or(0)).unwrap_or(d),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &Ticks) -> Vec<&str> {
        let written = ticks.ticks.iter().filter(|t| !t.label.is_empty());
        written.map(|t| t.label.as_str()).collect()
    }

    #[test]
    fn ticks_are_round_numbers_with_as_many_decimals_as_they_need() {
        let ticks = Scale::new(-0.5, 1.02, false).ticks(5, false);
        assert_eq!(labels(&ticks), ["−0.5", "0.0", "0.5", "1.0"]);
        let quarters = Scale::new(0.0, 1.0, false).ticks(4, false);
        assert_eq!(labels(&quarters), ["0.00", "0.25", "0.50", "0.75", "1.00"]);
        let whole = Scale::new(1.0, 3.0, false).ticks(8, true);
        assert_eq!(labels(&whole), ["1", "2", "3"]);
    }

    #[test]
    fn very_large_and_small_numbers_give_up_their_power_of_ten() {
        let large = Scale::new(0.0, 3.2e9, false).ticks(4, false);
        assert_eq!((large.power, labels(&large)[1]), (9, "1"));
        let small = Scale::new(0.0, 4e-7, false).ticks(4, false);
        assert_eq!(
            (small.power, labels(&small)),
            (-7, vec!["0", "1", "2", "3", "4"])
        );
    }

    #[test]
    fn logarithmic_axes_show_decades_and_the_digits_between_when_short() {
        assert_eq!(
            labels(&Scale::new(1e-6, 1.0, true).ticks(7, false)),
            ["10⁻⁶", "10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "10⁰"]
        );
        assert_eq!(
            labels(&Scale::new(1.0, 100.0, true).ticks(5, false)),
            ["1", "10", "100"]
        );
        assert_eq!(
            labels(&Scale::new(15.0, 400.0, true).ticks(5, false)),
            ["20", "50", "100", "200"]
        );
    }

    #[test]
    fn no_limits_break_a_scale() {
        let odd = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            1e308,
            -1e308,
            5e-324,
            f64::NAN,
            f64::INFINITY,
        ];
        for low in odd {
            for high in odd {
                for log in [false, true] {
                    let scale = Scale::new(low, high, log).to_pixels(0.0, 100.0);
                    assert!(scale.ticks(5, false).ticks.len() < 200);
                    for v in odd {
                        assert!(
                            scale.place(v).is_none_or(|p| p.abs() <= 3000.0),
                            "{low} {high} {v}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn numbers_for_readers() {
        assert_eq!(significant(0.123_456, 3), "0.123");
        assert_eq!(significant(9.996, 3), "10");
        assert_eq!(significant(-12_345.6, 3), "−12346");
        assert_eq!(significant(3.2e-9, 3), "3.2 × 10⁻⁹");
        assert_eq!(significant(f64::NAN, 3), "not a number");
        assert_eq!(fixed(-0.001, 1), "0.0");
    }
}
