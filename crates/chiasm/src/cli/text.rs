//! Text laid out for the terminal.

use comfy_table::{ContentArrangement, Table, presets};

use super::output::width;

/// A paragraph, wrapped and indented.
pub(super) fn paragraph(text: &str, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let options = textwrap::Options::new(width())
        .initial_indent(&pad)
        .subsequent_indent(&pad);
    textwrap::fill(text, options)
}

/// A term and its text beside it, which is wrapped under itself.
pub(super) fn entry(term: &str, text: &str, column: usize) -> String {
    let first = format!("  {term:<w$}  ", w = column.saturating_sub(4));
    let rest = " ".repeat(column.min(width() / 2));
    if first.chars().count() > rest.len() {
        let below = textwrap::Options::new(width())
            .initial_indent(&rest)
            .subsequent_indent(&rest);
        return format!("  {term}\n{}", textwrap::fill(text, below));
    }
    let options = textwrap::Options::new(width())
        .initial_indent(&first)
        .subsequent_indent(&rest);
    textwrap::fill(text, options)
}

/// An empty table of the terminal's width.
pub(super) fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width()).unwrap_or(80))
        .set_header(head.to_vec());
    table
}

/// A number with at most four significant digits, in plain writing where that is short.
pub(super) fn number(x: f64) -> String {
    if x == 0.0 {
        return "0".into();
    }
    if x.fract() == 0.0 && x.abs() < 1e6 {
        return format!("{x}");
    }
    let magnitude = x.abs().log10().floor();
    if (-4.0..6.0).contains(&magnitude) {
        let decimals = (3.0 - magnitude).max(0.0) as usize;
        let text = format!("{x:.decimals$}");
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').into()
        } else {
            text
        }
    } else {
        format!("{x:.3e}")
    }
}

/// A duration for people.
pub(super) fn duration(seconds: f64) -> String {
    if seconds < 10.0 {
        format!("{seconds:.1} s")
    } else if seconds < 120.0 {
        format!("{seconds:.0} s")
    } else if seconds < 7200.0 {
        format!(
            "{:.0} min {:02.0} s",
            (seconds / 60.0).floor(),
            (seconds % 60.0).floor()
        )
    } else {
        format!(
            "{:.0} h {:02.0} min",
            (seconds / 3600.0).floor(),
            ((seconds % 3600.0) / 60.0).floor()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases = [
            (0.0, "0"),
            (1.0, "1"),
            (0.123_456, "0.1235"),
            (-12.345_67, "-12.35"),
            (1234.567, "1235"),
            (1.5e-9, "1.500e-9"),
            (2.5e8, "2.500e8"),
            (100_000.0, "100000"),
            (0.999_99, "1"),
        ];
        for (x, text) in cases {
            assert_eq!(number(x), text);
        }
        assert_eq!(duration(3.21), "3.2 s");
        assert_eq!(duration(3723.0), "62 min 03 s");
    }
}
